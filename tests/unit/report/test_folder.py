"""The folder of a run."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from mop_locust.report import folder as folder_module
from mop_locust.report.document import read_summary
from mop_locust.report.folder import RunFolder
from tests.unit.report.sample_summary import HOSTILE, green_summary, hostile_summary, red_summary

STARTED = datetime(2026, 11, 22, 14, 46, 0, tzinfo=UTC)
FILES = ["junit.xml", "manifest.json", "report.html", "server.csv", "summary.json", "summary.md", "windows.csv"]


def names(path: Path) -> list[str]:
    """What lies in a folder, hidden files too."""
    return sorted(entry.name for entry in path.iterdir())


def test_it_is_named_after_time_and_scenario(tmp_path: Path) -> None:
    """In UTC, whatever the zone of the clock; the reports folder is made too."""
    reports = tmp_path / "some" / "reports"
    folder = RunFolder.create(reports, "tools_call_rps", STARTED.astimezone(timezone(timedelta(hours=9))))
    assert folder.path == reports / "20261122T144600Z-tools_call_rps"
    assert names(folder.path) == []
    assert repr(folder) == f"<RunFolder {folder.path}>"


def test_a_second_one_in_the_same_second_gets_a_number(tmp_path: Path) -> None:
    """And a third one the next."""
    paths = [RunFolder.create(tmp_path, "mixed", STARTED).path.name for _ in range(3)]
    assert paths == ["20261122T144600Z-mixed", "20261122T144600Z-mixed-2", "20261122T144600Z-mixed-3"]


def test_it_gives_up_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop has a bound."""
    monkeypatch.setattr(folder_module, "_MOST_IN_ONE_SECOND", 2)
    RunFolder.create(tmp_path, "mixed", STARTED)
    RunFolder.create(tmp_path, "mixed", STARTED)
    with pytest.raises(FileExistsError, match="holds 2 folders named 20261122T144600Z-mixed already"):
        RunFolder.create(tmp_path, "mixed", STARTED)


@pytest.mark.parametrize(
    ("scenario", "name"),
    [("../../etc/passwd", "etc-passwd"), ("a b\x00c/d", "a-b-c-d"), ("..", "run"), ("", "run"), ("x" * 99, "x" * 60)],
)
def test_a_scenario_cannot_choose_another_place(scenario: str, name: str, tmp_path: Path) -> None:
    """Only letters, digits, points, dashes and underscores reach the path."""
    assert RunFolder.create(tmp_path, scenario, STARTED).path == tmp_path / f"20261122T144600Z-{name}"


def test_a_reports_folder_that_cannot_be_made_is_known_at_once(tmp_path: Path) -> None:
    """Before the run, not after it."""
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(OSError, match="exists"):
        RunFolder.create(tmp_path / "reports", "mixed", STARTED)


def test_it_writes_every_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    """The manifest holds the hash of each of the others."""
    written = RunFolder.create(tmp_path, "tools_call_rps", STARTED).write(green_summary())
    assert written == (tmp_path / "20261122T144600Z-tools_call_rps", [])
    assert names(written.path) == FILES
    assert read_summary(written.path / "summary.json") == green_summary()
    manifest = json.loads((written.path / "manifest.json").read_bytes())
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == {
        name: hashlib.sha256((written.path / name).read_bytes()).hexdigest() for name in FILES if name != "manifest.json"
    }


def test_everything_can_be_made_again_from_the_summary(tmp_path: Path) -> None:
    """Byte for byte, in a folder that was emptied."""
    first = RunFolder(tmp_path / "a").write(red_summary())
    again = RunFolder(tmp_path / "b").write(read_summary(first.path / "summary.json"))
    for name in FILES:
        assert (first.path / name).read_bytes() == (again.path / name).read_bytes()


def test_writing_again_replaces(tmp_path: Path) -> None:
    """Each file is the later one."""
    folder = RunFolder(tmp_path / "run")
    folder.write(green_summary())
    folder.write(red_summary())
    assert read_summary(folder.path / "summary.json") == red_summary()
    assert names(folder.path) == FILES


def test_what_cannot_be_written_is_named_and_takes_nothing_with_it(tmp_path: Path) -> None:
    """A folder where a file should be; half-written parts are gone, and the manifest knows what is missing."""
    folder = RunFolder(tmp_path)
    (tmp_path / "report.html").mkdir()
    (tmp_path / ".junit.xml.part").mkdir()
    written = folder.write(green_summary())
    assert written.failures == [
        "report.html could not be written: Is a directory.",
        "junit.xml could not be written: Is a directory.",
    ]
    assert names(tmp_path) == sorted([*set(FILES) - {"junit.xml"}, ".junit.xml.part"])
    assert sorted(json.loads((tmp_path / "manifest.json").read_bytes())["files"]) == [
        "server.csv",
        "summary.json",
        "summary.md",
        "windows.csv",
    ]


def test_a_full_disk_is_named_for_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier file stays whole, and no part is left behind."""
    folder = RunFolder(tmp_path)
    folder.write(green_summary())

    def full(_: int) -> None:
        raise OSError("no room")

    monkeypatch.setattr(os, "fsync", full)
    assert folder.write(red_summary()).failures == [
        f"{name} could not be written: no room."
        for name in ("summary.json", "report.html", "junit.xml", "summary.md", "windows.csv", "server.csv", "manifest.json")
    ]
    assert read_summary(tmp_path / "summary.json") == green_summary()
    assert names(tmp_path) == FILES


def test_a_folder_that_cannot_be_made_is_one_failure(tmp_path: Path) -> None:
    """It was there when the run began, and is a file now."""
    (tmp_path / "run").write_text("a file")
    written = RunFolder(tmp_path / "run").write(green_summary())
    assert written == (tmp_path / "run", [f"{tmp_path / 'run'} could not be made: File exists."])


def test_a_folder_that_was_removed_during_the_run_is_made_again(tmp_path: Path) -> None:
    """Somebody tidied up."""
    folder = RunFolder.create(tmp_path, "mixed", STARTED)
    folder.path.rmdir()
    assert folder.write(green_summary()).failures == []


def test_a_report_that_raises_is_named_and_the_others_stand(tmp_path: Path) -> None:
    """A wrong histogram in one window spoils what draws it, never the verdict."""
    summary = green_summary()
    summary["windows"][0]["series"]["call_latency{method:ping}"] = {"count": 1, "histogram": {"version": 9}}  # type: ignore[typeddict-item]
    written = RunFolder(tmp_path).write(summary)
    assert [failure.partition(":")[0] for failure in written.failures] == [
        "report.html could not be made",
        "windows.csv could not be made",
    ]
    assert "histogram version 9 is unknown" in written.failures[0]
    assert names(tmp_path) == ["junit.xml", "manifest.json", "server.csv", "summary.json", "summary.md"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_never_stop_the_reports(text: str, tmp_path: Path) -> None:
    """All files, all readable as UTF-8, and no escape sequence in those for people."""
    written = RunFolder(tmp_path).write(hostile_summary(text))
    assert written.failures == []
    for name in ("report.html", "summary.md", "junit.xml", "windows.csv"):
        content = (tmp_path / name).read_text("utf-8")
        assert "\x1b" not in content
        assert "\x9b" not in content
        assert "\u202e" not in content


def test_what_has_no_summary_cannot_be_made_again(tmp_path: Path) -> None:
    """It is named, and nothing is written."""
    assert RunFolder(tmp_path).remake(green_summary()).failures == ["summary.json could not be read: No such file or directory."]
    assert names(tmp_path) == []
