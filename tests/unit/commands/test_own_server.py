"""Servers of our own, one for each run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import requests

from mop_locust.commands.own_server import own_server
from mop_locust.commands.rig import NoRun


def alive(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_embedded_server_runs_for_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers, is the process that is told, knows none of our variables, and is gone after it."""
    monkeypatch.setenv("MOP_SERVER_KEY", "another")
    with own_server("", None, tmp_path / "log") as (url, pid):
        assert requests.get(f"{url}/health", timeout=10).json()["status"] == "healthy"
        assert alive(pid)
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"MOP_" not in environment
    assert not alive(pid)


def test_a_binary_is_given_a_port_and_the_mission(tmp_path: Path) -> None:
    """As the real server takes them; it is there when it listens."""
    script, words = tmp_path / "server", tmp_path / "words"
    script.write_text(f'#!/bin/sh\necho "$@" > {words}\nexec python3 -m http.server --bind 127.0.0.1 "$3"\n')
    script.chmod(0o755)
    mission = tmp_path / "mission.yaml"
    with own_server(str(script), mission, tmp_path / "log") as (url, pid):
        assert requests.get(url, timeout=10).status_code == 200
        port = url.rpartition(":")[2]
        assert words.read_text() == f"start --port {port} --mission {mission}\n"
    assert not alive(pid)


def test_a_server_that_does_not_start(tmp_path: Path) -> None:
    """With its last words, if it had any."""
    script = tmp_path / "server"
    script.write_text("#!/bin/sh\necho first >&2\necho it is broken >&2\n")
    script.chmod(0o755)
    with pytest.raises(NoRun, match=r"^the server did not start: it is broken$"), own_server(str(script), None, tmp_path / "log"):
        pytest.fail("it started")
    script.write_text("#!/bin/sh\n")
    with (
        pytest.raises(NoRun, match=r"^the server did not start: it said nothing$"),
        own_server(str(script), None, tmp_path / "2"),
    ):
        pytest.fail("it started")
