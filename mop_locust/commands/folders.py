"""Run folders by their paths: each path is a run folder, or a folder that holds some."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mop_locust.report.document import SummaryDocument, SummaryError, read_summary

SUMMARY = "summary.json"


def read_runs(paths: Sequence[str]) -> tuple[dict[Path, SummaryDocument], list[str]]:
    """Returns the summaries by their folders, oldest first within a path, and a sentence for each that cannot be read."""
    runs: dict[Path, SummaryDocument] = {}
    mistakes = []
    for path in paths:
        found = _folders(Path(path))
        if not found:
            mistakes.append(f"{path!r} is neither a run folder nor holds any: there is no {SUMMARY} in it or one below it")
        for folder in found:
            try:
                runs[folder] = read_summary(folder / SUMMARY)
            except SummaryError as error:
                mistakes.append(str(error))
    return runs, mistakes


def _folders(path: Path) -> list[Path]:
    if (path / SUMMARY).is_file():
        return [path]
    return sorted(file.parent for file in path.glob(f"*/{SUMMARY}")) if path.is_dir() else []
