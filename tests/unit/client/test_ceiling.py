"""The ceiling of one process: evenly spaced slots, permits to the last one, nothing after the end."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
import pytest
from gevent import GreenletExit

from mop_locust.client import ceiling as module
from mop_locust.client.ceiling import CappedExchanges, Ceiling
from mop_locust.transports import Phases
from tests.unit.client.memory import Taken


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """The time."""
        return self.now


class Waits:
    """In place of the event: keeps what would be waited, and lets the clock go on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds: list[float] = []
        self.over = False

    def is_set(self) -> bool:
        """Whether the end has come."""
        return self.over

    def set(self) -> None:
        """The end."""
        self.over = True

    def wait(self, seconds: float) -> bool:
        """Waits in no time."""
        self.seconds.append(seconds)
        self._clock.now += seconds
        return self.over


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Ceiling, Clock, Waits]]:
    """A ceiling whose clock is the test's."""

    def make(rate: float, permits: Callable[[], int] | None = None) -> tuple[Ceiling, Clock, Waits]:
        clock = Clock()
        waits = Waits(clock)
        monkeypatch.setattr(module, "time", clock)
        monkeypatch.setattr(module, "Event", lambda: waits)
        return Ceiling(rate, permits), clock, waits

    return make


Made = Callable[..., tuple[Ceiling, Clock, Waits]]


def test_slots_are_evenly_spaced(made: Made) -> None:
    """Whoever comes at once waits for a slot of its own; the first does not wait."""
    ceiling, _, waits = made(10)
    assert [ceiling.wait("ping") for _ in range(4)] == pytest.approx([0, 0.1, 0.1, 0.1])
    assert waits.seconds == pytest.approx([0.1, 0.1, 0.1])


def test_time_that_nobody_used_is_gone(made: Made) -> None:
    """After a pause there is no burst."""
    ceiling, clock, waits = made(10)
    ceiling.wait("ping")
    clock.now += 5
    assert [ceiling.wait("ping") for _ in range(3)] == pytest.approx([0, 0.1, 0.1])
    assert len(waits.seconds) == 2


def test_a_new_share_counts_from_the_next_on(made: Made) -> None:
    """A worker joins: each has less from now on. 0 is no limit."""
    ceiling, _, _ = made(10)
    ceiling.wait("ping")
    ceiling.share(5)
    assert ceiling.wait("ping") == pytest.approx(0.2)
    ceiling.share(0)
    assert [ceiling.wait("ping") for _ in range(3)] == [0, 0, 0]


def test_permits_are_used_to_the_last_one_and_not_beyond(made: Made) -> None:
    """After the last block nobody is asked again; closing needs no permit."""
    blocks = [2, 1, 0]
    ceiling, _, _ = made(0, lambda: blocks.pop(0))
    for _ in range(3):
        ceiling.wait("ping")
        ceiling.wait("delete")
    for _ in range(2):
        with pytest.raises(GreenletExit):
            ceiling.wait("ping")
    assert blocks == []
    ceiling.wait("close")


def test_users_that_need_a_permit_at_the_same_time_ask_once() -> None:
    """While one waits for the answer the others wait for it."""
    asked = []

    def permits() -> int:
        asked.append(1)
        gevent.sleep(0.01)
        return 3 if len(asked) == 1 else 0

    ceiling = Ceiling(0, permits)
    users = [gevent.spawn(ceiling.wait, "ping") for _ in range(5)]
    gevent.joinall(users, raise_error=False)
    assert [isinstance(user.value, GreenletExit) for user in users] == [False, False, False, True, True]
    assert len(asked) == 2


def test_the_end_wakes_who_waits(made: Made) -> None:
    """What is open is still closed, at once; nothing else begins."""
    ceiling = Ceiling(0.01, None)
    ceiling.wait("ping")
    user, closing = gevent.spawn(ceiling.wait, "ping"), gevent.spawn(ceiling.wait, "delete")
    gevent.sleep(0.01)
    assert not user.ready()
    ceiling.end()
    gevent.joinall([user, closing], timeout=1)
    assert isinstance(user.value, GreenletExit)
    assert closing.value == 0
    assert ceiling.wait("close") == 0
    with pytest.raises(GreenletExit):
        ceiling.wait("ping")


def test_an_exchange_waits_before_its_clock_starts() -> None:
    """What it waited stands in a trend of its own, and in no latency."""
    taken = Taken()
    exchanges = CappedExchanges("s", taken, 1.0, {})
    exchanges.ceiling = Ceiling(20, None)
    began = time.monotonic_ns() // 1000
    assert [exchanges.measure("http", "ping", lambda _: 7, Phases()) for _ in range(2)] == [7, 7]
    [(name, tags, waited)] = taken.trends
    assert (name, tags) == ("ceiling_wait", (("scenario", "s"),))
    assert 0 < waited <= 50_000
    assert taken.samples[1].start_us - began >= waited
    assert taken.samples[1].duration_us < 40_000


def test_an_exchange_that_may_not_begin_leaves_no_sample() -> None:
    taken = Taken()
    exchanges = CappedExchanges("s", taken, 1.0, {})
    exchanges.ceiling = Ceiling(0, lambda: 0)
    with pytest.raises(GreenletExit):
        exchanges.measure("http", "ping", lambda _: 1, Phases())
    assert (taken.samples, taken.trends, exchanges.measured) == ([], [], 0)
