"""The statistics of a comparison, against calculations by hand and against all splits one by one."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.compare.permutation import MOST, Shift, holm, least_p, p_value, shift, values_needed

few = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=5)
p_values = st.lists(st.floats(0, 1), max_size=8)


def by_hand(base: list[float], new: list[float]) -> float:
    """The p-value by going through every split of the pooled values."""
    pooled = base + new
    ranks = [sum(other < value for other in pooled) + (sum(other == value for other in pooled) + 1) / 2 for value in pooled]
    found = sum(ranks[: len(base)])
    sums = [sum(ranks[i] for i in split) for split in itertools.combinations(range(len(pooled)), len(base))]
    return min(1.0, 2 * min(sum(one <= found for one in sums), sum(one >= found for one in sums)) / len(sums))


def test_five_below_five_is_one_of_the_two_most_extreme_of_252_splits() -> None:
    """10 over 5 is 252."""
    assert p_value([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == 2 / 252
    assert p_value([6, 7, 8, 9, 10], [1, 2, 3, 4, 5]) == 2 / 252


def test_one_pair_the_wrong_way_round_doubles_it() -> None:
    """Rank sum 16 where 15 is the least: one split has 15, one 16, and the same at the other end."""
    assert p_value([1, 2, 3, 4, 6], [5, 7, 8, 9, 10]) == 4 / 252


def test_ties_share_their_rank() -> None:
    """Of 1, 1 against 1, 2 the ranks are 2, 2, 2, 4: half of the 6 splits have the rank sum 4, and twice a half is 1."""
    assert p_value([1, 1], [1, 2]) == 1.0
    assert p_value([1, 2], [2, 3, 3]) == 0.4  # ranks 1, 2.5, 2.5, 4.5, 4.5: 2 of 10 splits have 3.5
    assert p_value([3, 3, 3], [3, 3, 3]) == 1.0


def test_one_run_gone_astray_does_not_decide() -> None:
    """How far away it is makes no difference."""
    assert p_value([1, 2, 3], [4, 5, 6]) == p_value([1, 2, 3], [4, 5, 6000]) == 0.1


@given(few, few)
def test_it_is_the_share_of_all_splits(base: list[float], new: list[float]) -> None:
    """With any ties and any sizes."""
    assert p_value(base, new) == pytest.approx(by_hand(base, new))


@given(few, few)
def test_it_knows_no_direction_no_order_and_no_scale(base: list[float], new: list[float]) -> None:
    """Which group is the first, how its values are ordered, and any growing transformation change nothing."""
    p = p_value(base, new)
    assert p == pytest.approx(p_value(new, base))
    assert p == p_value(base[::-1], sorted(new))
    assert p == p_value([math.exp(value) for value in base], [math.exp(value) for value in new])
    assert least_p(len(base), len(new)) - 1e-12 <= p <= 1


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_alike_groups_are_told_apart_in_at_most_alpha_of_all_splits(alpha: float) -> None:
    """Exactly what a p-value promises: all 252 splits of ten values, none of them favoured."""
    values = [1.0, 2.0, 4.0, 4.5, 5.0, 7.0, 8.0, 9.0, 9.5, 30.0]
    alarms = 0
    for split in itertools.combinations(range(10), 5):
        base = [values[i] for i in split]
        new = [values[i] for i in range(10) if i not in split]
        alarms += p_value(base, new) <= alpha
    assert 0 < alarms <= alpha * 252


def test_the_least_p_value_by_size() -> None:
    """3 v 3 can never be significant at 5 %, 4 v 4 alone, 5 v 5 beside others."""
    assert [round(least_p(n, n), 4) for n in (1, 3, 4, 5, 6, 7)] == [1.0, 0.1, 0.0286, 0.0079, 0.0022, 0.0006]
    assert least_p(1, 1) == 1.0


@pytest.mark.parametrize(("tests", "each"), [(0, 4), (1, 4), (2, 5), (6, 5), (7, 6), (23, 6), (24, 7)])
def test_how_many_runs_are_needed(tests: int, each: int) -> None:
    """2 / 70, 2 / 252, 2 / 924 and 2 / 3432, times the tests."""
    assert values_needed(tests, 0.05) == each


def test_the_shift_of_five_against_five() -> None:
    """The median of 25 differences; 2 * P(U <= 2) is 8/252, 2 * P(U <= 3) is 14/252: so the 3rd from either end bounds it."""
    base, new = [1.0, 2.0, 3.0, 4.0, 5.0], [11.0, 12.0, 13.0, 14.0, 15.0]
    assert shift(base, new, 0.05) == Shift(10.0, 7.0, 13.0)
    assert shift(new, base, 0.05) == Shift(-10.0, -13.0, -7.0)


def test_three_against_three_have_no_interval() -> None:
    """No shift could be refused at 5 %."""
    assert shift([1, 2, 3], [4, 5, 6], 0.05) == Shift(3, None, None)
    assert shift([1, 2, 3], [4, 5, 6], 0.1) == Shift(3, 1, 5)


@given(st.lists(st.integers(0, 40).map(float), min_size=4, max_size=6), st.integers(-20, 20))
def test_the_interval_holds_the_shift_that_was_made(base: list[float], by: int) -> None:
    """Moving a group by so much moves the estimate and the interval by as much."""
    still, moved = shift(base, base, 0.05), shift(base, [value + by for value in base], 0.05)
    assert moved.estimate == still.estimate + by == by
    assert still.low is not None
    assert still.high is not None
    assert (moved.low, moved.high) == (still.low + by, still.high + by)
    assert still.low <= 0 <= still.high


def test_the_interval_is_what_the_test_does_not_refuse() -> None:
    """A group moved to just inside of either bound is not significantly apart, just outside it is."""
    base, new = [1.0, 2.5, 3.0, 4.25, 5.0], [2.0, 6.1, 3.7, 9.9, 4.4]
    _, low, high = shift(base, new, 0.05)
    assert low is not None
    assert high is not None
    for bound, inside in ((low, 1e-6), (high, -1e-6)):
        assert p_value([value + bound + inside for value in base], new) > 0.05
        assert p_value([value + bound - inside for value in base], new) <= 0.05


def test_holm_by_hand() -> None:
    """The least times 3, the next times 2, the last times 1, never below the one before."""
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(p_values)
def test_holm_keeps_the_order_and_lies_between_none_and_bonferroni(given_p: list[float]) -> None:
    """Never less than the p-value, never more than it times their number."""
    corrected = holm(given_p)
    for p, q in zip(given_p, corrected, strict=True):
        assert p <= q <= min(1.0, p * len(given_p)) + 1e-12 or q == max(corrected)
    for first, second in itertools.pairwise(sorted(zip(given_p, corrected, strict=True))):
        assert first[1] <= second[1]


def test_what_cannot_be_compared() -> None:
    """Nothing, and more than can be counted."""
    with pytest.raises(ValueError, match="1 to 30 values, not 0"):
        p_value([], [1])
    with pytest.raises(ValueError, match="1 to 30 values, not 31"):
        shift([1], [1.0] * (MOST + 1), 0.05)


def test_thirty_against_thirty_are_counted_exactly() -> None:
    """The most that there may be."""
    low, high = [float(n) for n in range(30)], [float(n + 30) for n in range(30)]
    assert p_value(low, high) == 2 / math.comb(60, 30)
