"""Totals and windows as JSON-ready values, and back: times in milliseconds, histograms in exact microseconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Required, TypedDict

from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal, TrendTotal, total_of
from mop_locust.metrics.histogram import Histogram, HistogramWire
from mop_locust.metrics.instruments import Kind
from mop_locust.metrics.labels import Tags, series_name, split_series_name
from mop_locust.metrics.tally import ErrorKey, ErrorTotal
from mop_locust.metrics.totals import Totals
from mop_locust.metrics.windows import MergedWindow, WindowStore

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}

OTHER = "other"


class MetricSummary(TypedDict, total=False):
    """One metric or series: `kind` and `count` always, the rest as the kind has it; min to max are in `unit`."""

    kind: Required[Kind]
    count: Required[int]
    failures: int
    rate: float
    outcomes: dict[str, int]
    unit: str
    min: float
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float
    histogram: HistogramWire


class WindowSeries(TypedDict, total=False):
    """One series in one window; `outcomes` only of `calls`."""

    count: Required[int]
    outcomes: dict[str, int]
    failures: int
    histogram: HistogramWire


class WindowRow(TypedDict):
    """One window: seconds since the run began, and its gauges by worker."""

    start_s: int
    width_s: int
    series: dict[str, WindowSeries]
    gauges: dict[str, dict[str, float]]


class ErrorRow(TypedDict):
    """One class of errors; times are seconds since the run began."""

    scenario: str
    transport: str
    method: str
    tool: str
    outcome: str
    error: str
    count: int
    first_s: float
    last_s: float


def summarise(totals: Totals) -> dict[str, MetricSummary]:
    """Each metric's total under its plain name, each tagged series under `name{tag:value,…}`.

    A series without tags beside tagged ones of the same metric stands under `name{}`. Names are sorted.
    """
    by_name: dict[str, dict[Tags, Accumulator]] = {}
    for (name, tags), total in totals.series.items():
        by_name.setdefault(name, {})[tags] = total
    result: dict[str, MetricSummary] = {}
    for name, series in by_name.items():  # one after the other: the sums of all at once would be as much again as the totals
        if len(series) == 1:
            tags, total = next(iter(series.items()))
            result[name] = summarise_one(total)
            if tags:
                result[series_name(name, tags)] = result[name]
            continue
        result[name] = summarise_one(total_of(series.values()))
        for tags, total in series.items():
            result[series_name(name, tags) if tags else f"{name}{{}}"] = summarise_one(total)
    return dict(sorted(result.items()))


def summarise_one(total: Accumulator) -> MetricSummary:
    """The summary of one accumulator; a trend without values has neither limits nor quantiles."""
    if isinstance(total, CounterTotal):
        counter = MetricSummary(kind=total.kind, count=total.count)
        if total.outcomes:
            counter["outcomes"] = dict(sorted(total.outcomes.items()))
        return counter
    if isinstance(total, RateTotal):
        rate = MetricSummary(kind=total.kind, count=total.count, failures=total.failures)
        if total.count:
            rate["rate"] = total.failures / total.count
        return rate
    histogram = total.histogram
    trend = MetricSummary(kind=total.kind, count=histogram.count, unit=total.unit)
    if histogram.count:
        p50, p90, p95, p99, p999 = histogram.quantiles(tuple(QUANTILES.values()))
        trend["min"] = histogram.min / 1000
        trend["mean"] = round(histogram.mean / 1000, 3)
        trend["p50"] = p50 / 1000
        trend["p90"] = p90 / 1000
        trend["p95"] = p95 / 1000
        trend["p99"] = p99 / 1000
        trend["p999"] = p999 / 1000
        trend["max"] = histogram.max / 1000
    trend["histogram"] = histogram.to_wire()
    return trend


def restore(metrics: Mapping[str, MetricSummary]) -> Totals:
    """The totals that `summarise` described; ValueError for anything else. Errors are not part of a summary."""
    totals = Totals()
    tagged = {text.partition("{")[0] for text in metrics if "{" in text}
    for text, metric in metrics.items():
        if text not in tagged:
            totals.add(split_series_name(text), _restore_one(text, metric))
    return totals


def _restore_one(text: str, metric: MetricSummary) -> Accumulator:
    try:
        match metric["kind"]:
            case "counter":
                total: Accumulator = CounterTotal(metric["count"], dict(metric.get("outcomes", {})))
            case "rate":
                total = RateTotal(metric["count"], metric["failures"])
            case "trend":
                total = TrendTotal(Histogram.from_wire(metric["histogram"]), metric["unit"])
            case kind:
                raise ValueError(f"unknown kind {kind!r}")
        total.check()
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"metric {text} is not in summary form: {error}") from None
    return total


def window_rows(store: WindowStore) -> list[WindowRow]:
    """Every window in the order of time."""
    return [window_row(window) for window in store]


def window_row(window: MergedWindow) -> WindowRow:
    """One window, each series under its own name (no totals beside them)."""
    return {
        "start_s": window.index,
        "width_s": window.width,
        "series": {series_name(*key): _window_series(total) for key, total in Totals.of(window.tally).series.items()},
        "gauges": {worker: dict(values) for worker, values in sorted(window.gauges.items())},
    }


def restore_window(row: WindowRow) -> Totals:
    """The totals that `window_row` described, trends without their units; ValueError for anything else."""
    totals = Totals()
    for text, series in row["series"].items():
        totals.add(split_series_name(text), _restore_series(text, series))
    return totals


def _restore_series(text: str, series: WindowSeries) -> Accumulator:
    if "histogram" in series:
        return TrendTotal(Histogram.from_wire(series["histogram"]))
    if "failures" in series:
        total: Accumulator = RateTotal(series["count"], series["failures"])
    else:
        total = CounterTotal(series["count"], dict(series.get("outcomes", {})))
    try:
        total.check()
    except ValueError as error:
        raise ValueError(f"metric {text} is not in window form: {error}") from None
    return total


def _window_series(total: Accumulator) -> WindowSeries:
    if isinstance(total, CounterTotal):
        counter = WindowSeries(count=total.count)
        if total.outcomes:
            counter["outcomes"] = dict(sorted(total.outcomes.items()))
        return counter
    if isinstance(total, RateTotal):
        return {"count": total.count, "failures": total.failures}
    return {"count": total.samples, "histogram": total.histogram.to_wire()}


def error_rows(totals: Totals, limit: int = 50) -> list[ErrorRow]:
    """The most frequent classes of errors; those beyond the limit are added up in one row an outcome, named "other"."""
    ranked = totals.sorted_errors()
    rest = Totals()
    for (_, _, _, _, outcome, _), error in ranked[limit:]:
        key = (OTHER, OTHER, OTHER, OTHER, outcome, OTHER)
        if key in rest.errors:
            rest.errors[key].fold(error)
        else:
            rest.errors[key] = error.copy()
    return _error_rows(ranked[:limit]) + _error_rows(rest.sorted_errors())


def _error_rows(errors: Iterable[tuple[ErrorKey, ErrorTotal]]) -> list[ErrorRow]:
    return [
        {
            "scenario": scenario,
            "transport": transport,
            "method": method,
            "tool": tool,
            "outcome": outcome,
            "error": label,
            "count": error.count,
            "first_s": error.first_us / 1_000_000,
            "last_s": error.last_us / 1_000_000,
        }
        for (scenario, transport, method, tool, outcome, label), error in errors
    ]
