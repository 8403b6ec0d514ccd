"""Whether a course drifts: one verdict from its slope, the least slope that matters, and whether the growth goes on.

`drifting` needs the whole interval of the slope beyond the least slope, `flat` the whole interval below it; in between nothing is
known. A rise that happened once, or that has come to its end, is no drift: a server may fill its caches.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Literal

import msgspec

from mop_locust.verdict.slope import Point, Slope, blocks, slope
from mop_locust.verdict.windows import State

MOST_BLOCKS = 16
FEWEST_BLOCKS = 8
FEWEST_POINTS = 2 * FEWEST_BLOCKS
POINTS_A_BLOCK = 4
FEWEST_CHANGES = 4
STANDS_OUT = 3  # times as large as any other
HOUR = 3600.0

DriftState = Literal["flat", "drifting", "not known"]


class Least(msgspec.Struct, frozen=True):
    """The least slope that matters: so much over the whole stretch, and such a share of the level an hour; both must be reached.

    `falling` says that a fall matters as much as a rise.
    """

    growth: float
    share: float
    falling: bool = False

    def per_second(self, level: float, seconds: float) -> float:
        """The slope itself, for a course of this level over so many seconds."""
        return max(self.growth / seconds, self.share * abs(level) / HOUR)


class Drift(msgspec.Struct, frozen=True):
    """What became of one course. Slopes are of a second, None where there is none; `settled` says that a rise did not go on.

    `missing` says that there was nothing or too little to judge, which is not the same as data that do not tell.
    """

    state: DriftState
    reason: str = ""
    slope: Slope | None = None
    least: float | None = None
    settled: bool = False
    missing: bool = False


def nothing(reason: str) -> Drift:
    """What is said of a course that was never seen, or hardly."""
    return Drift("not known", reason, missing=True)


def unjudged(reason: str) -> Drift:
    """What is said of a course that was seen, but under conditions in which it says nothing."""
    return Drift("not known", reason)


def judge_course(points: Sequence[Point], least: Least) -> Drift:
    """The verdict on one course in the order of time."""
    if len(points) < FEWEST_POINTS:
        return nothing(f"{len(points)} figures are too few, {FEWEST_POINTS} are needed: run longer")
    course = blocks(points, max(FEWEST_BLOCKS, min(MOST_BLOCKS, len(points) // POINTS_A_BLOCK)))
    values, seconds = [point.value for point in course], points[-1].at_s - points[0].at_s
    limit = least.per_second(median(values), seconds)
    if least.falling and values[-1] < values[0]:
        drift = _judge_rise([Point(at_s, -value) for at_s, value in course], limit)
        assert drift.slope is not None
        estimate, low, high = drift.slope
        drift = msgspec.structs.replace(drift, slope=Slope(-estimate, -high, -low))
    else:
        drift = _judge_rise(course, limit)
    changes = sum(a.value != b.value for a, b in itertools.pairwise(points))
    if drift.state != "flat" and changes < FEWEST_CHANGES:  # a figure that is renewed now and then, or a step
        return nothing(f"changes of it that were seen: {changes}, {FEWEST_CHANGES} are needed: run longer")
    return drift


def _judge_rise(course: Sequence[Point], limit: float) -> Drift:
    """The verdict on the blocks of a course of which only a rise matters."""
    found = slope(course)
    if _stays_below(course, limit):
        return Drift("flat", slope=found, least=limit)
    later = [course[len(course) // 2 :]]
    if (flattened := _without_step(course)) is not None:
        later.append(flattened)
    if found.low >= limit and all(slope(part).estimate >= limit / 2 for part in later):
        return Drift("drifting", slope=found, least=limit)
    if any(_stays_below(part, limit) for part in later):
        return Drift("flat", slope=found, least=limit, settled=True)
    reason = "the interval is too wide to tell" if found.low < limit else "whether its rise goes on cannot be told"
    return Drift("not known", f"{reason}: run longer", found, limit)


def _stays_below(course: Sequence[Point], limit: float) -> bool:
    """Whether the interval lies below the limit, or the course was never as far from itself as that is, whatever its interval."""
    values = [point.value for point in course]
    return slope(course).high < limit or max(values) - min(values) < limit * (course[-1].at_s - course[0].at_s)


def state_of(subjects: Iterable[Sequence[Drift]]) -> State:
    """The state of all courses by subject: CROSSED when any drifts, NO_DATA when one cannot be judged or a subject has none.

    What is merely missing is named and does not decide, as long as something else of its subject is known.
    """
    groups = [list(courses) for courses in subjects]
    every = list(itertools.chain.from_iterable(groups))
    if any(drift.state == "drifting" for drift in every):
        return "CROSSED"
    if any(drift.state == "not known" and not drift.missing for drift in every):
        return "NO_DATA"
    return "PASSED" if groups and all(any(drift.state == "flat" for drift in courses) for courses in groups) else "NO_DATA"


def _without_step(course: Sequence[Point]) -> list[Point] | None:
    """The course as if its largest step upwards had not been taken; None when none stands out."""
    steps = [b.value - a.value for a, b in itertools.pairwise(course)]
    at = max(range(len(steps)), key=steps.__getitem__)
    if steps[at] < STANDS_OUT * max(abs(step) for number, step in enumerate(steps) if number != at):
        return None
    return [Point(point.at_s, point.value - (steps[at] if number > at else 0)) for number, point in enumerate(course)]
