"""What a run is compared by."""

from __future__ import annotations

import pytest

from mop_locust.compare.measures import Measure, measures
from tests.unit.report.sample_summary import dead_summary, green_summary, histogram, red_summary, spread, trend

CALLS = "method:{},scenario:tools_call_rps"


def told(values: dict[Measure, float]) -> dict[tuple[str, str], float]:
    """The figures by label and aggregation."""
    return {(measure.label, measure.aggregation): value for measure, value in values.items()}


def test_a_run_of_calls() -> None:
    """Throughput, the failure rate and the percentiles of each method, the sessions; of other units nobody knows the good."""
    summary = green_summary()
    found = told(measures(summary))
    tool = "http tools/call echo, {mission}:1"
    assert found[("calls", "rate")] == 4 * 4712 / 60.02
    assert {label for label, aggregation in found if aggregation == "rate"} == {
        "calls",
        "http delete",
        "http initialize",
        tool,
        "http tools/list",
        "tools_call_failures",
        "cache_misses",
    }
    assert found[("cache_misses", "rate")] == 3 / 200
    listed = summary["metrics"][f"call_latency{{{CALLS.format('tools/list')},transport:http}}"]
    assert [found[("http tools/list", f"p({n})")] for n in (50, 95, 99)] == [listed["p50"], listed["p95"], listed["p99"]]
    latencies = {label for label, aggregation in found if aggregation == "p(95)"}
    assert latencies == {"http delete", "http initialize", tool, "http tools/list", "session_duration"}
    assert "basket_size" not in {label for label, _ in found}
    assert "orders" not in {label for label, _ in found}


def test_a_percentile_needs_samples_above_it() -> None:
    """10 for P50, 100 for P95, 500 for P99: the 20 of connect_latency show their middle only."""
    summary = green_summary()
    metrics = summary["metrics"]
    for count, shown in (
        (9, []),
        (10, ["p(50)"]),
        (99, ["p(50)"]),
        (100, ["p(50)", "p(95)"]),
        (500, ["p(50)", "p(95)", "p(99)"]),
    ):
        metrics["connect_latency"] = trend(spread(count, 1.0))
        assert [aggregation for label, aggregation in told(measures(summary)) if label == "connect_latency"] == shown


def test_a_trend_that_a_scenario_declares_in_ms_counts() -> None:
    """It is a time, of which less is better."""
    summary = green_summary()
    summary["metrics"]["checkout"] = trend(histogram(*range(1, 21)))
    assert told(measures(summary))[("checkout", "p(50)")] == pytest.approx(10.0, rel=0.004)


def test_several_scenarios_are_told_apart() -> None:
    """In labels, and in throughput."""
    summary = green_summary()
    summary["run"]["scenarios"] = ["tools_call_rps", "other"]
    summary["metrics"]["calls{method:ping,scenario:other,transport:websocket}"] = {"kind": "counter", "count": 6002}
    found = told(measures(summary))
    assert found[("other calls", "rate")] == 100
    assert ("tools_call_rps calls", "rate") in found
    assert ("tools_call_rps http delete", "p(99)") in found


def test_what_was_not_measured_is_not_there() -> None:
    """A dead target has nothing; a rate without a value, no rate."""
    assert measures(dead_summary()) == {}
    red = told(measures(red_summary()))
    assert red[("tools_call_failures", "rate")] == 669 / 9424


def test_units() -> None:
    """By kind."""
    units = {measure.kind: measure.unit for measure in measures(green_summary())}
    assert units == {"throughput": "per s", "rate": "", "latency": "ms"}


def test_a_rate_of_nothing_has_no_value() -> None:
    """It was declared, and nothing was recorded."""
    summary = green_summary()
    summary["metrics"]["cache_misses"] = {"kind": "rate", "count": 0, "failures": 0}
    assert ("cache_misses", "rate") not in told(measures(summary))
