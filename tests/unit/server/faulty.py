"""What the tests of faults at the wire ask a server, and how they read what comes."""

from __future__ import annotations

import socket as sockets
from collections.abc import Callable

import requests

from .conftest import BOTH, CLIENT, KEY, WAIT, Running, body

Start = Callable[..., Running]
CALL = {"name": "exa_search_example", "arguments": {"query": "x"}}
SHORT = 0.4
"""Seconds after which an answer that never comes is given up."""


def initialize(server: Running) -> requests.Response:
    """The answer to `initialize`, whatever it is."""
    return server.post(body("initialize", CLIENT), KEY)


def opened_with_events(server: Running) -> dict[str, str]:
    """The headers of a session whose answers are event streams."""
    return {**KEY, "Mcp-Session-Id": initialize(server).headers["mcp-session-id"]}


def connected(server: Running) -> sockets.socket:
    """A TCP connection to the server."""
    host, port = server.base.removeprefix("http://").rsplit(":", 1)
    return sockets.create_connection((host, int(port)), timeout=WAIT)


def request(verb: str, headers: dict[str, str], data: str = "") -> bytes:
    """A request to /mcp on the wire."""
    lines = [f"{verb} /mcp HTTP/1.1", "Host: x", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in {**BOTH, **headers}.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + data).encode()


def read_to_end(connection: sockets.socket) -> tuple[bytes, str]:
    """What came, and how it ended: "end", "reset" or "open"."""
    data = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return data, "reset"
        except TimeoutError:
            return data, "open"
        if not piece:
            return data, "end"
        data += piece


def content_length(head: bytes) -> int:
    """What the head of an answer says of its body."""
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
