"""The client a simulated user holds: it does one exchange at a time and is the only place that measures."""

from __future__ import annotations

from mop_locust.client.client import Client, Clients
from mop_locust.client.exchange import Recorder
from mop_locust.client.http_session import HttpSession
from mop_locust.client.stream import Stream, StreamReport
from mop_locust.client.websocket_session import WebSocketSession

__all__ = ["Client", "Clients", "HttpSession", "Recorder", "Stream", "StreamReport", "WebSocketSession"]
