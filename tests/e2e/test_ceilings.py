"""Ceilings over all workers together: a rate that is held, a number that is not passed, both named in the result."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved, exchanges
from tests.e2e.processes import Server

RATE, SECONDS, WORKERS = 40, 4, 2
TOTAL = 101


def begun(summary: dict[str, Any]) -> int:
    """The exchanges of a run without those that close sessions."""
    closing = ("delete", "close")
    return sum(sum(outcomes.values()) for (_, method), outcomes in exchanges(summary).items() if method not in closing)


def test_a_rate_is_held_over_all_workers(server: Server, run_at: RunAt) -> None:
    """Users that want far more wait before their clocks start; the latencies have nothing of it."""
    run = run_at(server, MOP_MAX_RPS=str(RATE))
    run.command("tools_call_rps", "--workers", str(WORKERS), "-u", "20", "-t", f"{SECONDS}s")
    assert run.wait() == 0, run.output
    summary = run.summary
    conserved(summary, server.counts(), run.statistics)
    full = [window for window in summary["windows"] if window["start_s"] < SECONDS - 1]
    a_second = [sum(row["count"] for name, row in window["series"].items() if name.startswith("calls{")) for window in full]
    assert max(a_second) <= RATE + 2 * WORKERS, a_second
    assert sum(a_second) > RATE, a_second
    [note] = [note for note in summary["run"]["notes"] if "MOP_MAX_RPS" in note]
    assert note.startswith(f"the ceiling of {RATE} exchanges a second (MOP_MAX_RPS) held back ")
    assert summary["metrics"]["ceiling_wait"]["p50"] > 100, "20 users for 40 a second"
    assert summary["metrics"]["call_latency"]["p50"] < 100
    assert summary["verdict"]["validity"] == "valid", summary["verdict"]


@pytest.mark.parametrize("workers", [0, 3])
def test_a_number_ends_the_run_and_is_not_passed(workers: int, server: Server, run_at: RunAt) -> None:
    """Exactly so many begin, over all workers; sessions that are open then are closed."""
    run = run_at(server, MOP_MAX_REQUESTS=str(TOTAL))
    run.command("tools_call_rps", "--workers", str(workers), "-u", "9", "-t", "60s")
    assert run.wait() == 0, run.output
    summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    assert begun(summary) == TOTAL
    assert counts["sessions_opened"] == counts["sessions_deleted"]
    assert summary["run"]["stopped_by"] == "ceiling"
    assert summary["run"]["seconds"] < 50
    [note] = [note for note in summary["run"]["notes"] if "MOP_MAX_REQUESTS" in note]
    assert note.startswith(f"the ceiling of {TOTAL} exchanges (MOP_MAX_REQUESTS) ended the run after ")
    assert summary["verdict"]["validity"] == "valid", summary["verdict"]
    assert run.orphans() == []
