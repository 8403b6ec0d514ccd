"""`mop-locust keygen`: a file that its owner alone can read, and never over another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop_locust.commands.keygen import keygen
from mop_locust.config import read_cluster_key


def test_a_key_file_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Into a folder that is made; the key stands in the file and nowhere else."""
    file = tmp_path / "keys" / "cluster.key"
    assert keygen(str(file.parent)) == 0
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    key = read_cluster_key({"MOP_CLUSTER_KEY_FILE": str(file)})
    assert key is not None
    captured = capsys.readouterr()
    assert captured.out == f"{file}: give it to the master and to each worker as MOP_CLUSTER_KEY_FILE\n"
    assert key.secret not in captured.out + captured.err


def test_a_key_that_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cluster.key").write_text("old")
    assert keygen(str(tmp_path)) == 2
    assert (tmp_path / "cluster.key").read_text() == "old"
    assert "exists and stays as it is" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert keygen(str(tmp_path / "file" / "keys")) == 2
    assert "cannot be written: Not a directory" in capsys.readouterr().err
