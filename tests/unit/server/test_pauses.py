"""Waits that end early."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from mop_locust.server.asgi import Message
from mop_locust.server.delays import Delay
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


def test_answers_are_held_as_the_delay_says() -> None:
    """Nothing to hold without a delay; with one, True after its time and False when the future ends it."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        assert Pauses().holding is False
        short, long = Pauses(Delay(1.0)), Pauses(Delay(0.0, second_ms=LONG * 1000, share=1.0))
        assert (short.holding, long.holding) == (True, True)
        assert await short.held(loop.create_future()) is True
        until: asyncio.Future[None] = loop.create_future()
        loop.call_soon(until.set_result, None)
        assert await long.held(until) is False

    run(work())


def test_so_many_answers_are_held_at_a_time_as_there_are_slots() -> None:
    """Two of four; when one client goes, the third comes in."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        pauses = Pauses(Delay(LONG * 1000), slots=2)
        clients: list[asyncio.Future[None]] = [loop.create_future() for _ in range(4)]
        drawn: list[asyncio.Future[Any]] = []
        elapsed = pauses.elapsed

        async def watched(until: asyncio.Future[Any], seconds: float) -> bool:
            drawn.append(until)
            return await elapsed(until, seconds)

        pauses.elapsed = watched  # type: ignore[method-assign]
        held = [asyncio.create_task(pauses.held(client)) for client in clients]
        await asyncio.sleep(0.01)
        assert drawn == clients[:2]
        clients[0].set_result(None)
        await asyncio.sleep(0.01)
        assert drawn == clients[:3]
        pauses.end()
        assert await asyncio.gather(*held) == [False] * 4

    run(work())


def test_the_same_seed_holds_the_same_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one others, all of them within the jitter."""

    async def times(seed: int) -> list[float]:
        drawn: list[float] = []
        pauses = Pauses(Delay(20.0, 5.0), seed)

        async def elapsed(_: asyncio.Future[Any], seconds: float) -> bool:
            drawn.append(seconds)
            return True

        monkeypatch.setattr(pauses, "elapsed", elapsed)
        for _ in range(50):
            await pauses.held(asyncio.get_running_loop().create_future())
        return drawn

    async def work() -> None:
        first = await times(1)
        assert first == await times(1)
        assert first != await times(2)
        assert all(0.015 <= seconds <= 0.025 for seconds in first)

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


def test_a_server_can_become_slow_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers of the first seconds after the first one are not held."""

    async def held(begin: float) -> int:
        waits = 0
        pauses = Pauses(Delay(20.0), begin=begin)

        async def elapsed(_until: asyncio.Future[Any], _seconds: float) -> bool:
            nonlocal waits
            waits += 1
            return False

        monkeypatch.setattr(pauses, "elapsed", elapsed)
        answers = [await pauses.held(asyncio.get_running_loop().create_future()) for _ in range(3)]
        assert answers == [waits == 0] * 3
        return waits

    async def work() -> None:
        assert (await held(LONG), await held(0.0)) == (0, 3)

    run(work())
