"""Stages as Locust follows them."""

from __future__ import annotations

from mop_locust.config.stages import parse_stages, read_users
from mop_locust.swarm.judging.stages import StageShape


class Clock:
    """The run's clock, set by hand."""

    now: float | None = 0.0

    def __call__(self) -> float | None:
        """The seconds since the run began."""
        return self.now


def test_each_second_has_the_users_of_its_middle() -> None:
    """They come and go at once, and the rate stays where the number does: Locust takes another one for a change."""
    clock = Clock()
    shape = StageShape(parse_stages("4s:8,2s:8,0s:20,1s:20,2s:0", read_users), clock)
    ticks = []
    for second in range(10):
        clock.now = second + 0.01
        ticks.append(shape.tick())
    assert ticks == [(1, 1), (3, 2), (5, 2), (7, 2), (8, 1), (8, 1), (20, 12), (15, 5), (5, 10), (0, 5)]


def test_a_late_tick_makes_up_for_it() -> None:
    """The clock says how many there should be, not how often it was asked."""
    clock = Clock()
    shape = StageShape(parse_stages("10s:100", read_users), clock)
    assert shape.tick() == (5, 5)
    clock.now = 7.0
    assert shape.tick() == (75, 70)


def test_without_a_run_to_come_it_ends() -> None:
    """None is what ends a shape of Locust."""
    clock = Clock()
    clock.now = None
    assert StageShape(parse_stages("1s:1", read_users), clock).tick() is None
