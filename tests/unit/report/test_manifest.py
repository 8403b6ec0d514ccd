"""`manifest.json`."""

from __future__ import annotations

import hashlib
import json

from mop_locust.report.manifest import build, render
from tests.unit.report.sample_summary import HOSTILE, hostile_summary, red_summary, told_summary

NOT_NOTED = "not noted by the version that ran"


def test_it_says_what_was_run_and_how_it_ended() -> None:
    """All from the summary, and the files with their hashes; what an older version did not note is not made up."""
    nothing = {"cpu_percent": None, "rss_bytes": None}
    assert build(red_summary(), {"b": b"", "a": b"abc"}) == {
        "schema": 2,
        "run_id": "7f3a9c",
        "scenarios": ["tools_call_rps"],
        "started": "2026-11-22T14:46:00Z",
        "ended": "2026-11-22T14:47:00Z",
        "seconds": 58.4,
        "planned_seconds": 60.0,
        "stopped_by": "run time",
        "users": 20,
        "target": {"http": "http://localhost:8000/mcp", "websocket": None},
        "server": {"name": "meta-orchestration-protocol", "version": "0.1.4", "commit": None, "commit_obtained": NOT_NOTED},
        "suite": {"version": "0.1.0", "sha256": None, "locustfiles": {}},
        "command": [],
        "options": red_summary()["run"]["options"],
        "verdict": {"state": "CROSSED", "validity": "incomplete", "exit_code": 4},
        "peak_server": {"cpu_percent": 31.4, "rss_bytes": 43_201_331.0},
        "peak_master": nothing,
        "workers": [
            {"id": "worker-0", "host": "load-1", "pid": 4000, "state": "finished", "cpu_percent": 31.2, "peak": nothing},
            {"id": "worker-1", "host": "load-1", "pid": 4001, "state": "lost", "cpu_percent": None, "peak": nothing},
        ],
        "host": None,
        "machines": {},
        "packages": {},
        "seed": {"value": None, "note": NOT_NOTED},
        "files": {
            "a": {"bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()},
            "b": {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()},
        },
    }


def test_it_says_where_the_run_came_from() -> None:
    """Commit, command, hashes, machines, packages and seed as the run noted them; of each process the greatest readings."""
    summary = told_summary()
    manifest, origin = build(summary, {}), summary["provenance"]
    assert manifest["server"] == {
        "name": "meta-orchestration-protocol",
        "version": "0.1.4",
        "commit": "0123abc",
        "commit_obtained": "asked: /health",
    }
    assert manifest["suite"] == {"version": "0.1.0", "sha256": "ab" * 32, "locustfiles": {"tools_call_rps.py": "cd" * 32}}
    assert (manifest["command"], manifest["host"]) == (origin["command"], "load-1")
    assert (manifest["machines"], manifest["packages"], manifest["seed"]) == (
        origin["machines"],
        origin["packages"],
        origin["seed"],
    )
    assert manifest["peak_server"] == {"cpu_percent": 71.5, "rss_bytes": 28e6}
    assert manifest["peak_master"] == {"cpu_percent": 6.0, "rss_bytes": 71e6}
    assert [worker["peak"] for worker in manifest["workers"]] == [
        {"cpu_percent": 44.0, "rss_bytes": 64e6},
        {"cpu_percent": 39.5, "rss_bytes": 64e6},
    ]


def test_it_is_written_as_json_for_people() -> None:
    """Indented, with a line break at the end."""
    text = render(red_summary(), {}).decode()
    assert json.loads(text) == build(red_summary(), {})
    assert text.startswith('{\n  "schema": 2,\n')
    assert text.endswith("}\n")


def test_hostile_texts_stay_strings() -> None:
    """Whatever a server calls itself."""
    for text in HOSTILE:
        name = json.loads(render(hostile_summary(text), {}))["server"]["name"]
        assert name == text.replace("\ud800", "\ufffd")
