"""The slope of a course by Theil and Sen, with Sen's interval; values that hang together make it wider, not narrower.

The slope is the median over all pairs of points, so that a quarter of them gone astray cannot decide. The interval comes from
the variance of Kendall's rank count (Sen 1968), ties taken off. That takes the points as independent; what is left of their
dependence after `blocks` is estimated from the residuals and widens the variance (Hamed and Rao 1998, for the first lag alone).
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist, fmean, median
from typing import NamedTuple

CONFIDENCE = 0.95
MOST_DEPENDENCE = 0.6  # four points then count as one; a course that bends or climbs in stairs looks dependent too, and is not


class Point(NamedTuple):
    """One value at a time, in seconds."""

    at_s: float
    value: float


class Slope(NamedTuple):
    """Change of the value a second; `low` and `high` bound it."""

    estimate: float
    low: float
    high: float


def blocks(points: Sequence[Point], number: int) -> list[Point]:
    """The medians of so many stretches of as many points each, in the order of time; ValueError for fewer points than blocks."""
    if not 0 < number <= len(points):
        raise ValueError(f"{len(points)} points make no {number} blocks")
    edges = [len(points) * block // number for block in range(number + 1)]
    cut = [points[start:end] for start, end in itertools.pairwise(edges)]
    return [Point(median(point.at_s for point in block), median(point.value for point in block)) for block in cut]


def slope(points: Sequence[Point]) -> Slope:
    """The slope of points at different times, with the interval that their dependence leaves; ValueError for fewer than three."""
    if len(points) < 3:
        raise ValueError(f"{len(points)} points have no slope to speak of")
    slopes = sorted((b.value - a.value) / (b.at_s - a.at_s) for a, b in itertools.combinations(points, 2))
    estimate = median(slopes)
    reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(_variance(points) * _widening(points, estimate))
    # Few points that hang together would reach beyond all pairs: then the steepest ones are the ends, as nothing else is known.
    low = slopes[max(0, round((len(slopes) - reach) / 2) - 1)]
    high = slopes[min(len(slopes) - 1, round((len(slopes) + reach) / 2))]
    return Slope(estimate, low, high)


def _variance(points: Sequence[Point]) -> float:
    """The variance of Kendall's count of these values if none depended on another."""
    n = len(points)
    ties = Counter(point.value for point in points).values()
    return (n * (n - 1) * (2 * n + 5) - sum(k * (k - 1) * (2 * k + 5) for k in ties)) / 18


def _widening(points: Sequence[Point], estimate: float) -> float:
    """By how much the variance is larger since each value resembles the one before; never below 1."""
    rests = [point.value - estimate * point.at_s for point in points]
    middle = fmean(rests)
    rests = [rest - middle for rest in rests]
    spread = sum(rest * rest for rest in rests)
    if not spread:
        return 1.0
    found = sum(a * b for a, b in itertools.pairwise(rests)) / spread
    # Taking off a mean and a slope takes dependence off with them: about (2 + 4r) / n of it.
    dependence = min(max(0.0, found + (2 + 4 * found) / len(points)), MOST_DEPENDENCE)
    return (1 + dependence) / (1 - dependence)
