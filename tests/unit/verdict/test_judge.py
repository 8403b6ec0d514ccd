"""The judgement in figures: values, states, validity and exit code."""

from __future__ import annotations

import json

import pytest

from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.summary import restore, summarise
from mop_locust.metrics.totals import Totals
from mop_locust.verdict.exit_codes import CROSSED, INVALID, PASSED
from mop_locust.verdict.judge import Part, Validity, ValidityState, Verdict, judge
from mop_locust.verdict.threshold import parse, parse_all
from mop_locust.verdict.windows import WindowJudge

HTTP = (("method", "ping"), ("scenario", "rps"), ("transport", "http"))
WEBSOCKET = (("method", "ping"), ("scenario", "rps"), ("transport", "websocket"))
OK_STATUS = (("method", "ping"), ("scenario", "rps"), ("status", "200"), ("transport", "http"))


def totals() -> Totals:
    """100 calls over HTTP of 1 to 100 ms, 5 of them failed, and 20 good ones over WebSocket."""
    result = Totals()
    latency = Histogram()
    for value in range(1, 101):
        latency.record(value * 1000)
    series: dict[tuple[str, tuple[tuple[str, str], ...]], Accumulator] = {
        ("calls", HTTP): CounterTotal(100, {"ok": 95, "connect": 5}),
        ("calls", WEBSOCKET): CounterTotal(20, {"ok": 20}),
        ("call_failures", HTTP): RateTotal(100, 5),
        ("call_failures", WEBSOCKET): RateTotal(20, 0),
        ("call_latency", HTTP): TrendTotal(latency),
        ("http_responses", OK_STATUS): CounterTotal(95),
        ("sse_early_ends", ()): CounterTotal(0),
    }
    for key, total in series.items():
        result.add(key, total)
    return result


def verdict(*texts: str, run: Totals | None = None, seconds: float = 10, validity: Validity | None = None) -> Verdict:
    """The verdict of thresholds that can all be read."""
    thresholds, mistakes = parse_all(texts)
    assert mistakes == []
    return judge(totals() if run is None else run, thresholds, seconds=seconds, validity=validity or Validity())


@pytest.mark.parametrize(
    ("text", "value", "samples"),
    [
        ("calls: count>0", 120, 120),
        ("calls{transport:http}: rate>0", 10.0, 100),
        ("call_failures{transport:http}: rate<1", 0.05, 100),
        ("call_failures: count>0", 120, 120),
        ("call_latency: count>0", 100, 100),
        ("call_latency: min>0", 1.0, 100),
        ("call_latency: max>0", 100.0, 100),
        ("call_latency: avg>0", 50.5, 100),
    ],
)
def test_exact_values(text: str, value: float, samples: int) -> None:
    """Times in milliseconds, a counter's rate per second, over all series that carry the tags."""
    (result,) = verdict(text).thresholds
    assert (result.state, result.value, result.samples) == ("PASSED", value, samples)


@pytest.mark.parametrize(("text", "exact"), [("med", 50), ("p(90)", 90), ("p(99.5)", 100), ("p(0)", 1), ("p(100)", 100)])
def test_percentiles(text: str, exact: float) -> None:
    """Within the promised error of the histogram."""
    (result,) = verdict(f"call_latency: {text}>0").thresholds
    assert result.value == pytest.approx(exact, rel=0.004)


def test_the_worst_threshold_makes_the_state() -> None:
    """All are judged, none hides another."""
    result = verdict("calls: count>0", "call_failures: rate<0.01", "ws_failures: rate<1")
    assert [threshold.state for threshold in result.thresholds] == ["PASSED", "CROSSED", "NO_DATA"]
    assert (result.state, result.exit_code) == ("CROSSED", CROSSED)
    assert verdict("calls: count>0", "ws_failures: rate<1").state == "NO_DATA"
    assert verdict("calls: count>0").exit_code is PASSED


