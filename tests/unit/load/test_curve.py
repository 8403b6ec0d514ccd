"""A rate over time: what it expects until a moment, and the moment at which so much is expected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.load.curve import Curve

LEGS = st.lists(st.tuples(st.integers(0, 60).map(float), st.integers(0, 500).map(float)), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("legs", "seconds", "expected"),
    [
        ([(0, 200)], 10, 2000),
        ([(0, 0.5)], 3, 1.5),
        ([(30, 10)], 30, 150),
        ([(30, 10)], 15, 37.5),
        ([(30, 10)], 31, 160),
        ([(30, 10), (300, 200), (30, 0)], 360, 150 + 31_500 + 3000),
        ([(30, 10), (300, 200), (30, 0)], 9999, 34_650),
        ([(0, 100), (10, 100), (0, 5), (10, 5)], 12, 1010),
        ([(10, 0), (0, 7)], 11, 7),
    ],
)
def test_what_is_expected_is_the_area_below_the_line(legs: list[tuple[float, float]], seconds: int, expected: float) -> None:
    """Constant, rising, falling, jumping, and after the last target."""
    assert Curve(legs).expected(seconds * 1_000_000) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("legs", "expected", "us"),
    [
        ([(0, 200)], 1, 5000),
        ([(0, 200)], 2000, 10_000_000),
        ([(20, 10)], 25, 10_000_000),
        ([(20, 10)], 110, 21_000_000),
        ([(10, 10), (5, 0), (0, 0), (10, 0), (0, 1)], 76, 26_000_000),
        ([(10, 2), (10, 0)], 20, 20_000_000),
        ([(10, 2), (10, 0)], 20.001, None),
        ([(10, 0)], 0.5, None),
    ],
)
def test_the_way_back(legs: list[tuple[float, float]], expected: float, us: int | None) -> None:
    """The first moment at which so many are expected; none where the rate is 0 for good."""
    assert Curve(legs).when(expected) == us


@given(LEGS, st.integers(1, 100_000))
def test_the_way_back_leads_back(legs: list[tuple[float, float]], half: int) -> None:
    """At the moment that is found as many are expected as were asked for, to a microsecond; and more never come earlier."""
    curve, asked = Curve(legs), half / 2
    at, later = curve.when(asked), curve.when(asked + 0.5)
    if at is None:
        assert later is None
        return
    assert curve.expected(max(0, at - 1)) - 1e-6 <= asked <= curve.expected(at + 1) + 1e-6
    assert later is None or later >= at
