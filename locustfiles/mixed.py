"""The three scenarios at once: 50 WebSocket, 20 HTTP and 5 event stream users by default, which are also the weights."""

from __future__ import annotations

from sse_keep_alive import SseKeepAlive
from tools_call_rps import ToolsCallRps
from ws_connect_storm import WsConnectStorm

__all__ = ["SseKeepAlive", "ToolsCallRps", "WsConnectStorm"]
