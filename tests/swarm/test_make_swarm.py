"""`make swarm`: the master's exit code, its log, and nothing left behind."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT, Started, until
from tests.swarm.compose import COMMAND_SECONDS, RUN_SECONDS, Swarm
from tests.swarm.conftest import SwarmWith

SHORT = {"MOP_SCENARIO": "tools_call_rps", "MOP_USERS": "4", "MOP_DURATION": "4s", "MOP_RPS_THINK_MS": "50"}


def make_swarm(swarm: Swarm, folder: Path, workers: str = "2") -> Started:
    """`make swarm WORKERS=…` with the variables of a swarm."""
    # HOME is where the compose plugin may be.
    given = {name: value for name, value in swarm.variables.items() if name.startswith(("MOP_", "LOCUST_", "COMPOSE_", "HOME"))}
    return Started(
        "make", ["make", "--directory", str(ROOT), "--no-print-directory", "swarm", f"WORKERS={workers}"], folder, given
    )


def left_behind(swarm: Swarm) -> list[str]:
    """Containers and networks of a swarm."""
    label = ("--quiet", "--filter", f"label=com.docker.compose.project={swarm.name}")
    found = []
    for command in (("docker", "ps", "--all", *label), ("docker", "network", "ls", *label)):
        found += subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True).stdout.split()
    return found


@pytest.mark.parametrize(
    ("variables", "code", "says"),
    [
        ({}, 0, "PASSED, valid."),
        ({"MOP_THRESHOLDS": "calls: count>1000000000"}, 3, "CROSSED"),
        ({"MOP_DURATION": "soon"}, 2, "'soon' is not a duration"),
        ({"MOP_API_KEY": "canary-7f3a", "MOP_HTTP_BASE": "http://server:8001/mcp"}, 3, "server:8001"),
        ({"MOP_UID": "12345", "MOP_GID": "12345"}, 2, "no run folder can be made in 'reports': it is not writable"),
    ],
    ids=["passed", "crossed", "wrong setting", "no target", "not writable"],
)
def test_the_code_is_the_masters(swarm_with: SwarmWith, tmp_path: Path, variables: dict[str, str], code: int, says: str) -> None:
    """make itself ends with 2 for every code but 0, and tells the one that it got."""
    swarm = swarm_with(**{**SHORT, **variables})
    swarm.reports.chmod(0o755)
    process = make_swarm(swarm, tmp_path)
    assert process.wait(RUN_SECONDS) == (2 if code else 0), process.output
    assert says in process.output
    if code:
        assert f"Error {code}" in process.output
    assert left_behind(swarm) == []
    assert len(list(swarm.reports.iterdir())) == (0 if code == 2 else 1)
    assert "canary" not in process.output


def test_ctrl_c_ends_the_run_with_a_verdict(swarm_with: SwarmWith, tmp_path: Path) -> None:
    """Degraded, since it was stopped before its time."""
    swarm = swarm_with(**{**SHORT, "MOP_DURATION": "100s"})
    process = make_swarm(swarm, tmp_path)
    until(
        lambda: swarm.containers("master") and swarm.inspect(swarm.containers("master")[0])["State"]["Running"], COMMAND_SECONDS
    )
    swarm.under_load()
    process.signal_group(signal.SIGINT)
    assert process.wait(RUN_SECONDS) in (2, -signal.SIGINT), process.output  # as make likes it
    assert "Error 4" in process.output
    assert swarm.summary["verdict"]["validity"] == "degraded"
    assert any(reason.startswith("stopped after ") for reason in swarm.summary["verdict"]["reasons"])
    assert left_behind(swarm) == []


@pytest.mark.parametrize("workers", ["0", "many", "-1", ""])
def test_a_number_of_workers_that_is_none_starts_nothing(swarm_with: SwarmWith, tmp_path: Path, workers: str) -> None:
    swarm = swarm_with(**SHORT)
    process = make_swarm(swarm, tmp_path, workers)
    assert process.wait(RUN_SECONDS) == 2
    assert f"WORKERS='{workers}' is not a number of workers; allowed: a whole number from 1 to 9999" in process.output
    assert left_behind(swarm) == []


def test_a_worker_that_never_came_is_missed(swarm_with: SwarmWith) -> None:
    """The name has as many addresses as there are workers; who started them knows how many there should be."""
    swarm = swarm_with(**SHORT, LOCUST_EXPECT_WORKERS="3", LOCUST_EXPECT_WORKERS_MAX_WAIT="5")
    swarm.up(2)
    assert swarm.wait() == 4
    assert "gave up waiting for workers: 2 of 3 came within 5 s, 1 are missing; nothing was measured" in swarm.logs()
    assert list(swarm.reports.iterdir()) == []
