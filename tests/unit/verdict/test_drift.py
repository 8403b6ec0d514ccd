"""The verdict on a course: drifting, flat or not known, and how often by mistake."""

from __future__ import annotations

import random

import pytest

from benchmarks.drift import shares
from mop_locust.verdict.drift import HOUR, Drift, Least, judge_course, nothing, state_of, unjudged
from mop_locust.verdict.slope import Point

LEAST = Least(growth=10, share=0.05)


def course(*values: float, every: float = 10) -> list[Point]:
    """A value each ten seconds."""
    return [Point(number * every, value) for number, value in enumerate(values)]


def noisy(number: int, growth: float, noise: float = 1, level: float = 100) -> list[Point]:
    """A rise of `growth` from the first to the last, and noise that forgets at once."""
    chance = random.Random(7)
    return course(*(level + growth * step / (number - 1) + chance.gauss(0, noise) for step in range(number)))


def test_a_rise_that_matters_drifts() -> None:
    """40 over 3,600 seconds, where 10 are the least."""
    drift = judge_course(noisy(361, 40), LEAST)
    assert (drift.state, drift.reason, drift.settled) == ("drifting", "", False)
    assert drift.slope is not None
    assert drift.slope.low * HOUR == pytest.approx(38.5, abs=1.5)
    assert drift.slope.estimate * HOUR == pytest.approx(40, abs=1)
    assert drift.slope.high * HOUR == pytest.approx(41.5, abs=1.5)
    assert drift.least == 10 / 3600


def test_noise_is_flat_and_a_rise_below_the_least_is_too() -> None:
    """What is there but does not matter is no drift."""
    assert judge_course(noisy(361, 0), LEAST).state == "flat"
    small = judge_course(noisy(361, 4), LEAST)
    assert small.state == "flat"
    assert small.slope is not None
    assert small.slope.low > 0


def test_what_always_is_the_same_is_flat() -> None:
    """Descriptors, mostly."""
    drift = judge_course(course(*[16] * 40), LEAST)
    assert (drift.state, drift.slope) == ("flat", (0, 0, 0))


def test_the_least_slope_is_the_greater_of_two() -> None:
    """So much over the whole stretch, such a share of the level an hour."""
    assert LEAST.per_second(level=100, seconds=1000) == 10 / 1000
    assert LEAST.per_second(level=1_000_000, seconds=1000) == 50_000 / HOUR
    assert judge_course(noisy(361, 40, level=10_000), LEAST).state == "flat"


def test_a_fall_matters_only_where_it_is_said() -> None:
    """Memory that is given back is no drift; users that go are."""
    falling = noisy(361, -40)
    assert judge_course(falling, LEAST).state == "flat"
    drift = judge_course(falling, Least(growth=10, share=0.05, falling=True))
    assert drift.state == "drifting"
    assert drift.slope is not None
    assert drift.slope.low < drift.slope.estimate < drift.slope.high < -10 / HOUR
    assert judge_course(noisy(361, 40), Least(growth=10, share=0.05, falling=True)).state == "drifting"


def test_what_is_in_between_is_not_known() -> None:
    """A rise about as large as the least."""
    drift = judge_course(noisy(361, 11, noise=3), LEAST)
    assert (drift.state, drift.reason, drift.missing) == ("not known", "the interval is too wide to tell: run longer", False)
    assert drift.slope is not None


def test_too_few_figures_are_as_good_as_none() -> None:
    """Sixteen are needed, two for each of eight blocks."""
    assert judge_course(course(*range(0, 150, 10)), LEAST) == nothing("15 figures are too few, 16 are needed: run longer")
    assert judge_course(course(*range(0, 160, 10)), LEAST).state == "drifting"


def test_a_rise_that_has_come_to_its_end_is_flat() -> None:
    """A cache that fills, seen from its beginning."""
    filling = [100 * (1 - 0.9**step) for step in range(120)]
    drift = judge_course(course(*filling), LEAST)
    assert (drift.state, drift.settled) == ("flat", True)


