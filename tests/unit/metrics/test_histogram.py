"""The histogram against exact arithmetic, against hdrhistogram, and against its own laws."""

from __future__ import annotations

import json
import math
import random
from fractions import Fraction

import msgspec
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import example, given
from hypothesis import strategies as st

from mop_locust.metrics.histogram import (
    LARGEST,
    LARGEST_SUM,
    FrozenCounts,
    Histogram,
    HistogramWire,
    bucket_index,
    bucket_middle,
    counts_at,
)
from tests.unit.metrics.strategies import HOUR_US, histogram_of, histograms, values

WIRE: HistogramWire = {
    "version": 1,
    "count": 3,
    "total": 1005,
    "min": 1,
    "max": 1000,
    "indexes": [1, 3, 752],
    "counts": [1, 1, 1],
}
"""1, 4 and 1000, which lies in the bucket 756 = (1 << 8) + (1000 >> 1)."""


@given(st.integers(0, LARGEST))
@example(255)
@example(256)
@example(511)
@example(512)
@example(HOUR_US)
@example(LARGEST)
def test_a_bucket_s_middle_is_within_a_quarter_of_a_percent_and_in_the_bucket(value: int) -> None:
    """Half the promised 0.4 %, from 0 to the largest value, and exact below 512."""
    middle = bucket_middle(bucket_index(value))
    assert bucket_index(middle) == bucket_index(value)
    assert abs(middle - value) * 512 <= value
    assert value >= 512 or middle == value


@given(values, values)
def test_the_order_of_values_is_the_order_of_their_buckets(a: int, b: int) -> None:
    """Sorted buckets are sorted values."""
    assert bucket_index(min(a, b)) <= bucket_index(max(a, b))


@given(st.lists(st.integers(0, HOUR_US), min_size=1, max_size=60), st.integers(0, 1000))
def test_a_quantile_is_the_exact_one_within_the_promised_error(recorded: list[int], per_mille: int) -> None:
    """Rank ceil(q * n) of the sorted values, at most 0.4 % off; count, sum, least and greatest are exact."""
    histogram = histogram_of(recorded)
    exact = sorted(recorded)[max(math.ceil(Fraction(per_mille, 1000) * len(recorded)), 1) - 1]
    assert abs(histogram.quantile(per_mille / 1000) - exact) <= exact * 0.004
    assert (histogram.count, histogram.total) == (len(recorded), sum(recorded))
    assert (histogram.quantile(0), histogram.quantile(1)) == (min(recorded), max(recorded))
    assert histogram.mean == sum(recorded) / len(recorded)


@pytest.mark.parametrize("q", [0.5, 0.9, 0.95, 0.99, 0.999, 1.0])
def test_hdrhistogram_reads_the_same_quantiles(q: float) -> None:
    """Two independent implementations agree within the sum of their errors, over seven decades."""
    rng = random.Random(20)
    recorded = [min(int(rng.lognormvariate(9, 3)) + 1, HOUR_US) for _ in range(5_000)]
    oracle = HdrHistogram(1, HOUR_US, 3)
    for value in recorded:
        oracle.record_value(value)
    theirs = oracle.get_value_at_percentile(q * 100)
    assert histogram_of(recorded).quantile(q) == pytest.approx(theirs, rel=0.004)


def test_binary_dust_does_not_move_a_rank() -> None:
    """0.07 * 100 is 7.000000000000001 in binary, and still the seventh value."""
    assert histogram_of(list(range(1, 101))).quantile(0.07) == 7


def test_several_quantiles_come_in_the_order_asked_for() -> None:
    """Order and repetition of the question do not matter to the answer."""
    histogram = histogram_of(list(range(1, 101)))
    assert histogram.quantiles((0.99, 0.5, 0.5, 0.01, 1)) == [99, 50, 50, 1, 100]


def test_record_takes_negative_as_zero_and_cuts_the_absurd() -> None:
    """A clock that went back gives 0; what is above 203 days counts as that."""
    histogram = histogram_of([-5, LARGEST + 1])
    assert (histogram.min, histogram.max, histogram.total) == (0, LARGEST, LARGEST)


@given(values, st.integers(1, 50))
def test_recording_n_times_is_recording_n_values(value: int, n: int) -> None:
    """`record(v, n)` is a shorthand."""
    histogram = Histogram()
    histogram.record(value, n)
    assert histogram == histogram_of([value] * n)


@given(histograms, histograms, histograms)
def test_merge_is_associative_and_commutative_and_has_an_identity(a: Histogram, b: Histogram, c: Histogram) -> None:
    """The order in which workers report cannot matter."""

    def merged(*parts: Histogram) -> Histogram:
        result = Histogram()
        for part in parts:
            result.merge(part)
        return result

    assert merged(merged(a, b), c) == merged(a, merged(b, c))
    assert merged(a, b) == merged(b, a)
    assert merged(a, Histogram()) == merged(Histogram(), a) == a


@given(st.lists(values, max_size=20), st.lists(values, max_size=20))
def test_merged_parts_equal_the_whole(left: list[int], right: list[int]) -> None:
    """Splitting values over two histograms loses nothing."""
    merged = histogram_of(left)
    merged.merge(histogram_of(right))
    assert merged == histogram_of(left + right)


@given(histograms)
def test_steps_lead_back_to_the_counts(histogram: Histogram) -> None:
    """In order, however the values came; the first step is the first bucket itself."""
    steps, counts = histogram.steps()
    assert counts_at(steps, counts) == histogram.counts
    assert all(step > 0 for step in steps[1:])
    assert steps[:1] == sorted(histogram.counts)[:1]


