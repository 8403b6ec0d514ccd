"""Runs from the web UI: each has a folder of its own, exact and judged by itself."""

from __future__ import annotations

import signal
import time
from urllib.parse import urlencode

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved, exchanges
from tests.e2e.processes import LocustRun, Server, fetch, until

LOAD_SECONDS = 1.5


def swarm(url: str, users: int) -> None:
    """Presses Start."""
    fetch(f"{url}/swarm", urlencode({"user_count": users, "spawn_rate": users}).encode())


def run_once(run: LocustRun, server: Server, url: str, users: int) -> None:
    """Starts a run, lets it load the server, stops it, and waits for its folder."""
    folders, before = len(run.summaries()), sum(server.counts_now()["answered"].values())
    swarm(url, users)
    until(
        lambda: sum(server.counts_now()["answered"].values()) > before + 20,
        what=f"load of run {folders + 1}\n{run.output[-2000:]}",
    )
    time.sleep(LOAD_SECONDS)
    fetch(f"{url}/stop", b"")
    until(lambda: len(run.summaries()) > folders, what=f"folder {folders + 1}\n{run.output[-2000:]}")


@pytest.mark.parametrize("workers", [0, 2])
def test_each_run_from_the_web_ui_has_its_own_exact_folder(workers: int, server: Server, run_at: RunAt) -> None:
    """Start, stop, start again with other users, stop; then Ctrl-C, which judges nothing a second time."""
    run = run_at(server)
    options = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(run.port)) if workers else ()
    process, url = run.web("tools_call_rps", *options, "--stop-timeout", "2")
    for _ in range(workers):
        run.worker("tools_call_rps")
    if workers:
        until(lambda: process.output.count("reported as ready") == workers, what="workers that are ready")
    run_once(run, server, url, 3)
    conserved(run.summary, server.counts())
    run_once(run, server, url, 6)
    first, second = run.summaries()
    counts = server.counts()
    conserved([first, second], counts)
    assert counts["sessions_opened"] == counts["sessions_deleted"]
    process.signal(signal.SIGINT)
    assert run.wait() == 0, run.output
    assert len(run.summaries()) == 2
    assert (first["run"]["users"], second["run"]["users"]) == (3, 6)
    assert (first["run"]["workers"], second["run"]["workers"]) == (workers, workers)
    assert first["run"]["id"] != second["run"]["id"]
    for summary in (first, second):
        assert (summary["verdict"]["state"], summary["verdict"]["validity"]) == ("PASSED", "valid"), summary["verdict"]
        assert set(exchanges(summary)) == {("http", "initialize"), ("http", "tools/list"), ("http", "delete")}
        assert run.output.count(f"-{summary['run']['scenario']}/report.html") == 2
    assert "Traceback" not in run.output
    assert run.orphans() == []
