"""One step of a search: what a run at one rate of arrivals showed, and who was its limit."""

from __future__ import annotations

from typing import Final

import msgspec

from mop_locust.capacity.search import Answer
from mop_locust.metrics.summary import MetricSummary
from mop_locust.report import figures
from mop_locust.report.document import SummaryDocument
from mop_locust.verdict.judge import DROPPED_DEGRADED

ITERATIONS: Final = "iterations"
ARRIVALS: Final = "arrivals"
DROPPED: Final = "dropped_iterations"
INTENDED: Final = "iteration_duration_intended"
SERVED: Final = "iteration_duration"

FLOW: Final = {ARRIVALS: 1, DROPPED: -1, ITERATIONS: -1}  # what adds to the sessions that go on, and what takes away
KEEPS_UP: Final = 0.03  # of the arrivals of half a run: so many more may be left over at its end
HICCUP_S: Final = 0.1  # and so many as arrive in that time: a process that was late for once has as many in its hands
LEAST_GROWN: Final = 3  # sessions: less is chance

STOOD_STILL_MS: Final = 1000.0  # after so long a load generator lets arrivals pass
TOO_FEW: Final = "too few"
ENOUGH: Final = 1.5  # times the users that a calm server's iterations keep busy: what is dropped then is the server's doing


class Latency(msgspec.Struct, frozen=True):
    """Percentiles of whole iterations, in ms."""

    p50: float
    p95: float
    p99: float


class Step(msgspec.Struct, frozen=True):
    """What a run at `rate` arrivals a second showed; `why` it did not hold is "" when it did.

    `failed` is the share of all calls, `intended` counts from when an iteration should have begun, `served` from when it did;
    CPU and loop lag are those of the worst load generator. None for what was not seen.
    """

    rate: float
    answer: Answer
    why: str
    run: str
    iterations: int
    dropped: int
    failed: float | None
    intended: Latency | None
    served: Latency | None
    mean_ms: float | None  # of an iteration from its real start
    cpu_percent: float | None
    loop_lag_p99_ms: float | None


def read_step(rate: float, run: str, summary: SummaryDocument, calm_ms: float | None) -> Step:
    """The step of a run in the folder `run`; `calm_ms` is the mean of an iteration at a rate that held, if there is one."""
    metrics, workers = summary["metrics"], summary["workers"]
    answer, why = _judged(rate, summary, calm_ms)
    return Step(
        rate=rate,
        answer=answer,
        why=why,
        run=run,
        iterations=_count(metrics, ITERATIONS),
        dropped=_count(metrics, DROPPED),
        failed=metrics["call_failures"].get("rate") if "call_failures" in metrics else None,
        intended=_latency(metrics, INTENDED),
        served=_latency(metrics, SERVED),
        mean_ms=metrics[SERVED].get("mean") if SERVED in metrics else None,
        cpu_percent=max((worker["cpu_percent"] for worker in workers if worker["cpu_percent"] is not None), default=None),
        loop_lag_p99_ms=max((worker["loop_lag_ms"]["p99"] for worker in workers if worker["loop_lag_ms"]), default=None),
    )


def _judged(rate: float, summary: SummaryDocument, calm_ms: float | None) -> tuple[Answer, str]:
    """Who was the limit, and why.

    A load generator at a limit of its own proves nothing about the server, so that goes first. A server that falls behind does
    not hold a rate, whatever the thresholds say: they may know no time, or the run may be too short for them.
    """
    metrics, verdict = summary["metrics"], summary["verdict"]
    lossy = _count(metrics, DROPPED) / max(1, _count(metrics, ARRIVALS)) > DROPPED_DEGRADED
    if len(verdict["reasons"]) > lossy:  # since that so many were dropped is one reason
        return Answer.GENERATOR, "; ".join(verdict["reasons"])
    if lossy:
        return _dropped(rate, summary, calm_ms)
    if verdict["state"] != "PASSED":
        return Answer.SERVER, verdict["sentence"].partition(": ")[2].rstrip(".")
    grown, arrived = backlog(summary)
    if grown > max(LEAST_GROWN, KEEPS_UP * arrived, HICCUP_S * rate):
        return Answer.SERVER, f"it falls behind: {grown:,} of the last {arrived:,} arrivals were left over"
    return Answer.HELD, ""


def _dropped(rate: float, summary: SummaryDocument, calm_ms: float | None) -> tuple[Answer, str]:
    """Whose doing it is that arrivals found no user: the server's, when there were enough for one that is calm."""
    metrics = summary["metrics"]
    lost = f"{_count(metrics, DROPPED):,} of {_count(metrics, ARRIVALS):,} arrivals were dropped"
    stood_ms = max((worker["loop_lag_ms"]["max"] for worker in summary["workers"] if worker["loop_lag_ms"]), default=0.0)
    if stood_ms >= STOOD_STILL_MS:
        return Answer.GENERATOR, f"{lost}: a load generator stood still for {stood_ms / 1000:.1f} s"
    gauges = [window["gauges"].values() for window in summary["windows"]]
    users = round(max((sum(gauge.get("users", 0) for gauge in each) for each in gauges), default=0))
    needed = rate * (calm_ms or 0.0) / 1000
    if users < ENOUGH * needed:
        return (
            Answer.GENERATOR,
            f"{lost}: {figures.plural(users, 'user')}, {TOO_FEW} where {needed:,.1f} iterations go on at once",
        )
    return Answer.SERVER, f"{lost}: the server held all {users:,} users"


def backlog(summary: SummaryDocument) -> tuple[int, int]:
    """By how many the sessions that went on grew in the second half of the run, and how many arrived in it."""
    end = int(summary["run"]["planned_seconds"] or 0)
    grown = arrived = 0
    for window in summary["windows"]:
        if not end // 2 <= window["start_s"] < end:
            continue
        for name, series in window["series"].items():
            metric = name.partition("{")[0]
            arrived += series["count"] if metric == ARRIVALS else 0
            grown += series["count"] * FLOW.get(metric, 0)
    return grown, arrived


def _count(metrics: dict[str, MetricSummary], name: str) -> int:
    return metrics[name]["count"] if name in metrics else 0


def _latency(metrics: dict[str, MetricSummary], name: str) -> Latency | None:
    metric = metrics.get(name)
    return Latency(metric["p50"], metric["p95"], metric["p99"]) if metric and "p50" in metric else None
