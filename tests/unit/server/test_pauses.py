"""Waits that end early."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from mop_locust.server.asgi import Message
from mop_locust.server.pauses import Pauses, disconnected

LONG = 60.0


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run on a fresh event loop."""
    asyncio.run(work)


def test_a_wait_that_nothing_ends() -> None:
    """True after its time."""

    async def work() -> None:
        assert await Pauses().elapsed(asyncio.get_running_loop().create_future(), 0.001) is True

    run(work())


def test_a_wait_that_its_future_ends() -> None:
    """False."""

    async def work() -> None:
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(until.set_result, None)
        assert await Pauses().elapsed(until, LONG) is False

    run(work())


def test_the_end_cuts_all_waits_and_those_to_come() -> None:
    """False for each of them."""

    async def work() -> None:
        pauses = Pauses()
        loop = asyncio.get_running_loop()
        waits = [asyncio.create_task(pauses.elapsed(loop.create_future(), LONG)) for _ in range(3)]
        await asyncio.sleep(0)
        pauses.end()
        assert await asyncio.gather(*waits) == [False, False, False]
        assert pauses.ending is True
        assert await pauses.elapsed(loop.create_future(), LONG) is False

    run(work())


def test_waiting_for_the_client_to_go_drops_what_it_sends() -> None:
    """Only http.disconnect ends it."""

    async def work() -> None:
        messages: list[Message] = [{"type": "http.request"}, {"type": "http.request"}, {"type": "http.disconnect"}]

        async def receive() -> Message:
            return messages.pop(0)

        assert (await disconnected(receive))["type"] == "http.disconnect"
        assert messages == []

    run(work())
