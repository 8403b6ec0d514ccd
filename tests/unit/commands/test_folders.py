"""Run folders by their paths."""

from __future__ import annotations

from pathlib import Path

from mop_locust.commands.folders import read_runs
from tests.unit.commands.old_runs import write_runs
from tests.unit.report.sample_summary import green_summary, red_summary


def test_a_path_is_a_run_or_holds_some(tmp_path: Path) -> None:
    """In the order of their names, which begin with their times; other folders and files are passed over."""
    two, one = write_runs(tmp_path / "runs", {"20270102-b": red_summary(), "20270101-a": green_summary()})
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "README.md").write_text("mine")
    runs, mistakes = read_runs([str(tmp_path / "runs")])
    assert (list(runs), mistakes) == ([one, two], [])
    assert runs[two] == red_summary()
    assert list(read_runs([str(two), str(one), str(two)])[0]) == [two, one]


def test_every_mistake_is_told(tmp_path: Path) -> None:
    """A folder without runs, a folder that is not there, a summary that is none."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "summary.json").write_text("{")
    runs, mistakes = read_runs([str(tmp_path / name) for name in ("empty", "nowhere", "broken")])
    assert runs == {}
    assert [mistake.partition(": ")[0] for mistake in mistakes[:2]] == [
        f"'{tmp_path}/{name}' is neither a run folder nor holds any" for name in ("empty", "nowhere")
    ]
    assert mistakes[2].startswith(f"{tmp_path}/broken/summary.json is not JSON: ")
