"""The course of a run: each of its windows brought down to the few figures that are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, TypedDict

from mop_locust.metrics.histogram import Histogram, bucket_middle
from mop_locust.metrics.labels import split_series_name
from mop_locust.metrics.sample import OUTCOMES
from mop_locust.metrics.summary import WindowRow
from mop_locust.report.document import SummaryDocument
from mop_locust.report.text import plain

_NOT_FAILED: Final = frozenset(("ok", "cancelled"))
_OPEN: Final = ("open_sessions", "open_sockets", "open_streams")
_STEPS_AN_OCTAVE: Final = 2


class Heat(TypedDict):
    """How the latencies of a window are spread: `counts[i]` calls took from 2**(steps[i] / 2) microseconds on."""

    steps: list[int]
    counts: list[int]


class CourseRow(TypedDict):
    """One stretch of time; calls and failures are counts in it, times are milliseconds, None is no data.

    `calls` and `latency` (P50, P95, P99 of the successful calls) are by transport, `failures` by outcome, `open` is
    sessions, sockets and streams, `lag` the P50, P99 and greatest loop lag, `cpu` in percent of a core by worker.
    """

    start_s: float
    width_s: float
    users: float | None
    calls: dict[str, int]
    failures: dict[str, int]
    p95: float | None
    latency: dict[str, list[float]]
    heat: dict[str, Heat]
    open: list[float] | None
    lag: list[float] | None
    cpu: dict[str, float]


def course(summary: SummaryDocument) -> list[CourseRow]:
    """The windows in the order of time; where there is none, nothing happened, which is a row too. Empty without windows."""
    rows = [course_row(window) for window in sorted(summary["windows"], key=lambda window: window["start_s"])]
    return list(_without_holes(rows, summary["run"]["seconds"])) if rows else []


def course_row(window: WindowRow) -> CourseRow:
    """The figures of one window."""
    row = _empty(window["start_s"], window["width_s"])
    latency: dict[str, Histogram] = {}
    for key, series in window["series"].items():
        name, tags = split_series_name(key)
        transport = plain(dict(tags).get("transport", ""))
        if name == "calls":
            row["calls"][transport] = row["calls"].get(transport, 0) + series["count"]
            for outcome, count in series.get("outcomes", {}).items():
                if outcome in OUTCOMES and outcome not in _NOT_FAILED:
                    row["failures"][outcome] = row["failures"].get(outcome, 0) + count
        elif name == "call_latency" and "histogram" in series:
            latency.setdefault(transport, Histogram()).merge(Histogram.from_wire(series["histogram"]))
        elif name == "loop_lag" and series.get("count") and "histogram" in series:
            lag = Histogram.from_wire(series["histogram"])
            row["lag"] = [value / 1000 for value in (*lag.quantiles((0.5, 0.99)), lag.max)]
    together = Histogram()
    for transport, histogram in latency.items():
        if histogram.count:
            row["latency"][transport] = [value / 1000 for value in histogram.quantiles((0.5, 0.95, 0.99))]
            row["heat"][transport] = _heat(histogram)
            together.merge(histogram)
    row["p95"] = together.quantile(0.95) / 1000 if together.count else None
    _take_gauges(row, window["gauges"])
    return row


def _take_gauges(row: CourseRow, gauges: dict[str, dict[str, float]]) -> None:
    users = [values["users"] for values in gauges.values() if "users" in values]
    row["users"] = sum(users) if users else None
    if any(name in values for values in gauges.values() for name in _OPEN):
        row["open"] = [sum(values.get(name, 0) for values in gauges.values()) for name in _OPEN]
    row["cpu"] = {plain(worker): values["cpu_percent"] for worker, values in gauges.items() if "cpu_percent" in values}


def _heat(histogram: Histogram) -> Heat:
    counts: dict[int, int] = {}
    for index, count in histogram.counts.items():
        step = math.floor(_STEPS_AN_OCTAVE * math.log2(max(bucket_middle(index), 1)))
        counts[step] = counts.get(step, 0) + count
    steps = sorted(counts)
    return {"steps": steps, "counts": [counts[step] for step in steps]}


def _empty(start_s: float, width_s: float) -> CourseRow:
    return {
        "start_s": start_s,
        "width_s": width_s,
        "users": None,
        "calls": {},
        "failures": {},
        "p95": None,
        "latency": {},
        "heat": {},
        "open": None,
        "lag": None,
        "cpu": {},
    }


def _without_holes(rows: list[CourseRow], seconds: float) -> Iterator[CourseRow]:
    reached = 0.0
    for row in rows:
        if row["start_s"] > reached:
            yield _empty(reached, row["start_s"] - reached)
        yield row
        reached = row["start_s"] + row["width_s"]
    if seconds > reached:
        yield _empty(reached, seconds - reached)
