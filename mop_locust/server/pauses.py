"""Waiting that ends early when the client goes or the server ends."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

from mop_locust.server.delays import Delay

if TYPE_CHECKING:
    from mop_locust.server.asgi import Message, Receive


class Pauses:
    """All waits of a server; `end` cuts them. Those of answers are drawn from `delay`, the same ones for the same `seed`.

    Answers of the first `begin` seconds after the first one are not held. With `slots` only so many are held at a time, and the
    others wait for their turn: 0 for all at once.
    """

    def __init__(
        self,
        delay: Delay = Delay(),  # noqa: B008 - it is frozen
        seed: int = 0,
        begin: float = 0.0,
        slots: int = 0,
    ) -> None:
        self.holding = delay.holds
        self._slots = asyncio.Semaphore(slots) if slots else None
        self._delay = delay
        self._random = Random(seed)
        self._begin = begin
        self._first: float | None = None
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

    async def held(self, until: asyncio.Future[Any]) -> bool:
        """Hold an answer as long as the delay says, once there is a slot for it; True and False as `elapsed`."""
        now = asyncio.get_running_loop().time()
        if self._first is None:
            self._first = now
        if now - self._first < self._begin:
            return True
        if self._slots is None:
            return await self.elapsed(until, self._delay.draw(self._random))
        async with self._slots:  # whoever has gone meanwhile gives it back at once
            return await self.elapsed(until, self._delay.draw(self._random))

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
