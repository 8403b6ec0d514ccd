"""The suite in parts: nothing is left out, nothing is counted twice, a red part is a red suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.run_tests import TESTS, parts, run, totals

PASSES, FAILS = "def test_one(): pass\n", "def test_two(): assert 1 == 2\n"


def test_every_test_file_is_in_exactly_one_part() -> None:
    """Folders stand for all that is in them; the swarm's tests are a target of their own."""
    paths = [Path(path) for part in parts(TESTS).values() for path in part]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("test_*.py")))]
    assert len(files) == len(set(files))
    assert set(files) == {file for file in TESTS.rglob("test_*.py") if "swarm" not in file.relative_to(TESTS).parts[:1]}


def test_the_parts_are_run_told_and_added_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One green part and one red one."""
    (tmp_path / "test_green.py").write_text(PASSES + "import pytest\n@pytest.mark.skip\ndef test_three(): pass\n")
    (tmp_path / "test_red.py").write_text(PASSES + FAILS)
    chosen = {name: [str(tmp_path / f"test_{name}.py")] for name in ("green", "red")}
    assert run(chosen, tmp_path) == ["red"]
    assert totals(tmp_path / f"{name}.xml" for name in chosen) == {"passed": 2, "failed": 1, "skipped": 1}
    told = capsys.readouterr().out
    assert told.index("--- green") < told.index("--- red") < told.index("assert 1 == 2")
