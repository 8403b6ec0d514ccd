"""The line of progress."""

from __future__ import annotations

from mop_locust.swarm.terminal import progress_line
from tests.unit.swarm.runs import exchange, made_run, worked


def test_the_line_has_time_calls_rate_failures_and_p95() -> None:
    """Over the whole run so far, of all workers."""
    run = made_run(workers=2)
    worked(run, "w1", *[exchange(duration_us=2000)] * 900)
    worked(run, "w2", *[exchange(duration_us=2000)] * 270, *[exchange(outcome="timeout", error="no answer")] * 30)
    assert progress_line(run) == "1:00 of 1:00   1,200 calls   20 per s   2.50% failed   P95 2.0 ms"


def test_a_line_before_the_first_call() -> None:
    """Nothing is divided by nothing."""
    run = made_run(planned_seconds=None, ended_us=100_000_000)
    assert progress_line(run) == "0:00   0 calls   0 per s   0.00% failed   P95 -"
