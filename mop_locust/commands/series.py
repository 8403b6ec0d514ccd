"""Many runs into one folder, one line each: what `ab` and `release` are made of."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from mop_locust.commands.run import locust_run
from mop_locust.report.document import SummaryDocument, SummaryError, read_summary
from mop_locust.report.headline import verdict_words

NOT_FOR_THE_RUNS = ("-H", "--host", "--mop-base-url", "--mop-http-base", "--mop-reports")


class NoSummary(Exception):
    """A run that left no summary, or was stopped by hand; `code` is how it ended, the text says what is known."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Series:
    """Runs of some scenarios into one folder, each started as `mop-locust run` would; what they print is kept in `runs.log`."""

    def __init__(self, folder: Path, workers: int, options: Sequence[str]) -> None:
        self.folder = folder
        self._workers = workers
        self._options = list(options)

    def run(self, file: Path, into: str, options: Sequence[str] = (), **variables: str) -> tuple[Path, SummaryDocument]:
        """Runs a scenario once; returns the run's folder, which lies in the folder `into`, and its summary; NoSummary."""
        reports = self.folder / into
        reports.mkdir(parents=True, exist_ok=True)
        before = set(reports.iterdir())
        words = [*self._options, *options]
        workers = ["--workers", str(self._workers)] if self._workers else []
        typed = ["mop-locust", "run", str(file), *workers, *words]
        with (self.folder / "runs.log").open("ab", buffering=0) as log:
            log.write(f"\n$ {shlex.join(typed)}\n".encode())
            code = locust_run(file, self._workers, words, typed, log, MOP_REPORTS=str(reports), **variables)
        made = [path for path in set(reports.iterdir()) - before if (path / "summary.json").is_file()]
        if len(made) != 1:
            raise NoSummary(f"a run of {file.stem} ended with {code} and without a summary; see {self.folder / 'runs.log'}", code)
        try:
            summary = read_summary(made[0] / "summary.json")
        except SummaryError as error:
            raise NoSummary(str(error), code) from None
        if summary["run"]["stopped_by"] == "user":
            raise NoSummary(f"stopped by hand during a run of {file.stem}; what was run lies in {self.folder}", code)
        return made[0], summary


def told(summary: SummaryDocument) -> str:
    """The verdict of a run in a few words, with how much it did."""
    calls = summary["metrics"].get("calls", {"count": 0})
    return f"{verdict_words(summary)}, {calls['count']:,} calls"


def option_mistakes(options: Sequence[str], refused: Sequence[str]) -> list[str]:
    """A sentence for each option that the command sets itself."""
    given = {word.partition("=")[0] for word in options}
    given |= {word[:2] for word in options if word.startswith("-H")}
    return [f"{name}: this command sets it itself" for name in refused if name in given]


def number_mistakes(name: str, text: str, least: int, most: int) -> list[str]:
    """A sentence when the text is no whole number in this range."""
    if text.isdecimal() and least <= int(text) <= most:
        return []
    return [f"{name}: {text!r} is out of range or no number; allowed: a whole number from {least} to {most}"]
