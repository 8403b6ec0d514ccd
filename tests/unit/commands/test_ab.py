"""`mop-locust ab`, with runs that are written instead of made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from mop_locust.cli import main
from mop_locust.commands import series
from mop_locust.commands.ab import order
from mop_locust.report.folder import RunFolder
from tests.unit.report.sample_summary import green_summary, spread, trend


class Runs:
    """Stands in for Locust: each run leaves a folder, the sessions of `b` slower by so much; keeps what it was given."""

    def __init__(self, slower_ms: float = 0.0) -> None:
        self.slower_ms = slower_ms
        self.given: list[tuple[str, int, list[str], dict[str, str]]] = []
        self.code = 0
        self.change: dict[int, dict[str, Any]] = {}

    def __call__(
        self, file: Path, workers: int, options: Sequence[str], typed: Sequence[str], output: IO[bytes], **variables: str
    ) -> int:
        self.given.append((file.stem, workers, list(options), variables))
        assert typed[:3] == ["mop-locust", "run", str(file)]
        number = len(self.given)
        output.write(f"run {number}\n".encode())
        summary: Any = green_summary()
        summary["run"] |= {"id": f"run-{number}", "scenario": file.stem}
        slower = self.slower_ms if variables["MOP_REPORTS"].endswith("/b") else 0.0
        summary["metrics"]["session_duration"] = trend(spread(600, 14.0 + number / 100 + slower))
        change = self.change.get(number, {})
        for part, values in change.items():
            summary[part] |= values
        if change is not None and self.code == 0:
            RunFolder(Path(variables["MOP_REPORTS"]) / f"run-{number}").write(summary)
        return self.code


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """No Locust is started."""
    runs = Runs()
    monkeypatch.setattr(series, "locust_run", runs)
    return runs


A, B = "http://one:8000", "http://two:8000"


def test_the_sides_take_turns() -> None:
    """Each pair begins with the side that the one before ended with."""
    assert order(3) == [(1, "a"), (1, "b"), (2, "b"), (2, "a"), (3, "a"), (3, "b")]


def test_it_runs_both_and_compares(made: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each URL as -H, past variables that would send both to one; the runs, their output and the comparison are kept."""
    made.slower_ms = 5.0
    argv = ["ab", "tools_call_rps", "--a", A, "--b", B, "--runs", "5", "--workers", "2", "--mop-reports", str(tmp_path)]
    assert main([*argv, "-u", "5", "-t", "3s"]) == 3
    hosts = [options[options.index("-H") + 1] for _, _, options, _ in made.given]
    assert hosts == [A, B, B, A, A, B, B, A, A, B]
    assert {(stem, workers, tuple(options[:4])) for stem, workers, options, _ in made.given} == {
        ("tools_call_rps", 2, ("-u", "5", "-t", "3s"))
    }
    assert all(given["MOP_BASE_URL"] == given["MOP_HTTP_BASE"] == "" for *_, given in made.given)
    (folder,) = tmp_path.iterdir()
    assert folder.name.endswith("Z-ab-tools_call_rps")
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "comparison.json", "comparison.md", "runs.log"]
    assert len(list((folder / "a").iterdir())) == len(list((folder / "b").iterdir())) == 5
    log = (folder / "runs.log").read_text()
    assert log.count("\n$ mop-locust run ") == 10
    assert f"--workers 2 -u 5 -t 3s -H {A}\nrun 1\n" in log
    told = capsys.readouterr().out
    assert told.startswith("  a 1 of 5   PASSED, valid, 18,848 calls\n  b 1 of 5   PASSED, valid, ")
    assert "WORSE: 3 worse, 0 better, " in told
    assert told.endswith(f"\n{folder}\n")
    assert json.loads((folder / "comparison.json").read_bytes())["scenario"] == "tools_call_rps"


def test_six_runs_a_side_without_saying_so(made: Runs, tmp_path: Path) -> None:
    """And alike servers are the same."""
    assert main(["ab", "mixed", "--a", A, "--b", B, "--mop-reports", str(tmp_path)]) == 0
    assert len(made.given) == 12


def test_all_mistakes_are_told_before_anything_is_started(made: Runs, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The scenario, the URLs, the numbers, and the options that it sets itself."""
    argv = ["ab", "nonsuch", "--a", "ftp://h", "--b", "http://h h", "--runs", "31", "--workers", "x", "--alpha", "2"]
    assert main([*argv, "-H", "http://c", "--mop-http-base=http://d"]) == 2
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert lines[0] == "mop-locust ab: nothing was started:"
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "--alpha",
        (
            "no scenario or file 'nonsuch'; there are federated_calls, mission, mixed, "
            "sse_keep_alive, tools_call_rps, ws_connect_storm, all, "
            "or a locustfile of your own"
        ),
        "--runs",
        "--workers",
        "-H",
        "--mop-http-base",
        "--a",
        "--b",
    ]
    assert made.given == []
    assert main(["ab", "all", "--a", A, "--b", B, "--mop-reports", str(tmp_path)]) == 2
    assert "all is several scenarios; allowed: one" in capsys.readouterr().err


def test_a_run_without_a_summary_ends_it(made: Runs, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With the code of that run, and where to look."""
    made.code = 4
    assert main(["ab", "mixed", "--a", A, "--b", B, "--mop-reports", str(tmp_path)]) == 4
    told = capsys.readouterr()
    assert told.out == "  a 1 of 6   no summary\n"
    assert "a run of mixed ended with 4 and without a summary; see " in told.err
    assert len(made.given) == 1


def test_stopped_by_hand_it_starts_no_other_run(made: Runs, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Ctrl-C ends the run that goes on, and that is the last one."""
    made.change[2] = {"run": {"stopped_by": "user"}}
    assert main(["ab", "mixed", "--a", A, "--b", B, "--mop-reports", str(tmp_path)]) == 2
    assert "stopped by hand during a run of mixed" in capsys.readouterr().err
    assert len(made.given) == 2


def test_runs_that_cannot_be_compared_are_kept_and_named(made: Runs, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A degraded one, unless it is allowed."""
    made.change[3] = {"verdict": {"validity": "degraded", "reasons": ["late"]}}
    argv = ["ab", "mixed", "--a", A, "--b", B, "--runs", "4", "--mop-reports", str(tmp_path)]
    assert main(argv) == 2
    (folder,) = tmp_path.iterdir()
    assert f"not compared; the runs lie in {folder}:\n  {folder}/b/run-3: the run is degraded: late;" in capsys.readouterr().err
    made.given.clear()
    assert main([*argv, "--allow-degraded"]) == 0


def test_a_folder_that_cannot_be_made(made: Runs, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Is known before the first run."""
    (tmp_path / "file").write_text("")
    assert main(["ab", "mixed", "--a", A, "--b", B, "--mop-reports", str(tmp_path / "file")]) == 2
    assert "no folder could be made: " in capsys.readouterr().err
    assert made.given == []
