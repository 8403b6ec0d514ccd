"""What is worth a look while a run goes on, from the summary that it would have if it ended now; before any formatting."""

from __future__ import annotations

from dataclasses import dataclass

from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.labels import Tags
from mop_locust.metrics.summary import MetricSummary
from mop_locust.report import figures
from mop_locust.report.document import SummaryDocument
from mop_locust.report.rows import series_of


@dataclass(frozen=True, slots=True)
class ScenarioLine:
    """A scenario since the start of the run: `failed` is a fraction, times are ms; None without data.

    `p50` to `p99` are of its successful exchanges, `first_byte` is the P95 of the time to the first byte of an answer.
    """

    scenario: str
    count: int
    failed: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    first_byte: float | None


def scenario_lines(summary: SummaryDocument) -> list[ScenarioLine]:
    """A line for each scenario of the run, and for any other that its exchanges name; sorted by name."""
    metrics = summary["metrics"]
    named = {_scenario(tags) for tags, _ in series_of(metrics, "calls")}
    return [_line(scenario, metrics) for scenario in sorted(named.union(summary["run"]["scenarios"]))]


def workers_state(summary: SummaryDocument) -> str:
    """`2 here, 1 lost, CPU 4 to 31 % of a core, loop lag P99 0.9 ms`: the range of CPU, the worst lag."""
    workers = summary["workers"]
    states = [worker["state"] for worker in workers]
    here, lost, left = states.count("running"), states.count("lost"), states.count("stopped")
    parts = [f"{here} of {summary['run']['workers']} here"] if summary["run"]["workers"] else []
    parts += [f"{n} {word}" for n, word in ((lost, "lost"), (left, "left")) if n]
    cpu = [f"{worker['cpu_percent']:.0f}" for worker in workers if worker["cpu_percent"] is not None]
    if cpu:
        parts.append(f"CPU {' to '.join(dict.fromkeys([min(cpu, key=float), max(cpu, key=float)]))} % of a core")
    lag = [worker["loop_lag_ms"]["p99"] for worker in workers if worker["loop_lag_ms"] is not None]
    if lag:
        parts.append(f"loop lag P99 {figures.duration(max(lag))}")
    return ", ".join(parts)


def _line(scenario: str, metrics: dict[str, MetricSummary]) -> ScenarioLine:
    def own(name: str) -> list[MetricSummary]:
        return [metric for tags, metric in series_of(metrics, name) if _scenario(tags) == scenario]

    rates = own("call_failures")
    judged, failures = sum(rate["count"] for rate in rates), sum(rate["failures"] for rate in rates)
    latency, first = _merged(own("call_latency")), _merged(own("first_byte_latency"))
    p50, p95, p99 = (value / 1000 for value in latency.quantiles((0.5, 0.95, 0.99))) if latency.count else (None, None, None)
    return ScenarioLine(
        scenario,
        sum(calls["count"] for calls in own("calls")),
        failures / judged if judged else None,
        p50,
        p95,
        p99,
        first.quantile(0.95) / 1000 if first.count else None,
    )


def _merged(trends: list[MetricSummary]) -> Histogram:
    whole = Histogram()
    for trend in trends:
        whole.merge(Histogram.from_wire(trend["histogram"]))
    return whole


def _scenario(tags: Tags) -> str:
    return dict(tags).get("scenario", "")
