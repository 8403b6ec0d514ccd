"""As tools_call_rps, on a worker whose name service gives an address elsewhere for every name."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "locustfiles"))
from tools_call_rps import ToolsCallRps

from mop_locust.transports import dial

__all__ = ["ToolsCallRps"]


def elsewhere(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
    """An address of TEST-NET-3, which is nobody's."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.7", port))]


dial.getaddrinfo = elsewhere
