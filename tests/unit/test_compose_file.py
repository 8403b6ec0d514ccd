"""The compose file: every service locked down, every setting handed on, every file that it mounts there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from mop_locust.config import SETTINGS
from tests.e2e.processes import Started, fetch, free_port, until

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = ("server", "master", "worker", "ui")
ONCE = ("link",)
PROFILES = {"ui": ["ui"], "prometheus": ["observe"], "grafana": ["observe"], "toxiproxy": ["faults"]}


def test_the_services_are_those_of_the_documents() -> None:
    """Three that always run, the others by profile."""
    assert set(SERVICES) == {*OURS, *ONCE, *PROFILES}
    assert {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service} == PROFILES


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_no_right_that_it_does_not_need(name: str) -> None:
    """No capability, no new privilege, a limit of memory and of logs, a published port on loopback only."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"] in ("1g", "2g")
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert service.get("read_only", False) is (name != "grafana")
    assert [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")] == []
    assert service.get("network_mode", "none") == "none"
    assert not {"privileged", "pid", "container_name"} & set(service)


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_the_suite_is_numeric_and_watched(name: str) -> None:
    """The same image, a user by number, an init, a health check without a shell and without curl."""
    service = SERVICES[name]
    assert (service["image"], service["init"], service["pids_limit"]) == ("mop-locust", True, 256)
    assert service["user"] == "${MOP_UID:-1000}:${MOP_GID:-1000}"
    assert service["healthcheck"]["test"][:3] == ["CMD", "python", "-ISc"]


def test_a_container_has_longer_to_stop_than_its_users() -> None:
    """10 s of stop timeout; the master also waits 5 s beyond it for its workers."""
    grace = {name: int(SERVICES[name]["stop_grace_period"].removesuffix("s")) for name in ("master", "worker", "ui")}
    assert grace["worker"] > 10
    assert grace["master"] == grace["ui"] > grace["worker"] + 15


def test_the_masters_port_is_on_the_inner_network_alone() -> None:
    """It listens on its address there, and the workers call it by that name."""
    assert FILE["networks"]["swarm"] == {"internal": True}
    for name in ("master", "ui"):
        assert SERVICES[name]["networks"]["swarm"] == {"aliases": ["master.swarm"]}
        command = SERVICES[name]["command"]
        words = command.split() if isinstance(command, str) else command
        assert words[words.index("--master-bind-host") + 1] == "master.swarm"
    worker = SERVICES["worker"]
    assert worker["command"][worker["command"].index("--master-host") + 1] == "master.swarm"
    assert [name for name, service in SERVICES.items() if "swarm" in service.get("networks", ())] == ["master", "worker", "ui"]
    assert "ports" not in worker


def test_every_setting_reaches_the_master() -> None:
    """And the key reaches each process, but no message."""
    elsewhere = {"MOP_SERVER_PID", "MOP_SERVER_CGROUP"}  # the server's process is in another container
    assert {setting.name for setting in SETTINGS} - set(SERVICES["master"]["environment"]) == elsewhere
    assert set(SERVICES["worker"]["environment"]) == {"MOP_API_KEY", "MOP_API_KEY_FILE", "MOP_CLUSTER_KEY_FILE"}
    assert SERVICES["master"]["environment"]["MOP_EXPECT_WORKERS_AT"] == "worker"


def test_the_link_has_a_key_before_anybody_uses_it() -> None:
    """Master and workers read the file that the service makes, and cannot write there."""
    for name in ("master", "worker", "ui"):
        service = SERVICES[name]
        assert service["depends_on"]["link"] == {"condition": "service_completed_successfully"}
        [mount] = [mount for mount in service["volumes"] if mount["source"] == "link"]
        assert mount["read_only"] is True
        assert service["environment"]["MOP_CLUSTER_KEY_FILE"] == f"{mount['target']}/${{MOP_UID:-1000}}/cluster.key"
    maker = SERVICES["link"]
    assert (maker["network_mode"], maker["volumes"][0]["source"]) == ("none", "link")
    assert maker["entrypoint"][-1] == "/run/mop-locust/link/${MOP_UID:-1000}"


def test_the_example_names_what_the_file_reads() -> None:
    """Nothing in .env.example that would change nothing."""
    named = set(re.findall(r"^#(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    read = set(re.findall(r"\$\{(\w+)", TEXT)) | set(SERVICES["master"]["environment"])
    assert named <= read
    assert named >= {
        "MOP_BASE_URL",
        "MOP_HTTP_BASE",
        "MOP_API_KEY",
        "MOP_SCENARIO",
        "MOP_USERS",
        "MOP_DURATION",
        "MOP_THRESHOLDS",
    }


def test_what_is_mounted_is_there() -> None:
    """The files of deploy/ that are handed to images of others."""
    mounted = re.findall(r"^ +- \./([\w./-]+):/", TEXT, re.MULTILINE)
    assert len(mounted) == 4
    assert [path for path in mounted if not (ROOT / path).exists()] == []


def test_toxiproxy_stands_before_the_server() -> None:
    """On the port that the comment in the compose file names, for the service that it means."""
    [proxy] = json.loads((ROOT / "deploy" / "toxiproxy" / "config.json").read_text())
    assert (proxy["listen"], proxy["upstream"], proxy["enabled"]) == ("0.0.0.0:8000", "server:8000", True)
    assert "MOP_HTTP_BASE=http://toxiproxy:8000/mcp" in TEXT


def test_grafana_finds_prometheus_and_the_dashboards() -> None:
    """By the names and folders of the compose file."""
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert (source["uid"], source["url"]) == ("prometheus", "http://prometheus:9090")
    [provider] = yaml.safe_load((provisioning / "dashboards" / "mop-locust.yml").read_text())["providers"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]


def test_prometheus_takes_its_configuration() -> None:
    """The real program reads it; it scrapes the master."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not there")
    path = ROOT / "deploy" / "prometheus" / "prometheus.yml"
    checked = subprocess.run([promtool, "check", "config", str(path)], capture_output=True, text=True, timeout=30, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    [job] = yaml.safe_load(path.read_text())["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["master:9646"]}]
    variables = SERVICES["master"]["environment"]
    assert (variables["MOP_METRICS_PORT"], variables["MOP_METRICS_HOST"]) == (9646, "0.0.0.0")
    assert "observe" in SERVICES["master"]["networks"]


def answer(url: str) -> bytes:
    """What stands there; nothing while the server is not ready."""
    try:
        return fetch(url)
    except OSError:
        return b""


def test_prometheus_runs_with_it(tmp_path: Path) -> None:
    """The real server, with the options of the compose file but for folders and port, looks for the master."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not there")
    places = {
        "/etc/prometheus/prometheus.yml": str(ROOT / "deploy" / "prometheus" / "prometheus.yml"),
        "/prometheus": str(tmp_path),
    }
    options = []
    for option in SERVICES["prometheus"]["command"]:
        name, _, path = option.partition("=")
        options.append(f"{name}={places[path]}")
    address = f"127.0.0.1:{free_port()}"
    server = Started("prometheus", [program, *options, f"--web.listen-address={address}"], tmp_path, {})
    try:
        until(lambda: b"master:9646" in answer(f"http://{address}/api/v1/targets"), what="its target")
        [target] = json.loads(fetch(f"http://{address}/api/v1/targets"))["data"]["activeTargets"]
        assert target["scrapeUrl"] == "http://master:9646/metrics"
        assert (target["scrapeInterval"], target["labels"]["job"]) == ("2s", "mop-locust")
    finally:
        server.end()
