"""The summary in figures, and back again without loss."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.merge import Merge
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.summary import error_rows, restore, restore_window, summarise, summarise_one, window_rows
from mop_locust.metrics.tally import ErrorTotal
from mop_locust.metrics.totals import Totals
from tests.unit.metrics.strategies import histogram_of, samples

PING = "{method:ping,scenario:rps,transport:http}"


def totals_of(recorded: list[Sample]) -> Totals:
    """The totals of a ledger that saw these samples."""
    ledger = Ledger("run-1", "worker-1", 1, 0)
    for sample in recorded:
        ledger.record(sample)
    return Totals.of(ledger.snapshot(0, 0).totals)


def test_the_summary_of_a_few_calls() -> None:
    """Total under the plain name, each series under its tags; times in milliseconds."""
    recorded = [Sample("rps", "http", "ping", "ok", 0, 100 * n) for n in range(1, 5)]
    recorded.append(Sample("rps", "websocket", "ping", "timeout", 0, 5_000_000))
    summary = summarise(totals_of(recorded))
    timeouts = "{method:ping,scenario:rps,transport:websocket}"
    assert list(summary) == [
        "call_failures",
        f"call_failures{PING}",
        f"call_failures{timeouts}",
        "call_latency",
        "call_latency_timeout",
        f"call_latency_timeout{timeouts}",
        f"call_latency{PING}",
        "calls",
        f"calls{PING}",
        f"calls{timeouts}",
    ]
    assert summary["calls"] == {"kind": "counter", "count": 5, "outcomes": {"ok": 4, "timeout": 1}}
    assert summary["call_failures"] == {"kind": "rate", "count": 5, "failures": 1, "rate": 0.2}
    assert summary[f"call_failures{PING}"] == {"kind": "rate", "count": 4, "failures": 0, "rate": 0.0}
    assert summary["call_latency"] == summary[f"call_latency{PING}"]
    assert summary["call_latency"] == {
        "kind": "trend",
        "count": 4,
        "unit": "ms",
        "min": 0.1,
        "mean": 0.25,
        "p50": 0.2,
        "p90": 0.4,
        "p95": 0.4,
        "p99": 0.4,
        "p999": 0.4,
        "max": 0.4,
        "histogram": histogram_of([100, 200, 300, 400]).to_wire(),
    }


def test_an_untagged_series_stands_alone_under_its_name_and_beside_others_in_braces() -> None:
    """So that the total never hides a series."""
    totals = Totals()
    totals.add(("alone", ()), CounterTotal(1))
    totals.add(("mixed", ()), CounterTotal(2))
    totals.add(("mixed", (("a", "b"),)), CounterTotal(3))
    summary = summarise(totals)
    assert {name: metric["count"] for name, metric in summary.items()} == {"alone": 1, "mixed": 5, "mixed{a:b}": 3, "mixed{}": 2}
    assert restore(summary) == totals


def test_a_metric_without_samples_has_no_figures() -> None:
    """No rate of nothing, no latency of nothing."""
    assert summarise_one(RateTotal()) == {"kind": "rate", "count": 0, "failures": 0}
    assert summarise_one(CounterTotal()) == {"kind": "counter", "count": 0}
    assert summarise_one(TrendTotal(unit="bytes")) == {
        "kind": "trend",
        "count": 0,
        "unit": "bytes",
        "histogram": histogram_of([]).to_wire(),
    }


@given(st.lists(samples(), max_size=12), st.integers(0, 5), st.booleans())
def test_the_summary_restores_the_totals_through_json(recorded: list[Sample], n: int, failed: bool) -> None:
    """The judge and the report can work from summary.json alone; only errors stand elsewhere."""
    totals = totals_of(recorded)
    totals.errors.clear()
    totals.add(("mine", ()), CounterTotal(n))
    totals.add(("ws_failures", (("scenario", "a,b{c}\\:"),)), RateTotal(1, int(failed)))
    totals.add(("reply_size", ()), TrendTotal(histogram_of([n]), "bytes"))
    assert restore(json.loads(json.dumps(summarise(totals)))) == totals


@pytest.mark.parametrize(
    ("metric", "complaint"),
    [
        ({"kind": "gauge", "count": 1}, "metric mine is not in summary form: unknown kind 'gauge'"),
        ({"count": 1}, "metric mine is not in summary form: 'kind'"),
        ({"kind": "rate", "count": 1}, "'failures'"),
        ({"kind": "rate", "count": 1, "failures": 2}, "more failures than events"),
        ({"kind": "counter", "count": 1, "outcomes": {"ok": 2}}, "outcomes do not add up"),
        ({"kind": "trend", "count": 1, "unit": "ms", "histogram": {"version": 9}}, "histogram version 9 is unknown"),
        ({"kind": "trend", "count": 1, "unit": "ms", "histogram": None}, "metric mine is not in summary form"),
        ([], "metric mine is not in summary form"),
    ],
)
def test_a_damaged_summary_is_refused_with_the_metric_s_name(metric: object, complaint: str) -> None:
    """A summary of another tool or release is a sentence, not a crash."""
    with pytest.raises(ValueError, match=complaint):
        restore({"mine": metric})  # type: ignore[dict-item]


def test_the_windows_as_rows() -> None:
    """Each series under its own name, seconds since the start, gauges by worker."""
    merge = Merge("run-1")
    ledger = Ledger("run-1", "worker-1", 1, 0)
    ledger.record(Sample("rps", "http", "ping", "ok", 3_000_000, 100))
    ledger.count("iterations", (), 2, 3_000_000)
    ledger.gauge("cpu", 0.5)
    merge.receive(ledger.snapshot(3_000_000, 0, final=True))
    assert json.loads(json.dumps(window_rows(merge.windows))) == [
        {
            "start_s": 3,
            "width_s": 1,
            "series": {
                f"calls{PING}": {"count": 1, "outcomes": {"ok": 1}},
                f"call_failures{PING}": {"count": 1, "failures": 0},
                f"call_latency{PING}": {"count": 1, "histogram": histogram_of([100]).to_wire()},
                "iterations": {"count": 2},
            },
            "gauges": {"worker-1": {"cpu": 0.5}},
        }
    ]


def test_errors_as_rows_are_the_most_frequent_and_the_sum_of_the_rest() -> None:
    """Beyond the limit there is one row for each outcome; no error is left out."""
    totals = Totals()
    for label, outcome, count in (("a", "connect", 9), ("b", "protocol", 1), ("c", "protocol", 2), ("d", "connect", 1)):
        totals.errors[("rps", "http", "ping", "", outcome, label)] = ErrorTotal(count, 41_000_000 + count, 43_500_000)
    assert error_rows(totals)[0] == {
        "scenario": "rps",
        "transport": "http",
        "method": "ping",
        "tool": "",
        "outcome": "connect",
        "error": "a",
        "count": 9,
        "first_s": 41.000009,
        "last_s": 43.5,
    }
    assert [row["error"] for row in error_rows(totals)] == ["a", "c", "d", "b"]
    cut = error_rows(totals, limit=1)
    assert [(row["method"], row["outcome"], row["error"], row["count"]) for row in cut] == [
        ("ping", "connect", "a", 9),
        ("other", "protocol", "other", 3),
        ("other", "connect", "other", 1),
    ]
    assert cut[1]["first_s"] == 41.000001


@given(st.lists(samples(), max_size=20))
def test_a_window_restores_its_totals(recorded: list[Sample]) -> None:
    """Through JSON, every kind."""
    ledger = Ledger("run-1", "worker-1", 1, 0)
    for sample in recorded:
        ledger.record(sample)
    ledger.count("hits", (("a", "b"),), 3, 0)
    ledger.rate("misses", (), True, 0)
    ledger.trend("sizes", (), 7, 0)
    merge = Merge("run-1")
    merge.receive(ledger.snapshot(20_000_000, 0, final=True))
    rows = json.loads(json.dumps(window_rows(merge.windows)))
    assert [restore_window(row).series for row in rows] == [Totals.of(window.tally).series for window in merge.windows]


@pytest.mark.parametrize(
    ("series", "complaint"),
    [
        ({"count": 3, "outcomes": {"ok": 2}}, "metric calls is not in window form: outcomes do not add up to their count"),
        ({"count": 3, "failures": 4}, "metric calls is not in window form: a rate has more failures than events"),
        ({"count": 3, "histogram": {"version": 9}}, "histogram version 9 is unknown"),
    ],
)
def test_a_damaged_window_is_refused(series: dict[str, object], complaint: str) -> None:
    """With the metric's name where there is one."""
    with pytest.raises(ValueError, match=complaint):
        restore_window({"start_s": 0, "width_s": 1, "series": {"calls": series}, "gauges": {}})  # type: ignore[dict-item]
