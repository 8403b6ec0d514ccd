"""Where a run came from: what `manifest.json` needs of server, suite and machines, gathered while the run was there."""

from __future__ import annotations

from typing import TypedDict


class ServerCommit(TypedDict):
    """The git hash of the server that was loaded, None where nobody knows it, and how it was obtained or why not."""

    hash: str | None
    obtained: str


class Machine(TypedDict):
    """One host as a process of the run saw it; a limit that is None is none."""

    kernel: str
    architecture: str
    cpu: str
    cores: int
    memory_bytes: int
    nofile_soft: int | None
    nofile_hard: int | None
    ephemeral_ports: list[int]  # the first and the last; empty where the kernel does not tell


class Seed(TypedDict):
    """The random seed of the suite, and what is drawn at random."""

    value: int | None
    note: str


class Provenance(TypedDict):
    """What a run was made with; `suite_sha256` and `locustfile_sha256` are of the sources that ran."""

    command: list[str]  # redacted
    host: str  # of the process that judged
    machines: dict[str, Machine]  # by host
    packages: dict[str, str]
    suite_sha256: str
    locustfile_sha256: dict[str, str]
    server_commit: ServerCommit
    seed: Seed
