"""`manifest.json`: what was run with what, for whoever must repeat or certify it, and the files with their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, TypedDict

import msgspec

from mop_locust.report.document import (
    OptionValue,
    SummaryDocument,
    TargetUrls,
    Worker,
    encode_json,
)
from mop_locust.report.provenance import Machine, Seed

SCHEMA: Final = 2
NOT_NOTED: Final = "not noted by the version that ran"


class Suite(TypedDict):
    """The version of mop-locust that ran, the hash of its sources, and those of the locustfiles; None where nobody noted it."""

    version: str
    sha256: str | None
    locustfiles: dict[str, str]


class ManifestServer(TypedDict):
    """The server that was loaded: what it called itself, its git hash and how that was obtained."""

    name: str | None
    version: str | None
    commit: str | None
    commit_obtained: str


class Peak(TypedDict):
    """The greatest readings of a process: CPU in per cent of a core, memory in bytes; None where nobody looked."""

    cpu_percent: float | None
    rss_bytes: float | None


class ManifestVerdict(TypedDict):
    """How the run ended."""

    state: str
    validity: str
    exit_code: int


class ManifestWorker(TypedDict):
    """One load generator: its mean load in per cent of a core, and its peak."""

    id: str
    host: str
    pid: int
    state: str
    cpu_percent: float | None
    peak: Peak


class ManifestFile(TypedDict):
    """One file of the folder: its size in bytes and the hex SHA-256 of its content."""

    bytes: int
    sha256: str


class Manifest(TypedDict):
    """The whole of `manifest.json`."""

    schema: int
    run_id: str
    scenarios: list[str]
    started: str
    ended: str
    seconds: float
    planned_seconds: float | None
    stopped_by: str
    users: int
    target: TargetUrls
    server: ManifestServer
    suite: Suite
    command: list[str]
    options: dict[str, OptionValue]
    verdict: ManifestVerdict
    peak_server: Peak
    peak_master: Peak
    workers: list[ManifestWorker]
    host: str | None
    machines: dict[str, Machine]
    packages: dict[str, str]
    seed: Seed
    files: dict[str, ManifestFile]


def build(summary: SummaryDocument, files: Mapping[str, bytes]) -> Manifest:
    """The manifest of a run whose folder holds these files."""
    run, verdict, origin = summary["run"], summary["verdict"], summary.get("provenance")
    return {
        "schema": SCHEMA,
        "run_id": run["id"],
        "scenarios": run["scenarios"],
        "started": run["started"],
        "ended": run["ended"],
        "seconds": run["seconds"],
        "planned_seconds": run["planned_seconds"],
        "stopped_by": run["stopped_by"],
        "users": run["users"],
        "target": run["target"],
        "server": _server(summary),
        "suite": {
            "version": run["suite_version"],
            "sha256": origin["suite_sha256"] if origin else None,
            "locustfiles": origin["locustfile_sha256"] if origin else {},
        },
        "command": origin["command"] if origin else [],
        "options": run["options"],
        "verdict": {"state": verdict["state"], "validity": verdict["validity"], "exit_code": verdict["exit_code"]},
        "peak_server": server_peak(summary),
        "peak_master": master_peak(summary),
        "workers": [
            {
                "id": worker["id"],
                "host": worker["host"],
                "pid": worker["pid"],
                "state": worker["state"],
                "cpu_percent": worker["cpu_percent"],
                "peak": worker_peak(worker),
            }
            for worker in summary["workers"]
        ],
        "host": origin["host"] if origin else None,
        "machines": origin["machines"] if origin else {},
        "packages": origin["packages"] if origin else {},
        "seed": origin["seed"] if origin else {"value": None, "note": NOT_NOTED},
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(files.items())
        },
    }


def server_peak(summary: SummaryDocument) -> Peak:
    """The greatest readings of the server's process."""
    samples = summary["server_side"]["samples"] if "server_side" in summary else []
    return {
        "cpu_percent": _greatest(sample["cpu_percent"] for sample in samples),
        "rss_bytes": _greatest(sample["rss_bytes"] for sample in samples),
    }


def master_peak(summary: SummaryDocument) -> Peak:
    """The greatest readings of the master; nothing in a single process, which is the only worker of its run."""
    master = summary.get("master")
    if master is None:
        return {"cpu_percent": None, "rss_bytes": None}
    return {"cpu_percent": master.get("cpu_percent_peak"), "rss_bytes": master["rss_bytes"]}


def worker_peak(worker: Worker) -> Peak:
    """The greatest readings of a worker."""
    return {"cpu_percent": worker.get("cpu_percent_peak"), "rss_bytes": worker.get("rss_bytes_peak")}


def _greatest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _server(summary: SummaryDocument) -> ManifestServer:
    named, origin = summary["run"]["server"], summary.get("provenance")
    return {
        "name": named["name"] if named else None,
        "version": named["version"] if named else None,
        "commit": origin["server_commit"]["hash"] if origin else None,
        "commit_obtained": origin["server_commit"]["obtained"] if origin else NOT_NOTED,
    }


def render(summary: SummaryDocument, files: Mapping[str, bytes]) -> bytes:
    """The manifest as indented JSON."""
    return msgspec.json.format(encode_json(build(summary, files)), indent=2) + b"\n"
