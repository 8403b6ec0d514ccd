"""The search: its laws over steady servers, and what it does with answers that differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.capacity.search import DOWN, Answer, Plan, Search, between, settle

HELD, SERVER, GENERATOR = Answer
PLAN = Plan(10, 1000, 0.05)
plans = st.builds(
    lambda first, times, resolution: Plan(first, first * times, resolution),
    st.floats(0.1, 1000),
    st.floats(1, 10_000),
    st.floats(0.01, 0.5),
)


def run(plan: Plan, answer: Callable[[float], Answer]) -> tuple[Search, list[float]]:
    """A search to its end, and the rates that it tried."""
    search, tried = Search(plan), []
    while search.rate is not None:
        tried.append(search.rate)
        search.tell(answer(search.rate))
    return search, tried


def steady(most: float, limit: Answer = SERVER) -> Callable[[float], Answer]:
    """A server, or a generator, that holds every rate up to `most` and none above."""
    return lambda rate: HELD if rate <= most else limit


def script(*answers: Answer) -> Callable[[float], Answer]:
    """These answers one after the other, whatever the rate."""
    left = iter(answers)
    return lambda rate: next(left)


@given(plans, st.floats(0, 2), st.sampled_from([SERVER, GENERATOR]))
def test_a_steady_limit_is_found_within_the_resolution_and_never_exceeded(plan: Plan, place: float, limit: Answer) -> None:
    """Wherever it lies; in a bounded number of steps; and the result was seen twice."""
    most = plan.first / 2**DOWN * (2 * plan.last / plan.first * 2**DOWN) ** (place / 2)
    search, tried = run(plan, steady(most, limit))
    assert search.low <= most
    assert search.sure
    assert search.steps == len(tried) <= plan.most_steps
    assert tried.count(search.low) == 2
    if search.high is None:
        assert search.low == plan.last
    else:
        assert most < search.high <= search.low * (1 + plan.resolution)
        assert search.limit is limit
        assert tried.count(search.high) == 2


@given(plans, st.floats(0, 0.99))
def test_a_server_that_holds_nothing_is_given_up(plan: Plan, share: float) -> None:
    """Each rate down to a sixteenth of the first is tried twice."""
    search, tried = run(plan, steady(share * plan.first / 2**DOWN))
    assert (search.low, search.sure, search.limit) == (0.0, False, SERVER)
    assert tried == [plan.first / 2**halvings for halvings in range(DOWN + 1) for _ in range(2)]


@given(plans, st.lists(st.sampled_from(list(Answer)), min_size=200, max_size=200))
def test_whatever_the_answers_it_ends_in_bounds(plan: Plan, answers: list[Answer]) -> None:
    """Nothing above the last rate, at most so many steps, and what is called held did hold once."""
    given = iter(answers)
    held, tried = set(), []

    def answer(rate: float) -> Answer:
        tried.append(rate)
        found = next(given)
        if found is HELD:
            held.add(rate)
        return found

    search, _ = run(plan, answer)
    assert search.steps <= plan.most_steps
    assert all(plan.first / 2**DOWN <= rate <= plan.last for rate in tried)
    assert search.low == 0 or search.low in held
    assert search.high is None or search.low < search.high


@given(plans, st.floats(0.2, 0.999), st.sampled_from([SERVER, GENERATOR]), st.data())
def test_single_failures_that_a_repeat_does_not_bear_out_change_nothing(
    plan: Plan, place: float, false: Answer, data: st.DataObject
) -> None:
    """One spurious failure anywhere: the same result as without it."""
    most = plan.first * (plan.last / plan.first) ** place
    calm, tried = run(plan, steady(most))
    at, count = data.draw(st.integers(0, len(tried) - 1)), iter(range(1000))
    search, _ = run(plan, lambda rate: false if next(count) == at else steady(most)(rate))
    assert (search.low, search.high, search.sure) == (calm.low, calm.high, True)


def test_the_course_of_a_search() -> None:
    """Up by doubling, the failure repeated, the rest halved, each failure repeated, the result once more."""
    search, tried = run(PLAN, steady(410))
    assert tried == [10, 20, 40, 80, 160, 320, 640, 640, 480, 480, 400, 440, 440, 420, 420, 400]
    assert (search.low, search.high, search.limit, search.sure) == (400, 420, SERVER, True)


def test_the_last_rate_is_tried_though_it_is_no_double() -> None:
    """And is the result when it holds, seen twice."""
    search, tried = run(Plan(300, 1000, 0.05), steady(5000))
    assert tried == [300, 600, 1000, 1000]
    assert (search.low, search.high, search.limit) == (1000, None, None)


def test_one_rate_alone() -> None:
    """From and to may be the same."""
    assert run(Plan(50, 50, 0.05), steady(60))[1] == [50, 50]


def test_the_best_rate_gives_way_when_it_does_not_hold_again() -> None:
    """To the next lower one, and what lies between is looked at."""
    search, tried = run(Plan(10, 40, 0.5), script(HELD, HELD, HELD, SERVER, SERVER, SERVER, SERVER, HELD, HELD))
    assert tried == [10, 20, 40, 40, 40, 30, 30, 20]
    assert (search.low, search.high, search.sure) == (20, 30, True)


def test_the_only_rate_that_held_gives_way_to_a_lower_one() -> None:
    """Below the first."""
    search, tried = run(Plan(10, 10, 0.5), script(HELD, GENERATOR, GENERATOR, HELD, HELD, HELD))
    assert tried == [10, 10, 10, 5, 7.5, 7.5]
    assert (search.low, search.high, search.limit) == (7.5, 10, GENERATOR)


def test_answers_that_contradict_each_other_end_it_all_the_same() -> None:
    """It is not sure then."""
    search, tried = run(PLAN, script(*[SERVER, GENERATOR, HELD] * 50))
    assert len(tried) == 3 * (DOWN + 1) < PLAN.most_steps
    assert (search.low, search.sure, search.spent) == (0, False, False)
    noisy = Plan(10, 20, 0.5)
    assert noisy.most_steps == 17
    again = script(HELD, HELD, *[SERVER, HELD, SERVER] * 50)
    search, tried = run(noisy, again)
    assert len(tried) == noisy.most_steps
    assert (search.rate, search.sure, search.spent) == (None, False, True)


@pytest.mark.parametrize(
    ("answers", "settled"),
    [
        ([HELD], HELD),
        ([SERVER], None),
        ([SERVER, SERVER], SERVER),
        ([GENERATOR, GENERATOR], GENERATOR),
        ([SERVER, HELD], None),
        ([SERVER, HELD, HELD], HELD),
        ([SERVER, HELD, SERVER], SERVER),
        ([GENERATOR, SERVER, GENERATOR], GENERATOR),
        ([GENERATOR, SERVER, HELD], GENERATOR),
    ],
)
def test_what_the_answers_at_a_rate_come_to(answers: Sequence[Answer], settled: Answer | None) -> None:
    """Two that agree; of three that all differ the first, which is no success."""
    assert settle(answers) is settled


def test_the_middle_has_three_digits_where_it_can() -> None:
    """And lies between the two in any case."""
    assert between(100, 205) == 152
    assert between(0.3, 0.4) == 0.35
    assert between(1234, 1236) == 1235
