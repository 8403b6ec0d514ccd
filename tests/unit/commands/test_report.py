"""`mop-locust report`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop_locust.cli import main
from tests.unit.commands.old_runs import content, write_runs
from tests.unit.report.sample_summary import dead_summary, red_summary, told_summary


def test_everything_is_made_again_byte_for_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the summary alone, of several folders; the summary itself is not touched."""
    folders = write_runs(tmp_path, {"a": red_summary(), "b": told_summary(), "c": dead_summary()})
    before = [content(folder) for folder in folders]
    for folder in folders:
        for file in folder.iterdir():
            if file.name != "summary.json":
                file.unlink()
    stamps = [(folder / "summary.json").stat().st_mtime_ns for folder in folders]
    assert main(["report", *map(str, folders)]) == 0
    assert [content(folder) for folder in folders] == before
    assert [(folder / "summary.json").stat().st_mtime_ns for folder in folders] == stamps
    assert capsys.readouterr().out == "".join(f"{folder}/report.html\n" for folder in folders)


def test_a_summary_of_a_later_version_loses_nothing(tmp_path: Path) -> None:
    """A member that this version does not know stays in it."""
    (folder,) = write_runs(tmp_path, {"a": red_summary()})
    text = (folder / "summary.json").read_bytes().replace(b'{\n"schema"', b'{\n"later": 1,\n"schema"')
    (folder / "summary.json").write_bytes(text)
    assert main(["report", str(tmp_path)]) == 0
    assert (folder / "summary.json").read_bytes() == text


def test_nothing_is_written_when_one_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All mistakes are told."""
    (folder,) = write_runs(tmp_path, {"a": red_summary()})
    (folder / "report.html").unlink()
    assert main(["report", str(folder), str(tmp_path / "x"), str(tmp_path / "y")]) == 2
    assert not (folder / "report.html").exists()
    told = capsys.readouterr().err
    assert told.startswith("mop-locust report: nothing was written:\n")
    assert told.count("is neither a run folder") == 2


def test_what_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And ends with 2, though the others are there."""
    (folder,) = write_runs(tmp_path, {"a": red_summary()})
    (folder / "junit.xml").unlink()
    (folder / "junit.xml").mkdir()
    (folder / "summary.md").unlink()
    assert main(["report", str(folder)]) == 2
    assert f"{folder}: junit.xml could not be written: Is a directory." in capsys.readouterr().err
    assert (folder / "summary.md").is_file()