@pytest.mark.parametrize(
    "text",
    [
        "ws_failures: rate<1",
        "ws_failures: count<1",
        "sse_keepalives: count<1",
        "upgrade_latency: max<1",
        "calls{transport:sse}: count<1",
        "call_failures{transport:sse}: rate<1",
        "sse_keepalives{status:500}: count<1",
    ],
)
def test_a_metric_without_samples_is_no_data(text: str) -> None:
    """Also where a count of nothing would have met the limit."""
    result = verdict(text)
    assert (result.thresholds[0].state, result.thresholds[0].value, result.thresholds[0].samples) == ("NO_DATA", None, 0)
    assert (result.state, result.exit_code) == ("NO_DATA", CROSSED)


@pytest.mark.parametrize("empty", [RateTotal(), TrendTotal()])
@pytest.mark.parametrize("expression", ["count<1", "rate<1", "max<1"])
def test_a_series_that_is_there_but_empty_is_no_data(empty: Accumulator, expression: str) -> None:
    """The share or the latency of nothing does not exist."""
    run = Totals()
    run.add(("mine", ()), empty)
    assert verdict(f"mine: {expression}", run=run).thresholds[0].state == "NO_DATA"


def test_a_counter_known_to_be_zero_is_a_figure() -> None:
    """Somebody looked, and counted nothing."""
    (result,) = verdict("sse_early_ends: count<1").thresholds
    assert (result.state, result.value, result.samples) == ("PASSED", 0, 0)


def test_a_status_that_never_came_is_zero_among_answers() -> None:
    """The target decides the status: no 500 among 95 answers is a figure, no 500 without answers is not."""
    (passed,) = verdict("http_responses{status:500,transport:http}: count<1").thresholds
    (without,) = verdict("http_responses{status:500,transport:sse}: count<1").thresholds
    (per_second,) = verdict("http_responses{status:500}: rate<1").thresholds
    assert (passed.state, passed.value) == ("PASSED", 0)
    assert without.state == "NO_DATA"
    assert (per_second.state, per_second.value) == ("PASSED", 0.0)


def test_a_rate_over_no_time_is_no_data() -> None:
    """The samples are shown all the same."""
    (result,) = verdict("calls: rate>0", seconds=0).thresholds
    assert (result.state, result.value, result.samples) == ("NO_DATA", None, 120)


@pytest.mark.parametrize("text", ["calls: max<1", "call_failures: avg<1", "call_latency: rate<1"])
def test_an_aggregation_that_does_not_fit_is_refused_loudly(text: str) -> None:
    """`check` tells it before the run; it must never pass for a result."""
    with pytest.raises(ValueError, match=r"a (counter|rate|trend) has no .*: check the thresholds before the run"):
        verdict(text)


def test_without_thresholds_a_run_passes_if_it_measured_anything() -> None:
    """Nothing is green without data: the generator's own metrics are no measurement of the target."""
    idle = Totals()
    for name, total in (
        ("loop_lag", TrendTotal(Histogram({1: 1}, 1, 1, 1, 1))),
        ("iterations", CounterTotal(9)),
        ("arrivals", CounterTotal(9)),
        ("dropped_iterations", CounterTotal(9)),
        ("start_lag", TrendTotal(Histogram({1: 1}, 1, 1, 1, 1))),
        ("iteration_duration", TrendTotal(Histogram({1: 1}, 1, 1, 1, 1))),
        ("iteration_duration_intended", TrendTotal(Histogram({1: 1}, 1, 1, 1, 1))),
        ("calls", CounterTotal()),
    ):
        idle.add((name, ()), total)
    assert verdict().state == "PASSED"
    assert verdict(run=idle).state == "NO_DATA"
    assert verdict(run=Totals()).exit_code is CROSSED


@pytest.mark.parametrize("state", ["degraded", "incomplete", "invalid"])
def test_a_measurement_in_doubt_is_not_green(state: ValidityState) -> None:
    """The state stays what it is; the reasons and the exit code say the rest."""
    result = verdict("calls: count>0", validity=Validity(state, ("worker 2 was lost.",)))
    assert (result.state, result.validity, result.reasons, result.exit_code) == (
        "PASSED",
        state,
        ("worker 2 was lost.",),
        INVALID,
    )


