"""`manifest.json`."""

from __future__ import annotations

import hashlib
import json

from mop_locust.report.manifest import build, render
from tests.unit.report.sample_summary import HOSTILE, hostile_summary, red_summary


def test_it_says_what_was_run_and_how_it_ended() -> None:
    """All from the summary, and the files with their hashes."""
    assert build(red_summary(), {"b": b"", "a": b"abc"}) == {
        "schema": 1,
        "run_id": "7f3a9c",
        "scenarios": ["tools_call_rps"],
        "started": "2026-11-22T14:46:00Z",
        "ended": "2026-11-22T14:47:00Z",
        "seconds": 58.4,
        "planned_seconds": 60.0,
        "stopped_by": "run time",
        "users": 20,
        "target": {"http": "http://localhost:8000/mcp", "websocket": None},
        "server": {"name": "meta-orchestration-protocol", "version": "0.1.4"},
        "suite": {"version": "0.1.0"},
        "options": red_summary()["run"]["options"],
        "verdict": {"state": "CROSSED", "validity": "incomplete", "exit_code": 4},
        "workers": [
            {"id": "worker-0", "host": "load-1", "pid": 4000, "state": "finished", "cpu_percent": 31.2},
            {"id": "worker-1", "host": "load-1", "pid": 4001, "state": "lost", "cpu_percent": None},
        ],
        "files": {
            "a": {"bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()},
            "b": {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()},
        },
    }


def test_it_is_written_as_json_for_people() -> None:
    """Indented, with a line break at the end."""
    text = render(red_summary(), {}).decode()
    assert json.loads(text) == build(red_summary(), {})
    assert text.startswith('{\n  "schema": 1,\n')
    assert text.endswith("}\n")


def test_hostile_texts_stay_strings() -> None:
    """Whatever a server calls itself."""
    for text in HOSTILE:
        name = json.loads(render(hostile_summary(text), {}))["server"]["name"]
        assert name == text.replace("\ud800", "\ufffd")
