"""The roll of the workers: how many are waited for, and what is missing in the end."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from mop_locust.config import ApiKey
from mop_locust.swarm.judging import roll as module
from mop_locust.swarm.judging.roll import SETTLED_SECONDS, Roll


class Clock:
    """A clock that goes on only when somebody sleeps; `workers` and `addresses` are what is there in each second of it."""

    def __init__(self, workers: Sequence[int], addresses: Sequence[int]) -> None:
        self.now = 0.0
        self._workers, self._addresses = workers, addresses

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Goes on; a test that waits for ever is over."""
        self.now += seconds
        assert self.now < 1000, "waits without end"

    @property
    def ready(self) -> range:
        """As many workers as there are now."""
        return range(self._workers[min(int(self.now), len(self._workers) - 1)])

    def count(self, name: str) -> int:
        """As many addresses as the name has now."""
        assert name == "worker"
        return self._addresses[min(int(self.now), len(self._addresses) - 1)]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]  # a function of five arguments
    """Waits on a clock of its own; returns what is missing and when it was known."""

    def run(workers: Sequence[int], addresses: Sequence[int], least: int, name: str, longest: float) -> tuple[str, float]:
        clock = Clock(workers, addresses)
        monkeypatch.setattr(module, "time", clock)
        monkeypatch.setattr(module.gevent, "sleep", clock.sleep)
        monkeypatch.setattr(module, "count_addresses", clock.count)
        missing = Roll(SimpleNamespace(clients=clock), ApiKey("k")).await_workers(least, name, longest)
        return missing, clock.now

    return run


def test_without_a_name_the_number_counts(wait) -> None:  # type: ignore[no-untyped-def]
    """At once when they are there, else when they come."""
    assert wait([2], [0], 2, "", 0) == ("", 0.0)
    missing, at = wait([0, 1, 2], [0], 2, "", 0)
    assert (missing, round(at)) == ("", 2)


def test_with_a_name_its_addresses_count_once_they_stand(wait) -> None:  # type: ignore[no-untyped-def]
    """Copies that come one after the other are all waited for, though as many workers were there before."""
    missing, at = wait([1, 2, 2, 4], [1, 2, 3, 4], 1, "worker", 60)
    assert missing == ""
    assert 3 + SETTLED_SECONDS <= at < 4 + SETTLED_SECONDS


def test_a_long_wait_is_told(wait, caplog: pytest.LogCaptureFixture) -> None:  # type: ignore[no-untyped-def]
    """After five seconds, and then each half minute."""
    assert wait([1] * 40 + [3], [0], 3, "", 0)[0] == ""
    assert [record.getMessage() for record in caplog.records] == ["waiting for workers: 1 of 3 are here"] * 2


def test_the_number_is_the_least_where_a_name_has_fewer(wait) -> None:  # type: ignore[no-untyped-def]
    """A copy that died has no address any more; who knew how many were started is told."""
    assert wait([3], [3], 4, "worker", 10)[0] == "3 of 4 came within 10 s, 1 are missing"


@pytest.mark.parametrize(
    ("workers", "addresses", "name", "missing"),
    [
        ([1], [0], "", "1 of 3 came within 10 s, 2 are missing"),
        ([3], [0], "worker", "the name 'worker' has no address after 10 s"),
        ([3], [5], "worker", "3 of 5 came within 10 s, 2 are missing"),
        ([9], [1, 2] * 10, "worker", "the number of addresses behind the name 'worker' was still changing after 10 s"),
    ],
)
def test_what_is_missing_is_told(wait, workers: list[int], addresses: list[int], name: str, missing: str) -> None:  # type: ignore[no-untyped-def]
    """After the longest wait."""
    told, at = wait(workers, addresses, 3, name, 10)
    assert told == missing
    assert 10 < at < 11
