"""What one series adds up to: a count, a share of failures, or a distribution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

import msgspec

from mop_locust.metrics.histogram import Histogram, Whole
from mop_locust.metrics.instruments import Kind

Key = TypeVar("Key")


class CounterTotal(msgspec.Struct, array_like=True, gc=False, tag="counter"):
    """A sum; that of `calls` also says how the calls ended."""

    kind: ClassVar[Kind] = "counter"
    count: Whole = 0
    outcomes: dict[str, Whole] = msgspec.field(default_factory=dict)

    @property
    def samples(self) -> int:
        """How much was counted."""
        return self.count

    def fold(self, other: CounterTotal) -> None:
        """Add the other sum."""
        self.count += other.count
        add_counts(self.outcomes, other.outcomes)

    def copy(self) -> CounterTotal:
        """An equal one that shares nothing."""
        return CounterTotal(self.count, self.outcomes.copy())

    def check(self) -> None:
        """ValueError when the outcomes, if any, do not add up to the count."""
        if self.outcomes and sum(self.outcomes.values()) != self.count:
            raise ValueError("outcomes do not add up to their count")


class RateTotal(msgspec.Struct, array_like=True, gc=False, tag="rate"):
    """Events and how many of them failed."""

    kind: ClassVar[Kind] = "rate"
    count: Whole = 0
    failures: Whole = 0

    @property
    def samples(self) -> int:
        """The number of events."""
        return self.count

    def fold(self, other: RateTotal) -> None:
        """Add the other events."""
        self.count += other.count
        self.failures += other.failures

    def copy(self) -> RateTotal:
        """An equal one."""
        return RateTotal(self.count, self.failures)

    def check(self) -> None:
        """ValueError when more events failed than there were."""
        if self.failures > self.count:
            raise ValueError("a rate has more failures than events")


class TrendTotal(msgspec.Struct, array_like=True, gc=False, tag="trend"):
    """A distribution of values in thousandths of the unit."""

    kind: ClassVar[Kind] = "trend"
    histogram: Histogram = msgspec.field(default_factory=Histogram)
    unit: str = "ms"

    @property
    def samples(self) -> int:
        """The number of values."""
        return self.histogram.count

    def fold(self, other: TrendTotal) -> None:
        """Add the other values."""
        self.histogram.merge(other.histogram)

    def copy(self) -> TrendTotal:
        """An equal one that shares nothing."""
        return TrendTotal(self.histogram.copy(), self.unit)

    def check(self) -> None:
        """ValueError when the histogram contradicts itself."""
        self.histogram.check()


Accumulator = CounterTotal | RateTotal | TrendTotal


def fold(into: Accumulator, other: Accumulator) -> None:
    """Add an accumulator to one of its kind; TypeError when the kinds differ."""
    match into, other:
        case (CounterTotal(), CounterTotal()):
            into.fold(other)
        case (RateTotal(), RateTotal()):
            into.fold(other)
        case (TrendTotal(), TrendTotal()):
            into.fold(other)
        case _:
            raise TypeError(f"a {other.kind} cannot be added to a {into.kind}")


def total_of(parts: Iterable[Accumulator]) -> Accumulator:
    """The sum of at least one of a kind, none of which is changed or shared; TypeError when the kinds differ."""
    first, *others = parts
    result = first.copy()
    for other in others:
        fold(result, other)
    return result


def add_counts(into: dict[Key, int], other: dict[Key, int]) -> None:
    """Add one dictionary of counts to another."""
    for key, n in other.items():
        into[key] = into.get(key, 0) + n
