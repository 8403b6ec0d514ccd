"""Run folders on disk, and what the commands are given for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mop_locust.report.folder import RunFolder


def write_runs(parent: Path, summaries: dict[str, Any]) -> list[Path]:
    """A run folder for each summary, named by the last part of its key."""
    folders = []
    for name, summary in summaries.items():
        folder = parent / Path(name).name
        assert RunFolder(folder).write(summary).failures == []
        folders.append(folder)
    return folders


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}
