"""A sum that slides equals the sum of what is in it, whatever came and went before."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.sliding import SlidingSum
from tests.unit.metrics.strategies import histogram_of, values


def test_nothing_has_no_sum() -> None:
    """Neither before the first entry nor after the last has left."""
    sliding = SlidingSum()
    sliding.drop_before(5)
    assert sliding.total() is None
    sliding.push(6, CounterTotal(3))
    sliding.drop_before(7)
    assert sliding.total() is None


def test_what_comes_out_is_a_copy() -> None:
    """Neither the entries nor the sums change with it."""
    sliding, entry = SlidingSum(), RateTotal(2, 1)
    sliding.push(0, entry)
    first = sliding.total()
    assert first == RateTotal(2, 1)
    first.fold(RateTotal(5, 5))
    sliding.push(1, RateTotal(1, 0))
    sliding.drop_before(0)
    assert sliding.total() == RateTotal(3, 1)
    assert entry == RateTotal(2, 1)


def test_kinds_do_not_mix() -> None:
    """As everywhere."""
    sliding = SlidingSum()
    sliding.push(0, CounterTotal(1))
    with pytest.raises(TypeError, match="a rate cannot be added to a counter"):
        sliding.push(1, RateTotal(1, 0))


@given(st.lists(st.tuples(st.integers(0, 5), st.lists(values, max_size=8), st.integers(0, 12)), max_size=40))
def test_it_is_the_merge_of_what_is_in_the_window(steps: Sequence[tuple[int, list[int], int]]) -> None:
    """The quantiles of merged histograms are those of one that saw all values of the window: the same buckets."""
    sliding, there, time = SlidingSum(), list[tuple[int, list[int]]](), 0
    for gap, recorded, width in steps:
        time += gap + 1
        sliding.push(time, TrendTotal(histogram_of(recorded)))
        there.append((time, recorded))
        sliding.drop_before(time - width)
        there = [(at, some) for at, some in there if at >= time - width]
        total = sliding.total()
        assert isinstance(total, TrendTotal)
        merged = histogram_of([value for _, some in there for value in some])
        assert total.histogram == merged
        exact = sorted(value for _, some in there for value in some)
        if exact:
            # The law that a user relies on: within the precision of the histogram it is the sample at that rank.
            true = exact[max(0, -(-95 * len(exact) // 100) - 1)]
            assert abs(total.histogram.quantile(0.95) - true) <= true / 512 + 1
