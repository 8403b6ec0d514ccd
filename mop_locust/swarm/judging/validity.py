"""Whether the run's figures can be stood behind, and why not: sentences with the figure and the limit in them."""

from __future__ import annotations

from collections.abc import Iterator

from mop_locust.metrics.accumulators import CounterTotal
from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.totals import Totals
from mop_locust.report import figures
from mop_locust.swarm.judging.arrived import nobodys, not_as_ordered
from mop_locust.swarm.judging.run import Run
from mop_locust.verdict.judge import DROPPED_DEGRADED, DROPPED_INVALID, Validity, ValidityState

REPORT_SECONDS = 1.0  # between two reports of a worker: the most that a lost worker takes with it
EARLY_SECONDS = 1.0  # a run that ends so much before its plan was stopped by hand


def validity(run: Run, totals: Totals) -> Validity:
    """Returns the worst of valid, degraded, incomplete and invalid, with the reasons for everything below valid."""
    invalid, incomplete, degraded = list(_invalid(run, totals)), list(_incomplete(run, totals)), list(_degraded(run, totals))
    state: ValidityState
    state = "invalid" if invalid else "incomplete" if incomplete else "degraded" if degraded else "valid"
    return Validity(state, (*invalid, *incomplete, *degraded))


def _invalid(run: Run, totals: Totals) -> Iterator[str]:
    calls = totals.select("calls")
    faults = calls.outcomes.get("client_fault", 0) if isinstance(calls, CounterTotal) and calls.outcomes else 0
    if faults:
        labels = sorted({label for *_, outcome, label in totals.errors if outcome == "client_fault"})
        yield f"{faults:,} exchanges failed through a limit or fault of the load generator itself: {', '.join(labels)}"
    voided = run.scenarios.voided_by
    for label in sorted({label for *_, outcome, label in totals.errors if outcome == "check" and label in voided}):
        said = sum(error.count for (*_, outcome, of), error in totals.errors.items() if outcome == "check" and of == label)
        yield f"{label}: so said {figures.plural(said, 'answer')}"
    yield from not_as_ordered(run, totals, DROPPED_INVALID)
    yield from run.faults


def _incomplete(run: Run, totals: Totals) -> Iterator[str]:
    lost = run.lost()
    for worker in lost:
        at = (run.last_us[worker] - run.started_us) / 1e6
        yield (
            f"worker {worker} was lost: its last report came after {at:.1f} s; "
            f"up to {REPORT_SECONDS:.0f} s of its samples are missing"
        )
    silent = run.silent()
    if silent and run.stopped_by != "preflight":
        yield f"{len(silent)} of {run.workers_expected} workers reported nothing: {', '.join(silent)}"
    yield from nobodys(run, totals)
    if run.unreadable:
        yield f"{run.unreadable} reports of workers could not be read"
    if run.merge.conflicting:
        yield f"{run.merge.conflicting} reports of workers held a metric of another kind than is known here"
    for worker in sorted(run.merge.unusable):
        yield f"what the last report of worker {worker} says of the whole run could not be used, and is missing"
    for worker, record in run.merge.workers.items():
        if record.windows_dropped:
            yield f"worker {worker} dropped {record.windows_dropped} seconds of its course, since no report got through"


def _degraded(run: Run, totals: Totals) -> Iterator[str]:
    for worker in run.left_early():
        yield f"worker {worker} left after {(run.last_us[worker] - run.started_us) / 1e6:.1f} s; the others went on without it"
    if run.headless and run.stopped_by == "user" and run.planned_seconds is not None:
        ran = ((run.stopping_us or run.ended_us) - run.started_us) / 1e6
        if ran < run.planned_seconds - EARLY_SECONDS:
            yield f"stopped after {ran:.0f} s of {run.planned_seconds:.0f} s"
    yield from not_as_ordered(run, totals, DROPPED_DEGRADED, DROPPED_INVALID)
    yield from _pressed("the master", run.master_lag, run)
    for worker in run.merge.workers:
        who = f"worker {worker}" if run.workers_expected else "the load generator"
        lag = run.merge.of_worker(worker).loop_lag
        if lag is not None:
            yield from _pressed(who, lag, run)
        cpu = run.mean_cpu(worker)
        if cpu is not None and cpu > run.settings.max_cpu_percent:
            limit = run.settings.max_cpu_percent
            yield f"{who} used {cpu:.0f} % of a core (limit {limit} %): it, not the target, may set the pace"


def _pressed(who: str, lag: Histogram, run: Run) -> Iterator[str]:
    """Says when a process stood still once, or was late as a rule."""
    if not lag.count:
        return
    stall, late = lag.max / 1e6, lag.quantile(0.99) / 1e6
    if stall > run.settings.max_stall:
        yield f"{who} stood still for {stall:.1f} s (limit {run.settings.max_stall:g} s)"
    elif late > run.settings.max_loop_lag:
        yield f"{who} was late: loop lag P99 {late * 1000:.0f} ms (limit {run.settings.max_loop_lag * 1000:.0f} ms)"
