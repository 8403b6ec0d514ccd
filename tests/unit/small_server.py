"""A small MCP server that does exactly what a test says."""

from __future__ import annotations

import json

from tests.unit.client.memory import initialized, result
from tests.unit.transports.loopback import Peer, answer


def tiny(peer: Peer, **replies: bytes) -> None:
    """A small MCP server at /mcp, with these replies by method or verb in place of the good ones."""
    tools = {"tools": [{"name": "search"}], "nextCursor": "2"}
    while (asked := peer.request()) is not None:
        name = str(json.loads(asked.body)["method"]) if asked.method == "POST" else asked.method
        id = json.loads(asked.body).get("id") if asked.method == "POST" else None
        good = {
            "initialize": answer(initialized(id), extra="Mcp-Session-Id: s-1\r\n"),
            "notifications/initialized": answer(status="202 Accepted", kind=""),
            "tools/list": answer(result(id, tools)),
            "GET": answer(b"", kind="text/event-stream"),
            "DELETE": answer(),
        }
        peer.write({**good, **replies}[name])
