"""What a run is made with."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import pytest

from mop_locust.report.provenance import Machine
from mop_locust.swarm.generating import machine as machine_module
from mop_locust.swarm.generating.machine import machine
from mop_locust.swarm.judging.provenance import machines, packages, provenance, suite_hash, typed
from mop_locust.swarm.judging.roll import Hello

COMMIT = {"hash": "abc1234", "obtained": "given"}


def test_it_is_gathered_once_for_a_run(tmp_path: Path) -> None:
    """Command, commit, this host and its machine, the hash of each locustfile that is there."""
    file = tmp_path / "mine.py"
    file.write_bytes(b"from locust import task\n")
    found = provenance(["locust", "-f", "mine.py"], [str(file), str(tmp_path / "gone.py")], COMMIT)  # type: ignore[arg-type]
    assert (found["command"], found["server_commit"]) == (["locust", "-f", "mine.py"], COMMIT)
    assert found["locustfile_sha256"] == {"mine.py": hashlib.sha256(b"from locust import task\n").hexdigest()}
    assert found["machines"] == {found["host"]: machine()}
    assert found["seed"]["value"] is None
    assert "unseeded" in found["seed"]["note"]


def test_packages_are_those_that_the_suite_needs() -> None:
    """By their names in the package index."""
    found = packages()
    assert (found["python"], found["locust"], found["gevent"]) == (
        platform.python_version(),
        version("locust"),
        version("gevent"),
    )
    assert {"msgspec", "websocket-client", "mop-locust"} <= set(found)


def test_the_suite_has_one_hash_for_its_sources() -> None:
    """Of each module's path and content, in order."""
    package = Path(machine_module.__file__).parents[1]
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(str(file.relative_to(package)).encode() + b"\0" + file.read_bytes())
    assert suite_hash() == digest.hexdigest()


def test_the_command_is_what_the_user_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `mop-locust run` hands it on, else Locust's own; a variable that is none of ours changes nothing."""
    monkeypatch.delenv("_MOP_LOCUST_COMMAND", raising=False)
    assert typed(["/opt/bin/locust", "-f", "a.py"]) == ["locust", "-f", "a.py"]
    monkeypatch.setenv("_MOP_LOCUST_COMMAND", '["mop-locust", "run", "mixed"]')
    assert typed(["locust"]) == ["mop-locust", "run", "mixed"]
    monkeypatch.setenv("_MOP_LOCUST_COMMAND", "[")
    assert typed(["locust", "-x"]) == ["locust", "-x"]


def test_workers_add_their_machines() -> None:
    """Each host once, the judging one first; a worker that told none adds none."""
    known = provenance([], [], COMMIT)  # type: ignore[arg-type]
    other: Machine = {**machine(), "cores": 64}
    third: Machine = {**machine(), "cores": 3}
    hellos = [
        Hello("load-1", 1, "k", 0.0, 0, other),
        Hello("load-1", 2, "k", 0.0, 1, third),
        Hello("load-2", 3, "k", 0.0, 2),
        Hello(known["host"], 4, "k", 0.0, 3, third),
    ]
    assert machines(known, hellos) == {known["host"]: machine(), "load-1": other}
    assert list(known["machines"]) == [known["host"]]


def test_a_machine_says_what_limits_it(tmp_path: Path) -> None:
    """Kernel, processor, cores, memory, descriptors, ports; what the kernel does not tell is empty."""
    found = machine()
    assert found["kernel"].startswith("Linux ")
    assert found["cores"] >= 1
    assert found["memory_bytes"] > 2**20
    assert found["nofile_soft"] is None or found["nofile_soft"] > 0
    assert len(found["ephemeral_ports"]) == 2
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Fast: 3 GHz\nmodel name\t: other\n")
    assert machine_module._cpu(tmp_path / "cpuinfo") == "Fast: 3 GHz"
    (tmp_path / "cpuinfo").write_text("nothing\n")
    assert machine_module._cpu(tmp_path / "cpuinfo") == machine_module._cpu(tmp_path / "gone") == platform.processor()
    (tmp_path / "ports").write_text("1000\t2000\n")
    assert machine_module._ports(tmp_path / "ports") == [1000, 2000]
    assert machine_module._ports(tmp_path / "gone") == machine_module._ports(tmp_path / "cpuinfo") == []
