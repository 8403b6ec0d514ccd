"""`mop-locust run mission` without a target, with servers and runs that are written instead of made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from mop_locust.cli import main
from mop_locust.commands import mission as command
from mop_locust.commands import series
from mop_locust.commands.rig import NoRun
from mop_locust.commands.run import wants_servers
from mop_locust.report.folder import RunFolder
from tests.unit.missions.real_server import MISSION
from tests.unit.report.sample_summary import green_summary


class Runs:
    """Stands in for servers and Locust: each run leaves a folder, with the mission 1 ms slower; keeps what it was given."""

    def __init__(self) -> None:
        self.servers: list[tuple[str, Path | None]] = []
        self.given: list[tuple[list[str], dict[str, str]]] = []
        self.change: dict[int, dict[str, Any]] = {}
        self.no_server = False
        self.code = 0

    @contextmanager
    def own_server(self, binary: str, mission: Path | None, log: Path) -> Iterator[tuple[str, int]]:
        """A server that is not there."""
        if self.no_server:
            raise NoRun("the server did not start: it is broken")
        self.servers.append((binary, mission))
        yield "http://127.0.0.1:1", 77

    def locust_run(
        self, file: Path, workers: int, options: Sequence[str], typed: Sequence[str], output: IO[bytes], **variables: str
    ) -> int:
        """A run that is not made."""
        self.given.append((list(options), variables))
        summary: Any = green_summary()
        ms = 2.0 if variables["MOP_MISSION_EXPECT"] == "with" else 1.0
        name = "{rule:search-tools,scenario:mission}"
        figures = {"kind": "trend", "count": 600, "p50": ms, "p95": ms, "p99": ms, "mean": 100 * ms}
        summary["metrics"] |= {
            f"mission_latency{name}": {**figures, "unit": "ms"},
            f"mission_bytes{name}": {**figures, "unit": "bytes"},
        }
        for part, values in self.change.get(len(self.given), {}).items():
            summary[part] |= values
        if not self.code:
            RunFolder(Path(variables["MOP_REPORTS"]) / f"run-{len(self.given)}").write(summary)
        return self.code


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runs:
    """Nothing is started."""
    runs = Runs()
    monkeypatch.setattr(command, "own_server", runs.own_server)
    monkeypatch.setattr(series, "locust_run", runs.locust_run)
    for name in ("MOP_BASE_URL", "LOCUST_HOST", "MOP_MISSION_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOP_REPORTS", str(tmp_path / "reports"))
    return runs


@pytest.fixture
def mission(tmp_path: Path) -> Path:
    """A mission in a file."""
    path = tmp_path / "guidance.yaml"
    path.write_text(MISSION)
    return path


@pytest.mark.parametrize(
    ("scenarios", "options", "variables", "wants"),
    [
        (["mission"], [], {}, True),
        (["locustfiles/mission.py"], ["-u", "3"], {}, True),
        (["mission"], ["-H", "http://h"], {}, False),
        (["mission"], ["-Hhttp://h"], {}, False),
        (["mission"], ["--host=http://h"], {}, False),
        (["mission"], ["--mop-base-url", "ws://h/ws"], {}, False),
        (["mission"], [], {"MOP_BASE_URL": "ws://h/ws"}, False),
        (["mission"], [], {"LOCUST_HOST": "http://h"}, False),
        (["mission", "mixed"], [], {}, False),
        (["mixed"], [], {}, False),
    ],
)
def test_when_servers_of_our_own_are_wanted(
    made: Runs, monkeypatch: pytest.MonkeyPatch, scenarios: list[str], options: list[str], variables: dict[str, str], wants: bool
) -> None:
    """The mission scenario alone, without a target in any form."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wants_servers(scenarios, options) is wants


