"""`mop-locust ab`: runs a scenario against two servers in turn, and compares."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from mop_locust.commands.compare import read_limits, refusals, refuse, tell
from mop_locust.commands.places import UnknownScenario, find
from mop_locust.commands.series import NOT_FOR_THE_RUNS, NoSummary, Series, number_mistakes, option_mistakes, told
from mop_locust.compare.permutation import MOST
from mop_locust.compare.result import compare_runs
from mop_locust.config import ConfigError, with_host
from mop_locust.report.document import SummaryDocument
from mop_locust.report.folder import RunFolder
from mop_locust.verdict.exit_codes import CONFIGURATION, ExitCode

SIDES = ("a", "b")


def ab(chosen: argparse.Namespace, options: Sequence[str]) -> int:
    """Runs and compares; returns what `compare` does, or the code of a run that left no summary."""
    limits, mistakes = read_limits(chosen)
    files: list[Path] = []
    try:
        files = find([chosen.scenario])
    except UnknownScenario as error:
        mistakes.append(str(error))
    if len(files) > 1:
        mistakes.append(f"{chosen.scenario} is several scenarios; allowed: one")
    mistakes += number_mistakes("--runs", chosen.runs, 1, MOST) + number_mistakes("--workers", chosen.workers, 0, 1000)
    mistakes += option_mistakes(options, NOT_FOR_THE_RUNS)
    for side in SIDES:
        try:
            with_host({}, getattr(chosen, side), ())
        except ConfigError as error:
            mistakes += [f"--{side}: {mistake.partition(': ')[2]}" for mistake in error.mistakes]
    if mistakes:
        return refuse("ab", "nothing was started", mistakes)
    try:
        reports = Path(chosen.mop_reports or os.environ.get("MOP_REPORTS") or "reports")
        folder = RunFolder.create(reports, f"ab-{files[0].stem}", datetime.now(UTC)).path
    except OSError as error:
        return refuse("ab", "nothing was started", [f"no folder could be made: {error.strerror or error}"])
    series = Series(folder, int(chosen.workers), options)
    found: dict[str, dict[Path, SummaryDocument]] = {side: {} for side in SIDES}
    for number, side in order(int(chosen.runs)):
        print(f"  {side} {number} of {chosen.runs}   ", end="", flush=True)
        # -H stands back behind these variables, which would send both sides to one server.
        try:
            run, summary = series.run(files[0], side, ["-H", getattr(chosen, side)], MOP_BASE_URL="", MOP_HTTP_BASE="")
        except NoSummary as error:
            print("no summary", flush=True)
            refuse("ab", "not compared", [str(error)])
            return error.code if error.code in tuple(ExitCode) and error.code else CONFIGURATION
        print(told(summary), flush=True)
        found[side][run] = summary
    print(flush=True)
    mistakes = refusals(found["a"], found["b"], chosen)
    if mistakes:
        return refuse("ab", f"not compared; the runs lie in {folder}", mistakes)
    base, new = ({str(path): summary for path, summary in found[side].items()} for side in SIDES)
    chosen.json, chosen.markdown = str(folder / "comparison.json"), str(folder / "comparison.md")
    code = tell(compare_runs(base, new, limits), chosen)
    print(f"\n{folder}", flush=True)
    return code


def order(runs: int) -> list[tuple[int, str]]:
    """The runs in the order a b, b a, a b, …: what drifts on the machine reaches both sides alike."""
    return [(number + 1, side) for number in range(runs) for side in (SIDES if number % 2 == 0 else SIDES[::-1])]
