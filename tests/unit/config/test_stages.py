"""Stages are read in k6's words, named, and every mistake has its column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.config.stages import (
    USER_STAGES,
    Stage,
    fitted,
    length,
    parse_stages,
    read_users,
    spans,
    stage_at,
    target_at,
)


def parsed(text: str) -> tuple[Stage, ...]:
    """The stages of the text, with users as targets."""
    return parse_stages(text, read_users)


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("30s:10", [("ramp", 30, 10)]),
        ("30s:10,5m:200,30s:0", [("ramp", 30, 10), ("ramp_2", 300, 200), ("recovery", 30, 0)]),
        (
            " ramp = 30s : 200 , steady=5m:200,spike=10s:1000,recovery=1m:200 ",
            [("ramp", 30, 200), ("steady", 300, 200), ("spike", 10, 1000), ("recovery", 60, 200)],
        ),
        ("0s:5,1m:5,0:9,60:9", [("jump", 0, 5), ("steady", 60, 5), ("jump_2", 0, 9), ("steady_2", 60, 9)]),
        (
            "1s:1,ramp=1s:2,1s:3,ramp_3=1s:4,1s:5",
            [("ramp_2", 1, 1), ("ramp", 1, 2), ("ramp_4", 1, 3), ("ramp_3", 1, 4), ("ramp_5", 1, 5)],
        ),
        ("1000ms:1,1m30s:1", [("ramp", 1, 1), ("steady", 90, 1)]),
    ],
)
def test_stages(text: str, stages: list[tuple[str, int, float]]) -> None:
    """Given names stay, the others say what the stage does, and no two are alike."""
    assert parsed(text) == tuple(Stage(*stage) for stage in stages)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "has '' at column 1, which is not DURATION:TARGET"),
        ("30s", "has '30s' at column 1, which is not DURATION:TARGET"),
        ("30s:1,", "has '' at column 7, which is not DURATION:TARGET"),
        ("30q:1", "has '30q' at column 1, which is not a duration"),
        ("500ms:1", "has '500ms' at column 1, which is not of whole seconds"),
        ("9999h:1", "has '9999h' at column 1, which is out of range"),
        ("1s:x", "has 'x' at column 4, which is not a number"),
        ("1s:1.5", "has '1.5' at column 4, which is not a whole number"),
        ("1s:-1", "has '-1' at column 4, which is out of range"),
        ("1s:1:2", "has '1:2' at column 4, which is not a number"),
        ("a b=1s:1", "has 'a b' at column 1, which is not a name"),
        ("=1s:1", "has '' at column 1, which is not a name"),
        ("a=b=1s:1", "has 'a=b' at column 1, which is not a name"),
        ("a=1s:1, a=2s:1", "has 'a' at column 9, which is the name of an earlier stage"),
        ("0s:1,0:2", "last no second altogether"),
        ("30q:10, 5m:x", "has '30q' at column 1, which is not a duration, and has 'x' at column 12, which is not a number"),
        ("1s,2=1s:1", "has '1s' at column 1, which is not DURATION:TARGET, and has '2' at column 4, which is not a name"),
    ],
)
def test_mistakes(text: str, mistake: str) -> None:
    """All mistakes are told at once, each with where it stands."""
    with pytest.raises(ValueError) as caught:
        parsed(text)
    assert str(caught.value) == mistake


def test_the_reader_of_the_target_is_given() -> None:
    """A rate is a target as good as a number of users."""

    def read_rate(text: str) -> float:
        number, slash, unit = text.partition("/")
        if (slash, unit) != ("/", "s"):
            raise ValueError("is no rate")
        return float(number)

    assert parse_stages("10s:2.5/s", read_rate) == (Stage("ramp", 10, 2.5),)
    with pytest.raises(ValueError, match=r"^has '3' at column 15, which is no rate$"):
        parse_stages("10s:2.5/s,1s: 3", read_rate)


def test_where_stages_begin_and_what_they_go_to() -> None:
    """A target is reached in a straight line, at the end of its stage; a jump at once."""
    stages = parsed("10s:100,0s:300,20s:300,10s:0")
    assert length(stages) == 40
    assert [(stage.name, begin, end) for stage, begin, end in spans(stages)] == [
        ("ramp", 0, 10),
        ("jump", 10, 10),
        ("steady", 10, 30),
        ("recovery", 30, 40),
    ]
    assert [stage.name if (stage := stage_at(stages, seconds)) else "" for seconds in (0, 9.9, 10, 30, 40)] == [
        "ramp",
        "ramp",
        "steady",
        "recovery",
        "",
    ]
    assert [target_at(stages, seconds) for seconds in (0, 5, 9.5, 10, 29, 30, 35, 39, 40, 99)] == [
        0, 50, 95, 300, 300, 300, 150, 30, 0, 0,
    ]  # fmt: skip


STAGES = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 1000)), min_size=1, max_size=8).filter(
    lambda pairs: any(seconds for seconds, _ in pairs)
)


@given(STAGES)
def test_every_second_belongs_to_one_stage(pairs: list[tuple[int, int]]) -> None:
    """Names are unique, the stages follow each other without a gap, and at the end of each its target is reached."""
    stages = parsed(",".join(f"{seconds}s:{users}" for seconds, users in pairs))
    assert [(stage.seconds, stage.target) for stage in stages] == pairs
    assert len({stage.name for stage in stages}) == len(stages)
    owners = [stage.name for stage, begin, end in spans(stages) for _ in range(begin, end)]
    assert len(owners) == length(stages)
    low, high = min(0, *(users for _, users in pairs)), max(users for _, users in pairs)
    assert all(low <= target_at(stages, second) <= high for second in range(length(stages) + 2))
    assert target_at(stages, length(stages)) == stages[-1].target


@pytest.mark.parametrize(
    ("text", "seconds", "stages"),
    [
        ("10s:100,20s:100", 30, [("ramp", 10, 100), ("steady", 20, 100)]),
        ("10s:100,20s:100", 50, [("ramp", 10, 100), ("steady", 20, 100), ("steady_2", 20, 100)]),
        ("10s:100", 11.5, [("ramp", 10, 100), ("steady", 2, 100)]),
        ("10s:100,0s:7", 12, [("ramp", 10, 100), ("jump", 0, 7), ("steady", 2, 7)]),
        ("10s:100,0s:7", 10, [("ramp", 10, 100), ("jump", 0, 7)]),
        ("10s:100,20s:0", 15, [("ramp", 10, 100), ("recovery", 5, 75)]),
        ("10s:100,20s:0", 14.2, [("ramp", 10, 100), ("recovery", 5, 75)]),
        ("0s:40,10s:100,0s:5,9s:5", 10, [("jump", 0, 40), ("ramp", 10, 100)]),
        ("0s:40,10s:100,9s:5", 5, [("jump", 0, 40), ("ramp", 5, 70)]),
    ],
)
def test_stages_of_a_run_that_is_longer_or_shorter(text: str, seconds: float, stages: list[tuple[str, int, float]]) -> None:
    """The last target holds in a stage of its own; what would begin after the end is none, and the last is cut."""
    assert [(stage.name, stage.seconds, stage.target) for stage in fitted(parsed(text), seconds)] == stages
    assert fitted((), seconds) == ()


@given(STAGES, st.integers(1, 500))
def test_fitted_stages_are_the_same_load(pairs: list[tuple[int, int]], seconds: int) -> None:
    """As long as the run, with names of their own, and the same targets at each moment of it."""
    stages = parsed(",".join(f"{seconds}s:{users}" for seconds, users in pairs))
    fit = fitted(stages, seconds)
    assert length(fit) == seconds
    assert len({stage.name for stage in fit}) == len(fit)
    for second in range(seconds):
        assert target_at(fit, second + 0.5) == pytest.approx(target_at(stages, second + 0.5))


def test_as_a_setting() -> None:
    """Nothing is no stages."""
    assert USER_STAGES.read(" ") == ()
    assert USER_STAGES.read("1s:3") == (Stage("ramp", 1, 3),)