def test_the_sides_take_turns_and_one_table_is_made(
    made: Runs, mission: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fresh server each time; the runs are told the mission, the side and the server's process."""
    assert main(["run", "mission", "-u", "3", "--mop-mission-path", str(mission), "-t", "1s"]) == 0
    assert made.servers == [("", None), ("", mission), ("", mission), ("", None)] * 3
    options, variables = made.given[1]
    assert options == ["-u", "3", "-t", "1s", "-H", "http://127.0.0.1:1"]
    (folder,) = (tmp_path / "reports").iterdir()
    assert variables == {
        "MOP_REPORTS": str(folder / "guidance" / "with"),
        "MOP_MISSION_PATH": str(mission),
        "MOP_MISSION_EXPECT": "with",
        "MOP_SERVER_PID": "77",
        "MOP_HTTP_BASE": "",
    }
    out = capsys.readouterr().out
    assert out.startswith("mission   the embedded reference server, 6 pairs of runs without and with each mission\n")
    assert " ".join(out.split("\n\n")[1].splitlines()[1].split()) == (
        "search-guidance search-tools P50 1.000 ms 2.000 ms +1.000 ms +1.000 ms to +1.000 ms"
    )
    assert "PASSED: Every threshold held" in out
    document = json.loads((folder / "mission.json").read_bytes())
    assert (document["schema"], document["server"], len(document["costs"])) == (1, "the embedded reference server", 4)
    assert document["costs"][3]["change"] == 100.0
    assert "### What the mission costs, the embedded reference server" in (folder / "mission.md").read_text()


def test_a_folder_of_missions_and_a_binary(made: Runs, mission: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of their names; remarks on a file are said."""
    (mission.parent / "a.yml").write_text(MISSION.replace("id: search-guidance", "id: first") + "more: 1\n")
    words = [f"--mop-mission-path={mission.parent}", "--server-bin", "/bin/sh", "--runs", "1"]
    assert main(["run", "mission", *words]) == 0
    assert [binary for binary, _ in made.servers] == ["/bin/sh"] * 4
    assert [path and path.name for _, path in made.servers] == [None, "a.yml", None, "guidance.yaml"]
    out = capsys.readouterr().out
    assert "more: no server knows this field" in out
    rows = [line.split()[0] for line in out.split("\n\n")[1].splitlines()]
    assert rows == ["mission", *["first"] * 4, *["search-guidance"] * 4]


def test_the_worst_code_of_the_runs_counts(made: Runs, mission: Path) -> None:
    """A check that failed in one run makes the whole red."""
    made.change[2] = {"verdict": {"state": "CROSSED", "exit_code": 3, "sentence": "CROSSED: x."}}
    assert main(["run", "mission", "--mop-mission-path", str(mission), "--runs", "2"]) == 3
    made.given.clear()
    made.change[3] = {"verdict": {"validity": "invalid", "exit_code": 4}}
    assert main(["run", "mission", "--mop-mission-path", str(mission), "--runs", "2"]) == 4


def test_a_run_that_the_preflight_ends_is_the_last(made: Runs, mission: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The server runs without the mission: 4, and no table."""
    verdict = {"exit_code": 4, "sentence": "INVALID: the server runs without the mission."}
    made.change[2] = {"run": {"stopped_by": "preflight"}, "verdict": verdict}
    assert main(["run", "mission", "--mop-mission-path", str(mission)]) == 4
    assert len(made.given) == 2
    said = capsys.readouterr()
    assert f"{mission}: INVALID: the server runs without the mission.\n" in said.err
    assert "difference" not in said.out


def test_a_server_that_does_not_start(made: Runs, mission: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2, with its last words."""
    made.no_server = True
    assert main(["run", "mission", "--mop-mission-path", str(mission)]) == 2
    assert "the server did not start: it is broken" in capsys.readouterr().err


@pytest.mark.parametrize(("code", "ends"), [(2, 2), (4, 4), (1, 2)])
def test_a_run_without_a_summary(made: Runs, mission: Path, code: int, ends: int) -> None:
    """Its code, where it is one of ours."""
    made.code = code
    assert main(["run", "mission", "--mop-mission-path", str(mission)]) == ends


def test_ctrl_c(made: Runs, mission: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What was run lies in the folder."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "own_server", interrupted)
    assert main(["run", "mission", "--mop-mission-path", str(mission)]) == 2
    assert "stopped; what was run lies in" in capsys.readouterr().err


def test_all_mistakes_at_once(made: Runs, mission: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the command and of the mission; nothing is started."""
    mission.write_text(MISSION.replace("priority: 100", "priority: high"))
    words = ["--runs", "0", "--workers", "x", "--server-bin", "/none", "--mop-reports", "r", "--mop-mission-path", str(mission)]
    assert main(["run", "mission", *words]) == 2
    lines = [line.strip().partition(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "mop-locust run mission",
        "--runs",
        "--workers",
        "--mop-reports",
        "MOP_MISSION_PATH (--mop-mission-path)",
        "--server-bin",
    ]
    assert made.servers == []


@pytest.mark.parametrize(
    ("words", "told"), [([], "the scenario mission needs it"), (["--mop-mission-path", "/none"], "'/none' does not exist")]
)
def test_no_mission(made: Runs, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    """What is needed is said."""
    assert main(["run", "mission", *words]) == 2
    assert f"MOP_MISSION_PATH (--mop-mission-path): {told}; allowed: the path of a mission file" in capsys.readouterr().err


def test_reports_that_cannot_be_written(
    made: Runs, mission: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither before nor after."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("MOP_REPORTS", str(blocked))
    assert main(["run", "mission", "--mop-mission-path", str(mission)]) == 2
    assert "no folder could be made" in capsys.readouterr().err
    monkeypatch.setenv("MOP_REPORTS", str(tmp_path / "reports"))
    monkeypatch.setattr(command, "markdown_text", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert main(["run", "mission", "--mop-mission-path", str(mission), "--runs", "1"]) == 2
    assert "No space left on device" in capsys.readouterr().err


def test_the_options_of_the_pairs_belong_to_them(made: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    """With a target, or another scenario, they would mean nothing."""
    for words in (["mission", "--runs", "2", "-H", "http://h"], ["mixed", "--server-bin", "/bin/sh"]):
        with pytest.raises(SystemExit) as ended:
            main(["run", *words])
        assert ended.value.code == 2
        assert "--server-bin and --runs belong to mop-locust run mission without a target" in capsys.readouterr().err
