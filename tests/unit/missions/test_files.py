"""Mission files and folders of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop_locust.missions.files import MissionError, load, load_all, mission_files, read_file, remarks_on

from .real_server import MISSION


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two missions, and what is none."""
    (tmp_path / "b.yaml").write_text(MISSION)
    (tmp_path / "a.yml").write_text(MISSION.replace("id: search-guidance", "id: first"))
    (tmp_path / "notes.txt").write_text("not a mission")
    (tmp_path / "templates.yaml").mkdir()
    return tmp_path


def test_a_file_is_itself_and_a_folder_its_missions_by_name(folder: Path) -> None:
    """Other files and folders are passed over."""
    assert mission_files(folder / "b.yaml") == [folder / "b.yaml"]
    assert mission_files(folder) == [folder / "a.yml", folder / "b.yaml"]
    assert [mission.id for mission in load_all(folder).values()] == ["first", "search-guidance"]


def test_an_empty_folder(tmp_path: Path) -> None:
    """What was looked for is told."""
    with pytest.raises(MissionError, match=r"holds no mission: no file there ends with \.yaml or \.yml"):
        load_all(tmp_path)


def test_all_mistakes_of_all_files(folder: Path) -> None:
    """With file and line, flaws too; and files that cannot be read."""
    (folder / "a.yml").write_text(MISSION.replace("priority: 100", "priority: x").replace("enabled: true", "enabled: y", 1))
    (folder / "b.yaml").write_text(MISSION.replace("template_ids: [cite-sources]", "template_ids: [other]"))
    (folder / "c.yaml").write_bytes(b"\xff")
    with pytest.raises(MissionError) as caught:
        load_all(folder)
    lines = [
        MISSION.splitlines().index(line) + 1
        for line in ("    priority: 100", "    enabled: true", "      template_ids: [cite-sources]")
    ]
    assert [mistake.partition("; ")[0] for mistake in caught.value.mistakes] == [
        f"{folder}/a.yml, line {lines[0]}: templates[0].priority: is 'x'",
        f"{folder}/a.yml, line {lines[1]}: templates[0].enabled: is 'y'",
        f"{folder}/b.yaml, line {lines[2]}: rules[0].actions.template_ids[0]: there is no template 'other'",
        f"{folder}/c.yaml: is not UTF-8: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    ]
    assert str(caught.value) == "\n".join(caught.value.mistakes)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The reason, in the system's words."""
    with pytest.raises(MissionError, match=r"none\.yaml: No such file or directory"):
        load(tmp_path / "none.yaml")


def test_a_file_is_read_anew_when_it_changes(folder: Path) -> None:
    """What is kept goes by its text."""
    file = folder / "b.yaml"
    first = read_file(file)
    assert read_file(file) is first
    file.write_text(MISSION.replace("enabled: true", "enabled: false", 1) + "more: 1\n")
    assert remarks_on(file) == [
        f"line {len(MISSION.splitlines()) + 1}: more: no server knows this field",
        "template cite-sources is not enabled",
    ]
