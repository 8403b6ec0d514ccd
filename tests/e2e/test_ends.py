"""Every way a run can end: exact, one verdict, one folder, no process left."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved, exchanges
from tests.e2e.processes import LOCUSTFILES, LocustRun, Server, Started, until

LONG = ("-u", "6", "-t", "30s")


def loaded(server: Server, at_least: int = 60) -> None:
    """Waits until the server has answered so much."""
    until(lambda: sum(server.counts_now()["answered"].values()) > at_least, what="load")


def judge(process: Started, run: LocustRun, server: Server) -> dict:
    """Waits for the end of a run that was stopped by hand, and returns its verdict; exact, one folder, nothing left."""
    code = process.wait()
    summary = run.summary
    conserved(summary, server.counts())
    assert run.orphans() == []
    assert "Traceback" not in process.output
    assert process.output.count("report.html") == 1
    assert code == summary["verdict"]["exit_code"], run.output
    return summary


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "signals",
    [(signal.SIGINT,), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM,), (signal.SIGTERM, signal.SIGTERM)],
    ids=["ctrl-c", "ctrl-c twice", "sigterm", "sigterm twice"],
)
def test_a_run_stopped_by_hand_is_exact_and_degraded(signals, workers: int, server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    process = run.with_workers("tools_call_rps", workers, *LONG) if workers else run.single("tools_call_rps", *LONG)
    loaded(server)
    for number in signals:
        process.signal(number)
        time.sleep(0.1)
    summary = judge(process, run, server)
    assert (summary["verdict"]["state"], summary["verdict"]["validity"]) == ("PASSED", "degraded")
    assert summary["verdict"]["exit_code"] == 4
    [reason] = summary["verdict"]["reasons"]
    assert reason.startswith("stopped after ")
    assert reason.endswith(" of 30 s")
    counts = server.counts()
    assert counts["sessions_opened"] == counts["sessions_deleted"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_signal_again_and_again_changes_nothing(number: signal.Signals, server: Server, run_at: RunAt) -> None:
    """Not even the exit code, until the process is gone: Python's last hundredths of a second are no exception."""
    run = run_at(server)
    process = run.single("tools_call_rps", *LONG)
    loaded(server)
    until_s = time.monotonic() + 20
    while process.running and time.monotonic() < until_s:
        process.signal(number)
        time.sleep(0.002)
    assert judge(process, run, server)["verdict"]["exit_code"] == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize("scenario", ["tools_call_rps", "mixed"])
def test_a_signal_to_master_and_workers_at_once_is_exact(scenario: str, number, server: Server, run_at: RunAt) -> None:
    """Ctrl-C at a terminal reaches the whole group of `mop-locust run`, and `docker compose stop` ends all services.

    The users of `mixed` take seconds to stop, so each worker is told by the master while it ends by itself.
    """
    run = run_at(server)
    process = run.command(scenario, "--workers", "2", *LONG)
    loaded(server)
    process.signal_group(number)
    summary = judge(process, run, server)
    assert [worker["state"] for worker in summary["workers"]] == ["finished", "finished"]
    assert summary["verdict"]["validity"] == "degraded", summary["verdict"]["reasons"]


SLOW_END = """
import time
from mop_locust import MopHttpUser, task

class SlowEnd(MopHttpUser):
    @task
    def t(self):
        with self.client.session() as session:
            session.list_tools()

    def on_stop(self):
        time.sleep(1.5)
        super().on_stop()
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_slow_exchanges_end_or_are_cancelled_and_slow_on_stop_loses_nothing(workers: int, tmp_path: Path, run_at: RunAt) -> None:
    """The run time ends in the middle of answers that take 2 s, with a stop timeout of 1 s, and users slow to stop."""
    file = tmp_path / "slow_end.py"
    file.write_text(SLOW_END)
    with Server(tmp_path, "--delay", "2000") as server:
        run = run_at(server)
        options = ("-u", "6", "-t", "3s", "--stop-timeout", "1")
        process = run.with_workers(file, workers, *options) if workers else run.single(file, *options)
        assert process.wait() in (0, 3), run.output
        summary = run.summary
        conserved(summary, server.counts())
        assert run.orphans() == []
        outcomes = {outcome for counted in exchanges(summary).values() for outcome in counted}
        assert outcomes <= {"ok", "cancelled"}
        assert "cancelled" in outcomes


def test_a_load_shape_is_one_run(tmp_path: Path, server: Server, run_at: RunAt) -> None:
    """Three stages, with --reset-stats: one folder; what came before the reset is kept apart, and the sum is exact."""
    file = tmp_path / "shape.py"
    file.write_text(
        f"""
import sys
sys.path.insert(0, {str(LOCUSTFILES)!r})
from locust import LoadTestShape
from tools_call_rps import ToolsCallRps

class Stages(LoadTestShape):
    def tick(self):
        at = self.get_run_time()
        return (2, 2) if at < 2 else (4, 4) if at < 4 else None
"""
    )
    run = run_at(server)
    process = run.single(file, "--reset-stats")
    assert process.wait() == 0, run.output
    summary = run.summary
    assert summary["run"]["stopped_by"] == "shape"
    assert summary["verdict"]["state"] == "PASSED"
    preflight = len([row for row in summary["preflight"]["exchanges"] if row["transport"] == "http"])
    # Nothing stands there where all users had come before any exchange.
    before = summary.get("before_reset", {}).get("calls", {"count": 0})["count"]
    counts = server.counts()
    assert before + summary["metrics"]["calls"]["count"] + preflight == sum(counts["answered"].values())


def test_the_web_ui_starts_by_itself_and_quits_by_itself(server: Server, run_at: RunAt) -> None:
    """--autostart --autoquit 0: exact, and the process ends with the run's code."""
    run = run_at(server)
    process, _ = run.web("tools_call_rps", "--autostart", "--autoquit", "0", "-u", "4", "-t", "3s", "--stop-timeout", "2")
    assert process.wait() == 0, run.output
    conserved(run.summary, server.counts())
    assert run.summary["verdict"]["validity"] == "valid"
    assert run.orphans() == []
