"""The course of a run."""

from __future__ import annotations

import pytest

from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.merge import Merge
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.summary import window_rows
from mop_locust.report.course import course, course_row, merged_row
from tests.unit.report.sample_summary import dead_summary, green_summary, histogram, window


def test_a_window_becomes_figures() -> None:
    """Counts by transport, failures by outcome without what is none, the percentiles of all latencies together."""
    one = window(2, 3) | {"width_s": 4}
    one["series"]["calls{transport:sse}"] = {"count": 5, "outcomes": {"ok": 1, "cancelled": 1, "timeout": 2, "client_fault": 1}}
    one["series"]["call_latency{method:ping,transport:http}"] = {"count": 1, "histogram": histogram(400).to_wire()}
    one["series"]["call_latency{method:close,transport:sse}"] = {"count": 0, "histogram": histogram().to_wire()}
    one["series"]["loop_lag"] = {"count": 3, "histogram": histogram(0.1, 0.2, 9).to_wire()}
    one["gauges"] = {"w0": {"users": 3.0, "open_sessions": 2.0, "cpu_percent": 7.5}, "w1": {"users": 4.0, "open_streams": 1.0}}
    assert course_row(one) == {
        "start_s": 2,
        "width_s": 4,
        "users": 7.0,
        "calls": {"http": 3, "sse": 5},
        "failures": {"timeout": 2, "client_fault": 1},
        "p95": 400.0,
        "latency": {"http": [1.801, 400.0, 400.0]},
        "heat": {"http": {"steps": [20, 21, 22, 37], "counts": [1, 1, 1, 1]}},
        "open": [2.0, 0, 1.0],
        "lag": [0.2, 9.0, 9.0],
        "cpu": {"w0": 7.5},
    }


def test_a_window_without_anything_has_no_figures() -> None:
    """None is no data, which is not zero."""
    row = course_row({"start_s": 0, "width_s": 1, "series": {}, "gauges": {}})
    assert (row["users"], row["p95"], row["open"], row["lag"]) == (None, None, None, None)
    assert (row["calls"], row["failures"], row["latency"], row["heat"], row["cpu"]) == ({}, {}, {}, {}, {})


def test_a_step_of_the_heat_is_half_an_octave() -> None:
    """1 us is step 0, 2 us step 2, 1024 us step 20; below 1 us nothing is told apart."""
    one = window(0, 0)
    series = {"count": 4, "histogram": histogram(0, 0.001, 0.002, 1.024).to_wire()}
    one["series"] = {"call_latency{transport:http}": series}  # type: ignore[dict-item]
    assert course_row(one)["heat"] == {"http": {"steps": [0, 2, 20], "counts": [2, 1, 1]}}


def test_a_run_that_goes_on_has_the_same_rows() -> None:
    """Whether a window comes from the merge or from a summary."""
    ledger = Ledger("r", "w", 1, 0)
    for at in range(40):
        outcome = "ok" if at % 3 else "http_status"
        ledger.record(Sample("calls", "http", "ping", outcome, at * 100_000, 1000 + 37 * at, error="" if at % 3 else "HTTP 500"))
        ledger.trend("loop_lag", (), 500 + at, at * 100_000)
        ledger.gauge("users", float(at))
    merge = Merge("r")
    merge.receive(ledger.snapshot(4_000_000, 0, final=True))
    live = [merged_row(one) for one in merge.windows]
    assert live == [course_row(row) for row in window_rows(merge.windows)]
    assert [sum(row["calls"].values()) for row in live] == [10, 10, 10, 10]
    assert [row["failures"]["http_status"] for row in live] == [4, 3, 3, 4]
    assert live[0]["lag"] == [0.504, 0.509, 0.509]


def test_where_there_is_no_window_nothing_happened() -> None:
    """At the beginning, in the middle and at the end."""
    summary = green_summary()
    summary["run"]["seconds"] = 9.5
    summary["windows"] = [window(6, 0, 5), window(2, 0, 5)]
    assert [(row["start_s"], row["width_s"], row["failures"]) for row in course(summary)] == [
        (0, 2, {}),
        (2, 1, {"http_status": 5}),
        (3, 3, {}),
        (6, 1, {"http_status": 5}),
        (7, 2.5, {}),
    ]


def test_a_run_without_windows_has_no_course() -> None:
    """Not even an empty one."""
    assert course(dead_summary()) == []


@pytest.mark.parametrize("outcomes", [{"nonsense": 3}, {}])
def test_an_outcome_that_nobody_knows_is_not_drawn(outcomes: dict[str, int]) -> None:
    """The closed set is what the charts have colours for."""
    one = window(0, 3)
    one["series"]["calls{transport:http}"] = {"count": 3, "outcomes": outcomes}
    assert course_row(one)["failures"] == {}
