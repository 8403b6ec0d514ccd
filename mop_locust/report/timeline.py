"""The course of a run: its windows, each brought down to a few figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.summary import WindowRow
from mop_locust.report.document import SummaryDocument


@dataclass(frozen=True, slots=True)
class Point:
    """One stretch of time: calls and failed calls per second, and the P95 of the successful ones in ms or None without any."""

    start_s: float
    end_s: float
    calls: float
    failures: float
    p95: float | None


def timeline(summary: SummaryDocument) -> list[Point]:
    """The windows in the order of time; where there is none, nothing happened, which is a point too. Empty without windows."""
    windows = sorted(summary["windows"], key=lambda window: window["start_s"])
    return list(_points(windows, summary["run"]["seconds"])) if windows else []


def _points(windows: list[WindowRow], seconds: float) -> Iterator[Point]:
    reached = 0.0
    for window in windows:
        if window["start_s"] > reached:
            yield Point(reached, window["start_s"], 0, 0, None)
        point = _point(window)
        reached = point.end_s
        yield point
    if seconds > reached:
        yield Point(reached, seconds, 0, 0, None)


def _point(window: WindowRow) -> Point:
    calls = failures = 0
    latency = Histogram()
    for key, series in window["series"].items():
        name = key.partition("{")[0]
        if name == "calls":
            calls += series["count"]
        elif name == "call_failures":
            failures += series.get("failures", 0)
        elif name == "call_latency" and "histogram" in series:
            latency.merge(Histogram.from_wire(series["histogram"]))
    start, width = window["start_s"], window["width_s"]
    p95 = latency.quantile(0.95) / 1000 if latency.count else None
    return Point(start, start + width, calls / width, failures / width, p95)
