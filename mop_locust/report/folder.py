"""The folder of one run: the only part of the reports that touches the disk."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from mop_locust.report import html, junit, manifest, markdown, server_csv, windows_csv
from mop_locust.report.document import SummaryDocument, encode_summary

SUMMARY: Final = "summary.json"

# Every one of these can be made again from the summary.
_FILES: Final[dict[str, Callable[[SummaryDocument], str | bytes]]] = {
    "report.html": html.render,
    "junit.xml": junit.render,
    "summary.md": markdown.render,
    "windows.csv": windows_csv.render,
    "server.csv": server_csv.render,
}
_MOST_IN_ONE_SECOND: Final = 1000


class Written(NamedTuple):
    """Where the reports are, and a sentence for each that could not be written."""

    path: Path
    failures: list[str]


class RunFolder:
    """The folder of one run, new from `create` or an older one by its path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"<RunFolder {self.path}>"

    @classmethod
    def create(cls, reports: Path, scenario: str, started: datetime) -> RunFolder:
        """Make `<reports>/<UTC stamp>-<scenario>/`, with `-2`, `-3`, … behind it where there is one already.

        `started` is an aware time. Raises OSError where the folder cannot be made, so that it is known before the run.
        """
        reports.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", scenario)[:60].strip("-.") or "run"
        stem = f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{name}"
        for number in range(1, _MOST_IN_ONE_SECOND + 1):
            path = reports / (stem if number == 1 else f"{stem}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return cls(path)
        raise FileExistsError(f"{reports} holds {_MOST_IN_ONE_SECOND} folders named {stem} already")

    def write(self, summary: SummaryDocument) -> Written:
        """Write every report, each whole or not at all, over an earlier one; what fails is named and never raises.

        The verdict must stand whatever becomes of its reports, and one that fails must not take the others with it.
        """
        failures: list[str] = []
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return Written(self.path, [f"{self.path} could not be made: {_reason(error)}."])
        written: dict[str, bytes] = {}
        self._write_one(SUMMARY, lambda: encode_summary(summary), written, failures)
        return self._write_the_others(summary, written, failures)

    def remake(self, summary: SummaryDocument) -> Written:
        """Write every report again but the summary, which was read from here and stays as it is; errors as `write`."""
        try:
            written = {SUMMARY: (self.path / SUMMARY).read_bytes()}
        except OSError as error:
            return Written(self.path, [f"{SUMMARY} could not be read: {_reason(error)}."])
        return self._write_the_others(summary, written, [])

    def _write_the_others(self, summary: SummaryDocument, written: dict[str, bytes], failures: list[str]) -> Written:
        for name, render in _FILES.items():
            self._write_one(name, lambda render=render: render(summary), written, failures)  # type: ignore[misc]  # a lambda with a default has no type
        self._write_one("manifest.json", lambda: manifest.render(summary, written), written, failures)
        return Written(self.path, failures)

    def _write_one(self, name: str, render: Callable[[], str | bytes], written: dict[str, bytes], failures: list[str]) -> None:
        try:
            text = render()
            content = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
            _replace(self.path / name, content)
        except OSError as error:
            failures.append(f"{name} could not be written: {_reason(error)}.")
        except Exception as error:
            failures.append(f"{name} could not be made: {type(error).__name__}: {error}.")
        else:
            written[name] = content


def write_run(reports: Path, summary: SummaryDocument) -> Written:
    """Writes a new folder for a run; the verdict stands on the terminal and in the exit code even where that fails."""
    try:
        folder = RunFolder.create(reports, summary["run"]["scenario"], datetime.fromisoformat(summary["run"]["started"]))
    except OSError as error:
        return Written(reports, [f"no run folder could be made in {reports}: {error.strerror or error}"])
    return folder.write(summary)


def _replace(path: Path, content: bytes) -> None:
    """Put the content at the path in one step: a reader, or a full disk, never leaves half a file there."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
