"""`mop-locust master` and `worker`: what they start, and what they refuse."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mop_locust.commands import hosts


class Started:
    """In place of a process: its command line, and the code that it ends with."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.words: list[str] = []
        self.processes = 0

    def start(self, command: Sequence[str], typed: Sequence[str]) -> Started:
        """Keeps the command line, without the interpreter and the path of the file."""
        self.processes += 1
        self.words = [word.rpartition("/")[2] for word in command[1:]]
        return self

    def wait(self, *_: Started) -> int:
        """The code."""
        return self.code


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Nothing is really started."""
    process = Started()
    monkeypatch.setattr(hosts, "start", process.start)
    monkeypatch.setattr(hosts, "wait", process.wait)
    return process


HEADLESS = ["--headless", "--only-summary", "--loglevel", "WARNING"]


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ([], ["mixed.py", *HEADLESS, "--master"]),
        (["tools_call_rps", "-u", "5"], ["tools_call_rps.py", *HEADLESS, "--master", "-u", "5"]),
        (["-u", "5", "--ui"], ["mixed.py", "--master", "-u", "5"]),
    ],
)
def test_a_master(words: list[str], command: list[str], started: Started) -> None:
    """Headless unless the web UI is asked for."""
    assert hosts.master(words) == 0
    assert started.words == ["-m", "locust", "-f", *command]


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["10.0.0.1"], ["mixed.py", "--loglevel", "WARNING", "--worker", "--master-host", "10.0.0.1"]),
        (
            ["swarm.test:6000", "sse_keep_alive", "--processes", "3", "--tags", "a"],
            [
                "sse_keep_alive.py",
                *("--loglevel", "WARNING", "--worker", "--master-host", "swarm.test", "--master-port", "6000"),
                *("--tags", "a"),
            ],
        ),
    ],
)
def test_a_worker(words: list[str], command: list[str], started: Started) -> None:
    """Of a master that is named with or without a port."""
    assert hosts.worker(words) == 0
    assert started.processes == (3 if "--processes" in words else 1)
    assert started.words == ["-m", "locust", "-f", *command]


@pytest.mark.parametrize(("code", "of_master"), [(0, 0), (3, 3), (4, 4), (2, 2), (1, 2), (137, 2)])
def test_the_codes(code: int, of_master: int, started: Started) -> None:
    """A master's is that of its run, or 2; a worker judges nothing, and ends with its own."""
    started.code = code
    assert (hosts.master([]), hosts.worker(["host"])) == (of_master, code)


def test_what_cannot_be_started(started: Started, capsys: pytest.CaptureFixture[str]) -> None:
    """No master named, no such scenario, more than one."""
    assert [hosts.worker([]), hosts.worker(["--processes", "2"])] == [2, 2]
    assert [hosts.worker(["host", "nonsuch"]), hosts.master(["nonsuch"]), hosts.master(["all"])] == [2, 2, 2]
    assert started.words == []
    for number in ("0", "-2", "many"):
        with pytest.raises(SystemExit, match="2"):
            hosts.worker(["host", "--processes", number])
    told = capsys.readouterr().err
    assert told.count("no master named") == 2
    assert told.count("no scenario or file 'nonsuch'; there are federated_calls, mission, mixed, ") == 2
    assert "a master takes one scenario at a time" in told
