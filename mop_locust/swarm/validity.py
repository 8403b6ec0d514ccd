"""Whether the run's figures can be stood behind, and why not: sentences with the figure in them."""

from __future__ import annotations

from mop_locust.metrics.accumulators import CounterTotal
from mop_locust.metrics.totals import Totals
from mop_locust.swarm.run import Run
from mop_locust.verdict.judge import Validity

REPORT_SECONDS = 1.0  # between two reports of a worker: the most that a lost worker takes with it
EARLY_SECONDS = 1.0  # a run that ends so much before its plan was stopped by hand


def validity(run: Run, totals: Totals) -> Validity:
    """Returns the worst of valid, degraded, incomplete and invalid, with the reasons for everything below valid."""
    degraded, incomplete, invalid = _degraded(run), _incomplete(run), _invalid(run, totals)
    state = "invalid" if invalid else "incomplete" if incomplete else "degraded" if degraded else "valid"
    return Validity(state, (*invalid, *incomplete, *degraded))


def _invalid(run: Run, totals: Totals) -> list[str]:
    calls = totals.select("calls")
    faults = calls.outcomes.get("client_fault", 0) if isinstance(calls, CounterTotal) and calls.outcomes else 0
    if not faults:
        return []
    labels = sorted({label for *_, outcome, label in totals.errors if outcome == "client_fault"})
    return [f"{faults:,} exchanges failed through a limit or fault of the load generator itself: {', '.join(labels)}"]


def _incomplete(run: Run) -> list[str]:
    reasons = []
    for worker in run.lost():
        at = (run.last_us[worker] - run.started_us) / 1e6
        reasons.append(f"worker {worker} was lost: its last report came after {at:.1f} s; up to {REPORT_SECONDS:.0f} s of its samples are missing")
    missing = run.workers_expected - len(run.merge.workers)
    if missing > 0 and not run.lost():
        reasons.append(f"{missing} of {run.workers_expected} workers reported nothing")
    return reasons


def _degraded(run: Run) -> list[str]:
    reasons = [
        f"worker {worker} left after {(run.last_us[worker] - run.started_us) / 1e6:.1f} s; the others went on without it"
        for worker in run.left_early()
    ]
    if run.stopped_by == "user" and run.planned_seconds is not None:
        ran = ((run.stopping_us or run.ended_us) - run.started_us) / 1e6
        if ran < run.planned_seconds - EARLY_SECONDS:
            reasons.append(f"stopped after {ran:.0f} s of {run.planned_seconds:.0f} s")
    return reasons + run.reasons
