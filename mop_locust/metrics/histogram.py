"""Log-linear counts of non-negative integers: 256 buckets to the octave, exact below 512, merged without loss.

A value v of 256 or more lies in the bucket (shift << 8) + (v >> shift) with shift = bit_length(v) - 9, which is 2**shift
wide. A bucket speaks through its middle, so no reading is off by more than 1/512 (0.2 %) of the value.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Annotated, TypedDict, cast

import msgspec

LARGEST = 2**44 - 1
"""The largest value that is kept apart, 203 days in microseconds; what is above counts as this."""

LARGEST_SUM = 2**63 - 1
"""Where the sum of a histogram stops, so that it always fits the wire format."""

Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A count; the wire decoder refuses any other integer, so that the sum over all workers still fits the format."""

Positive = Annotated[int, msgspec.Meta(ge=1, le=2**53)]

Sum = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_SUM)]

WIRE_VERSION = 1


class HistogramWire(TypedDict):
    """The JSON form: `indexes` are the differences between neighbouring bucket indexes, the first one absolute."""

    version: int
    count: int
    total: int
    min: int
    max: int
    indexes: list[int]
    counts: list[int]


def bucket_index(value: int) -> int:
    """The bucket of a value from 0 to LARGEST."""
    if value < 256:
        return value
    shift = value.bit_length() - 9
    return (shift << 8) + (value >> shift)


def counts_at(steps: Iterable[int], counts: Iterable[int]) -> dict[int, int]:
    """The counts by bucket of what `Histogram.steps` told; ValueError when one is longer than the other."""
    found: dict[int, int] = {}
    for index, n in zip(accumulate(steps), counts, strict=True):
        found[index] = found.get(index, 0) + n
    return found


def bucket_middle(index: int) -> int:
    """The integer in the middle of a bucket, rounded down."""
    if index < 512:
        return index
    shift = (index >> 8) - 1
    low = ((index & 255) + 256) << shift
    return low + ((1 << shift) - 1) // 2


class FrozenCounts:
    """Counts by bucket that do not change any more, in order: a tenth of the memory of a dictionary, and read like one."""

    __slots__ = ("_counts", "_indexes")

    def __init__(self, counts: Mapping[int, int]) -> None:
        self._indexes = array("H", sorted(counts))  # the bucket of LARGEST is 9,471
        self._counts = array("Q", [counts[index] for index in self._indexes])

    def __len__(self) -> int:
        return len(self._indexes)

    def __iter__(self) -> Iterator[int]:
        return iter(self._indexes)

    def __getitem__(self, index: int) -> int:
        place = bisect_left(self._indexes, index)
        if place == len(self._indexes) or self._indexes[place] != index:
            raise KeyError(index)
        return self._counts[place]

    def __eq__(self, other: object) -> bool:
        return self.copy() == (other.copy() if isinstance(other, FrozenCounts) else other)

    __hash__ = None  # type: ignore[assignment]  # as a dictionary

    def items(self) -> Iterator[tuple[int, int]]:
        """Each bucket with its count."""
        return zip(self._indexes, self._counts, strict=True)

    def values(self) -> Sequence[int]:
        """The counts."""
        return self._counts

    def copy(self) -> dict[int, int]:
        """A dictionary with the same counts, which may change."""
        return dict(self.items())


