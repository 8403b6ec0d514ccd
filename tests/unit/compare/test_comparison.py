"""An answer for each measure."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.compare.comparison import ANSWERS, Finding, Limits, compare
from mop_locust.compare.measures import Measure, MeasureKind

P95 = Measure("call_latency{method:a}", "p(95)", "latency", "http a")
RATE = Measure("call_failures{method:a}", "rate", "rate", "http a")
CALLS = Measure("calls{scenario:s}", "rate", "throughput", "calls")
QUIET = [100.0, 101.0, 102.0, 103.0, 99.0]


def one(measure: Measure, base: list[float], new: list[float], limits: Limits | None = None) -> Finding:
    """The finding of a single measure."""
    found = compare([{measure: value} for value in base], [{measure: value} for value in new], limits or Limits())
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("measure", "factor", "answer"),
    [(P95, 1.3, "worse"), (P95, 0.7, "better"), (CALLS, 1.3, "better"), (CALLS, 0.7, "worse")],
)
def test_a_difference_that_counts(measure: Measure, factor: float, answer: str) -> None:
    """Of a latency less is better, of a throughput more."""
    found = one(measure, QUIET, [value * factor for value in QUIET])
    assert found.answer == answer
    assert found.p == found.p_corrected == 2 / 252
    assert found.change == pytest.approx(101 * (factor - 1), rel=0.02)


def test_failures_that_were_none_are_worse() -> None:
    """Half a percent is more than a tenth of one."""
    assert one(RATE, [0.0] * 5, [0.005, 0.006, 0.004, 0.005, 0.007]).answer == "worse"
    assert one(RATE, [0.0] * 5, [0.0005] * 5).answer == "same"


@pytest.mark.parametrize(("factor", "answer"), [(1.0, "same"), (1.05, "same"), (1.095, "cannot tell"), (1.15, "worse")])
def test_what_is_less_than_the_least_difference_is_the_same(factor: float, answer: str) -> None:
    """Significant or not; near the limit it may be more than that, and nobody can tell."""
    assert one(P95, QUIET, [value * factor for value in QUIET]).answer == answer


def test_both_limits_must_be_reached() -> None:
    """10 % of a small latency is less than 1 ms, and 1 ms of a large one less than 10 %."""
    small, large = [value / 100 for value in QUIET], [value * 10 for value in QUIET]
    assert one(P95, small, [value + 0.5 for value in small]).answer == "same"
    assert one(P95, small, [value + 1.5 for value in small]).answer == "worse"
    assert one(P95, large, [value + 30 for value in large]).answer == "same"
    assert one(P95, small, [value + 0.5 for value in small], Limits(ms=0.1)).answer == "worse"


@pytest.mark.parametrize("runs", [1, 2, 3])
def test_too_few_runs_never_tell(runs: int) -> None:
    """However far apart, or however alike: not even that they are the same."""
    for new in ([value * 9 for value in QUIET], QUIET):
        found = one(P95, QUIET[:runs], new[:runs])
        assert found.answer == "cannot tell"
        assert found.reason == f"too few runs: {runs} and {runs}; 4 and 4 are needed"


def test_how_many_runs_are_needed_depends_on_how_many_measures_vary() -> None:
    """Seven that are all far apart need 6 and 6 runs; the one that hardly varies is not counted."""
    names = [Measure("m", f"p({n})", "latency", "m") for n in range(7)]
    base = [dict.fromkeys(names, value) | {CALLS: 50.0} for value in QUIET]
    new = [dict.fromkeys(names, value * 2) | {CALLS: 50.1} for value in QUIET]
    found = compare(base, new, Limits())
    assert {finding.reason for finding in found if finding.answer == "cannot tell"} == {
        "too few runs: 5 and 5; 6 and 6 are needed beside 7 measures that vary"
    }
    assert [finding.answer for finding in found] == ["cannot tell"] * 7 + ["same"]
    six = compare([*base, base[0]], [*new, new[0]], Limits())
    assert [finding.answer for finding in six] == ["worse"] * 7 + ["same"]


def test_runs_that_vary_too_much() -> None:
    """A difference in the middle, and no more than chance."""
    found = one(P95, [100, 300, 150, 90, 400], [120, 350, 500, 110, 290])
    assert (found.answer, found.reason) == ("cannot tell", "the runs vary too much")


def test_a_measure_that_some_runs_lack() -> None:
    """It is named, with the runs that have it, and no test."""
    found = compare([{P95: 1.0}] * 5, [{P95: 9.0}, {}, {}, {}, {}], Limits())
    assert (found[0].answer, found[0].p) == ("cannot tell", None)
    assert found[0].reason == "there are enough samples of it only in 5 of 5 base and 1 of 5 new runs"
    assert compare([{}] * 5, [{P95: 9.0}] * 5, Limits())[0].answer == "cannot tell"


@given(st.sampled_from(["latency", "rate", "throughput"]), st.integers(0, 10_000))
def test_swapping_the_sides_swaps_better_and_worse(kind: MeasureKind, seed: int) -> None:
    """Where nothing is judged by a share of the base."""
    random, measure = Random(seed), Measure("m", "x", kind, "m")
    base, new = ([random.uniform(1, 2) + shift for _ in range(5)] for shift in (0, random.choice((0, 1, 5))))
    limits = Limits(share=0.0, ms=0.5, rate=0.5)
    there, back = one(measure, base, new, limits), one(measure, new, base, limits)
    swapped = {"worse": "better", "better": "worse"}
    assert back.answer == swapped.get(there.answer, there.answer)
    assert (back.p, back.change) == (there.p, pytest.approx(-(there.change or 0)))


def test_alike_runs_are_told_apart_in_at_most_alpha_of_all_comparisons() -> None:
    """Twelve measures that hang together, no least difference: 400 comparisons of 6 with 6 runs of one distribution."""
    random = Random(7)
    names = [Measure("m", f"p({n})", "latency", "m") for n in range(12)]
    alarms = 0
    for _ in range(400):
        runs = []
        for _ in range(12):
            together = random.lognormvariate(0, 0.5)
            runs.append({name: together * random.lognormvariate(0, 0.3) for name in names})
        found = compare(runs[:6], runs[6:], Limits(share=0, ms=0, rate=0))
        alarms += any(finding.answer in ("worse", "better") for finding in found)
    assert alarms <= 0.05 * 400


def test_the_answers_are_four() -> None:
    """And no other comes out."""
    assert ANSWERS == ("worse", "better", "same", "cannot tell")
