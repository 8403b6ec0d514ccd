"""The profiles: the web UI for real; what cannot be pulled everywhere by what compose makes of the file."""

from __future__ import annotations

import json
import socket

import psutil
import pytest

from tests.e2e.processes import fetch, until
from tests.swarm.compose import COMMAND_SECONDS, Swarm
from tests.swarm.conftest import SwarmWith

UI = "http://127.0.0.1:8089"


def test_the_web_ui_is_on_loopback_only(swarm_with: SwarmWith) -> None:
    """It starts a run on all workers, and the run is judged."""
    swarm = swarm_with(MOP_SCENARIO="tools_call_rps", MOP_RPS_THINK_MS="50")
    swarm.compose("--profile", "ui", "up", "--detach", "--no-build", "--scale", "worker=2", "ui")
    until(lambda: json.loads(ui("/stats/requests"))["state"] == "ready", COMMAND_SECONDS, "two workers")
    until(lambda: len(json.loads(ui("/stats/requests"))["workers"]) == 2, COMMAND_SECONDS, "two workers")
    assert swarm.containers("master") == []
    [container] = swarm.containers("ui")
    assert swarm.inspect(container)["NetworkSettings"]["Ports"] == {"8089/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8089"}]}
    others = {
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and address.address != "127.0.0.1"
    }
    assert others
    for address in others:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, 8089), 3)
    ui("/swarm", b"user_count=4&spawn_rate=4&run_time=3s")
    until(lambda: list(swarm.reports.glob("*/manifest.json")), COMMAND_SECONDS, "a verdict")
    assert swarm.summary["verdict"]["state"] == "PASSED"
    assert len(swarm.summary["workers"]) == 2


def ui(path: str, form: bytes | None = None) -> bytes:
    """What the web UI answers; an empty object while it does not."""
    try:
        return fetch(UI + path, form)
    except OSError:
        return b'{"state": "", "workers": []}'


def test_two_masters_at_once_are_refused(swarm_with: SwarmWith) -> None:
    """The profile without naming its service: one of the two says why it does not start."""
    swarm = swarm_with(MOP_SCENARIO="tools_call_rps", MOP_DURATION="3s", LOCUST_EXPECT_WORKERS_MAX_WAIT="5")
    swarm.compose("--profile", "ui", "up", "--detach", "--no-build", "--scale", "worker=1", check=False)
    masters = swarm.containers("master") + swarm.containers("ui")
    assert len(masters) == 2
    until(lambda: any(not swarm.inspect(master)["State"]["Running"] for master in masters), COMMAND_SECONDS, "a refusal")
    told = swarm.logs("master") + swarm.logs("ui")
    assert "'master.swarm' has 2 addresses" in told
    assert "does another master run?" in told


@pytest.mark.parametrize(
    ("profile", "services"),
    [("ui", {"ui"}), ("observe", {"prometheus", "grafana"}), ("faults", {"toxiproxy"})],
)
def test_compose_takes_the_profile(swarm_with: SwarmWith, profile: str, services: set[str]) -> None:
    """The services are those and the three that always run; every port is published on loopback."""
    swarm: Swarm = swarm_with()
    made = json.loads(swarm.compose("--profile", profile, "config", "--format", "json"))
    assert set(made["services"]) == {"link", "server", "master", "worker", *services}
    ports = [port for service in made["services"].values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    assert {port["target"] for port in ports} == {"ui": {8089}, "observe": {9090, 3000}, "faults": {8474}}[profile]


def test_settings_reach_the_containers(swarm_with: SwarmWith) -> None:
    """A variable as it is, an empty key as none at all, a file as a mount; what is not given is not there."""
    swarm: Swarm = swarm_with(MOP_RPS_LISTS="7", MOP_API_KEY="", MOP_TLS_CA="/etc/ssl/certs/ca-certificates.crt", MOP_USERS="9")
    made = json.loads(swarm.compose("config", "--format", "json"))["services"]
    master = made["master"]
    assert (master["environment"]["MOP_RPS_LISTS"], master["environment"]["MOP_API_KEY"]) == ("7", "")
    assert master["environment"]["MOP_TLS_CA"] == "/run/mop-locust/ca.pem"
    assert master["environment"]["MOP_WS_VUS"] is None
    assert master["command"][-2:] == ["-u", "9"]
    [ca] = [mount for mount in made["worker"]["volumes"] if mount["target"] == "/run/mop-locust/ca.pem"]
    assert ca["source"] == "/etc/ssl/certs/ca-certificates.crt"
