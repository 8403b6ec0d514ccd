"""Arrivals as a run asks for them: which scenarios have them, for how long, with which users, and what they contradict."""

from __future__ import annotations

import pytest
from locust import TaskSet, task

from mop_locust.config.stages import Stage
from mop_locust.swarm.judging.run import AHEAD_US, BEGUN_US
from mop_locust.swarm.refusal import Refused
from mop_locust.swarm.scenarios import Scenarios
from mop_locust.users import MopHttpUser
from mop_locust.verdict.threshold import parse
from tests.unit.client.memory import settings
from tests.unit.swarm.judging.test_preparation import alone, prepared
from tests.unit.swarm.runs import STARTED_US, THREE, Calls, Storm, Streams, made_run

__all__ = ["alone"]

FLAT = (Stage("", 0, 5.0),)


def test_a_rate_alone_is_that_of_the_only_scenario() -> None:
    """And of nobody where nothing is asked for; a named one leaves the others as they are."""
    assert Scenarios([Calls]).arrivals(settings()) == {}
    assert Scenarios([Calls]).arrivals(settings(MOP_ARRIVALS="5/s")) == {"calls": FLAT}
    assert Scenarios(THREE).arrivals(settings(MOP_ARRIVALS="storm=5/s")) == {"storm": FLAT}


def test_stages_are_as_long_as_the_run() -> None:
    """The longest of them and of what the others ask for; a rate lasts as long as its scenario."""
    stages = "10s:5/s,20s:5/s"
    assert Scenarios([Calls]).seconds(settings(MOP_ARRIVALS=stages)) == 30
    assert Scenarios([Calls]).seconds(settings(MOP_ARRIVALS="5/s")) == 60
    assert Scenarios([Calls, Storm]).seconds(settings(MOP_ARRIVALS=f"storm=({stages})")) == 60

    class Own(MopHttpUser):
        scenario = "own"

        @task
        def go(self) -> None:
            pass

    assert Scenarios([Own]).seconds(settings(MOP_ARRIVALS=stages)) == 30


def test_a_scenario_with_arrivals_shares_no_iterations() -> None:
    """It ends with its time."""
    asked = settings(MOP_ARRIVALS="streams=5/s")
    assert Scenarios([Streams]).iterations(asked) == {}
    assert Scenarios([Streams]).all_iterate(asked) is False
    assert Scenarios([Streams]).iterations(settings(MOP_ARRIVALS="calls=5/s")) == {"streams": 20}


def test_what_cannot_be_is_told_all_at_once() -> None:
    """No such scenario, several of them, iterations that others share, tasks that nothing can begin."""

    class Page(TaskSet):
        @task
        def look(self) -> None:
            pass

    class Nested(MopHttpUser):
        scenario = "nested"
        tasks = [Page]

    asked = settings(MOP_ARRIVALS="nobody=5/s,nested=1/s,streams=1/s", MOP_SSE_ITERATIONS="7")
    assert Scenarios([Nested, Streams]).arrival_mistakes(asked) == [
        "MOP_ARRIVALS (--mop-arrivals): no scenario 'nobody' in this run; there are nested, streams",
        "MOP_ARRIVALS (--mop-arrivals): scenario nested has nested task sets, whose iterations no arrival can begin",
        "MOP_SSE_ITERATIONS and MOP_ARRIVALS contradict each other: with arrivals streams lasts its run time",
    ]
    [mistake] = Scenarios([Calls, Storm]).arrival_mistakes(settings(MOP_ARRIVALS="5/s"))
    assert mistake.startswith("MOP_ARRIVALS (--mop-arrivals): says not which of 2 scenarios; there are calls, storm; allowed: ")
    assert Scenarios(THREE).arrival_mistakes(settings(MOP_ARRIVALS="calls=1/s", MOP_SSE_ITERATIONS="7")) == []


STAGED = "10s:5/s,20s:5/s"
STAGES = (Stage("ramp", 10, 5.0), Stage("steady", 20, 5.0))
DIFFERENT = "calls=(10s:5/s,20s:5/s),storm=(20s:5/s,10s:5/s)"


def test_stages_of_arrivals_are_those_of_the_run() -> None:
    """Which is as long as the scenarios ask for, or -t says; the others beside them change nothing but its length."""
    assert Scenarios([Calls]).arrival_stages(settings(), None) == ()
    assert Scenarios([Calls]).arrival_stages(settings(MOP_ARRIVALS="5/s"), None) == ()
    assert Scenarios([Calls]).arrival_stages(settings(MOP_ARRIVALS=STAGED), None) == STAGES
    assert Scenarios([Calls]).arrival_stages(settings(MOP_ARRIVALS=STAGED), 10.0) == STAGES[:1]
    held = (*STAGES, Stage("steady_2", 30, 5.0))
    assert Scenarios([Calls, Storm]).arrival_stages(settings(MOP_ARRIVALS=f"storm=({STAGED})"), None) == held
    assert Scenarios([Calls, Storm]).arrival_stages(settings(MOP_ARRIVALS=DIFFERENT), None) is None


def test_where_stages_differ_no_threshold_can_ask_of_one() -> None:
    """Each that does is told; the others, and those of a run whose scenarios go through the same stages, are well."""
    asked = [*parse("calls: count>1"), *parse("calls{stage:steady}: count>1, rate>2")]
    why = (
        "the stages of calls and storm differ in names or durations, so the run has none; allowed: the same in all, at any rates"
    )
    how = "NAME=DURATION:RATE names one"
    assert Scenarios(THREE).unstaged(asked, settings(MOP_ARRIVALS=f"streams=1/s,{DIFFERENT}"), None) == [
        f"threshold 'calls{{stage:steady}}: count>1': {why}; {how}",
        f"threshold 'calls{{stage:steady}}: rate>2': {why}; {how}",
    ]
    assert Scenarios(THREE).unstaged(asked, settings(MOP_ARRIVALS=f"calls=({STAGED}),storm=({STAGED})"), None) == []