class Histogram(msgspec.Struct, array_like=True, gc=False):
    """Counts by bucket beside the exact count, sum, least and greatest value; an empty one has 0 in all four."""

    counts: dict[Whole, Positive] = msgspec.field(default_factory=dict)
    count: Whole = 0
    total: Sum = 0
    min: Whole = 0
    max: Whole = 0

    def record(self, value: int, n: int = 1) -> None:
        """Add a value n times (n >= 1); a negative value counts as 0, one above LARGEST as LARGEST."""
        if value < 256:
            if value < 0:
                value = 0
            index = value
        else:
            if value > LARGEST:
                value = LARGEST
            shift = value.bit_length() - 9
            index = (shift << 8) + (value >> shift)
        counts = self.counts
        counts[index] = counts.get(index, 0) + n
        count = self.count
        if not count or value < self.min:
            self.min = value
        if value > self.max:
            self.max = value
        self.count = count + n
        self.total += value * n

    def merge(self, other: Histogram) -> None:
        """Add all that the other one holds."""
        if not other.count:
            return
        counts = self.counts
        if counts:
            for index, n in other.counts.items():
                counts[index] = counts.get(index, 0) + n
        else:
            counts.update(other.counts.items())
        if not self.count or other.min < self.min:
            self.min = other.min
        if other.max > self.max:
            self.max = other.max
        self.count += other.count
        self.total = min(self.total + other.total, LARGEST_SUM)

    def copy(self) -> Histogram:
        """An equal histogram that shares nothing with this one."""
        return Histogram(self.counts.copy(), self.count, self.total, self.min, self.max)

    def freeze(self) -> None:
        """Keep the counts in little memory from now on: it can be read and copied, and nothing can be added any more."""
        self.counts = cast(dict[int, int], FrozenCounts(self.counts))

    @property
    def mean(self) -> float:
        """The exact mean; ValueError when empty."""
        self._refuse_empty()
        return self.total / self.count

    def quantile(self, q: float) -> int:
        """The value at rank ceil(q * count), q from 0 to 1; ValueError when empty or q lies outside."""
        return self.quantiles((q,))[0]

    def quantiles(self, qs: Sequence[float]) -> list[int]:
        """The values of several quantiles, in the order asked for, at the price of one; errors as `quantile`."""
        self._refuse_empty()
        for q in qs:
            if not 0 <= q <= 1:
                raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
        # 0.07 * 100 is 7.000000000000001: rounding first keeps such dust from moving the rank by one.
        ranks = [min(max(math.ceil(round(q * self.count, 6)), 1), self.count) for q in qs]
        found: dict[int, int] = {1: self.min, self.count: self.max}
        wanted = sorted(rank for rank in set(ranks) if rank not in found)
        counts, indexes = self.counts, iter(sorted(self.counts))
        reached = index = 0
        for rank in wanted:
            while reached < rank:
                index = next(indexes)
                reached += counts[index]
            found[rank] = min(max(bucket_middle(index), self.min), self.max)
        return [found[rank] for rank in ranks]

    def steps(self) -> tuple[list[int], list[int]]:
        """The buckets in order, each as its distance from the one before, and their counts: for `counts_at`."""
        indexes = sorted(self.counts)
        steps = [index - before for before, index in zip([0, *indexes], indexes, strict=False)]
        return steps, [self.counts[index] for index in indexes]

    def to_wire(self) -> HistogramWire:
        """The JSON-ready form, with its version."""
        steps, counts = self.steps()
        return {
            "version": WIRE_VERSION,
            "count": self.count,
            "total": self.total,
            "min": self.min,
            "max": self.max,
            "indexes": steps,
            "counts": counts,
        }

    @classmethod
    def from_wire(cls, wire: HistogramWire) -> Histogram:
        """Read `to_wire` back; ValueError for an unknown version or figures that do not fit each other."""
        if wire.get("version") != WIRE_VERSION:
            raise ValueError(f"histogram version {wire.get('version')!r} is unknown; this release reads {WIRE_VERSION}")
        try:
            counts = counts_at(wire["indexes"], wire["counts"])
            histogram = msgspec.convert([counts, wire["count"], wire["total"], wire["min"], wire["max"]], cls)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a histogram: {error}") from None
        histogram.check()
        return histogram

    def check(self) -> None:
        """ValueError when the figures contradict each other, as they can after decoding foreign bytes."""
        counts = self.counts
        if sum(counts.values()) != self.count:
            raise ValueError("histogram counts do not add up")
        if not counts:
            agree = self.min == self.max == self.total == 0
        else:
            agree = (
                self.min <= self.max <= LARGEST
                and bucket_index(self.min) == min(counts)
                and bucket_index(self.max) == max(counts)
                and min(self.min * self.count, LARGEST_SUM) <= self.total <= self.max * self.count
            )
        if not agree:
            raise ValueError("histogram limits do not fit its counts")

    def _refuse_empty(self) -> None:
        if not self.count:
            raise ValueError("an empty histogram has no mean and no quantiles")
