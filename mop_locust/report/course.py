"""The course of a run: each of its windows brought down to the few figures that are drawn."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Final, TypedDict

from mop_locust.metrics.accumulators import CounterTotal, TrendTotal
from mop_locust.metrics.histogram import WIRE_VERSION, Histogram, HistogramWire, bucket_middle
from mop_locust.metrics.labels import Tags, split_series_name
from mop_locust.metrics.sample import OUTCOMES
from mop_locust.metrics.summary import WindowRow
from mop_locust.metrics.totals import expand
from mop_locust.metrics.windows import MergedWindow
from mop_locust.report.document import SummaryDocument
from mop_locust.report.text import plain

_FAILED: Final = frozenset(OUTCOMES) - {"ok", "cancelled"}
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
    """The figures of one window of a summary."""
    row = _Row(window["start_s"], window["width_s"], window["gauges"])
    for key, series in window["series"].items():
        name, tags = split_series_name(key)
        if name == "calls":
            row.calls(tags, series["count"], series.get("outcomes", {}))
        elif name in ("call_latency", "loop_lag") and "histogram" in series:
            row.histogram(name, tags, _read(series["histogram"]))
    return row.figures()


def merged_row(window: MergedWindow) -> CourseRow:
    """The same of a window of a run that goes on, without the way over JSON."""
    row = _Row(window.index, window.width, window.gauges)
    for (name, tags), total in expand(window.tally):
        if name == "calls" and isinstance(total, CounterTotal):
            row.calls(tags, total.count, total.outcomes)
        elif name in ("call_latency", "loop_lag") and isinstance(total, TrendTotal):
            row.histogram(name, tags, total.histogram)
    return row.figures()


class _Row:
    """Collects what one window holds."""

    def __init__(self, start_s: float, width_s: float, gauges: dict[str, dict[str, float]]) -> None:
        self._row = _empty(start_s, width_s)
        self._latency: dict[str, Histogram] = {}
        _take_gauges(self._row, gauges)

    def calls(self, tags: Tags, count: int, outcomes: dict[str, int]) -> None:
        transport, calls, failures = _transport(tags), self._row["calls"], self._row["failures"]
        calls[transport] = calls.get(transport, 0) + count
        for outcome, n in outcomes.items():
            if outcome in _FAILED:
                failures[outcome] = failures.get(outcome, 0) + n

    def histogram(self, name: str, tags: Tags, histogram: Histogram) -> None:
        if not histogram.count:
            return
        if name == "loop_lag":
            self._row["lag"] = [value / 1000 for value in (*histogram.quantiles((0.5, 0.99)), histogram.max)]
        else:
            self._latency.setdefault(_transport(tags), Histogram()).merge(histogram)

    def figures(self) -> CourseRow:
        row, together = self._row, Histogram()
        for transport, histogram in self._latency.items():
            row["latency"][transport] = [value / 1000 for value in histogram.quantiles((0.5, 0.95, 0.99))]
            row["heat"][transport] = _heat(histogram)
            together.merge(histogram)
        row["p95"] = together.quantile(0.95) / 1000 if together.count else None
        return row


def _transport(tags: Tags) -> str:
    return plain(dict(tags).get("transport", ""))


def _read(wire: HistogramWire) -> Histogram:
    """A histogram to draw, without the checks of `Histogram.from_wire`: there are thousands of them in a long run."""
    if wire["version"] != WIRE_VERSION:
        return Histogram.from_wire(wire)  # which says what is wrong with it
    counts: dict[int, int] = {}
    index = 0
    for step, n in zip(wire["indexes"], wire["counts"], strict=False):
        index += step
        counts[index] = n
    return Histogram(counts, sum(counts.values()), wire["total"], wire["min"], wire["max"])


def _take_gauges(row: CourseRow, gauges: dict[str, dict[str, float]]) -> None:
    users = [values["users"] for values in gauges.values() if "users" in values]
    row["users"] = sum(users) if users else None
    if any(name in values for values in gauges.values() for name in _OPEN):
        row["open"] = [sum(values.get(name, 0) for values in gauges.values()) for name in _OPEN]
    row["cpu"] = {plain(worker): values["cpu_percent"] for worker, values in gauges.items() if "cpu_percent" in values}


def _heat(histogram: Histogram) -> Heat:
    counts: dict[int, int] = {}
    for index, count in histogram.counts.items():
        step = _step(index)
        counts[step] = counts.get(step, 0) + count
    steps = sorted(counts)
    return {"steps": steps, "counts": [counts[step] for step in steps]}


@functools.cache
def _step(index: int) -> int:
    return math.floor(_STEPS_AN_OCTAVE * math.log2(max(bucket_middle(index), 1)))


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
