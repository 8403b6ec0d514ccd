"""`mop-locust soak`: what it starts, and what it refuses before."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mop_locust.cli import main
from mop_locust.commands import soak as module
from mop_locust.commands.served import NoServer, Served


class Started:
    """Stands in for the server and the run: keeps what would be started."""

    def __init__(self) -> None:
        self.programs: list[str] = []
        self.runs: list[tuple[str, int, list[str], list[str], dict[str, str]]] = []
        self.ended = 0
        self.raises: BaseException | None = None

    @contextmanager
    def server(self, program: str) -> Iterator[Served]:
        """A server that is none."""
        self.programs.append(program)
        try:
            yield Served(program or "the embedded server", "127.0.0.1:9", 4711)
        finally:
            self.ended += 1

    def run(self, file: Path, workers: int, options: Sequence[str], typed: Sequence[str], output: None, **variables: str) -> int:
        """A run that is none."""
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
        self.runs.append((file.stem, workers, list(options), list(typed), variables))
        if self.raises is not None:
            raise self.raises
        return 3


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Nothing is started, and no variable of the machine counts."""
    for name in ("MOP_SERVER_BIN", "MOP_SOAK_MINUTES", "MOP_SSE_ITERATIONS", *module.TARGET_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    stand_in = Started()
    monkeypatch.setattr(module, "served", stand_in.server)
    monkeypatch.setattr(module, "locust_run", stand_in.run)
    return stand_in


def test_by_default_all_scenarios_run_for_an_hour_against_the_embedded_server(
    started: Started, capsys: pytest.CaptureFixture[str]
) -> None:
    """With two workers, with streams that do not run out, and with its process watched."""
    before = signal.getsignal(signal.SIGTERM)
    assert main(["soak"]) == 3
    ((scenario, workers, options, typed, variables),) = started.runs
    assert (started.programs, scenario, workers, options) == ([""], "mixed", 2, ["-t", "3600s"])
    assert typed == ["mop-locust", "soak", "--minutes", "60", "--workers", "2"]
    assert variables == {
        "MOP_DRIFT": "1",
        "MOP_SSE_ITERATIONS": "1000000000",
        "MOP_API_KEY": "",
        "MOP_API_KEY_FILE": "",
        "MOP_HTTP_BASE": "http://127.0.0.1:9/mcp",
        "MOP_BASE_URL": "ws://127.0.0.1:9/ws",
        "MOP_SERVER_PID": "4711",
    }
    assert capsys.readouterr().out == "soak: the embedded server at 127.0.0.1:9, process 4711, for 60 minutes\n"
    assert started.ended == 1
    assert signal.getsignal(signal.SIGTERM) is before


def test_variables_name_the_server_the_minutes_and_the_streams(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given on the command line comes first."""
    monkeypatch.setenv("MOP_SERVER_BIN", "/opt/mop")
    monkeypatch.setenv("MOP_SOAK_MINUTES", "0.5")
    monkeypatch.setenv("MOP_SSE_ITERATIONS", "7")
    assert main(["soak", "tools_call_rps", "--workers", "0", "-u", "5"]) == 3
    assert main(["soak", "--minutes", "2"]) == 3
    (first, second) = started.runs
    assert (first[0], first[1], first[2]) == ("tools_call_rps", 0, ["-t", "30s", "-u", "5"])
    assert first[3] == ["mop-locust", "soak", "tools_call_rps", "--minutes", "0.5", "--workers", "0", "-u", "5"]
    assert "MOP_SSE_ITERATIONS" not in first[4]
    assert second[2] == ["-t", "120s"]
    assert started.programs == ["/opt/mop"] * 2


@pytest.mark.parametrize("words", [["-H", "http://h"], ["-Hhttp://h"], ["--host=http://h"], ["--mop-http-base", "http://h/mcp"]])
def test_a_target_that_is_named_is_taken(started: Started, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """No server is started, whatever MOP_SERVER_BIN says; its process can be given."""
    monkeypatch.setenv("MOP_SERVER_BIN", "/opt/mop")
    assert main(["soak", *words, "--server-pid", "12"]) == 3
    assert started.programs == []
    assert started.runs[0][2] == ["-t", "3600s", *words, "--server-pid", "12"]
    assert started.runs[0][4] == {"MOP_DRIFT": "1", "MOP_SSE_ITERATIONS": "1000000000"}


@pytest.mark.parametrize("name", module.TARGET_VARIABLES)
def test_a_variable_names_the_target_too(started: Started, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As for every other run."""
    monkeypatch.setenv(name, "http://h/mcp")
    assert main(["soak"]) == 3
    assert started.programs == []


def test_all_mistakes_are_told_at_once(started: Started, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is started."""
    assert main(["soak", "nonsuch", "--minutes", "soon", "--workers", "-1", "-t", "5m", "--mop-drift=0"]) == 2
    first, *others = capsys.readouterr().err.splitlines()
    assert first == "mop-locust soak: nothing was started:"
    assert [line.strip().partition(":")[0] for line in others[:-1]] == [
        "--minutes (MOP_SOAK_MINUTES)",
        "--workers",
        "-t",
        "--mop-drift",
    ]
    assert others[0].endswith("'soon' is out of range or no number; allowed: minutes from 0.1 to 10080")
    assert others[-1].strip().startswith("no scenario or file 'nonsuch'; there are ")
    assert (started.programs, started.runs) == ([], [])


@pytest.mark.parametrize("minutes", ["0", "0.05", "10081", "nan", "1h"])
def test_minutes_that_are_none(started: Started, minutes: str) -> None:
    """Six seconds to a week."""
    assert main(["soak", "--minutes", minutes]) == 2
    assert started.runs == []


def test_several_scenarios_are_not_one_soak(started: Started, capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other they would each be judged alone; mixed has them at once."""
    assert main(["soak", "all"]) == 2
    assert "all: a soak takes one locustfile; mixed is the three scenarios at once" in capsys.readouterr().err
    assert started.runs == []


@pytest.mark.parametrize(("raised", "said"), [(KeyboardInterrupt(), ""), (NoServer("/opt/mop is no program"), "/opt/mop is no")])
def test_what_never_came_to_a_run_ends_with_2(
    started: Started, capsys: pytest.CaptureFixture[str], raised: Any, said: str
) -> None:
    """A server that does not start says why; either way nothing is left running."""
    started.raises = raised
    assert main(["soak"]) == 2
    assert said in capsys.readouterr().err
    assert started.ended == 1
