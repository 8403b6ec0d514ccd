"""The command `mop-locust`: its subcommands, what each is given, and what `--help` does not import."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from mop_locust.cli import main
from tests.unit.client.memory import ROOT

DEAR = {"locust", "gevent", "requests", "jsonschema", "uvicorn", "uvloop", "websocket", "httptools", "yaml", "rich", "psutil"}


def imported(*argv: str) -> tuple[int, set[str]]:
    """The exit code of a command in a process of its own, and the packages that were loaded at its end."""
    program = (
        "import json, sys\n"
        "from mop_locust.cli import main\n"
        "try: code = main(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "print('\\n' + json.dumps([code, sorted({name.partition('.')[0] for name in sys.modules})]))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *argv], capture_output=True, text=True, cwd=ROOT, timeout=30, check=True
    )
    code, modules = json.loads(ended.stdout.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    "argv",
    [
        ["--help"],
        *([name, "--help"] for name in ("run", "serve", "thresholds", "prove", "report", "judge", "compare", "ab", "release")),
    ],
)
def test_help_imports_nothing_dear(argv: list[str]) -> None:
    """It answers at once, since no framework, no server and no HTTP client is loaded for it."""
    code, modules = imported(*argv)
    assert code == 0
    assert "mop_locust" in modules
    assert modules & DEAR == set()


def test_a_wrong_scenario_is_told_without_locust() -> None:
    """What is wrong is known before anything dear is needed."""
    code, modules = imported("run", "nonsuch")
    assert code == 2
    assert modules & DEAR == set()


def test_help_lists_the_subcommands(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its sentence."""
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    for name, sentence in {
        "run": "run scenarios and judge them",
        "serve": "start the embedded MOP server",
        "check": "look at the target without loading it",
        "thresholds": "explain and check thresholds",
        "prove": "show that each fault of a server turns a threshold red",
        "report": "make the reports of old runs again from their summaries",
        "judge": "judge old runs again, by other thresholds",
        "compare": "compare two groups of runs: better, worse, same, cannot tell",
        "ab": "run a scenario against two servers in turn, and compare",
        "release": "run all scenarios several times and write the folder of a formal release",
        "soak": "run for a long time and judge what drifts, of the server and of ourselves",
    }.items():
        assert f" {name} {sentence}" in told


@pytest.mark.parametrize(
    "argv", [[], ["nonsuch"], ["serve", "--nonsuch"], ["thresholds", "--nonsuch"], ["serve", "--port", "x"], ["judge"]]
)
def test_what_is_no_command_ends_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse ends."""
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: mop-locust")


class Called:
    """Stands in for a command: keeps its arguments and gives a code."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.arguments: tuple[Any, ...] = ()

    def __call__(self, *arguments: Any) -> int:
        self.arguments = arguments
        return self.code


@pytest.mark.parametrize(
    ("argv", "arguments"),
    [
        (["run", "all"], (["all"], "0", [])),
        (["run", "all", "--workers", "2"], (["all"], "2", [])),
        (
            ["run", "mixed", "--workers", "2", "-u", "300", "-t", "5m"],
            (["mixed"], "2", ["-u", "300", "-t", "5m"]),
        ),
        (["run", "a", "b.py", "--mop-threshold", "calls: count>0"], (["a", "b.py"], "0", ["--mop-threshold", "calls: count>0"])),
        (["run", "mixed", "--locust-help"], (["mixed"], "0", ["--help"])),
        (["run", "-u", "300", "mixed"], ([], "0", ["-u", "300", "mixed"])),
        (["run"], ([], "0", [])),
    ],
)
def test_run_hands_every_other_option_on_to_locust(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], arguments: tuple[Any, ...]
) -> None:
    """Scenarios, which stand first, and workers are its own; the code is the command's."""
    called = Called(3)
    monkeypatch.setattr("mop_locust.commands.run.run_scenarios", called)
    assert main(argv) == 3
    assert called.arguments == arguments


def test_each_other_command_gets_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ends with the code of its command; `check -h` is its own help."""
    check, thresholds, serve, prove = Called(2), Called(0), Called(1), Called(3)
    monkeypatch.setattr("mop_locust.commands.check.check", check)
    monkeypatch.setattr("mop_locust.commands.thresholds.explain_thresholds", thresholds)
    monkeypatch.setattr("mop_locust.server.run.main", serve)
    monkeypatch.setattr("mop_locust.commands.prove.prove", prove)
    assert main(["prove", "mixed", "--fault", "stall", "--fault", "500"]) == 3
    assert prove.arguments == (["mixed"], ["stall", "500"])
    assert main(["check", "-H", "http://h", "-h"]) == 2
    assert check.arguments == (["-H", "http://h", "-h"],)
    assert main(["thresholds", "mixed", "--mop-threshold", "a: rate<1", "--mop-threshold", "b: count>1"]) == 0
    assert thresholds.arguments == (["mixed"], ["a: rate<1", "b: count>1"])
    assert main(["serve", "--port", "0", "--dialect", "mcp"]) == 1
    assert (serve.arguments[0].port, serve.arguments[0].dialect) == (0, "mcp")


def test_the_commands_for_runs_get_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenarios stand first; what `ab` and `release` do not know is for the runs."""
    report, judge, compare, ab, release = Called(0), Called(3), Called(2), Called(3), Called(4)
    monkeypatch.setattr("mop_locust.commands.report.report", report)
    monkeypatch.setattr("mop_locust.commands.judge.judge_again", judge)
    monkeypatch.setattr("mop_locust.commands.compare.compare", compare)
    monkeypatch.setattr("mop_locust.commands.ab.ab", ab)
    monkeypatch.setattr("mop_locust.commands.release.release", release)
    assert main(["report", "a", "b"]) == 0
    assert report.arguments == (["a", "b"],)
    assert main(["judge", "a", "--mop-threshold", "x: rate<1"]) == 3
    assert judge.arguments == (["a"], ["x: rate<1"])
    assert main(["compare", "a", "b", "--min-ms", "2", "--json", "c.json"]) == 2
    chosen = compare.arguments[0]
    assert (chosen.base, chosen.new, chosen.min_ms, chosen.min_share, chosen.json) == ("a", "b", 2.0, 0.1, "c.json")
    assert main(["ab", "mixed", "--a", "A", "--b", "B", "-u", "5", "--runs", "7", "-t", "3s"]) == 3
    assert (ab.arguments[0].a, ab.arguments[0].b, ab.arguments[0].runs, ab.arguments[1]) == (
        "A",
        "B",
        "7",
        ["-u", "5", "-t", "3s"],
    )
    assert main(["release", "mixed", "x.py", "--runs", "2", "-u", "5", "--server-commit", "abc"]) == 4
    assert (release.arguments[0].runs, release.arguments[0].server_commit) == ("2", "abc")
    assert release.arguments[1:] == (["mixed", "x.py"], ["-u", "5"])
    assert main(["release", "-u", "5"]) == 4
    assert release.arguments[1:] == ([], ["-u", "5"])


def test_the_module_is_the_command() -> None:
    """`python -m mop_locust.cli` ends with its code."""
    ended = subprocess.run(
        [sys.executable, "-m", "mop_locust.cli", "run", "nonsuch"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert "no scenario or file 'nonsuch'" in ended.stderr
