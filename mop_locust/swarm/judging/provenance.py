"""What a run is made with: command line, sources, packages, machines."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import re
import socket
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import msgspec

from mop_locust.report.provenance import Machine, Provenance, Seed, ServerCommit
from mop_locust.swarm.generating.machine import machine
from mop_locust.swarm.judging.roll import Hello

TYPED = "_MOP_LOCUST_COMMAND"  # what the user typed, a JSON list, set by the `mop-locust` commands that start Locust

SEED: Seed = {
    "value": None,
    "note": "No seed: the pauses of the suite's own scenarios are fixed. A scenario that draws its pauses or tasks takes them "
    "from one unseeded generator a process, used by its users in the order in which answers come; a seed would not repeat that.",
}


def provenance(command: list[str], locustfiles: Iterable[str], commit: ServerCommit) -> Provenance:
    """Returns what is known before the load; the workers' machines are added when the run is told of."""
    return {
        "command": command,
        "host": socket.gethostname(),
        "machines": {socket.gethostname(): machine()},
        "packages": packages(),
        "suite_sha256": suite_hash(),
        "locustfile_sha256": _hashes(locustfiles),
        "server_commit": commit,
        "seed": SEED,
    }


def machines(known: Provenance, hellos: Iterable[Hello]) -> dict[str, Machine]:
    """Returns the machines of a run by host, the judging one first; of several workers on a host the first one speaks."""
    found = dict(known["machines"])
    for hello in hellos:
        if hello.machine is not None:
            found.setdefault(hello.host, hello.machine)
    return found


def typed(argv: Sequence[str]) -> list[str]:
    """Returns the command as the user typed it."""
    if TYPED in os.environ:
        with contextlib.suppress(msgspec.MsgspecError):
            return msgspec.json.decode(os.environ[TYPED], type=list[str])
    return ["locust", *argv[1:]]


@functools.cache
def packages() -> dict[str, str]:
    """Returns Python and the packages that the suite stands on, with their versions."""
    found = {"python": platform.python_version(), "mop-locust": version("mop-locust")}
    for requirement in requires("mop-locust") or []:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@functools.cache
def suite_hash() -> str:
    """Returns the SHA-256 of the suite's sources: of each module, in the order of their paths, its path and its content."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(f"{file.relative_to(package).as_posix()}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _hashes(files: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in files:
        with contextlib.suppress(OSError):
            found[Path(name).name] = hashlib.sha256(Path(name).read_bytes()).hexdigest()
    return found
