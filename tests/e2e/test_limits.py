"""The generator's own limits and faults: counted as its own, never in the target's failure rate, never green."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import every_output_agrees
from tests.e2e.processes import LOCUSTFILES, Server

RAISES = f"""
import sys
sys.path.insert(0, {str(LOCUSTFILES)!r})
from locust import events
from tools_call_rps import ToolsCallRps

@events.request.add_listener
def broken(name, **kwargs):
    if name == "delete":
        raise ValueError("my listener is broken")
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_listener_that_raises_is_named_and_the_run_invalid(workers: int, tmp_path: Path, server: Server, run_at: RunAt) -> None:
    file = tmp_path / "raises.py"
    file.write_text(RAISES)
    run = run_at(server)
    options = ("-u", "2", "-t", "2s")
    process = run.with_workers(file, workers, *options) if workers else run.single(file, *options)
    assert process.wait() == 4, run.output
    verdict = run.summary["verdict"]
    assert verdict["validity"] == "invalid"
    assert any("ValueError: my listener is broken" in reason for reason in verdict["reasons"]), verdict
    every_output_agrees(run.summary)


EVENTS = f"""
import json, sys
sys.path.insert(0, {str(LOCUSTFILES)!r})
from locust import events
from tools_call_rps import ToolsCallRps

seen = {{"samples": 0, "windows": 0}}

@events.mop_sample.add_listener
def one(sample, **kwargs):
    seen["samples"] += 1

@events.mop_window.add_listener
def second(run_id, window, **kwargs):
    seen["windows"] += sum(total.count for total in window.tally.exchanges.values())

@events.mop_verdict.add_listener
def verdict(summary, **kwargs):
    print("SEEN", json.dumps({{**seen, "calls": summary["metrics"]["calls"]["count"]}}), flush=True)
"""


def test_the_suites_own_events_carry_every_exchange(tmp_path: Path, server: Server, run_at: RunAt) -> None:
    file = tmp_path / "listens.py"
    file.write_text(EVENTS)
    run = run_at(server)
    process = run.single(file, "-u", "3", "-t", "3s")
    assert process.wait() == 0, run.output
    calls = run.summary["metrics"]["calls"]["count"]
    assert f'SEEN {{"samples": {calls}, "windows": {calls}, "calls": {calls}}}' in process.output


def test_running_out_of_descriptors_is_our_fault_and_not_the_targets(server: Server, run_at: RunAt) -> None:
    """`ulimit -n 100` with 300 users: `client_fault`, the target's failure rate stays 0, the run is invalid."""
    run = run_at(server, MOP_WS_SLEEP_MS="1000")
    command = f"ulimit -n 100; exec {sys.executable} -m locust -f {LOCUSTFILES / 'ws_connect_storm.py'} --headless"
    process = run._start("limited", ["bash", "-c", f"{command} -u 300 -t 3s -H {server.url}"], {})
    assert process.wait() == 4, run.output
    summary = run.summary
    assert summary["metrics"]["calls"]["outcomes"]["client_fault"] > 0
    assert summary["metrics"]["call_failures"]["failures"] == 0
    assert summary["metrics"]["ws_failures"]["failures"] == 0
    assert summary["verdict"]["validity"] == "invalid"
    assert any("too many open files" in reason for reason in summary["verdict"]["reasons"])
    assert "Traceback" not in process.output


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_a_reports_folder_that_cannot_be_made_is_found_before_the_run(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    process = run.single("tools_call_rps", "-t", "2s", "--mop-reports", "/proc/nowhere/reports")
    assert process.wait() == 2, run.output
    assert "MOP_REPORTS (--mop-reports): no run folder can be made in '/proc/nowhere/reports'" in process.output
    assert server.counts()["answered"] == {}


def test_a_folder_that_goes_away_during_the_run_leaves_the_verdict_on_the_terminal(
    tmp_path: Path, server: Server, run_at: RunAt
) -> None:
    """The reports folder becomes a file in the middle of the run."""
    run = run_at(server)
    process = run.single("tools_call_rps", "-u", "2", "-t", "5s")
    from tests.e2e.processes import until

    until(lambda: server.counts_now()["answered"].get("http tools/list", 0) > 2, what="load")
    run.reports.rmdir()
    run.reports.write_text("in the way")
    assert process.wait() == 0, run.output
    assert "PASSED, valid" in process.output
    assert "no run folder could be made" in process.output
