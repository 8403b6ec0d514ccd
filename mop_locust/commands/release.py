"""`mop-locust release`: all scenarios several times, and the folder that a formal release asks for."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from mop_locust.commands.compare import refuse
from mop_locust.commands.places import UnknownScenario, find
from mop_locust.commands.series import NoSummary, Series, number_mistakes, option_mistakes, told
from mop_locust.report.document import SummaryDocument
from mop_locust.report.folder import RunFolder
from mop_locust.report.release import build, commit_of, mistakes, render
from mop_locust.verdict.exit_codes import CONFIGURATION, INVALID, ExitCode, worst

NEEDED = "the server's commit is unknown: give it with --server-commit or MOP_SERVER_COMMIT, or let the server tell it on /health"


def release(chosen: argparse.Namespace, scenarios: Sequence[str], options: Sequence[str]) -> int:
    """Runs all and writes `release.md` and `release.json`; returns 4 and writes neither when a run cannot be stood behind.

    Returns 2 when nothing could be run, or the commit stays unknown; else the worst code of the runs.
    """
    wrong = number_mistakes("--runs", chosen.runs, 1, 100) + number_mistakes("--workers", chosen.workers, 0, 1000)
    wrong += option_mistakes(options, ("--mop-reports", "--allow-degraded", "--mop-allow-degraded"))
    files: list[Path] = []
    try:
        files = find(scenarios or ["all"])
    except UnknownScenario as error:
        wrong.append(str(error))
    if wrong:
        return refuse("release", "nothing was started", wrong)
    try:
        reports = Path(chosen.mop_reports or os.environ.get("MOP_REPORTS") or "reports")
        folder = RunFolder.create(reports, "release", datetime.now(UTC)).path
    except OSError as error:
        return refuse("release", "nothing was started", [f"no folder could be made: {error.strerror or error}"])
    series = Series(
        folder, int(chosen.workers), [*options, *(["--server-commit", commit] if (commit := chosen.server_commit) else [])]
    )
    runs: dict[str, SummaryDocument] = {}
    for number in range(1, int(chosen.runs) + 1):
        for file in files:
            print(f"  {file.stem} {number} of {chosen.runs}   ", end="", flush=True)
            try:
                path, summary = series.run(file, "runs", MOP_ALLOW_DEGRADED="")
            except NoSummary as error:
                print("no summary", flush=True)
                refuse("release", "no release", [str(error)])
                return error.code if error.code in tuple(ExitCode) and error.code else CONFIGURATION
            print(told(summary), flush=True)
            runs[path.relative_to(folder).as_posix()] = summary
        if not commit_of(runs):
            return refuse("release", "no release", [NEEDED])
    if found := mistakes(runs):
        refuse("release", f"no release; the runs lie in {folder}", found)
        return INVALID
    made = build(runs)
    text = render(made)
    (folder / "release.json").write_bytes(made.to_json())
    (folder / "release.md").write_text(text)
    print(f"\n{text}\n{folder}", flush=True)
    return worst(run["verdict"]["exit_code"] for run in runs.values())
