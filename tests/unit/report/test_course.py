"""The course of a run."""

from __future__ import annotations

from mop_locust.report.timeline import Point, timeline
from tests.unit.report.sample_summary import dead_summary, green_summary, histogram, window


def test_a_window_becomes_figures_per_second() -> None:
    """Counts over the width, the P95 of all latencies together, in the order of time."""
    summary = green_summary()
    summary["run"]["seconds"] = 6.0
    wide = window(2, 3, 1) | {"width_s": 4}
    wide["series"]["call_latency{method:ping}"] = {"count": 1, "histogram": histogram(400).to_wire()}
    wide["series"]["call_latency{method:close}"] = {"count": 0}
    summary["windows"] = [wide, window(0, 10) | {"width_s": 2}]
    first, second = timeline(summary)
    assert (first.start_s, first.end_s, first.calls, first.failures, first.p95) == (0, 2, 5.0, 0.0, 2.6)
    assert second == Point(2, 6, 1.0, 0.25, 400.0)


def test_where_there_is_no_window_nothing_happened() -> None:
    """At the beginning, in the middle and at the end."""
    summary = green_summary()
    summary["run"]["seconds"] = 9.5
    summary["windows"] = [window(2, 0, 5), window(6, 0, 5)]
    assert timeline(summary) == [
        Point(0, 2, 0, 0, None),
        Point(2, 3, 5, 5, None),
        Point(3, 6, 0, 0, None),
        Point(6, 7, 5, 5, None),
        Point(7, 9.5, 0, 0, None),
    ]


def test_a_run_without_windows_has_no_course() -> None:
    """Not even an empty one."""
    assert timeline(dead_summary()) == []