def test_degraded_can_be_allowed() -> None:
    """A crossed threshold is then 3 and no longer 4."""
    for text, code in (("calls: count>0", PASSED), ("calls: count<0", CROSSED)):
        doubtful = judge(totals(), parse(text), seconds=10, validity=Validity("degraded"), allow_degraded=True)
        assert doubtful.exit_code is code


def test_the_json_form_is_that_of_the_summary() -> None:
    """Tags stand with the metric; no data is null."""
    result = verdict(
        "call_failures{transport:http}: rate<0.01",
        "ws_failures: rate<5%",
        validity=Validity("degraded", ("a stall of 6 s.",)),
    )
    assert json.loads(json.dumps(result.to_json())) == {
        "state": "CROSSED",
        "validity": "degraded",
        "reasons": ["a stall of 6 s."],
        "exit_code": 4,
        "thresholds": [
            {
                "metric": "call_failures{transport:http}",
                "expression": "rate<0.01",
                "value": 0.05,
                "samples": 100,
                "state": "CROSSED",
            },
            {"metric": "ws_failures", "expression": "rate<5%", "value": None, "samples": 0, "state": "NO_DATA"},
        ],
    }


def test_the_summary_alone_gives_the_same_verdict() -> None:
    """A run folder can be judged again."""
    texts = (
        "calls: rate>1",
        "call_failures: rate<1%",
        "call_latency{transport:http}: p(95)<50",
        "http_responses{status:500}: count<1",
    )
    assert verdict(*texts, run=restore(json.loads(json.dumps(summarise(totals()))))) == verdict(*texts)


def test_a_stage_is_judged_by_its_own_totals() -> None:
    """Its rate by its own seconds; a stage that never came has no data, nor has one that nothing was measured in."""
    thresholds, _ = parse_all(["calls{stage:steady}: rate>0", "calls{stage:spike}: count>=0", "calls{stage:never}: count>=0"])
    stages = {"steady": Part(totals(), 4.0), "spike": Part(Totals(), 3.0)}
    result = judge(Totals(), thresholds, seconds=10, validity=Validity(), stages=stages)
    assert [(one.state, one.value) for one in result.thresholds] == [("PASSED", 30.0), ("NO_DATA", None), ("NO_DATA", None)]
    assert (result.state, result.exit_code) == ("NO_DATA", CROSSED)


def test_a_counter_of_the_run_that_took_nothing_in_a_stage_is_0() -> None:
    """Where calls were measured in it; the exit code is that of a run in which all is well."""
    whole = totals()
    whole.add(("dropped_iterations", ()), CounterTotal(3))
    thresholds, _ = parse_all(["dropped_iterations{stage:steady}: count<1, rate<1", "dropped_iterations: count<1"])
    stages = {"steady": Part(totals(), 4.0)}
    result = judge(whole, thresholds, seconds=10, validity=Validity(), stages=stages)
    assert [(one.state, one.value) for one in result.thresholds] == [("PASSED", 0), ("PASSED", 0.0), ("CROSSED", 3)]


def test_the_window_that_decides_is_told() -> None:
    """In the JSON too. A window threshold without windows has no data, whatever the totals say."""
    (threshold,) = parse("calls: count<100 over 2s")
    windows = WindowJudge([threshold])
    windows.take(0, Totals())
    windows.take(1, totals())
    result = judge(totals(), [threshold], seconds=10, validity=Validity(), windows=windows)
    assert (result.state, result.exit_code) == ("CROSSED", CROSSED)
    assert result.to_json()["thresholds"] == [
        {
            "metric": "calls",
            "expression": "count<100 over 2s",
            "value": 120,
            "samples": 120,
            "state": "CROSSED",
            "window": {"start_s": 0, "seconds": 2},
        }
    ]
    for blind in (WindowJudge([threshold]), None):
        assert judge(totals(), [threshold], seconds=10, validity=Validity(), windows=blind).state == "NO_DATA"
