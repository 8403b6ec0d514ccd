"""A swarm in containers: exact with four workers, and whatever happens to one of them."""

from __future__ import annotations

import os
from typing import Any

from tests.e2e.conservation import conserved, every_output_agrees, exchanges
from tests.e2e.processes import until
from tests.swarm.compose import COMMAND_SECONDS, Swarm
from tests.swarm.conftest import SwarmWith

BRISK = {"MOP_SCENARIO": "tools_call_rps", "MOP_USERS": "8", "MOP_DURATION": "20s", "MOP_RPS_THINK_MS": "50"}


def states(summary: dict[str, Any]) -> list[str]:
    """How each worker ended, sorted."""
    return sorted(worker["state"] for worker in summary["workers"])


def test_four_workers_for_twenty_seconds_are_exact(swarm_with: SwarmWith) -> None:
    """The three scenarios at once; the run folder belongs to the caller; every container is healthy and within its limits."""
    swarm = swarm_with(MOP_USERS="30", MOP_DURATION="20s")
    swarm.up(4)
    services = ("server", "master", *["worker"] * 4)
    containers = [*swarm.containers("server"), *swarm.containers("master"), *swarm.containers("worker")]
    assert len(containers) == len(services)
    for service, container in zip(services, containers, strict=True):
        until(lambda at=container: swarm.inspect(at)["State"]["Health"]["Status"] == "healthy", COMMAND_SECONDS, service)  # type: ignore[misc]
        within_limits(swarm.inspect(container))
    the_port_is_for_workers_only(swarm)
    assert swarm.wait() == 0, swarm.logs()
    summary = swarm.summary
    conserved(summary, swarm.counts())
    assert (summary["verdict"]["state"], summary["verdict"]["validity"]) == ("PASSED", "valid"), summary["verdict"]
    assert states(summary) == ["finished"] * 4
    assert 19 < summary["run"]["seconds"] < 30
    assert {transport for transport, _ in exchanges(summary)} == {"http", "sse", "websocket"}
    assert "PASSED, valid." in swarm.logs()
    [folder] = swarm.reports.iterdir()
    assert (folder.stat().st_uid, folder.stat().st_gid) == (os.getuid(), os.getgid())
    until(lambda: all(not swarm.inspect(worker)["State"]["Running"] for worker in swarm.containers("worker")), 30, "workers' end")
    assert [swarm.inspect(worker)["State"]["ExitCode"] for worker in swarm.containers("worker")] == [0] * 4


def within_limits(known: dict[str, Any]) -> None:
    """Asserts what the engine really made of the compose file."""
    host = known["HostConfig"]
    assert known["Config"]["User"] == f"{os.getuid()}:{os.getgid()}"
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["Init"]) == (True, ["ALL"], True)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert (host["PidsLimit"], host["Memory"]) == (256, 2 << 30)
    assert [limit["Name"] for limit in host["Ulimits"]] == ["nofile"]
    assert known["NetworkSettings"]["Ports"] == {}


def the_port_is_for_workers_only(swarm: Swarm) -> None:
    """Asserts that a container outside the inner network reaches the master, but not its port."""
    [master] = swarm.containers("master")
    networks = swarm.inspect(master)["NetworkSettings"]["Networks"]
    addresses = {name.removeprefix(f"{swarm.name}_"): network["IPAddress"] for name, network in networks.items()}
    assert set(addresses) == {"swarm", "target", "observe"}
    knock = "import socket; socket.create_connection(({!r}, 5557), 3)"
    assert swarm.python("worker", knock.format(addresses["swarm"])).returncode == 0
    assert "refused" in swarm.python("server", knock.format(addresses["target"])).stderr
    assert swarm.python("server", knock.format(addresses["swarm"])).returncode == 1
    [inner] = [name for name in networks if name.endswith("_swarm")]
    assert swarm.docker("network", inner, "inspect", "--format", "{{.Internal}}").strip() == "true"


def test_a_killed_worker_makes_the_run_incomplete(swarm_with: SwarmWith) -> None:
    swarm = swarm_with(**BRISK)
    swarm.up(2)
    swarm.under_load()
    swarm.docker("kill", swarm.containers("worker")[0])
    assert swarm.wait() == 4, swarm.logs()
    summary = swarm.summary
    every_output_agrees(summary)
    assert summary["verdict"]["validity"] == "incomplete"
    assert states(summary) == ["finished", "lost"]
    [reason] = summary["verdict"]["reasons"]
    assert reason.endswith("up to 1 s of its samples are missing")
    counted = sum(sum(outcomes.values()) for outcomes in exchanges(summary).values())
    served = sum(swarm.counts()["answered"].values())
    assert 0.8 * served < counted <= served


def test_a_stopped_worker_is_exact_and_degraded(swarm_with: SwarmWith) -> None:
    swarm = swarm_with(**BRISK)
    swarm.up(2)
    swarm.under_load()
    stopped = swarm.containers("worker")[0]
    swarm.docker("stop", stopped)
    assert swarm.inspect(stopped)["State"]["ExitCode"] == 0, swarm.logs("worker")
    assert swarm.wait() == 4, swarm.logs()
    summary = swarm.summary
    conserved(summary, swarm.counts())
    assert summary["verdict"]["validity"] == "degraded"
    assert states(summary) == ["finished", "stopped"]
    [reason] = summary["verdict"]["reasons"]
    assert " left after " in reason


def test_a_restarted_worker_comes_back_and_is_exact(swarm_with: SwarmWith) -> None:
    """It is degraded all the same: it was away. The one that comes is a new one for the master."""
    swarm = swarm_with(**BRISK)
    swarm.up(2)
    swarm.under_load()
    swarm.docker("restart", swarm.containers("worker")[0])
    assert swarm.wait() == 4, swarm.logs()
    summary = swarm.summary
    conserved(summary, swarm.counts())
    assert summary["verdict"]["validity"] == "degraded"
    assert states(summary) == ["finished", "finished", "stopped"]
    [late] = [worker for worker in summary["workers"] if worker["first_s"] > 2]
    assert late["exchanges"] > 0
    assert f"worker {late['id']} joined after {late['first_s']:.1f} s" in summary["run"]["notes"]


def test_workers_that_are_added_in_the_middle_are_used(swarm_with: SwarmWith) -> None:
    swarm = swarm_with(**BRISK)
    swarm.up(2)
    swarm.under_load()
    swarm.scale(4)
    assert swarm.wait() == 0, swarm.logs()
    summary = swarm.summary
    conserved(summary, swarm.counts())
    assert summary["verdict"]["validity"] == "valid", summary["verdict"]
    assert states(summary) == ["finished"] * 4
    late = [worker for worker in summary["workers"] if worker["first_s"] > 2]
    assert len(late) == 2
    assert all(worker["exchanges"] > 0 for worker in late)


def test_a_worker_without_the_key_of_the_link_does_not_come(swarm_with: SwarmWith) -> None:
    """It is on the inner network and knows the master's name and port; that is not enough."""
    swarm = swarm_with(**BRISK, LOCUST_EXPECT_WORKERS="2", LOCUST_EXPECT_WORKERS_MAX_WAIT="8")
    swarm.up(1)
    swarm.compose("run", "--detach", "--no-deps", "-e", "MOP_CLUSTER_KEY_FILE=", "worker")
    assert swarm.wait() == 4
    assert "1 of 2 came within 8 s, 1 are missing" in swarm.logs()
