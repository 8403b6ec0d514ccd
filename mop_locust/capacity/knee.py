"""The knee of a curve: where latency begins to rise faster than the rate.

The point farthest below the chord from the first to the last point, both axes scaled to 0..1. That is the criterion of Kneedle
(Satopaa, Albrecht, Irwin and Raghavan, "Finding a 'Kneedle' in a Haystack", ICDCS Workshops 2011) without its smoothing, for
which a dozen points are too few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LEAST_BEND: Final = 0.1  # of the height of the chord: less is called straight


def knee(points: Sequence[tuple[float, float]]) -> float | None:
    """The rate of the knee of these (rate, latency), each rate once; None for fewer than three, or where nothing bends up."""
    curve = sorted(points)
    if len(curve) < 3:
        return None
    (left, low), (right, high) = curve[0], curve[-1]
    if high <= low:
        return None
    below = [((rate - left) / (right - left) - (latency - low) / (high - low), rate) for rate, latency in curve[1:-1]]
    bend, rate = max(below)
    return rate if bend >= LEAST_BEND else None
