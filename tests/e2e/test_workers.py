"""Workers that leave, stand still, die, come late or not at all; and a master that dies."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved, every_output_agrees, exchanges
from tests.e2e.processes import LOCUSTFILES, LocustRun, Server, Started, until

STALL_SECONDS = 6.0


def under_way(server: Server, run: LocustRun, *options: str) -> tuple[Started, Started, Started]:
    """A master and two workers that load the server: the master first."""
    master = run.with_workers("tools_call_rps", 2, "-u", "6", "-t", "12s", *options)
    until(lambda: sum(server.counts_now()["answered"].values()) > 150, what="load")
    time.sleep(1.5)  # so that every worker has reported
    return master, run.started[1], run.started[2]


def test_sigterm_to_a_worker_is_exact_and_degraded(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    master, worker, _ = under_way(server, run)
    worker.signal(signal.SIGTERM)
    assert master.wait() == 4, run.output
    summary = run.summary
    conserved(summary, server.counts())
    assert summary["verdict"]["validity"] == "degraded"
    [gone] = [worker["id"] for worker in summary["workers"] if worker["state"] == "stopped"]
    [reason] = summary["verdict"]["reasons"]
    assert reason.startswith(f"worker {gone} left after ")
    assert run.orphans() == []


def test_allow_degraded_lets_a_degraded_run_pass(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    master, worker, _ = under_way(server, run, "--allow-degraded")
    worker.signal(signal.SIGTERM)
    assert master.wait() == 0, run.output
    assert (run.summary["verdict"]["validity"], run.summary["verdict"]["exit_code"]) == ("degraded", 0)


def test_a_worker_that_stands_still_loses_nothing_and_is_named(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    master, worker, _ = under_way(server, run)
    worker.signal(signal.SIGSTOP)
    time.sleep(STALL_SECONDS)
    worker.signal(signal.SIGCONT)
    assert master.wait() == 4, run.output
    summary = run.summary
    conserved(summary, server.counts())
    assert summary["verdict"]["validity"] == "degraded"
    stalled = [reason for reason in summary["verdict"]["reasons"] if "stood still for" in reason]
    [pid] = [row["id"] for row in summary["workers"] if row["pid"] == worker.pid]
    assert [reason.split()[1] for reason in stalled] == [pid], summary["verdict"]["reasons"]


def test_a_master_that_stands_still_loses_nothing_and_says_so(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    master, *_ = under_way(server, run)
    master.signal(signal.SIGSTOP)
    time.sleep(STALL_SECONDS)
    master.signal(signal.SIGCONT)
    assert master.wait() == 4, run.output
    summary = run.summary
    conserved(summary, server.counts())
    assert any(reason.startswith("the master stood still for") for reason in summary["verdict"]["reasons"])
    assert [worker["state"] for worker in summary["workers"]] == ["finished", "finished"]


def test_a_killed_worker_makes_the_run_incomplete_and_loses_at_most_a_second(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    master, worker, _ = under_way(server, run)
    before = server.counts_now()
    worker.signal(signal.SIGKILL)
    assert master.wait() == 4, run.output
    summary = run.summary
    every_output_agrees(summary)
    assert summary["verdict"]["validity"] == "incomplete"
    [lost] = [row["id"] for row in summary["workers"] if row["state"] == "lost"]
    [reason] = summary["verdict"]["reasons"]
    assert reason.startswith(f"worker {lost} was lost: its last report came after ")
    assert reason.endswith("up to 1 s of its samples are missing")
    counted = sum(sum(outcomes.values()) for outcomes in exchanges(summary).values())
    served = sum(server.counts()["answered"].values())
    # Two users of the six, at most 20 exchanges a second each, and a report that was just being sent.
    assert counted <= served
    assert served - counted < 0.5 * sum(before["answered"].values())


def test_all_workers_killed_ends_the_run_with_what_there_is(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    master, one, two = under_way(server, run, "-t", "120s")
    one.signal(signal.SIGKILL)
    two.signal(signal.SIGKILL)
    assert master.wait(40) == 4, run.output
    summary = run.summary
    every_output_agrees(summary)
    assert [row["state"] for row in summary["workers"]] == ["lost", "lost"]
    assert summary["metrics"]["calls"]["count"] > 0


def test_workers_without_a_master_stop_loading_within_five_seconds(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    master, one, two = under_way(server, run, "-t", "120s")
    master.signal(signal.SIGKILL)
    master.wait()
    time.sleep(5.0)
    before = server.counts_now()["answered"]
    time.sleep(2.0)
    assert server.counts_now()["answered"] == before
    one.wait(20)
    two.wait(20)
    assert "the master is gone" in one.output
    counts = server.counts()
    assert counts["sessions_opened"] == counts["sessions_deleted"]


def test_late_workers_are_used_and_the_report_says_from_when(server: Server, run_at: RunAt) -> None:
    """Each of them: Locust itself shares the users out anew for the first one only."""
    run = run_at(server)
    master = run.master("tools_call_rps", 1, "-u", "6", "-t", "14s")
    run.worker("tools_call_rps")
    until(lambda: sum(server.counts_now()["answered"].values()) > 60, what="load")
    time.sleep(3.5)
    run.worker("tools_call_rps")
    time.sleep(3.5)
    run.worker("tools_call_rps")
    assert master.wait() == 0, run.output
    summary = run.summary
    conserved(summary, server.counts())
    first, *late = sorted(summary["workers"], key=lambda row: row["first_s"])
    assert len(late) == 2
    assert first["first_s"] < 3 < late[0]["first_s"] < late[1]["first_s"]
    for row in late:
        assert row["exchanges"] > 0
        assert f"worker {row['id']} joined after {row['first_s']:.1f} s" in summary["run"]["notes"]


def test_giving_up_on_workers_is_4_with_the_missing_number(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    master = run.master("tools_call_rps", 3, "--expect-workers-max-wait", "4")
    run.worker("tools_call_rps")
    assert master.wait() == 4, run.output
    assert "gave up waiting for workers: 1 of 3 came within 4 s, 2 are missing" in master.output
    assert run.orphans(15) == []
    assert run.summaries() == []


def test_ctrl_c_while_waiting_for_workers_leaves_no_process(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    master = run.master("tools_call_rps", 3)
    run.worker("tools_call_rps")
    master.says("reported as ready")
    master.signal(signal.SIGINT)
    assert master.wait() == 4, run.output
    assert "stopped before the run began" in master.output
    assert run.orphans(15) == []


def test_a_configuration_error_with_processes_leaves_no_process(run_at: RunAt) -> None:
    run = run_at("http://127.0.0.1:9", MOP_WS_VUS="many")
    process = run.single("tools_call_rps", "--processes", "2")
    assert process.wait() == 2, run.output
    assert "MOP_WS_VUS" in process.output
    assert run.orphans(1) == []


SHIFTED = f"""
import os, sys, time
real = time.time
time.time = lambda: real() + float(os.environ.get("SHIFT", "0"))
sys.path.insert(0, {str(LOCUSTFILES)!r})
from tools_call_rps import ToolsCallRps
"""


def test_a_worker_whose_wall_clock_is_an_hour_off_changes_no_figure(tmp_path: Path, server: Server, run_at: RunAt) -> None:
    """Figures come from monotonic clocks; the offset is shown."""
    file = tmp_path / "shifted.py"
    file.write_text(SHIFTED)
    run = run_at(server)
    master = run.master(file, 2, "-u", "4", "-t", "4s")
    run.worker(file)
    run.worker(file, SHIFT="3600")
    assert master.wait() == 0, run.output
    summary = run.summary
    conserved(summary, server.counts())
    assert summary["verdict"]["validity"] == "valid", summary["verdict"]
    right, wrong = sorted(summary["workers"], key=lambda row: row["clock_offset_s"])
    assert abs(right["clock_offset_s"]) < 30
    assert abs(wrong["clock_offset_s"] - 3600) < 30
    assert wrong["exchanges"] > 0
    assert 3 < summary["run"]["seconds"] < 30
    assert max(window["start_s"] for window in summary["windows"]) < 30
