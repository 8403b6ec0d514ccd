"""The readings of one gauge, in bounded memory."""

from __future__ import annotations

from mop_locust.swarm.judging.readings import Readings


def test_few_readings_are_all_kept() -> None:
    """With the time, and with mean and peak."""
    readings = Readings()
    assert (readings.points, readings.mean, readings.peak) == ([], None, None)
    for second, value in enumerate((2.0, 6.0, 1.0)):
        readings.add(second + 0.00049, value)
    assert readings.points == [(0.0, 2.0), (1.0, 6.0), (2.0, 1.0)]
    assert (readings.mean, readings.peak) == (3.0, 6.0)


def test_many_readings_become_every_second_every_fourth_and_so_on() -> None:
    """Mean and peak are of all of them, those that went too."""
    readings = Readings(most=4)
    for second in range(11):
        readings.add(second, -float(second))
    assert readings.points == [(0, 0.0), (4, -4.0), (8, -8.0)]
    assert (readings.mean, readings.peak) == (-5.0, 0.0)