@pytest.mark.parametrize(
    ("words", "mistakes"),
    [
        (("--mop-arrivals", STAGED), []),
        (("--mop-arrivals", STAGED, "-t", "10s"), ["stage is never 'steady'; known: ramp"]),
        (("--mop-arrivals", "ramp=10s:5/s,-t=1s:5/s"), ["'-t' at column 14, which is not a name"]),
        (("--mop-arrivals", "ramp=10s:5/s", "--mop-ws-vus", "0"), ["MOP_WS_VUS (--mop-ws-vus)"]),
        (("--mop-arrivals", "ramp=10s:5/s,steedy=1s:5/s"), ["stage is never 'steady'; did you mean steedy?"]),
        (("--mop-arrivals", "5/s"), ["stage is never 'steady'; known: none"]),
        ((), ["stage is never 'steady'; known: none"]),
        (("--mop-ws-vus", "0"), ["MOP_WS_VUS (--mop-ws-vus)", "stage is never 'steady'; known: none"]),
        (("--mop-arrivals", DIFFERENT), ["the stages of calls and storm differ"]),
    ],
)
def test_a_stage_that_there_is_not_is_told_before_the_load(words: tuple[str, ...], mistakes: list[str]) -> None:
    """One sentence each; where settings cannot be read, nobody knows the stages of arrivals in the run."""
    classes = (Calls, Storm) if DIFFERENT in words else (Calls,)
    preparation, _ = prepared(*words, "--mop-threshold", "calls{stage:steady}: count>1", classes=classes)
    told: list[str] = []
    try:
        preparation.settings()
    except Refused as refused:
        told = refused.mistakes
    assert len(told) == len(mistakes)
    assert [part for part, mistake in zip(mistakes, told, strict=True) if part not in mistake] == []


@pytest.mark.parametrize(
    ("words", "stages", "planned", "end_it"),
    [
        (("--mop-stages", STAGED.replace("/s", "")), STAGES, 30.0, True),
        (("--mop-arrivals", STAGED), STAGES, 30.0, True),
        (("--mop-arrivals", STAGED, "-t", "30s"), STAGES, 30.0, False),
        (("--mop-arrivals", STAGED, "-t", "20s"), (STAGES[0], Stage("steady", 10, 5.0)), 20.0, False),
        (("--mop-arrivals", "5/s"), (), None, False),
        ((), (), None, False),
    ],
)
def test_stages_end_a_run_that_has_no_time_of_its_own(
    words: tuple[str, ...], stages: tuple[Stage, ...], planned: float | None, end_it: bool
) -> None:
    """From the start form, where the field of the run time is empty; the command line has had it set before."""
    preparation, _ = prepared(*words, "--mop-preflight", "0")
    preparation._environment.runner = preparation._environment.parsed_locustfiles = None
    run = preparation.run(1)
    assert (run.stages, run.planned_seconds, run.stages_end_it) == (stages, planned, end_it)


def test_a_load_shape_and_arrivals_contradict_each_other() -> None:
    """Beside the other mistakes."""
    preparation, _ = prepared("--mop-arrivals", "nobody=5/s", shape=object())
    with pytest.raises(Refused) as caught:
        preparation.settings()
    assert [mistake.rpartition("; ")[0] or mistake for mistake in caught.value.mistakes] == [
        "MOP_ARRIVALS (--mop-arrivals): no scenario 'nobody' in this run",
        "MOP_ARRIVALS (--mop-arrivals): the locustfile has a load shape, which says how many users there are",
    ]


def test_users_from_the_start_are_no_more_than_the_pool_may_have() -> None:
    """By default the scenario's, cut to the limit; more by -u are a mistake."""
    preparation, options = prepared("--mop-arrivals", "10s:5/s", "--mop-max-users", "7")
    preparation.set_defaults(preparation.settings())
    assert (options.num_users, options.run_time) == (7, 10)
    with pytest.raises(Refused, match="-u: 8 users from the start are more than the 7 of MOP_MAX_USERS"):
        preparation.run(8)


def test_the_clock_of_open_load_begins_a_moment_ahead() -> None:
    """When every worker has its users; that of closed load at once."""
    for values, ahead in (({}, 0), ({"MOP_ARRIVALS": "5/s"}, AHEAD_US)):
        run = made_run(Calls, values=values)
        run.begin()
        assert ahead - 500_000 < -run.elapsed_us <= ahead


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ({}, 0.0),
        ({"MOP_ARRIVALS": "5/s"}, (AHEAD_US / 2 + BEGUN_US) / 1e6),
    ],
)
def test_the_end_waits_for_the_last_arrivals(values: dict[str, str], left: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locust's time is over before ours is, which began later; a run that is stopped by hand waits for nothing."""
    run = made_run(Calls, values=values)
    end_us = STARTED_US + 60_000_000
    monkeypatch.setattr("mop_locust.swarm.judging.run.monotonic_us", lambda: end_us - AHEAD_US // 2)
    assert (run.until_us, run.arrivals_left()) == (60_000_000, pytest.approx(left))
    for now_us in (STARTED_US + 30_000_000, end_us + BEGUN_US):
        monkeypatch.setattr("mop_locust.swarm.judging.run.monotonic_us", lambda now_us=now_us: now_us)
        assert run.arrivals_left() == 0.0
    run.planned_seconds = None
    assert (run.until_us, run.arrivals_left()) == (0, 0.0)
