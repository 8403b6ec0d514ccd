"""A rate of arrivals over the time of a run, its integral, and the way back."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Leg:
    """A straight line from the second `begin` on: the rate there, how it grows a second, and what was expected before."""

    begin: float
    rate: float
    slope: float
    before: float

    def expected(self, seconds: float) -> float:
        gone = seconds - self.begin
        return self.before + gone * (self.rate + self.slope * gone / 2)

    def when(self, expected: float) -> float:
        missing = expected - self.before
        # The form without a difference of two nearly equal numbers: exact for a slope of 0 as well.
        return self.begin + 2 * missing / (self.rate + math.sqrt(max(0.0, self.rate**2 + 2 * self.slope * missing)))


class Curve:
    """Straight lines from target to target, from 0 on; after the last one its target holds without end.

    Each leg is (seconds, arrivals a second at its end); one of 0 seconds is a jump.
    """

    def __init__(self, legs: Iterable[tuple[float, float]]) -> None:
        self._legs: list[_Leg] = []
        at, rate, expected = 0.0, 0.0, 0.0
        for seconds, target in legs:
            if seconds:
                leg = _Leg(at, rate, (target - rate) / seconds, expected)
                self._legs.append(leg)
                at += seconds
                expected = leg.expected(at)
            rate = target
        self._legs.append(_Leg(at, rate, 0.0, expected))
        self._begins = [leg.begin for leg in self._legs]
        self._befores = [leg.before for leg in self._legs]

    def expected(self, us: int) -> float:
        """How many arrivals are expected in the first microseconds: the integral of the rate."""
        return self._legs[bisect_right(self._begins, us / 1e6) - 1].expected(us / 1e6)

    def when(self, expected: float) -> int | None:
        """The first microsecond, rounded, at which so many (above 0) are expected; None when that never comes."""
        leg = self._legs[max(0, bisect_left(self._befores, expected) - 1)]
        if leg is self._legs[-1] and not leg.rate and expected > leg.before:
            return None
        return round(leg.when(expected) * 1e6)
