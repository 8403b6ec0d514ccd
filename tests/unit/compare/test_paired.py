"""The interval of a paired difference, against going through all signs one by one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.compare.paired import paired_shift, pairs_needed
from mop_locust.compare.permutation import MOST, Shift

differences = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=7)


def p_by_hand(values: list[float]) -> float:
    """The two-sided p-value of the signed ranks, no zeros and no ties among the sizes, by every way to give signs."""
    ranks = {size: rank for rank, size in enumerate(sorted(map(abs, values)), 1)}
    found = sum(ranks[abs(value)] for value in values if value > 0)
    sums = [sum(itertools.compress(ranks.values(), signs)) for signs in itertools.product((0, 1), repeat=len(values))]
    return min(1.0, 2 * min(sum(one <= found for one in sums), sum(one >= found for one in sums)) / len(sums))


def test_six_differences_that_agree_are_bounded_by_the_least_and_the_greatest() -> None:
    """2 of 64 ways to give signs are as extreme: 3.1 %."""
    base, new = [10.0] * 6, [11.0, 12.0, 13.0, 14.0, 15.0, 19.0]
    assert paired_shift(base, new, 0.05) == Shift(3.5, 1.0, 9.0)
    assert paired_shift(new, base, 0.05) == Shift(-3.5, -9.0, -1.0)
    assert paired_shift(base, new, 0.03) == Shift(3.5, None, None)


def test_what_drifts_from_pair_to_pair_cancels_out() -> None:
    """Groups that overlap widely, and a difference that is the same in each pair."""
    base = [1.0, 50.0, 20.0, 90.0, 5.0, 70.0]
    assert paired_shift(base, [value + 2 for value in base], 0.05) == Shift(2.0, 2.0, 2.0)


def test_how_many_pairs_are_needed() -> None:
    """2 / 2^n must be at most alpha."""
    assert [pairs_needed(alpha) for alpha in (0.5, 0.1, 0.05, 0.01)] == [2, 5, 6, 8]


@given(differences, st.sampled_from([0.05, 0.1, 0.3]), st.integers(-25, 25))
def test_the_interval_holds_what_the_test_does_not_refuse(values: list[float], alpha: float, moved: int) -> None:
    """Any shift: subtract it, and ask the test by hand."""
    values = [value + index / 100 for index, value in enumerate(sorted(set(values)))]
    shift = moved + 0.0037
    rest = [value - shift for value in values]
    if len(set(map(abs, rest))) < len(rest):
        return
    found = paired_shift([0.0] * len(values), values, alpha)
    inside = found.low is None or found.high is None or found.low < shift < found.high
    assert inside == (p_by_hand(rest) > alpha)


@given(differences)
def test_the_estimate_turns_with_its_sides(values: list[float]) -> None:
    """And lies within the interval."""
    zeros = [0.0] * len(values)
    there, back = paired_shift(zeros, values, 0.05), paired_shift(values, zeros, 0.05)
    assert there.estimate == -back.estimate
    if there.low is not None and there.high is not None:
        assert there.low <= there.estimate <= there.high


@pytest.mark.parametrize(("base", "new"), [([], []), ([1.0], []), ([1.0] * (MOST + 1), [1.0] * (MOST + 1))])
def test_what_is_no_pairs(base: list[float], new: list[float]) -> None:
    """None, some without a partner, more than are counted."""
    with pytest.raises(ValueError, match=f"1 to {MOST} pairs, not {len(base)} and {len(new)} values"):
        paired_shift(base, new, 0.05)
