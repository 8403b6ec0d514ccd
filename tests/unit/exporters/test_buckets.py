"""Bounds where our buckets end: counting by them is exact."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mop_locust.exporters.buckets import OTHER, SECONDS, last_value
from mop_locust.metrics.histogram import LARGEST, Histogram, bucket_index


@given(st.integers(0, LARGEST - 1))
def test_the_last_value_ends_its_bucket(value: int) -> None:
    """The next one lies in the next bucket."""
    last = last_value(value)
    assert bucket_index(value) == bucket_index(last) == bucket_index(last + 1) - 1


@given(st.lists(st.integers(0, 100_000_000), max_size=30))
def test_counts_are_those_of_the_values_themselves(values: list[int]) -> None:
    """At most the bound, in seconds, whatever the histogram keeps of a value."""
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    upto = [sum(value / 1e6 <= bound for value in values) for bound in SECONDS.shown]
    assert SECONDS.cumulative(histogram) == [*upto, len(values)]
    assert sum(SECONDS.counts(histogram)) == len(values)
    assert len(SECONDS.counts(histogram)) == len(SECONDS.shown) + 1


def test_bounds_reach_from_half_a_millisecond_to_a_minute() -> None:
    """At most 0.4 % above the round figure, in ascending order."""
    assert (SECONDS.shown[0], SECONDS.shown[2], SECONDS.shown[-1]) == (0.0005, 0.001001, 60.030975)
    assert list(SECONDS.shown) == sorted(set(SECONDS.shown))
    assert (OTHER.shown[0], OTHER.shown[1], OTHER.shown[-1]) == (1.001, 2.003, 5016387.583)
    for shown, nominal in ((SECONDS.shown[-1], 60), (OTHER.shown[-1], 5_000_000), (SECONDS.shown[1], 0.00075)):
        assert 1 <= shown / nominal < 1.004
