"""`manifest.json`: what was run with what, for whoever must repeat or certify it, and the files with their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final, TypedDict

import msgspec

from mop_locust.report.document import (
    OptionValue,
    ServerName,
    SummaryDocument,
    TargetUrls,
    encode_json,
)

SCHEMA: Final = 1


class SuiteVersion(TypedDict):
    """The version of mop-locust that ran."""

    version: str


class ManifestVerdict(TypedDict):
    """How the run ended."""

    state: str
    validity: str
    exit_code: int


class ManifestWorker(TypedDict):
    """One load generator and its peak load in per cent of a core."""

    id: str
    host: str
    pid: int
    state: str
    cpu_percent: float | None


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
    server: ServerName | None
    suite: SuiteVersion
    options: dict[str, OptionValue]
    verdict: ManifestVerdict
    workers: list[ManifestWorker]
    files: dict[str, ManifestFile]


def build(summary: SummaryDocument, files: Mapping[str, bytes]) -> Manifest:
    """The manifest of a run whose folder holds these files."""
    run, verdict = summary["run"], summary["verdict"]
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
        "server": run["server"],
        "suite": {"version": run["suite_version"]},
        "options": run["options"],
        "verdict": {"state": verdict["state"], "validity": verdict["validity"], "exit_code": verdict["exit_code"]},
        "workers": [
            {
                "id": worker["id"],
                "host": worker["host"],
                "pid": worker["pid"],
                "state": worker["state"],
                "cpu_percent": worker["cpu_percent"],
            }
            for worker in summary["workers"]
        ],
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(files.items())
        },
    }


def render(summary: SummaryDocument, files: Mapping[str, bytes]) -> bytes:
    """The manifest as indented JSON."""
    return msgspec.json.format(encode_json(build(summary, files)), indent=2) + b"\n"
