"""`make aa`: how often `mop-locust compare` finds a difference between runs of one and the same server.

    python -m benchmarks.aa [--groups 10] [--seconds 3]

40 comparisons of 6 with 6 runs. They come from 10 groups of 12 runs, one after the other against one embedded server, as `ab`
makes them. Each group is split in 4 ways that were fixed before: as `ab` orders its runs, by turns, in pairs, and the first half
against the second, as somebody does who measures before and after a change. Groups share no run; the 4 splits of a group do,
and are not independent of each other. Each comparison is made twice: with the limits that everybody has, and without a least
difference, which shows the statistics alone. At last a control: a slower server must be found worse, or all this proves nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.aa_table import Control, Outcome, Result, failed, render
from benchmarks.machine import machine, versions
from benchmarks.result import keep
from benchmarks.servers import ROOT, embedded
from benchmarks.whole import add_whole
from mop_locust.commands.ab import order
from mop_locust.commands.series import NoSummary, Series
from mop_locust.compare.comparison import Figures, Limits, compare
from mop_locust.compare.measures import measures

SCENARIO = "tools_call_rps"
RUNS = 6  # a side, as `ab` makes by default
SPLITS = {
    "as ab orders them": "".join(side for _, side in order(RUNS)),
    "by turns": "ab" * RUNS,
    "in pairs": ("aabb" * RUNS)[: 2 * RUNS],
    "before and after": "a" * RUNS + "b" * RUNS,
}
STATISTICS_ALONE = Limits(share=0.0, ms=0.0, rate=0.0)
ATTEMPTS = 3
CONTROL_DELAY = "5"  # ms that the control's second server holds each answer
OURS = ("MOP_", "LOCUST_")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures, keeps the result, prints its table; returns 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.aa", description=__doc__.partition("\n")[0])
    add_whole(parser, "--groups", 10, 1, 100)
    add_whole(parser, "--seconds", 3, 1, 60)
    options = parser.parse_args(argv)
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    about = {**machine(), "pinned": "the server on the first core"}
    began = datetime.now(UTC)
    folder = Path(tempfile.mkdtemp(prefix="mop-aa-"))
    try:
        outcomes, control = _measure(folder, options.groups, options.seconds)
    except NoSummary as error:
        print(f"no result: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    result = Result(
        date=began.isoformat(timespec="seconds"),
        minutes=round((datetime.now(UTC) - began).total_seconds() / 60, 1),
        machine=about,
        versions=versions(),
        scenario=SCENARIO,
        seconds=options.seconds,
        groups=options.groups,
        runs_a_side=RUNS,
        splits=SPLITS,
        outcomes=outcomes,
        control=control,
    )
    table = render(result)
    print(keep(f"aa-{began:%Y%m%dT%H%M%SZ}", msgspec.to_builtins(result), table).relative_to(ROOT))
    print(table)
    return 1 if failed(result) else 0


def _measure(folder: Path, groups: int, seconds: int) -> tuple[list[Outcome], Control]:
    series = Series(folder, 0, ["-t", f"{seconds}s"])
    outcomes: list[Outcome] = []
    with embedded() as server:
        for group in range(1, groups + 1):
            runs = [_run(series, f"group-{group}", server.base) for _ in range(2 * RUNS)]
            for split, sides in SPLITS.items():
                base = [run for run, side in zip(runs, sides, strict=True) if side == "a"]
                new = [run for run, side in zip(runs, sides, strict=True) if side == "b"]
                for limits, least in ((Limits(), True), (STATISTICS_ALONE, False)):
                    outcomes.append(_outcome(group, split, base, new, limits, least=least))
            alarms = sum(bool(one.alarms) for one in outcomes if one.group == group and one.least_difference)
            print(f"group {group} of {groups}: {alarms} false alarms in {len(SPLITS)} comparisons", file=sys.stderr, flush=True)
        with embedded("--delay", CONTROL_DELAY) as slower:
            found: dict[str, list[Figures]] = {"a": [], "b": []}
            for _, side in order(RUNS):
                found[side].append(_run(series, f"control-{side}", (server if side == "a" else slower).base))
    control = _outcome(0, "control", found["a"], found["b"], Limits(), least=True)
    return outcomes, Control(f"each answer held for {CONTROL_DELAY} ms", control.counts, control.alarms)


def _run(series: Series, into: str, url: str) -> Figures:
    """Runs once, and again where the run is not valid: `compare` would refuse it."""
    reasons: list[str] = []
    for _ in range(ATTEMPTS):
        _, summary = series.run(ROOT / "locustfiles" / f"{SCENARIO}.py", into, ["-H", url])
        if summary["verdict"]["validity"] == "valid":
            return measures(summary)
        reasons = summary["verdict"]["reasons"]
        print(f"a run is made again: {'; '.join(reasons)}", file=sys.stderr, flush=True)
    raise NoSummary(f"no valid run in {ATTEMPTS}: {'; '.join(reasons)}", 4)


def _outcome(group: int, split: str, base: Sequence[Figures], new: Sequence[Figures], limits: Limits, *, least: bool) -> Outcome:
    findings = compare(base, new, limits)
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.answer] = counts.get(finding.answer, 0) + 1
    alarms: dict[str, str] = {
        f"{finding.measure.label} {finding.measure.aggregation}": finding.answer
        for finding in findings
        if finding.answer in ("worse", "better")
    }
    tested = sum(finding.p is not None for finding in findings)
    return Outcome(group, split, least, tested, counts, alarms)


if __name__ == "__main__":
    sys.exit(main())
