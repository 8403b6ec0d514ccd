"""`mop-locust release`, with runs that are written instead of made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from mop_locust.cli import main
from mop_locust.commands import series
from mop_locust.commands.places import THE_THREE
from mop_locust.report.folder import RunFolder
from tests.unit.report.sample_summary import told_summary


class Runs:
    """Stands in for Locust; `change` changes the summary of a run by its number."""

    def __init__(self) -> None:
        self.given: list[tuple[str, list[str], dict[str, str]]] = []
        self.change: dict[int, Any] = {}

    def __call__(
        self, file: Path, workers: int, options: Sequence[str], typed: Sequence[str], output: IO[bytes], **variables: str
    ) -> int:
        self.given.append((file.stem, list(options), variables))
        number = len(self.given)
        summary: Any = told_summary()
        summary["run"] |= {
            "scenario": file.stem,
            "started": f"2026-11-22T14:{number:02}:00Z",
            "ended": f"2026-11-22T15:{number:02}:00Z",
        }
        summary["metrics"]["calls"]["count"] = 6002 * number
        if number in self.change:
            self.change[number](summary)
        RunFolder(Path(variables["MOP_REPORTS"]) / f"run-{number}").write(summary)
        return int(summary["verdict"]["exit_code"])


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """No Locust is started."""
    runs = Runs()
    monkeypatch.setattr(series, "locust_run", runs)
    return runs


def test_all_scenarios_run_three_times_in_turn(made: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the folder has the table for people, the same for programs, and every run."""
    argv = ["release", "--server-commit", "0123abc", "--mop-reports", str(tmp_path), "-t", "3s"]
    assert main(argv) == 0
    assert [stem for stem, _, _ in made.given] == list(THE_THREE) * 3
    assert made.given[0][1] == ["-t", "3s", "--server-commit", "0123abc"]
    assert made.given[0][2]["MOP_ALLOW_DEGRADED"] == ""
    (folder,) = tmp_path.iterdir()
    assert folder.name.endswith("Z-release")
    assert sorted(path.name for path in folder.iterdir()) == ["release.json", "release.md", "runs", "runs.log"]
    told = json.loads((folder / "release.json").read_bytes())
    assert told["server_commit"] == "0123abc"
    assert [one["scenario"] for one in told["scenarios"]] == list(THE_THREE)
    assert told["scenarios"][0]["runs"] == ["runs/run-1", "runs/run-4", "runs/run-7"]
    assert told["scenarios"][0]["calls_per_second"] == {"median": 400.0, "least": 100.0, "most": 700.0}
    assert (told["started"], told["ended"]) == ("2026-11-22T14:01:00Z", "2026-11-22T15:09:00Z")
    printed = capsys.readouterr().out
    assert (folder / "release.md").read_text() in printed
    assert printed.endswith(f"\n{folder}\n")


@pytest.mark.parametrize("validity", ["degraded", "incomplete", "invalid"])
def test_a_run_that_is_not_valid_is_no_release(
    made: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str], validity: str
) -> None:
    """Ends with 4, says which and why, and writes no table."""
    made.change[2] = lambda summary: summary["verdict"].update(validity=validity, reasons=["late", "lost"])
    assert main(["release", "mixed", "--runs", "2", "--mop-reports", str(tmp_path)]) == 4
    (folder,) = tmp_path.iterdir()
    assert f"no release; the runs lie in {folder}:\n  runs/run-2: the run is {validity}: late; lost\n" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["runs", "runs.log"]


def test_the_commit_must_be_known(made: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is seen after the first round; one scenario that knows it is enough."""

    def unknown(summary: Any) -> None:
        summary["provenance"]["server_commit"] = {"hash": None, "obtained": "unknown"}

    made.change = dict.fromkeys(range(1, 5), unknown)
    assert main(["release", "mixed", "tools_call_rps", "--mop-reports", str(tmp_path)]) == 2
    assert "the server's commit is unknown: give it with --server-commit or MOP_SERVER_COMMIT" in capsys.readouterr().err
    assert len(made.given) == 2
    made.given.clear()
    made.change = {1: unknown}
    assert main(["release", "mixed", "tools_call_rps", "--runs", "1", "--mop-reports", str(tmp_path)]) == 0


def test_the_server_must_stay_the_same(made: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its commit, and its version."""

    def other(summary: Any) -> None:
        summary["provenance"]["server_commit"]["hash"] = "fedcba9"
        summary["run"]["server"]["version"] = "9.9"

    made.change[2] = other
    assert main(["release", "mixed", "--runs", "2", "--mop-reports", str(tmp_path)]) == 4
    told = capsys.readouterr().err
    assert "the runs saw different server commits: 0123abc, fedcba9" in told
    assert "the runs saw different servers: meta-orchestration-protocol 0.1.4, meta-orchestration-protocol 9.9" in told


def test_crossed_thresholds_are_told_and_end_with_3(made: Runs, tmp_path: Path) -> None:
    """A release can be bad; its figures stand."""
    made.change[1] = lambda summary: summary["verdict"].update(state="CROSSED", exit_code=3)
    assert main(["release", "mixed", "--runs", "2", "--mop-reports", str(tmp_path)]) == 3
    (folder,) = tmp_path.iterdir()
    assert "| CROSSED, PASSED |" in (folder / "release.md").read_text()


def test_all_mistakes_are_told_before_anything_is_started(made: Runs, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Scenarios, numbers, and an option that would weaken it."""
    assert main(["release", "nonsuch", "--runs", "0", "--workers", "-1", "--allow-degraded"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "mop-locust release: nothing was started:"
    assert [line.split()[0] for line in lines[1:]] == ["--runs:", "--workers:", "--allow-degraded:", "no"]
    (tmp_path / "file").write_text("")
    assert main(["release", "--mop-reports", str(tmp_path / "file")]) == 2
    assert made.given == []


def test_stopped_by_hand(made: Runs, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """No other run is started, and nothing is released."""
    made.change[1] = lambda summary: (summary["run"].update(stopped_by="user"), summary["verdict"].update(exit_code=4))
    assert main(["release", "--mop-reports", str(tmp_path)]) == 4
    assert "stopped by hand" in capsys.readouterr().err
    assert len(made.given) == 1
