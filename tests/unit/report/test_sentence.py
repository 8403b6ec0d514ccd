"""The first line under the table of a red run."""

from __future__ import annotations

from typing import Any

import pytest

from mop_locust.metrics.labels import series_name, sorted_tags
from mop_locust.report.document import SummaryDocument
from mop_locust.report.sentence import red_sentence
from mop_locust.verdict.judge import ThresholdJson
from tests.unit.report.sample_summary import add_calls, dead_summary, green_summary, histogram, rate, red_summary, trend


def crossed(metric: str, expression: str, value: float, samples: int = 4712) -> ThresholdJson:
    """A crossed threshold."""
    return {"metric": metric, "expression": expression, "value": value, "samples": samples, "state": "CROSSED"}


def no_data(metric: str) -> ThresholdJson:
    """A threshold without samples."""
    return {"metric": metric, "expression": "rate<0.05", "value": None, "samples": 0, "state": "NO_DATA"}


def judged(*thresholds: ThresholdJson, base: SummaryDocument | None = None, **verdict: Any) -> SummaryDocument:
    """A summary with these thresholds; CROSSED, valid and 3 unless said otherwise."""
    summary = base or red_summary()
    summary["verdict"]["thresholds"] = list(thresholds)
    summary["verdict"].update({"state": "CROSSED", "validity": "valid", "exit_code": 3, "reasons": []} | verdict)  # type: ignore[typeddict-item]
    return summary


FAILURES = crossed("tools_call_failures", "rate<0.05", 669 / 9424, 9424)


def test_a_green_run_has_none() -> None:
    """Nothing is wrong, nothing is said."""
    assert red_sentence(green_summary()) == ""


def test_crossed_failures_name_their_main_error() -> None:
    """The figure, the limit, the main error, its place, and since when; a failed clean-up is no part of it."""
    assert red_sentence(judged(FAILURES)) == (
        'CROSSED: 7.10 % of 9,424 calls failed (limit 5 %); 664 of 669 were "HTTP 503" in tools/list, from 0:41 on.'
    )


def test_errors_that_ended_have_an_end() -> None:
    """They stopped long before the run did."""
    summary = judged(FAILURES)
    summary["errors"][0]["last_s"] = 50.0
    assert red_sentence(summary).endswith("in tools/list, from 0:41 to 0:50.")


def test_failures_are_told_before_latency_and_the_rest_counted() -> None:
    """They tend to be the cause."""
    summary = judged(crossed("call_latency", "p(95)<1", 2.7), FAILURES, no_data("sse_failures"))
    assert red_sentence(summary).startswith("CROSSED: 7.10 % of 9,424 calls failed")
    assert red_sentence(summary).endswith("; 2 more thresholds are red.")


def test_errors_are_counted_apart_from_failed_sessions() -> None:
    """One session may fail in two exchanges."""
    summary = judged(crossed("ws_failures", "rate<0.05", 0.5, 4))
    summary["metrics"]["ws_failures"] = rate(4, 2)
    summary["metrics"]["ws_failures{scenario:ws_connect_storm}"] = rate(4, 2)
    summary["errors"] = [
        error | {"scenario": scenario, "method": "ping", "count": 3}  # type: ignore[misc]
        for error, scenario in zip(summary["errors"], ("ws_connect_storm", "another"), strict=False)
    ]
    assert red_sentence(summary) == (
        'CROSSED: 50.00 % of 4 sessions failed (limit 5 %); 3 of 3 errors were "HTTP 503" in ping, from 0:41 on.'
    )


def test_errors_of_one_class_in_several_series_are_one() -> None:
    """The same error in two scenarios is one cause; the earliest of two equal ones comes first."""
    summary = judged(crossed("call_failures", "rate<0.05", 4 / 100, 100))
    summary["metrics"]["call_failures{scenario:b}"] = rate(1, 1)
    base = summary["errors"][0]
    summary["errors"] = [
        base | {"count": 1, "first_s": 9.0, "last_s": 58.0},  # type: ignore[misc]
        base | {"scenario": "b", "count": 1, "first_s": 7.0, "last_s": 57.0},  # type: ignore[misc]
        base | {"error": "", "method": "tools/call", "tool": "echo", "count": 2, "first_s": 3.0, "last_s": 58.0},  # type: ignore[misc]
    ]
    assert red_sentence(summary).endswith('2 of 4 were "http_status" in tools/call echo, from 0:03 on.')


