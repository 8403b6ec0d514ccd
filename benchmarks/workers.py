"""Whether a second worker makes an exchange dearer: CPU an exchange of all processes, with one worker and with two.

    python -m benchmarks.workers [--rounds 5] [--seconds 20]

`tools/list` on kept sessions, with the same number of users in all: what differs is the number of workers that share them. Once
without think time, where all are busy, and once at the same moderate rate in all, where a process sleeps between two exchanges
and is woken for most of them. The master's time is in all. With 5 s of load the ratio of single rounds went from 0.92 to 1.28,
with 20 s from 0.91 to 1.08, where the limit is 1.05. Where there are six cores or more, the throughput is compared too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.cpu import spend
from benchmarks.figures import Spread
from benchmarks.machine import machine, versions
from benchmarks.operations import OPERATIONS
from benchmarks.peers import HERE
from benchmarks.result import keep
from benchmarks.servers import ROOT, Server, embedded, plain_environment
from benchmarks.whole import add_whole

LIMIT, GROWTH, ENOUGH_CORES = 1.05, 1.9, 6
USERS, PAUSE_MS = 40, 10.0
SHORT_SECONDS, MARGIN_SECONDS = 2, 60.0
OPERATION = next(operation for operation in OPERATIONS if operation.key == "a")


class Shared(msgspec.Struct, frozen=True):
    """One run: `microseconds` of CPU an exchange, exchanges a second."""

    workers: int
    microseconds: float
    rate: float


def shared(workers: int, server: Server, seconds: int, pause_ms: float) -> Shared:
    """The slope between a short and a long run; RuntimeError when one failed."""
    found: list[tuple[float, int]] = []
    for length in (SHORT_SECONDS, SHORT_SECONDS + seconds):
        before = server.counts()
        with tempfile.TemporaryDirectory(prefix="mop-bench-") as folder:
            scenario = str(HERE / "scenarios" / "paced_list.py")
            words = [sys.executable, "-m", "mop_locust.cli", "run", "--workers", str(workers), scenario]
            words += ["-u", str(USERS), "-r", str(USERS), "-t", f"{length}s", "-H", server.base, "--allow-degraded"]
            variables = {**plain_environment(), "PYTHONPATH": str(ROOT), "PAUSE_MS": f"{pause_ms:.3f}", "MOP_REPORTS": folder}
            spent = spend(words, variables, Path(folder), length + MARGIN_SECONDS)
            if spent.exit_code:
                raise RuntimeError(f"{workers} workers: exit code {spent.exit_code}: {spent.output[-500:]}")
            (summary,) = (json.loads(file.read_bytes()) for file in Path(folder).glob("*/summary.json"))
            if summary["run"]["workers"] != workers:
                raise RuntimeError(f"{summary['run']['workers']} workers, not {workers}")
        found.append((spent.cpu, OPERATION.count(before, server.counts())))
    (short_cpu, short_count), (long_cpu, long_count) = found
    return Shared(workers, (long_cpu - short_cpu) / (long_count - short_count) * 1e6, (long_count - short_count) / seconds)


def main(arguments: Sequence[str]) -> int:
    """Measures, prints and keeps; 1 when a limit is not met."""
    parser = argparse.ArgumentParser(prog="benchmarks.workers", description="CPU an exchange with one worker and with two.")
    add_whole(parser, "--rounds", 5, 1, 50)
    add_whole(parser, "--seconds", 20, 2, 120)
    options = parser.parse_args(arguments)
    cores = len(os.sched_getaffinity(0))
    paced: list[Shared] = []
    flat_out: list[Shared] = []
    with embedded() as server:
        for number in range(options.rounds):
            for workers in (1, 2) if number % 2 == 0 else (2, 1):
                flat_out.append(shared(workers, server, options.seconds, 0.0))
                paced.append(shared(workers, server, options.seconds, PAUSE_MS))
    lines = ["| load | workers | us of CPU an exchange | exchanges a second | two by one | at most | |", "|" + " --- |" * 7]
    good = True
    for name, runs in (("no think time", flat_out), ("paced", paced)):
        ratio = _ratio(runs, lambda one: one.microseconds)
        good = good and ratio.median <= LIMIT
        for workers in (1, 2):
            cost, rate = (
                Spread.of([getattr(one, figure) for one in runs if one.workers == workers]) for figure in ("microseconds", "rate")
            )
            assert cost is not None
            assert rate is not None
            told = f"{cost.median:.1f} ({cost.least:.1f} to {cost.most:.1f}) | {rate.median:,.0f}"
            judged = f"{ratio.median:.2f} ({ratio.least:.2f} to {ratio.most:.2f}) | {LIMIT} | "
            judged += "met" if ratio.median <= LIMIT else "**not met**"
            lines.append(f"| {name} | {workers} | {told} | {judged if workers == 2 else ' | |'} |")
    lines.append("")
    if cores >= ENOUGH_CORES:
        growth = _ratio(flat_out, lambda one: one.rate)
        good = good and growth.median >= GROWTH
        lines.append(f"Throughput: {growth.median:.2f}, at least {GROWTH}: {'met' if growth.median >= GROWTH else '**not met**'}")
    else:
        lines.append(f"Throughput: not measured, {cores} cores of {ENOUGH_CORES}.")
    table = "\n".join(lines)
    began = datetime.now(UTC)
    kept_runs = {"paced": paced, "flat_out": flat_out}
    content = {"date": began.isoformat(timespec="seconds"), "machine": machine(), "versions": versions(), **kept_runs}
    kept = keep(f"{began:%Y%m%dT%H%M%SZ}-workers", content, f"# One worker and two, {content['date']}\n\n{table}\n")
    print(f"{table}\n\n{os.path.relpath(kept)}")
    return 0 if good else 1


def _ratio(runs: Sequence[Shared], figure: Callable[[Shared], float]) -> Spread:
    ones, twos = ([figure(one) for one in runs if one.workers == workers] for workers in (1, 2))
    spread = Spread.of([two / one for one, two in zip(ones, twos, strict=True)])
    assert spread is not None
    return spread


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