def test_a_single_step_is_flat_wherever_it_is() -> None:
    """Here with a little noise, since a figure that changes once says nothing at all."""
    chance = random.Random(5)
    for at in (60, 90):
        stepped = [chance.gauss(0, 1) + (100 if step >= at else 0) for step in range(120)]
        drift = judge_course(course(*stepped), LEAST)
        assert (drift.state, drift.settled) == ("flat", True)


def test_a_rise_of_which_nobody_knows_whether_it_goes_on() -> None:
    """In its second half it swings: it goes neither half as far as matters nor surely less than matters."""
    rising, swinging = [15.0 * step for step in range(8)], [110.0, 160.0] * 4
    drift = judge_course(course(*(value for value in (*rising, *swinging) for _ in range(4))), LEAST)
    assert (drift.state, drift.reason) == ("not known", "whether its rise goes on cannot be told: run longer")
    assert drift.slope is not None
    assert drift.least is not None
    assert drift.slope.low > drift.least


def test_stairs_drift() -> None:
    """A table that doubles, memory that is asked for in pieces."""
    assert judge_course(course(*(step // 10 * 10 for step in range(160))), LEAST).state == "drifting"


def test_few_changes_say_nothing() -> None:
    """A figure that is renewed each half a minute, in a run of a minute."""
    drift = judge_course(course(*[0] * 20, *[20] * 20, *[40] * 20, *[60] * 20), LEAST)
    assert drift == nothing("changes of it that were seen: 3, 4 are needed: run longer")
    assert judge_course(course(*[0] * 20, *[1] * 20), LEAST).state == "flat"


def test_few_figures_that_hang_together_say_nothing() -> None:
    """Of eight blocks one pair that falls is enough."""
    values = [value for value in (0, 1, 3, 20, 39, 43, 42, 42.5) for _ in range(2)]
    drift = judge_course(course(*values), LEAST)
    assert (drift.reason, drift.missing) == ("the interval is too wide to tell: run longer", False)
    assert drift.slope is not None
    assert drift.slope.low < 0


@pytest.mark.parametrize(("number", "memory", "most"), [(45, 0.0, 0.01), (45, 0.9, 0.04), (600, 0.5, 0.005), (600, 0.97, 0.005)])
def test_false_alarms_are_rare(number: int, memory: float, most: float) -> None:
    """Noise as large as the least growth that matters, whether it forgets at once or remembers half a minute."""
    assert shares(number, memory, growth=0, courses=400)["drifting"] <= most


@pytest.mark.parametrize(("number", "memory", "least"), [(45, 0.0, 0.75), (600, 0.5, 0.97), (600, 0.9, 0.75)])
def test_a_leak_is_found_and_never_called_flat(number: int, memory: float, least: float) -> None:
    """Four times the least growth, in noise of the size of that."""
    found = shares(number, memory, growth=4, courses=400)
    assert found["drifting"] >= least
    assert found["flat"] <= 0.005


FLAT, DRIFTING, WIDE, MISSING = Drift("flat"), Drift("drifting"), unjudged("too wide"), nothing("nobody looked")


@pytest.mark.parametrize(
    ("subjects", "state"),
    [
        ([[FLAT, FLAT], [FLAT]], "PASSED"),
        ([[FLAT, MISSING], [FLAT]], "PASSED"),
        ([[FLAT, DRIFTING], [FLAT]], "CROSSED"),
        ([[WIDE, DRIFTING], [MISSING]], "CROSSED"),
        ([[FLAT, WIDE], [FLAT]], "NO_DATA"),
        ([[FLAT], [MISSING, MISSING]], "NO_DATA"),
        ([[FLAT], []], "NO_DATA"),
        ([], "NO_DATA"),
    ],
)
def test_the_worst_course_counts_and_each_subject_needs_one(subjects: list[list[Drift]], state: str) -> None:
    """What is merely missing is named; what cannot be judged is red."""
    assert state_of(subjects) == state
