"""The server that a command starts for itself: the embedded one, or a program that takes `start --port N`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import psutil
import pytest

from mop_locust.commands import rig
from mop_locust.commands import served as module
from mop_locust.commands.served import NoServer, served

PROGRAM = f"""#!{sys.executable}
import os, socket, sys, time
assert sys.argv[1:3] == ["start", "--port"] and not [name for name in os.environ if name.startswith("MOP_")]
open(sys.argv[0] + ".pid", "w").write(str(os.getpid()))
{{then}}
"""
LISTENS = 'listener = socket.create_server(("127.0.0.1", int(sys.argv[3])))\ntime.sleep(60)'
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LISTENS


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong does so soon, and the load's own settings are there to be kept away."""
    monkeypatch.setattr(rig, "END_SECONDS", 0.3)
    monkeypatch.setenv("MOP_API_KEY", "secret")


def program(folder: Path, then: str) -> Path:
    """A program that does so once it was started as the MOP server is."""
    path = folder / "server"
    path.write_text(PROGRAM.format(then=then))
    path.chmod(0o755)
    return path


def test_the_embedded_server_answers_until_the_block_is_left() -> None:
    """In a process of its own, whose session Ctrl-C at a terminal does not reach."""
    with served("") as server:
        assert server.name == "the embedded server"
        assert server.variables["MOP_HTTP_BASE"] == f"http://{server.address}/mcp"
        assert server.variables["MOP_BASE_URL"] == f"ws://{server.address}/ws"
        assert server.variables["MOP_SERVER_PID"] == str(server.pid)
        with build_opener(ProxyHandler({})).open(f"http://{server.address}/health", timeout=10) as answer:
            assert json.load(answer)["status"] == "healthy"
        assert os.getsid(server.pid) == server.pid
    assert not psutil.pid_exists(server.pid)


@pytest.mark.parametrize("then", [LISTENS, DEAF])
def test_a_program_is_given_a_free_port_and_no_setting_of_the_load(tmp_path: Path, then: str) -> None:
    """One that does not end when it is told to is killed."""
    path = program(tmp_path, then)
    with served(str(path)) as server:
        assert (server.name, server.pid) == (str(path), int(path.with_suffix(".pid").read_text()))
        assert psutil.pid_exists(server.pid)
    assert not psutil.pid_exists(server.pid)


def test_a_program_that_ends_is_no_server(tmp_path: Path) -> None:
    """Which is told at once."""
    path = program(tmp_path, "")
    with pytest.raises(NoServer, match="did not listen: it takes `start --port N`, as the MOP server does"), served(str(path)):
        pass


def test_a_program_that_is_not_there_is_no_server(tmp_path: Path) -> None:
    """As the system says it."""
    with (
        pytest.raises(NoServer, match=r"nonsuch could not be started: No such file or directory"),
        served(str(tmp_path / "nonsuch")),
    ):
        pass


def test_an_embedded_server_that_says_nothing_did_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, if it is there at all."""
    monkeypatch.setattr(module, "START_SECONDS", 0.0)
    with pytest.raises(NoServer, match="the embedded server did not start"), served(""):
        pass


def test_the_embedded_server_takes_options_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """On loopback, with the key of the demo whatever the environment says."""
    monkeypatch.setenv("MOP_SERVER_KEY", "another")
    before = set(psutil.Process(os.getpid()).children())
    with served("", "--keep-alive-seconds", "0.1") as server:
        http, websocket = server.http, server.websocket
        assert (http[:17], http[-4:], websocket[:15], websocket[-3:]) == ("http://127.0.0.1:", "/mcp", "ws://127.0.0.1:", "/ws")
        with build_opener(ProxyHandler({})).open(http.replace("/mcp", "/counts"), timeout=10) as answer:
            assert answer.status == 200
        assert len(set(psutil.Process(os.getpid()).children()) - before) == 1
        assert psutil.Process(server.pid).cmdline()[-2:] == ["--keep-alive-seconds", "0.1"]
    assert set(psutil.Process(os.getpid()).children()) - before == set()


def test_an_embedded_server_that_ends_at_once_did_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is an OSError, and leaves nothing behind."""
    monkeypatch.setattr(module.sys, "executable", "/bin/true")
    assert sys.executable == "/bin/true"
    with pytest.raises(OSError, match="the embedded server did not start"), served(""):
        pass


def test_one_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time, which is none here."""
    monkeypatch.setattr(rig, "END_SECONDS", 0.0)
    with served(""):
        (server,) = psutil.Process(os.getpid()).children()
    assert not server.is_running()
