"""Sums, shares and distributions add up in any order, and only with their own kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal, TrendTotal, add_counts, fold, total_of
from mop_locust.metrics.histogram import Histogram
from tests.unit.metrics.strategies import histogram_of, histograms

counters = st.dictionaries(st.sampled_from(["ok", "timeout"]), st.integers(1, 9)).map(lambda o: CounterTotal(sum(o.values()), o))
rates = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda pair: RateTotal(max(pair), min(pair)))
trends = histograms.map(TrendTotal)


@given(st.one_of(st.tuples(counters, counters), st.tuples(rates, rates), st.tuples(trends, trends)))
def test_fold_is_commutative_and_counts_every_sample(pair: tuple[Accumulator, Accumulator]) -> None:
    """Also: the one that is added stays as it was."""
    a, b = pair
    left, right, untouched = a.copy(), b.copy(), b.copy()
    fold(left, b)
    fold(right, a)
    assert left == right
    assert left.samples == a.samples + b.samples
    assert b == untouched
    left.check()


@given(st.one_of(*(st.lists(kind, min_size=1, max_size=4) for kind in (counters, rates, trends))))
def test_the_total_leaves_its_parts_as_they_were(parts: list[Accumulator]) -> None:
    """And is what folding them one by one gives."""
    before, folded = [part.copy() for part in parts], parts[0].copy()
    for part in parts[1:]:
        fold(folded, part)
    assert total_of(parts) == folded
    fold(total_of(parts), parts[0])
    assert parts == before


def test_what_each_kind_adds_up_to() -> None:
    """One example of each, in figures."""
    counter, rate, trend = CounterTotal(2, {"ok": 2}), RateTotal(4, 1), TrendTotal(histogram_of([5]), "bytes")
    counter.fold(CounterTotal(3, {"ok": 1, "timeout": 2}))
    rate.fold(RateTotal(1, 1))
    trend.fold(TrendTotal(histogram_of([7]), "bytes"))
    assert counter == CounterTotal(5, {"ok": 3, "timeout": 2})
    assert rate == RateTotal(5, 2)
    assert trend == TrendTotal(histogram_of([5, 7]), "bytes")
    assert (counter.kind, rate.kind, trend.kind) == ("counter", "rate", "trend")


def test_copies_share_nothing() -> None:
    """A fold into the copy leaves the original alone."""
    counter, trend = CounterTotal(1, {"ok": 1}), TrendTotal(histogram_of([5]), "bytes")
    counter.copy().fold(CounterTotal(1, {"ok": 1}))
    trend.copy().fold(trend)
    assert counter == CounterTotal(1, {"ok": 1})
    assert trend.copy() == trend == TrendTotal(histogram_of([5]), "bytes")


@pytest.mark.parametrize(
    ("into", "other", "complaint"),
    [
        (CounterTotal(), RateTotal(), "a rate cannot be added to a counter"),
        (RateTotal(), TrendTotal(), "a trend cannot be added to a rate"),
        (TrendTotal(), CounterTotal(), "a counter cannot be added to a trend"),
    ],
)
def test_kinds_do_not_mix(into: Accumulator, other: Accumulator, complaint: str) -> None:
    """A metric is of one kind all through a run."""
    with pytest.raises(TypeError, match=complaint):
        fold(into, other)


@pytest.mark.parametrize(
    ("total", "complaint"),
    [
        (CounterTotal(2, {"ok": 1}), "outcomes do not add up"),
        (RateTotal(1, 2), "more failures than events"),
        (TrendTotal(Histogram({1: 1}, 2, 1, 1, 1)), "histogram counts do not add up"),
    ],
)
def test_contradictions_are_found(total: Accumulator, complaint: str) -> None:
    """Figures that came over the wire are held against each other."""
    with pytest.raises(ValueError, match=complaint):
        total.check()


def test_a_plain_counter_needs_no_outcomes() -> None:
    """Only `calls` has them."""
    CounterTotal(7).check()


def test_add_counts_adds_key_by_key() -> None:
    """Unknown keys are new."""
    into = {200: 1}
    add_counts(into, {200: 2, 503: 3})
    assert into == {200: 3, 503: 3}
