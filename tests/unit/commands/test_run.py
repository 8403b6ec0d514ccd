"""`mop-locust run`: what is refused before anything starts, and which code counts in the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from mop_locust.commands import run
from mop_locust.commands.run import TYPED, run_scenarios
from mop_locust.swarm.judging.provenance import TYPED as READ


class Started:
    """Stands in for the processes of a run: keeps what would be started, and gives these codes."""

    def __init__(self, *codes: int) -> None:
        self._codes = list(codes)
        self.runs: list[tuple[str, int, list[str]]] = []

    def __call__(self, file: Path, workers: int, options: Sequence[str]) -> int:
        self.runs.append((file.stem, workers, list(options)))
        return self._codes.pop(0)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Nothing may be started."""
    none = Started()
    monkeypatch.setattr(run, "_run", none)
    return none


def test_an_unknown_scenario_ends_with_2_and_the_list(started: Started, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is started, not even the scenarios that are known."""
    assert run_scenarios(["tools_call_rps", "nonsuch"], "0", []) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "mop-locust run: nothing was started:\n"
        "  no scenario or file 'nonsuch'; there are federated_calls, mission, mixed, "
        "sse_keep_alive, tools_call_rps, ws_connect_storm, all, "
        "or a locustfile of your own\n"
    )
    assert started.runs == []


@pytest.mark.parametrize("workers", ["", "-1", "two", "1.5", "1001", " 2"])
def test_a_number_of_workers_that_is_none_ends_with_2(started: Started, capsys: pytest.CaptureFixture[str], workers: str) -> None:
    """The sentence has the value and what is allowed."""
    assert run_scenarios(["mixed"], workers, []) == 2
    assert capsys.readouterr().err == (
        "mop-locust run: nothing was started:\n"
        f"  --workers: {workers!r} is not a number of workers; allowed: a whole number from 0 to 1000\n"
    )
    assert started.runs == []


def test_all_mistakes_are_told_at_once(started: Started, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each."""
    assert run_scenarios([], "many", []) == 2
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "mop-locust run: nothing was started:"
    assert second.startswith("  --workers: 'many' is not a number of workers")
    assert third.startswith("  no scenario named; there are federated_calls, mission, mixed, ")
    assert started.runs == []


@pytest.mark.parametrize(("codes", "worst"), [((0, 0, 0), 0), ((0, 3, 0), 3), ((3, 4, 0), 4), ((4, 3, 3), 4)])
def test_the_worst_code_of_the_scenarios_counts(monkeypatch: pytest.MonkeyPatch, codes: tuple[int, ...], worst: int) -> None:
    """One after the other, each with the same options; a red one does not keep the next from running."""
    runs = Started(*codes)
    monkeypatch.setattr(run, "_run", runs)
    assert run_scenarios(["all"], "2", ["-u", "5"]) == worst
    assert runs.runs == [(name, 2, ["-u", "5"]) for name in ("ws_connect_storm", "tools_call_rps", "sse_keep_alive")]


def test_what_was_given_wrong_ends_the_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as wrong for the scenarios behind."""
    runs = Started(3, 2)
    monkeypatch.setattr(run, "_run", runs)
    assert run_scenarios(["all"], "0", []) == 2
    assert len(runs.runs) == 2


@pytest.mark.parametrize(("code", "judged"), [(0, 0), (2, 2), (3, 3), (4, 4), (1, 2), (42, 2), (137, 2)])
def test_a_code_that_is_none_of_ours_means_that_nothing_was_judged(code: int, judged: int) -> None:
    """Locust's own 1, a crash, a kill."""
    assert run.judged(code) == judged


class Popen:
    """Stands in for subprocess.Popen: keeps each command with its environment, and ends with 0."""

    def __init__(self) -> None:
        self.started: list[tuple[list[str], dict[str, str]]] = []

    def __call__(self, command: list[str], *, env: dict[str, str], stdin: int, stdout: object) -> Popen:
        self.started.append((command, env))
        return self

    def wait(self, seconds: float | None = None) -> int:
        """It has ended."""
        return 0


@pytest.fixture
def popen(monkeypatch: pytest.MonkeyPatch) -> Popen:
    """No process is started."""
    starts = Popen()
    monkeypatch.setattr(run.subprocess, "Popen", starts)
    return starts


def test_the_processes_know_what_the_user_typed(popen: Popen) -> None:
    """For the manifest: the scenario, the workers, every option."""
    assert run_scenarios(["mixed"], "1", ["-u", "5"]) == 0
    assert [("--master" in command, "--worker" in command) for command, _ in popen.started] == [(True, False), (False, True)]
    for _, environment in popen.started:
        typed = json.loads(environment[TYPED])
        assert (typed[:2], typed[2].endswith("mixed.py")) == (["mop-locust", "run"], True)
        assert typed[3:] == ["--workers", "1", "-u", "5"]


def test_variables_are_given_and_an_empty_one_is_taken_out(popen: Popen, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the environment stays, empty values too."""
    monkeypatch.setenv("MOP_BASE_URL", "ws://h/ws")
    monkeypatch.setenv("MOP_API_KEY", "")
    assert run.locust_run(Path("a.py"), 0, [], ["x"], MOP_BASE_URL="", MOP_REPORTS="here") == 0
    ((command, environment),) = popen.started
    assert command[1:6] == ["-m", "locust", "-f", "a.py", "--headless"]
    assert "MOP_BASE_URL" not in environment
    assert (environment["MOP_REPORTS"], environment["MOP_API_KEY"]) == ("here", "")


def test_the_variable_is_the_one_that_is_read() -> None:
    """Two modules name it, since one must not import the other."""
    assert TYPED == READ
