"""What a master spends on its workers' reports: recorded snapshots of 2, 50 and 200 workers, fed in once a second.

    python -m benchmarks.master [--seconds 10] [--exchanges 20000] [--workers 2,50,200]

The time is simulated: ledgers record the exchanges of each second, and only `Run.receive` (decoding, checking, merging) is
timed, once for each worker and second, and the merging of all totals at the end. What Locust spends on its own part of the same
reports is not in it. To show that only workers × series count, each size is measured with a tenth of the exchanges too.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from locust import User  # noqa: F401  # first: it patches what the imports below bring in

from benchmarks.machine import machine, versions
from benchmarks.result import keep
from benchmarks.whole import add_whole
from mop_locust.config import SETTINGS, parse_settings
from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.sample import Sample
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.scenarios import Scenarios

LIMIT = 5.0  # per cent of a core
SECOND_US = 1_000_000
METHODS = (("http", "initialize"), ("http", "tools/list"), ("http", "tools/call"), ("http", "delete"), ("websocket", "connect"))


class Fed(msgspec.Struct, frozen=True):
    """What one size cost: `percent` of a core while it runs, `end_ms` to merge all totals once."""

    workers: int
    exchanges: int
    percent: float
    end_ms: float
    bytes_a_report: int


def feed(workers: int, exchanges: int, seconds: int) -> Fed:
    """Feeds a fresh run so many exchanges a second, spread over so many workers, for so many simulated seconds."""
    run = new_run(workers)
    ledgers = [Ledger(run.id, f"worker-{number}", 1, 0) for number in range(workers)]
    chance = random.Random(1)
    spent_ns = size = 0
    for second in range(seconds):
        for ledger in ledgers:
            record_second(ledger, second, exchanges // workers, chance)
        now_us = (second + 1) * SECOND_US
        reports = [ledger.snapshot(now_us, now_us, final=second == seconds - 1).encode() for ledger in ledgers]
        began = time.process_time_ns()
        windows = [run.receive(ledger.worker, report) for ledger, report in zip(ledgers, reports, strict=True)]
        spent_ns += time.process_time_ns() - began
        for ledger, window in zip(ledgers, windows, strict=True):
            if window is not None:
                ledger.acknowledge(window)
        size = max(map(len, reports))
    began = time.process_time_ns()
    run.merge.totals()
    end_ns = time.process_time_ns() - began
    return Fed(workers, exchanges, spent_ns / (seconds * 1e9) * 100, end_ns / 1e6, size)


def record_second(ledger: Ledger, second: int, exchanges: int, chance: random.Random) -> None:
    """Records the exchanges of one second: five series, latencies that spread as real ones do, a failure in a thousand."""
    for number in range(exchanges):
        transport, method = METHODS[number % len(METHODS)]
        failed = number % 1000 == 999
        ledger.record(
            Sample(
                "bench",
                transport,
                method,
                "http_status" if failed else "ok",
                second * SECOND_US + number * SECOND_US // max(exchanges, 1) // 2,
                int(chance.lognormvariate(7.0, 0.8)),
                first_byte_us=int(chance.lognormvariate(6.8, 0.8)),
                sent=300,
                received=4500,
                status=503 if failed else 200,
                error="HTTP 503" if failed else "",
            )
        )


def new_run(workers: int) -> Run:
    """A run as the conductor makes it, without thresholds."""
    settings = parse_settings({setting.name: setting.default for setting in SETTINGS})
    return Run(
        settings=settings,
        scenarios=Scenarios([]),
        thresholds=[],
        findings=None,
        users=workers,
        planned_seconds=None,
        options={},
        expected=tuple(f"w{number}" for number in range(workers)),
        headless=True,
    )


def main(arguments: Sequence[str]) -> int:
    """Measures all sizes, prints and keeps them; 1 when one is over the limit."""
    parser = argparse.ArgumentParser(prog="benchmarks.master", description="CPU of a master that is fed recorded snapshots.")
    add_whole(parser, "--seconds", 10, 1, 120)
    add_whole(parser, "--exchanges", 20_000, 1000, 100_000)
    parser.add_argument("--workers", default="2,50,200", type=lambda text: [int(word) for word in text.split(",")])
    options = parser.parse_args(arguments)
    found = [
        feed(workers, exchanges, options.seconds)
        for workers in options.workers
        for exchanges in (options.exchanges // 10, options.exchanges)
    ]
    lines = ["| workers | exchanges a second | master's CPU | at most | | all totals at the end | bytes a report |"]
    lines.append("|" + " --- |" * 7)
    for one in found:
        met = "met" if one.percent <= LIMIT else "**not met**"
        row = (one.workers, f"{one.exchanges:,}", f"{one.percent:.2f} %", f"{LIMIT:.0f} %", met)
        lines.append(f"| {' | '.join(map(str, row))} | {one.end_ms:.1f} ms | {one.bytes_a_report:,} |")
    table = "\n".join(lines)
    began = datetime.now(UTC)
    content = {"date": began.isoformat(timespec="seconds"), "machine": machine(), "versions": versions(), "fed": found}
    file = keep(f"{began:%Y%m%dT%H%M%SZ}-master", content, f"# A master's CPU, {content['date']}\n\n{table}\n")
    print(f"{table}\n\n{file}")
    return 0 if all(one.percent <= LIMIT for one in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
