"""A swarm of containers for one test, by the compose file that everybody uses; what it started is taken down with it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.processes import ROOT, until

COMMAND_SECONDS = 120.0
RUN_SECONDS = 120.0  # for a run of 20 s to be over, its containers started and its workers found
COUNTS = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8000/counts', timeout=5).read().decode())"

# How busy the machine is must not decide a test. An engine that is no more than this process may have no more descriptors.
PATIENT = {"MOP_MAX_LOOP_LAG_MS": "60000", "MOP_MAX_STALL_MS": "60000", "MOP_MAX_CPU_PERCENT": "1000"}
NOFILE = str(min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def missing() -> str:
    """What a swarm cannot do without and this machine does not have; \"\" for nothing."""
    for command, what in (
        (("docker", "info"), "a Docker engine"),
        (("docker", "compose", "version"), "the compose plugin of a Docker engine"),
        (("docker", "image", "inspect", "mop-locust"), "the image of `make image` in a Docker engine"),
    ):
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=COMMAND_SECONDS)
        except (OSError, subprocess.CalledProcessError):
            return what
    return ""


class Swarm:
    """`docker compose` with a project name and a folder of reports of its own; the variables are those of each command."""

    def __init__(self, name: str, folder: Path, **variables: str) -> None:
        self.name = name
        self.reports = folder / "reports"
        self.reports.mkdir()
        given = {"MOP_REPORTS": str(self.reports), "MOP_UID": str(os.getuid()), "MOP_GID": str(os.getgid()), "MOP_NOFILE": NOFILE}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MOP_", "LOCUST_", "COMPOSE_"))}
        self.variables = {**kept, "COMPOSE_PROJECT_NAME": name, **PATIENT, **given, **variables}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "1", check=False)

    # --- commands

    def compose(self, *words: str, check: bool = True) -> str:
        """`docker compose …`; returns what it wrote, and raises AssertionError with it when it failed."""
        return run(("docker", "compose", "--progress", "plain", *words), self.variables, check=check)

    def up(self, workers: int, *words: str) -> None:
        """Starts everything, detached."""
        self.compose(*words, "up", "--detach", "--no-build", "--scale", f"worker={workers}")

    def scale(self, workers: int) -> None:
        """So many workers from now on; those that are there stay as they are."""
        self.compose("up", "--detach", "--no-build", "--no-deps", "--no-recreate", "--scale", f"worker={workers}", "worker")

    def docker(self, verb: str, container: str, *words: str) -> str:
        """`docker VERB WORDS CONTAINER`."""
        return run(("docker", verb, *words, container), self.variables)

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers, those that ended too."""
        return self.compose("ps", "--all", "--quiet", service).split()

    def inspect(self, container: str) -> dict[str, Any]:
        """All that the engine knows of a container."""
        return dict(json.loads(self.docker("inspect", container))[0])

    def python(self, service: str, program: str) -> subprocess.CompletedProcess[str]:
        """Runs a Python program in the first container of a service."""
        command = ("docker", "compose", "exec", "-T", service, "python", "-c", program)
        return subprocess.run(
            command, cwd=ROOT, env=self.variables, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )

    # --- what comes of it

    def counts_now(self) -> dict[str, Any]:
        """What the server received and answered up to now."""
        asked = self.python("server", COUNTS)
        assert asked.returncode == 0, asked.stderr
        return dict(json.loads(asked.stdout))

    def counts(self) -> dict[str, Any]:
        """The same once two readings agree: the last goodbyes may be on their way."""
        before: dict[str, Any] = {}
        for _ in range(20):
            now = self.counts_now()
            del now["connections"]  # each reading is one
            if now == before and not now["sockets_open"] and not now["streams_open"]:
                break
            before = now
            time.sleep(0.2)
        return before

    def under_load(self) -> None:
        """Waits until the server is loaded, and until each worker has reported."""
        until(lambda: sum(self.counts_now()["answered"].values()) > 150, COMMAND_SECONDS, "load")
        time.sleep(2.5)

    def wait(self) -> int:
        """Waits for the master's end and returns its exit code."""
        [master] = self.containers("master")
        return int(run(("docker", "wait", master), self.variables, seconds=RUN_SECONDS))

    def logs(self, service: str = "master") -> str:
        """What a service wrote."""
        return self.compose("logs", "--no-color", "--no-log-prefix", service)

    @property
    def summary(self) -> dict[str, Any]:
        """The only summary.json."""
        found = list(self.reports.glob("*/summary.json"))
        assert len(found) == 1, f"{len(found)} run folders, not one:\n{self.logs()}"
        return dict(json.loads(found[0].read_bytes()))


def run(command: Sequence[str], variables: Mapping[str, str], *, seconds: float = COMMAND_SECONDS, check: bool = True) -> str:
    """Runs a command in the repository; returns what it wrote, or raises AssertionError with it."""
    ended = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=seconds, check=False)
    assert not check or ended.returncode == 0, f"{' '.join(command)}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return ended.stdout