def test_tags_choose_the_errors() -> None:
    """Only errors that the threshold speaks of, and those too many to be told apart."""
    summary = judged(crossed("call_failures{method:initialize,status:503}", "rate<0.001", 5 / 4712))
    assert red_sentence(summary) == (
        'CROSSED: 0.11 % of 4,712 initialize 503 calls failed (limit 0.1 %); 5 of 5 were "no answer" in initialize, from 0:42 on.'
    )
    summary["errors"][0] |= {"scenario": "other", "transport": "other", "method": "other", "error": "other"}
    assert '664 of 669 errors were "other" in other' in red_sentence(summary)


def test_a_declared_rate_without_errors_says_what_it_knows() -> None:
    """No error belongs to it."""
    summary = judged(crossed("cache_misses", "rate<0.01", 0.015, 200))
    summary["errors"] = []
    assert red_sentence(summary) == "CROSSED: 1.50 % of 200 cache_misses samples failed (limit 1 %)."


def test_a_rate_with_a_lower_limit() -> None:
    """More is not worse."""
    summary = judged(crossed("cache_misses", "count>=500", 200, 200))
    assert red_sentence(summary).startswith("CROSSED: count of cache_misses is 200 (wanted count>=500)")


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        (crossed("call_latency", "p(95)<1", 2.7), "P95 of call_latency is 2.7 ms over 4,712 samples (limit 1.0 ms)"),
        (crossed("call_latency", "p(97)<1", 2.7), "P97 of call_latency is 2.7 ms over 4,712 samples (limit 1.0 ms)"),
        (crossed("call_latency", "min>5", 0.2), "min of call_latency is 0.2 ms over 4,712 samples (wanted min>5)"),
        (crossed("call_latency", "count<5", 4712), "count of call_latency is 4,712 (limit 5)"),
        (crossed("orders", "count>1000", 120), "count of orders is 120 (wanted count>1000)"),
        (crossed("call_latency", "of a later grammar", 3.5), "call_latency is 3.5 (wanted of a later grammar)"),
    ],
)
def test_other_thresholds_are_stated_plainly(threshold: ThresholdJson, said: str) -> None:
    """Figure, samples and limit, in the unit of the metric."""
    assert red_sentence(judged(threshold)).startswith(f"CROSSED: {said}")


def test_a_crossed_trend_names_the_slowest_method() -> None:
    """Where the time goes, when there is more than one place and the metric has them."""
    assert red_sentence(judged(crossed("call_latency", "p(95)<1", 2.7))) == (
        "CROSSED: P95 of call_latency is 2.7 ms over 4,712 samples (limit 1.0 ms); "
        "slowest is tools/call echo, {mission}:1 with 3.5 ms."
    )
    for quiet in (
        crossed("call_latency{method:tools/list}", "p(95)<1", 2.7),
        crossed("call_latency", "p(95)>10", 2.7),
        crossed("call_latency", "p(97)<1", 2.7),
        crossed("session_duration", "max<1", 24.0),
    ):
        assert "slowest" not in red_sentence(judged(quiet))


def test_a_series_without_values_or_method_is_not_the_slowest() -> None:
    """Only what has a place and a value can be."""
    summary = judged(crossed("call_latency", "max<1", 3.0))
    tags = [("scenario", "a"), ("transport", "http")]
    summary["metrics"] = {
        "call_latency": trend(histogram(1, 3)),
        series_name("call_latency", sorted_tags(tags)): trend(histogram(9)),
        series_name("call_latency", sorted_tags([*tags, ("method", "delete")])): trend(histogram()),
        series_name("call_latency", sorted_tags([*tags, ("method", "ping")])): trend(histogram(3)),
        series_name("call_latency", sorted_tags([*tags, ("method", "initialize")])): trend(histogram(1)),
    }
    assert red_sentence(summary).endswith("slowest is ping with 3.0 ms.")


