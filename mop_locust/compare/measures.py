"""What a run is compared by: percentiles of its latencies, its failure rates, its throughput."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from mop_locust.metrics.instruments import BUILT_IN
from mop_locust.metrics.labels import series_name, split_series_name
from mop_locust.metrics.summary import MetricSummary
from mop_locust.report.document import SummaryDocument
from mop_locust.report.rows import place, series_of

MeasureKind = Literal["latency", "rate", "throughput"]

TRENDS: Final = ("session_duration", "connect_latency", "upgrade_latency", "sse_first_byte_latency", "sse_first_event_latency")
"""The trends that are compared beside the latency of each method: less is better in all of them."""

PERCENTILES: Final = (("p(50)", "p50", 10), ("p(95)", "p95", 100), ("p(99)", "p99", 500))
"""Each with the least number of samples that a run must have of it: fewer than 5 above it would be the fate of single calls."""


class Measure(msgspec.Struct, frozen=True):
    """One figure of each run, as a threshold would name it; of a throughput more is better, of the others less."""

    metric: str
    aggregation: str
    kind: MeasureKind
    label: str

    @property
    def unit(self) -> str:
        """ms, a share of 0 to 1, or per second."""
        return {"latency": "ms", "rate": "", "throughput": "per s"}[self.kind]


def measures(summary: SummaryDocument) -> dict[Measure, float]:
    """Every figure by which this run can be compared; what it did not measure is not there."""
    return dict([*_throughputs(summary), *_rates(summary), *_latencies(summary)])


def _throughputs(summary: SummaryDocument) -> Iterator[tuple[Measure, float]]:
    """The calls a second of each scenario."""
    seconds = summary["run"]["seconds"]
    calls: dict[str, int] = {}
    for tags, metric in series_of(summary["metrics"], "calls"):
        scenario = dict(tags).get("scenario", "")
        calls[scenario] = calls.get(scenario, 0) + metric["count"]
    if seconds > 0:
        for scenario, count in sorted(calls.items()):
            name = series_name("calls", (("scenario", scenario),))
            yield Measure(name, "rate", "throughput", _label(scenario if len(calls) > 1 else "", "calls")), count / seconds


def _rates(summary: SummaryDocument) -> Iterator[tuple[Measure, float]]:
    """The failure rate of each method, and those rates that a scenario feeds or declares."""
    metrics = summary["metrics"]
    for name, label, metric in _series(summary, "call_failures"):
        yield from _rate(name, label, metric)
    for name, metric in metrics.items():
        if metric["kind"] == "rate" and "{" not in name and name != "call_failures":
            yield from _rate(name, name, metric)


def _rate(name: str, label: str, metric: MetricSummary) -> Iterator[tuple[Measure, float]]:
    if "rate" in metric:
        yield Measure(name, "rate", "rate", label), metric["rate"]


def _latencies(summary: SummaryDocument) -> Iterator[tuple[Measure, float]]:
    """P50, P95 and P99 of each method, of the main trends, and of the trends in ms that a scenario declares."""
    metrics = summary["metrics"]
    built_in = {instrument.name for instrument in BUILT_IN}
    found = list(_series(summary, "call_latency"))
    for name, metric in metrics.items():
        declared = "{" not in name and name not in built_in and metric.get("unit") == "ms"
        if declared or name in TRENDS:
            found.append((name, name, metric))
    for name, label, metric in found:
        for aggregation, field, least in PERCENTILES:
            value = metric.get(field)
            if isinstance(value, float | int) and metric["count"] >= least:
                yield Measure(name, aggregation, "latency", label), value


def _series(summary: SummaryDocument, name: str) -> Iterator[tuple[str, str, MetricSummary]]:
    """Each series of a metric: its name, its short label, its figures."""
    several = len(summary["run"]["scenarios"]) > 1
    for key, metric in summary["metrics"].items():
        if not key.startswith(name + "{"):
            continue
        tags = dict(split_series_name(key)[1])
        where = place(tags.get("method", ""), tags.get("tool", ""))
        yield key, _label(tags.get("scenario", "") if several else "", tags.get("transport", ""), where), metric


def _label(*parts: str) -> str:
    return " ".join(part for part in parts if part)
