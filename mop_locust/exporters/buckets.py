"""Bounds for buckets that other systems read, placed where our finer buckets end: nothing is estimated in between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from mop_locust.metrics.histogram import Histogram


def last_value(value: int) -> int:
    """The largest value that shares the histogram's bucket with this one."""
    width = 1 << max(value.bit_length() - 9, 0)
    return value | (width - 1)


class Bounds(NamedTuple):
    """Ascending upper bounds in the histogram's own integers; `scale` of these make one unit that is shown."""

    values: tuple[int, ...]
    scale: int

    @classmethod
    def near(cls, nominal: Iterable[float], scale: int) -> Bounds:
        """The bounds nearest above the nominal ones: at most 0.4 % above."""
        return cls(tuple(last_value(round(bound * scale)) for bound in nominal), scale)

    @property
    def shown(self) -> list[float]:
        """The bounds in the unit that is shown."""
        return [value / self.scale for value in self.values]

    def cumulative(self, histogram: Histogram) -> list[int]:
        """How many values are at most each bound; the last count is of all values."""
        return [*histogram.buckets(self.values), histogram.count]

    def counts(self, histogram: Histogram) -> list[int]:
        """How many values lie in each bucket; the last count, one more than there are bounds, is of those above all bounds."""
        reached = self.cumulative(histogram)
        return [upto - before for before, upto in zip([0, *reached], reached, strict=False)]


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