@pytest.mark.parametrize(
    ("transport", "where"),
    [("http", "http://localhost:8000/mcp"), ("websocket", "ws://localhost:8000/ws"), ("sse", "the target")],
)
def test_a_target_that_never_answered_is_named(transport: str, where: str) -> None:
    """The address that was tried and what came of it."""
    summary = judged(crossed("tools_call_failures", "rate<0.05", 1.0, 212))
    summary["metrics"] = {"tools_call_failures": rate(212, 212)}
    add_calls(summary["metrics"], transport, "initialize", ok=histogram(), connect=212)
    summary["run"]["target"] = {
        "http": None if transport == "sse" else "http://localhost:8000/mcp",
        "websocket": "ws://localhost:8000/ws",
    }
    summary["errors"] = [summary["errors"][0] | {"outcome": "connect", "error": "refused", "transport": transport, "count": 212}]  # type: ignore[misc]
    assert red_sentence(summary) == (
        f"CROSSED: 100.00 % of 212 calls failed (limit 5 %); nothing answered at {where}: refused (212 times)."
    )
    assert red_sentence(judged(no_data("sse_failures"), base=summary, state="NO_DATA")) == (
        f"NO DATA: sse_failures has no samples; nothing answered at {where}: refused (212 times)."
    )


def test_no_data_of_several_thresholds() -> None:
    """Two by name, the others by number, and the note that may explain it."""
    summary = judged(no_data("a"), no_data("b"), state="NO_DATA")
    note = "20 of 20 streams were ended by the server after 0 ms: keep-alive was not observed."
    assert red_sentence(summary) == f"NO DATA: a and b have no samples; {note}"
    summary = judged(no_data("a"), no_data("b"), no_data("c"), no_data("d"), state="NO_DATA")
    summary["run"]["notes"] = []
    assert red_sentence(summary) == "NO DATA: a, b and 2 more have no samples."


def test_no_data_without_thresholds_or_metrics() -> None:
    """Nothing was measured at all."""
    summary = judged(state="NO_DATA")
    summary["run"]["notes"], summary["metrics"], summary["errors"] = [], {}, []
    assert red_sentence(summary) == "NO DATA: the run has no samples."


def test_a_failed_preflight_is_the_reason() -> None:
    """Its last finding is what is wrong."""
    assert red_sentence(dead_summary()) == "NO DATA: no load was sent; nothing answered at http://localhost:8000/mcp: refused."
    summary = dead_summary()
    summary["preflight"]["findings"] = []
    assert red_sentence(summary) == "NO DATA: no load was sent; the preflight failed."


@pytest.mark.parametrize(
    ("state", "validity", "begins"),
    [
        ("CROSSED", "invalid", "INVALID: one; two."),
        ("NO_DATA", "invalid", "INVALID: one; two."),
        ("PASSED", "invalid", "INVALID: one; two."),
        ("CROSSED", "incomplete", "CROSSED: "),
        ("NO_DATA", "incomplete", "INCOMPLETE: one; two."),
        ("PASSED", "incomplete", "INCOMPLETE: one; two."),
        ("CROSSED", "degraded", "CROSSED: "),
        ("NO_DATA", "degraded", "NO DATA: "),
        ("PASSED", "degraded", "DEGRADED: one; two."),
    ],
)
def test_what_comes_first(state: str, validity: str, begins: str) -> None:
    """An invalid run proves nothing; a crossed threshold of an incomplete one still stands."""
    summary = judged(FAILURES, state=state, validity=validity, exit_code=4, reasons=["one.", "two."])
    assert red_sentence(summary).startswith(begins)


def test_many_reasons_are_counted_and_none_is_said() -> None:
    """Three by name; an unexplained state says that it is one."""
    summary = judged(validity="invalid", exit_code=4, reasons=["a", "b", "c", "d", "e"])
    assert red_sentence(summary) == "INVALID: a; b; c; and 2 more."
    assert red_sentence(judged(validity="invalid", exit_code=4)) == "INVALID: no reason was recorded."


def test_an_error_says_the_reason_or_what_the_preflight_found() -> None:
    """Exit code 2 comes before everything else."""
    summary = judged(FAILURES, exit_code=2, reasons=["the listener raised."])
    assert red_sentence(summary) == "ERROR: the listener raised."
    summary["verdict"]["reasons"] = []
    summary["preflight"]["findings"] = ["HTTP: 4 tools", "401: the server refused the key"]
    assert red_sentence(summary) == "ERROR: 401: the server refused the key."
    summary["preflight"]["findings"] = []
    assert red_sentence(summary) == "ERROR: the run was not judged."
