"""A run that goes on, as a person at the terminal is told of it: its figures so far, and those of the last seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mop_locust.config.stages import stage_at
from mop_locust.metrics.accumulators import CounterTotal
from mop_locust.metrics.totals import Totals
from mop_locust.metrics.windows import WindowStore
from mop_locust.report import figures
from mop_locust.report.document import SummaryDocument
from mop_locust.swarm.judging.conductor import Conductor

RECENT_S: Final = 5  # seconds that the rate of now is taken over


@dataclass(frozen=True, slots=True)
class Progress:
    """One look at a run: `rates` are calls a second over the last RECENT_S, `users` those of now, both by scenario.

    `time` and `left` say in words how long it runs and what remains; `done` is the share that is over, None where nobody knows.
    """

    summary: SummaryDocument
    time: str
    done: float | None
    left: str
    rates: Mapping[str, float]
    users: Mapping[str, int]


def look(environment: Any, conductor: Conductor) -> Progress | None:
    """Returns how the run stands; None when none goes on."""
    run, summary = conductor.run, conductor.live()
    if run is None or run.finished or summary is None:
        return None
    elapsed, planned = max(0.0, run.elapsed_us / 1e6), run.planned_seconds  # the clock of open load begins a moment ahead
    time, done, left = figures.moment(elapsed), None, "until you stop it"
    if planned is not None:
        done, left = min(1.0, elapsed / planned), f"{figures.span(max(0, round(planned - elapsed)))} left"
        time += f" of {figures.moment(planned)}"
    if stage := stage_at(run.stages, elapsed):
        time += f" {stage.name}"
    if run.scenarios.all_iterate(run.settings) and conductor.stock is not None:
        whole = sum(run.scenarios.iterations(run.settings).values())
        over = whole - conductor.stock.open
        done, left = over / whole, f"{over} of {figures.plural(whole, 'iteration')}"
        time = time.replace(" of ", " of at most ")
    if run.stopping_us:
        left = "ending: the last sessions close"
    return Progress(summary, time, done, left, recent_rates(run.merge.windows), _users(environment))


def recent_rates(windows: WindowStore) -> dict[str, float]:
    """Returns calls a second by scenario over the last RECENT_S, in whole windows; the newest may still lack a worker's part."""
    known = list(windows)
    if len(known) < 2:
        return {}
    until, width = known[-1].index, windows.width
    since = max(0, until - max(width, RECENT_S // width * width))
    counts: dict[str, int] = {}
    for window in known[:-1]:
        if window.index >= since:
            for (name, tags), total in Totals.of(window.tally).series.items():
                if name == "calls" and isinstance(total, CounterTotal):
                    scenario = dict(tags).get("scenario", "")
                    counts[scenario] = counts.get(scenario, 0) + total.count
    return {scenario: count / (until - since) for scenario, count in counts.items()}


def _users(environment: Any) -> dict[str, int]:
    runner = environment.runner
    users: dict[str, int] = {}
    counts = getattr(runner, "reported_user_classes_count", None)
    if counts is None:
        counts = runner.user_classes_count
    for cls in environment.user_classes:
        scenario = getattr(cls, "scenario", "")
        users[scenario] = users.get(scenario, 0) + counts.get(cls.__name__, 0)
    return users


def line(progress: Progress) -> str:
    """Returns one line: time, calls, the rate of the last seconds, failures, P95, and what is wrong so far."""
    metrics, verdict = progress.summary["metrics"], progress.summary["verdict"]
    count = metrics["calls"]["count"] if "calls" in metrics else 0
    rate = f"{sum(progress.rates.values()):,.0f}" if progress.rates else figures.NONE
    failed = metrics["call_failures"].get("rate") if "call_failures" in metrics else None
    p95 = metrics["call_latency"].get("p95") if "call_latency" in metrics else None
    crossed = sum(result["state"] == "CROSSED" for result in verdict["thresholds"])
    parts = [
        progress.time,
        f"{figures.plural(count, 'call')}",
        f"{rate} per s",
        f"{figures.percent(failed)} failed",
        f"P95 {figures.duration(p95)}",
        *([f"{crossed} of {figures.plural(len(verdict['thresholds']), 'threshold')} crossed"] if crossed else []),
        *([verdict["validity"]] if verdict["validity"] != "valid" else []),
    ]
    return "   ".join(parts)
