"""A run judged as it stands: its summary, with the verdict in it."""

from __future__ import annotations

from mop_locust.report.document import SummaryDocument
from mop_locust.swarm.judging.document import document
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.judging.validity import validity
from mop_locust.verdict.judge import judge


def judged(run: Run, name: str) -> SummaryDocument:
    """Returns the summary that the run has, or would have if it ended now; `name` is what it is called."""
    totals, stages = run.merge.totals(), run.stage_parts()
    verdict = judge(
        totals,
        run.thresholds,
        seconds=run.seconds,
        validity=validity(run, totals),
        allow_degraded=run.settings.allow_degraded,
        stages=stages,
        windows=run.windows,
    )
    return document(run, totals, verdict, name, stages)
