"""Bounds for buckets that other systems read, placed where our finer buckets end: nothing is estimated in between."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from mop_locust.metrics.histogram import Histogram, bucket_index


def last_value(value: int) -> int:
    """The largest value that shares the histogram's bucket with this one."""
    width = 1 << max(value.bit_length() - 9, 0)
    return value | (width - 1)


@dataclass(frozen=True)
class Bounds:
    """Ascending upper bounds, each the last value of one of the histogram's buckets.

    `indexes` are those buckets, `shown` the bounds in the unit that is shown; `scale` of the histogram's integers make one.
    """

    indexes: tuple[int, ...]
    shown: tuple[float, ...]
    scale: int

    @classmethod
    def near(cls, nominal: Iterable[float], scale: int) -> Bounds:
        """The bounds nearest above the nominal ones: at most 0.4 % above."""
        values = [last_value(round(bound * scale)) for bound in nominal]
        return cls(tuple(map(bucket_index, values)), tuple(value / scale for value in values), scale)

    def counts(self, histogram: Histogram) -> list[int]:
        """How many values lie in each bucket; the last count, one more than there are bounds, is of those above all bounds."""
        result = [0] * (len(self.indexes) + 1)
        for index, n in histogram.counts.items():
            result[bisect_left(self.indexes, index)] += n
        return result

    def cumulative(self, histogram: Histogram) -> list[int]:
        """How many values are at most each bound; the last count is of all values."""
        return list(accumulate(self.counts(histogram)))


SECONDS: Final = Bounds.near(
    [
        *(0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.008),
        *(0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08),
        *(0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8),
        *(1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 60),
    ],
    1_000_000,
)
"""For times, which histograms keep in microseconds: 0.5 ms to 60 s."""

OTHER: Final = Bounds.near((digit * 10.0**power for power in range(7) for digit in (1, 2, 5)), 1000)
"""For trends of any other unit, which histograms keep in thousandths: 1 to 5 million."""
