"""The shapes of ASGI 3 that the reference server uses: scopes in, messages both ways."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypedDict

if TYPE_CHECKING:
    import asyncio

Header = tuple[bytes, bytes]


class Scope(TypedDict, total=False):
    """What uvicorn says of one request or one socket; ours are `transport`, over HTTP with faults alone, and `read_ns`.

    `read_ns` is monotonic: when the request was read whole.
    """

    type: str
    method: str
    path: str
    query_string: bytes
    headers: list[Header]
    subprotocols: list[str]
    transport: asyncio.Transport
    read_ns: int


class Message(TypedDict, total=False):
    """One ASGI message, sent or received; which members it has depends on its type. `read_ns` is ours, as in Scope."""

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
    read_ns: int


Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Application(Protocol):
    """An ASGI 3 application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
