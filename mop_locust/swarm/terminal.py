"""What a person at the terminal sees of a run that `mop-locust run` started: one plain line now and then."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import gevent

from mop_locust.metrics.accumulators import CounterTotal, RateTotal, TrendTotal
from mop_locust.swarm.conductor import Conductor
from mop_locust.swarm.run import Run

OURS = "_MOP_LOCUST_RUN"  # set by `mop-locust run` for the process that it starts
LINE_SECONDS, REDRAW_SECONDS = 5.0, 1.0


def show_progress(environment: Any, conductor: Conductor) -> None:
    """Shows lines of progress, and silences Locust's own tables, in a process that `mop-locust run` started."""
    if os.environ.get(OURS) != "1" or not environment.parsed_options.headless:
        return
    logging.getLogger("locust.stats_logger").setLevel(logging.WARNING)
    gevent.spawn(_show, conductor)


def _show(conductor: Conductor) -> None:
    live = sys.stdout.isatty()
    while True:
        gevent.sleep(REDRAW_SECONDS if live else LINE_SECONDS)
        run = conductor.run
        if run is not None and not run.finished:
            print(f"\r\x1b[K{progress_line(run)}" if live else progress_line(run), end="" if live else "\n", flush=True)
        elif live and run is not None:
            print("\r\x1b[K", end="", flush=True)
            return


def progress_line(run: Run) -> str:
    """Returns one line: time, calls, rate, failures, P95 of what went well."""
    totals = run.merge.totals()
    calls, failures, latency = (totals.select(name) for name in ("calls", "call_failures", "call_latency"))
    seconds = run.seconds
    planned = f" of {_clock(run.planned_seconds)}" if run.planned_seconds is not None else ""
    count = calls.count if isinstance(calls, CounterTotal) else 0
    failed = failures.failures / failures.count if isinstance(failures, RateTotal) and failures.count else 0.0
    p95 = f"{latency.histogram.quantile(0.95) / 1000:.1f} ms" if isinstance(latency, TrendTotal) else "-"
    per_second = count / max(seconds, 1e-6)
    return f"{_clock(seconds)}{planned}   {count:,} calls   {per_second:,.0f} per s   {failed:.2%} failed   P95 {p95}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
