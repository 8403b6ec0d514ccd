"""Whose an arrival is: n workers partition every schedule, also where the roster changes."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from mop_locust.load.roster import Roster, share, whose
from tests.unit.load.test_clock import CLOCKS, SECOND, Clock

NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6).map(tuple)
ROSTERS = st.lists(st.tuples(st.integers(1, 10 * SECOND), NAMES), max_size=4).map(
    lambda turns: [Roster(0, ("a",)), *(Roster(us, names) for us, names in sorted(turns))]
)


def test_workers_take_arrivals_in_turn() -> None:
    """By their numbers; the newest roster that holds at the instant counts."""
    rosters = [Roster(0, ("a", "b")), Roster(1000, ("b",)), Roster(2000, ())]
    assert [whose(rosters, at, number) for at, number in ((0, 0), (1, 1), (999, 2), (1000, 3), (1999, 4), (2000, 5))] == [
        "a", "b", "a", "b", "b", "",
    ]  # fmt: skip
    assert whose(rosters[1:], 999, 0) == "", "before the first roster it is nobody's"


@given(CLOCKS, ROSTERS)
def test_the_workers_shares_partition_the_schedule(clock: Clock, rosters: list[Roster]) -> None:
    """Together they have each arrival once: as many as there are, less those of the times in which nobody was there."""
    arrivals = list(takewhile(lambda arrival: arrival[0] < 10 * SECOND, clock.since(0)))
    workers = {worker for roster in rosters for worker in roster.workers} | {""}
    shares = {worker: [arrival for arrival in arrivals if whose(rosters, *arrival) == worker] for worker in workers}
    assert sorted(arrival for share in shares.values() for arrival in share) == sorted(arrivals)


@given(CLOCKS, st.integers(1, 6))
def test_the_shares_are_even(clock: Clock, workers: int) -> None:
    """Each worker has the same number, but for one arrival of each random sequence."""
    rosters = [Roster(0, tuple("abcdef"[:workers]))]
    arrivals = list(takewhile(lambda arrival: arrival[0] < 10 * SECOND, clock.since(0)))
    held = Counter(whose(rosters, *arrival) for arrival in arrivals)
    numbers = [held[worker] for worker in rosters[0].workers]
    assert max(numbers) - min(numbers) <= 1 + len(arrivals) // 200


@given(st.integers(0, 10_000), NAMES)
def test_parts_of_a_limit_are_the_limit(limit: int, names: tuple[str, ...]) -> None:
    """None lost by rounding, none that differs by more than one; a stranger has none."""
    roster = Roster(0, names)
    parts = [share(limit, roster, name) for name in names]
    assert sum(parts) == (limit if names else 0)
    assert max(parts, default=0) - min(parts, default=0) <= 1
    assert share(limit, roster, "stranger") == 0
