"""Users of open load: they wait for arrivals, begin each that they were handed, and measure from its intended beginning."""

from __future__ import annotations

from typing import Any

import pytest
from locust import task

from mop_locust.client.exchange import monotonic_us
from mop_locust.protocol.errors import CheckFailed
from mop_locust.users import MopHttpUser
from tests.unit.client.memory import Taken
from tests.unit.test_users import Crowd, iterations


@pytest.fixture
def taken() -> Taken:
    """An empty recorder."""
    return Taken()


class Arrivals:
    """A pool of arrivals: those that wait, the users that wait for one, and how many were dropped."""

    def __init__(self, *waiting: int) -> None:
        self.waiting = list(waiting)
        self.idle: list[Any] = []
        self.drops = 0

    def take(self, user: Any) -> int | None:
        """An arrival that waits; else the user does."""
        if self.waiting:
            return self.waiting.pop(0)
        self.idle.append(user)
        return None

    def dropped(self) -> None:
        """One did not begin after all."""
        self.drops += 1


class Coming(MopHttpUser):
    """A scenario whose sessions take a moment, if at all."""

    scenario = "coming"

    def pause(self) -> float:
        raise AssertionError("nobody pauses in open load")

    pause_after_failure = pause

    @task
    def come(self) -> None:
        self.come_in()

    def come_in(self) -> None:
        """What the iteration does."""


def opened(taken: Taken, *waiting: int) -> tuple[Crowd, Arrivals]:
    """A crowd with a pool of the scenario."""
    crowd, pool = Crowd(taken), Arrivals(*waiting)
    crowd.load.pools["coming"] = pool
    return crowd, pool


def trends(taken: Taken) -> dict[str, list[int]]:
    """The values of each trend of the scenario."""
    found: dict[str, list[int]] = {}
    for name, _, value in taken.trends:
        found.setdefault(name, []).append(value)
    return found


def test_in_open_load_a_user_waits_for_arrivals_and_measures_from_the_intended_beginning(taken: Taken) -> None:
    """One that waited already, and one that wakes it; nothing else makes it begin."""
    crowd, pool = opened(taken, monotonic_us() - 5_000_000)
    user = crowd.running(Coming)
    crowd.until(lambda: pool.idle == [user])
    assert iterations(taken) == 1
    assert user.arrive(monotonic_us() - 7_000_000) is True
    crowd.until(lambda: len(pool.idle) == 2)
    found = trends(taken)
    assert (iterations(taken), len(found["iteration_duration"])) == (2, 2)
    for name in ("start_lag", "iteration_duration_intended"):
        assert [round(value / 1e6) for value in found[name]] == [5, 7], name
    assert max(found["iteration_duration"]) < 1_000_000
    user.stop()
    crowd.join()
    assert (iterations(taken), user.arrive(0)) == (2, False)


def test_a_failed_session_has_no_duration_and_brings_no_pause(taken: Taken) -> None:
    """The next arrival comes by the clock, whatever became of this one."""

    class Failing(Coming):
        scenario = "coming"

        def come_in(self) -> None:
            raise CheckFailed("short")

    crowd, pool = opened(taken, monotonic_us(), monotonic_us())
    user = crowd.running(Failing)
    crowd.until(lambda: bool(pool.idle))
    assert (iterations(taken), user.failed_in_a_row) == (2, 2)
    assert set(trends(taken)) == {"start_lag"}
    user.stop()
    crowd.join()


def test_a_fault_of_the_scenario_goes_to_locust_and_the_user_goes_on(taken: Taken) -> None:
    """Without a pause in between."""

    class Faulty(Coming):
        scenario = "coming"

        def come_in(self) -> None:
            raise KeyError("x")

    crowd, pool = opened(taken, monotonic_us(), monotonic_us())
    faults: list[str] = []
    crowd.environment.events.user_error.add_listener(lambda exception, **_: faults.append(repr(exception)))
    user = crowd.running(Faulty)
    crowd.until(lambda: bool(pool.idle))
    assert (iterations(taken), faults) == (2, ["KeyError('x')"] * 2)
    user.stop()
    crowd.join()


def test_an_arrival_that_was_handed_over_begins_even_when_the_user_is_stopped_then(taken: Taken) -> None:
    """Nothing is lost between the two; the user ends after it."""
    crowd, pool = opened(taken)
    user = crowd.running(Coming)
    crowd.until(lambda: pool.idle == [user])
    assert user.arrive(monotonic_us()) is True
    assert user.stop() is False
    crowd.join()
    assert (iterations(taken), pool.drops) == (1, 0)


@pytest.mark.parametrize(("handed_over", "drops"), [(True, 1), (False, 0)])
def test_a_killed_user_gives_back_what_it_did_not_begin(handed_over: bool, drops: int, taken: Taken) -> None:
    """An arrival that comes between the kill and its effect is dropped."""
    crowd, pool = opened(taken)
    user = crowd.running(Coming)
    crowd.until(lambda: pool.idle == [user])
    user.greenlet.kill(block=False)
    if handed_over:
        assert user.arrive(monotonic_us()) is True
    crowd.join()
    assert (iterations(taken), pool.drops) == (0, drops)