def test_steps_and_counts_belong_together() -> None:
    """One without the other is a mistake; the same bucket twice is its sum."""
    assert counts_at([3, 0, 2], [1, 4, 9]) == {3: 5, 5: 9}
    with pytest.raises(ValueError, match="shorter"):
        counts_at([1, 2], [1])


def test_the_sum_stops_where_the_wire_format_ends() -> None:
    """An absurd sum stays encodable instead of failing every later snapshot."""
    histogram = Histogram()
    histogram.record(LARGEST, 2**19)
    histogram.merge(histogram.copy())
    assert histogram.total == LARGEST_SUM
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(histogram), type=Histogram) == histogram
    histogram.check()


def test_a_copy_shares_nothing() -> None:
    """Recording into the copy leaves the original alone."""
    histogram = histogram_of([7])
    copy = histogram.copy()
    assert copy == histogram
    copy.record(8)
    assert histogram == histogram_of([7])


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_a_quantile_outside_zero_to_one_is_refused(q: float) -> None:
    """95 instead of 0.95 must not pass for the maximum."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        histogram_of([1]).quantile(q)


def test_an_empty_histogram_has_neither_mean_nor_quantiles() -> None:
    """Nothing measured is not a latency of 0."""
    with pytest.raises(ValueError, match="empty"):
        _ = Histogram().mean
    with pytest.raises(ValueError, match="empty"):
        Histogram().quantile(0.5)


@given(histograms)
def test_the_json_form_round_trips_through_json(histogram: Histogram) -> None:
    """What summary.json holds is the whole histogram."""
    assert Histogram.from_wire(json.loads(json.dumps(histogram.to_wire()))) == histogram


def test_the_json_form_is_what_it_was() -> None:
    """The format of version 1, written out."""
    assert histogram_of([1, 4, 1000]).to_wire() == WIRE
    assert Histogram.from_wire(WIRE) == histogram_of([1, 4, 1000])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": 2}, "version 2 is unknown; this release reads 1"),
        ({"version": None}, "version None is unknown"),
        ({"counts": [1, 1]}, "not a histogram"),
        ({"counts": [1, 1, -1]}, "not a histogram"),
        ({"counts": [1, 1, 2]}, "do not add up"),
        ({"counts": [1, 0, 2]}, "not a histogram: Expected `int` >= 1"),
        ({"count": "3"}, "not a histogram"),
        ({"indexes": None}, "not a histogram"),
        ({"min": 2}, "limits do not fit"),
        ({"max": 2000}, "limits do not fit"),
        ({"total": 2}, "limits do not fit"),
        ({"total": 4000}, "limits do not fit"),
        ({"indexes": [], "counts": [], "count": 0}, "limits do not fit"),
    ],
)
def test_a_json_form_that_contradicts_itself_is_refused(change: dict[str, object], complaint: str) -> None:
    """Each figure is held against the others."""
    with pytest.raises(ValueError, match=complaint):
        Histogram.from_wire({**WIRE, **change})  # type: ignore[typeddict-item]


def test_a_json_form_with_a_missing_part_is_refused() -> None:
    """A missing key is a sentence, not a KeyError."""
    wire = dict(WIRE)
    del wire["max"]
    with pytest.raises(ValueError, match="not a histogram: 'max'"):
        Histogram.from_wire(wire)  # type: ignore[arg-type]


@given(histograms, histograms, st.integers(0, 1000))
def test_a_frozen_histogram_reads_as_it_did(histogram: Histogram, other: Histogram, per_mille: int) -> None:
    """Alone, in a copy, and added to another one."""
    frozen = histogram.copy()
    frozen.freeze()
    assert (frozen, histogram) == (histogram, frozen)
    assert frozen.to_wire() == histogram.to_wire()
    assert len(frozen.counts) == len(histogram.counts)
    frozen.check()
    if histogram.count:
        assert frozen.quantile(per_mille / 1000) == histogram.quantile(per_mille / 1000)
    sums = []
    for one in (frozen, histogram):
        into, out_of = other.copy(), one.copy()
        into.merge(one)
        out_of.merge(other)
        sums += [into, out_of]
    assert sums == [sums[0]] * 4
    assert frozen == histogram


def test_two_frozen_histograms_are_equal_when_their_counts_are() -> None:
    """And not otherwise."""
    one, same, other = histogram_of([1, 700]), histogram_of([1, 700]), histogram_of([1, 701, 800])
    for histogram in (one, same, other):
        histogram.freeze()
    assert one == same
    assert one.counts != other.counts


def test_nothing_can_be_added_to_a_frozen_histogram() -> None:
    """It would be lost, or change what others read."""
    frozen = histogram_of([5])
    frozen.freeze()
    for add in (lambda: frozen.record(5), lambda: frozen.merge(histogram_of([5]))):
        with pytest.raises(AttributeError):
            add()
    assert frozen == histogram_of([5])


@pytest.mark.parametrize("missing", [0, 2, 9471])
def test_a_bucket_without_a_count_is_not_there(missing: int) -> None:
    """Before the first, between two, after the last: as in a dictionary."""
    frozen = FrozenCounts({1: 10, 3: 30})
    assert [frozen[1], frozen[3]] == [10, 30]
    with pytest.raises(KeyError):
        frozen[missing]


def test_the_largest_bucket_and_count_fit() -> None:
    """Those of the largest value, and of the wire format."""
    assert FrozenCounts({bucket_index(LARGEST): 2**53}).copy() == {9471: 2**53}
