"""Waiting that ends early when the client goes or the server ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mop_locust.server.asgi import Message, Receive


class Pauses:
    """All waits of a server; `end` cuts them."""

    def __init__(self) -> None:
        self._open: set[asyncio.Future[Any]] = set()
        self.ending = False

    async def elapsed(self, until: asyncio.Future[Any], seconds: float) -> bool:
        """Wait; True when `seconds` have passed, False when `until` was done or the server ended before."""
        if self.ending:
            return False
        self._open.add(until)
        try:
            done, _ = await asyncio.wait({until}, timeout=seconds)
        finally:
            self._open.discard(until)
        return not done

    def end(self) -> None:
        """Cut every wait, now and from now on."""
        self.ending = True
        for until in tuple(self._open):
            until.cancel()


async def disconnected(receive: Receive) -> Message:
    """Wait until the client has gone; what it still sends is dropped."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return message
