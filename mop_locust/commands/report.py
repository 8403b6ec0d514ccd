"""`mop-locust report`: makes every file of run folders again from their summaries."""

from __future__ import annotations

from collections.abc import Sequence

from mop_locust.commands.compare import refuse
from mop_locust.commands.folders import read_runs
from mop_locust.report.folder import RunFolder
from mop_locust.verdict.exit_codes import PASSED


def report(paths: Sequence[str]) -> int:
    """Makes the reports of these folders again; nothing is written when one of them cannot be read. Returns 0 or 2."""
    runs, mistakes = read_runs(paths)
    if mistakes:
        return refuse("report", "nothing was written", mistakes)
    for folder, summary in runs.items():
        written = RunFolder(folder).remake(summary)
        mistakes += [f"{folder}: {failure}" for failure in written.failures]
        print(folder / "report.html", flush=True)
    return refuse("report", "not written", mistakes) if mistakes else PASSED
