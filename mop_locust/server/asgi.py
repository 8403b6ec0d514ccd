"""The shapes of ASGI 3 that the reference server uses: scopes in, messages both ways."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypedDict

Header = tuple[bytes, bytes]


class Scope(TypedDict, total=False):
    """What uvicorn says of one request or one socket."""

    type: str
    method: str
    path: str
    query_string: bytes
    headers: list[Header]
    subprotocols: list[str]


class Message(TypedDict, total=False):
    """One ASGI message, sent or received; which members it has depends on its type."""

    type: str
    status: int
    headers: list[Header]
    body: bytes
    more_body: bool
    text: str | None
    bytes: bytes | None
    code: int
    reason: str
    subprotocol: str | None


Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Application(Protocol):
    """An ASGI 3 application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
