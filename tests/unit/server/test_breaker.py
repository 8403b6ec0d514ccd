"""The breaker, by a clock of the test's own."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.server.breaker import FORGET_SECONDS, Breaker, backoff


def breaker(seed: int = 1) -> Breaker:
    """A closed one."""
    return Breaker(Random(seed))


def test_the_third_failure_opens_it_for_a_moment() -> None:
    """Then it takes calls again, and three more failures to be opened again."""
    one = breaker()
    for _ in range(2):
        assert [one.failed(10.0), one.failed(10.1), one.left(10.1)] == [0.0, 0.0, 0.0]
        seconds = one.failed(10.2)
        assert 0.25 <= seconds <= 0.5
        assert one.left(10.2) == pytest.approx(seconds)
        assert one.left(10.2 + seconds - 0.01) == pytest.approx(0.01)
        assert one.left(10.2 + seconds) == 0.0


def test_a_failure_while_it_is_open_opens_it_for_longer() -> None:
    """A call that was under way: the time doubles."""
    one = breaker()
    times = [one.failed(1.0) for _ in range(4)]
    assert 0.5 <= times[3] <= 0.75
    assert one.left(1.0) == pytest.approx(times[3])


def test_a_success_and_a_long_time_forget() -> None:
    """Two failures before either do not count."""
    one = breaker()
    one.failed(0.0)
    one.failed(0.0)
    one.succeeded()
    assert [one.failed(1.0), one.failed(1.0)] == [0.0, 0.0]
    assert one.left(1.0 + FORGET_SECONDS) == 0.0
    assert one.failed(1.0 + FORGET_SECONDS) == 0.0
    assert one.failed(2.0 + 3 * FORGET_SECONDS) == 0.0
    assert one.failed(2.0 + 3 * FORGET_SECONDS) == 0.0


@given(st.integers(0, 1000), st.integers())
def test_a_backoff_grows_to_five_seconds(attempt: int, seed: int) -> None:
    """And a quarter of a second of chance."""
    seconds = backoff(attempt, Random(seed))
    base = min(0.25 * 2**attempt, 5.0)
    assert base <= seconds <= base + 0.25


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=40))
def test_only_three_failures_since_a_success_open_it(steps: list[tuple[float, bool]]) -> None:
    """Whatever came before, in any order and at any time; an open one takes no call."""
    one, now, since = breaker(), 0.0, 0
    for wait, good in steps:
        now += wait
        if one.left(now):
            assert since >= 3
            continue
        since = 0 if good or since >= 3 else since
        if good:
            one.succeeded()
        else:
            since += 1
            assert (one.failed(now) > 0) == (since == 3)
