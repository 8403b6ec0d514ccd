"""The knee, against curves of which it is known."""

from __future__ import annotations

import pytest

from mop_locust.capacity.knee import knee


def test_the_corner_of_a_hockey_stick() -> None:
    """Flat up to 400, steep after it; in whatever order it was measured."""
    points = [(100.0, 10.0), (200.0, 10.0), (500.0, 500.0), (400.0, 10.0), (300.0, 10.0)]
    assert knee(points) == 400


def test_an_open_queue() -> None:
    """1 / (1 - load) is farthest below its chord where its slope is that of the chord: 1 - load = sqrt(0.05) here."""
    points = [(load / 100, 1 / (1 - load / 100)) for load in range(96)]
    assert knee(points) == pytest.approx(1 - 0.05**0.5, abs=0.01)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(1.0, 1.0), (2.0, 5.0)],
        [(1.0, 5.0), (2.0, 5.0), (3.0, 5.0)],
        [(1.0, 5.0), (2.0, 4.0), (3.0, 3.0)],
        [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)],
        [(1.0, 1.0), (2.0, 1.81), (3.0, 3.0)],
        [(1.0, 1.0), (2.0, 2.9), (3.0, 3.0)],
    ],
)
def test_no_knee(points: list[tuple[float, float]]) -> None:
    """Too few points, a flat curve, a falling one, a straight one, nearly straight, bent the other way."""
    assert knee(points) is None
