"""The embedded server as the fastest target there is."""

from __future__ import annotations

import os
import sys
import urllib.request

import psutil
import pytest

from mop_locust.commands import null_target as module
from mop_locust.commands.null_target import null_target


def test_it_answers_while_it_is_asked_for_and_ends_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """On loopback, with the key of the demo whatever the environment says."""
    monkeypatch.setenv("MOP_SERVER_KEY", "another")
    before = set(psutil.Process(os.getpid()).children())
    with null_target() as (http, websocket):
        assert (http[:17], http[-4:], websocket[:15], websocket[-3:]) == ("http://127.0.0.1:", "/mcp", "ws://127.0.0.1:", "/ws")
        with urllib.request.urlopen(http.replace("/mcp", "/counts"), timeout=10) as answer:
            assert answer.status == 200
        assert len(set(psutil.Process(os.getpid()).children()) - before) == 1
    assert set(psutil.Process(os.getpid()).children()) - before == set()


def test_one_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is an OSError, and leaves nothing behind."""
    monkeypatch.setattr(module.sys, "executable", "/bin/true")
    assert sys.executable == "/bin/true"
    with pytest.raises(OSError, match="the embedded server did not start"), null_target():
        pass


def test_one_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time, which is none here."""
    monkeypatch.setattr(module, "END_SECONDS", 0.0)
    with null_target():
        (server,) = psutil.Process(os.getpid()).children()
    assert not server.is_running()
