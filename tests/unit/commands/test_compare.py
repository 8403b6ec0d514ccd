"""`mop-locust compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mop_locust.cli import main
from tests.unit.commands.old_runs import write_runs
from tests.unit.compare.test_result import runs
from tests.unit.report.sample_summary import red_summary


@pytest.fixture
def sides(tmp_path: Path) -> tuple[str, str]:
    """Two folders of five runs each under the same conditions, the new ones 5 ms slower in their sessions."""
    write_runs(tmp_path / "base", runs("base"))
    write_runs(tmp_path / "new", runs("base", slower_ms=5.0))
    return str(tmp_path / "base"), str(tmp_path / "new")


def test_worse_ends_with_3_and_better_with_0(sides: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The table is printed, and written as JSON and Markdown where that is asked for."""
    files = [str(tmp_path / "c.json"), str(tmp_path / "c.md")]
    assert main(["compare", *sides, "--json", files[0], "--markdown", files[1]]) == 3
    assert "WORSE: 3 worse, 0 better, " in capsys.readouterr().out
    told = json.loads(Path(files[0]).read_bytes())
    assert len(told["base"]["runs"]) == len(told["new"]["runs"]) == 5
    assert Path(files[1]).read_text().startswith("### WORSE: 3 worse, ")
    assert main(["compare", *sides[::-1]]) == 0
    assert "BETTER: 0 worse, 3 better, " in capsys.readouterr().out


def test_the_least_difference_can_be_chosen(sides: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """5 ms of 15 are less than 50 %, and less than 10 ms."""
    assert main(["compare", *sides, "--min-share", "0.5"]) == 0
    assert main(["compare", *sides, "--min-ms", "10"]) == 0
    assert main(["compare", *sides, "--alpha", "0.001"]) == 0
    assert "too few runs: 5 and 5; 8 and 8 are needed beside 3 measures that vary" in capsys.readouterr().out


def test_other_conditions_are_refused_and_named(
    sides: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each of them, unless told otherwise; then they are told all the same."""
    others: dict[str, Any] = runs("new")
    for summary in others.values():
        summary["run"]["users"] = 40
    write_runs(tmp_path / "others", others)
    argv = ["compare", sides[0], str(tmp_path / "others")]
    assert main(argv) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("mop-locust compare: nothing was compared:\n")
    assert "  users: 20 in the base, 40 in the new runs (--allow-different compares all the same)\n" in told.err
    assert "  host: not given in the base, load-1 " in told.err
    assert main([*argv, "--allow-different"]) == 0
    assert "not alike, and allowed: users: 20 in the base, 40 in the new runs" in capsys.readouterr().out


def test_runs_that_are_not_valid_are_refused(sides: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Incomplete ones always, degraded ones unless they are allowed."""
    degraded: dict[str, Any] = runs("base")
    next(iter(degraded.values()))["verdict"] |= {"validity": "degraded", "reasons": ["late"]}
    write_runs(tmp_path / "degraded", degraded)
    argv = ["compare", sides[0], str(tmp_path / "degraded")]
    assert main(argv) == 2
    assert f"{tmp_path}/degraded/0: the run is degraded: late; --allow-degraded takes degraded runs\n" in capsys.readouterr().err
    assert main([*argv, "--allow-degraded"]) == 0
    write_runs(tmp_path / "degraded", {"lost": red_summary()})
    assert main([*argv, "--allow-degraded"]) == 2
    assert f"{tmp_path}/degraded/lost: the run is incomplete: worker 1 was lost" in capsys.readouterr().err


def test_all_mistakes_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Folders without runs, limits out of range."""
    limits = ["--min-share", "-1", "--min-ms", "nan", "--min-rate", "2", "--alpha", "0"]
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), *limits]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0].strip() for line in lines[3:]] == ["--min-share", "--min-ms", "--min-rate", "--alpha"]
    assert len(lines) == 7


def test_a_run_cannot_stand_on_both_sides(sides: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """It would be compared with itself."""
    assert main(["compare", sides[0], sides[0] + "/0"]) == 2
    assert "base/0 stands on both sides" in capsys.readouterr().err


def test_more_runs_than_can_be_counted(tmp_path: Path, sides: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """31 of them."""
    write_runs(tmp_path / "many", runs("base", number=31))
    assert main(["compare", sides[0], str(tmp_path / "many")]) == 2
    assert "new: 31 runs; at most 30 can be counted exactly" in capsys.readouterr().err


def test_a_file_that_cannot_be_written(sides: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Ends with 2, though the table is there."""
    assert main(["compare", *sides, "--json", str(tmp_path / "no" / "c.json")]) == 2
    told = capsys.readouterr()
    assert "WORSE: " in told.out
    assert "c.json: No such file or directory" in told.err
