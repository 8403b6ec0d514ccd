"""Slopes and their intervals against figures of scipy.stats.theilslopes (1.17), and what dependence does to them."""

from __future__ import annotations

import math
import random

import pytest

from mop_locust.verdict.slope import Point, Slope, blocks, slope

NILE = (1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960)  # its flow from 1871 on
UNEVEN = ((0, 2.1), (1, 2.0), (2.5, 3.7), (4, 4.4), (7, 4.9), (9, 7.3), (9.5, 6.1), (12, 9.9), (15, 9.2), (16, 11.8))


def course(*values: float) -> list[Point]:
    """One value a second."""
    return [Point(second, value) for second, value in enumerate(values)]


def test_a_slope_is_that_of_scipy() -> None:
    """At uneven times, with values that do not depend on each other."""
    found = slope([Point(*pair) for pair in UNEVEN])
    assert found == pytest.approx((0.575, 0.44, 0.6625))


def test_ties_make_the_interval_smaller() -> None:
    """As scipy has it."""
    assert slope(course(3, 1, 4, 4, 2, 5, 5, 3, 6, 5)) == pytest.approx((1 / 3, 0, 0.5))


def test_values_that_resemble_the_one_before_make_it_wider() -> None:
    """Scipy's interval is -25 to 6.25; the flow of one year resembles that of the year before a little."""
    assert slope(course(*NILE)) == pytest.approx((-31 / 3, -27.5, 6.25))


def test_what_always_is_the_same_has_no_slope_and_no_doubt() -> None:
    """Nothing is spread, so nothing can depend on anything."""
    assert slope(course(7, 7, 7, 7)) == Slope(0, 0, 0)


def test_a_straight_line_has_no_doubt_either() -> None:
    """All pairs of points agree."""
    assert slope(course(*range(0, 20, 2))) == Slope(2, 2, 2)


def test_a_quarter_of_the_points_may_go_astray() -> None:
    """The median of the slopes is hardly moved by what moves a line of least squares."""
    values = [0.5 * second for second in range(16)]
    for second in (2, 7, 11):
        values[second] = 1000
    assert slope(course(*values)).estimate == pytest.approx(0.5)


def test_few_points_that_hang_together_are_bounded_by_the_steepest_pairs() -> None:
    """An interval that would need more pairs than there are."""
    found = slope(course(0, 0.1, 0.3, 2, 3.9, 4.3, 4.2, 4.25))
    assert (found.low, found.high) == pytest.approx((-0.1, 1.9))


def test_the_interval_has_the_slope_as_often_as_it_says() -> None:
    """95 of 100 times where the noise forgets at once; nearly as often where it remembers a third of itself."""
    chance = random.Random(3)
    for memory, least in ((0.0, 0.95), (0.33, 0.93)):
        hits = 0
        for _ in range(400):
            value, values = chance.gauss(0, 1), []
            for second in range(16):
                values.append(value + 0.25 * second)
                value = memory * value + math.sqrt(1 - memory**2) * chance.gauss(0, 1)
            found = slope(course(*values))
            hits += found.low <= 0.25 <= found.high
        assert hits / 400 >= least


def test_blocks_are_medians_of_as_many_points_each() -> None:
    """Of ten points in three blocks: three, three and four."""
    assert blocks(course(1, 9, 2, 4, 4, 5, 7, 8, 100, 9), 3) == [Point(1, 2), Point(4, 4), Point(7.5, 8.5)]
    assert blocks(course(3, 1), 2) == course(3, 1)


@pytest.mark.parametrize("number", [0, 4])
def test_there_are_no_more_blocks_than_points(number: int) -> None:
    """And at least one."""
    with pytest.raises(ValueError, match=f"3 points make no {number} blocks"):
        blocks(course(1, 2, 3), number)


def test_two_points_have_no_slope_to_speak_of() -> None:
    """Whatever line goes through them."""
    with pytest.raises(ValueError, match="2 points have no slope to speak of"):
        slope(course(1, 2))
