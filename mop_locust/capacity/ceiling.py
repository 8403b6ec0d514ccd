"""What the load generator can do by itself: its cost, from a run against a target that costs next to nothing."""

from __future__ import annotations

from typing import Final

import msgspec

from mop_locust.report.document import SummaryDocument

MOST_FAILED: Final = 0.05  # of all calls: where more fail, the work is another than with the target


class Ceiling(msgspec.Struct, frozen=True):
    """The rate at which the busiest process would reach its CPU limit, and the CPU time of an iteration over all of them."""

    rate: float
    cost_ms: float
    run: str


def read_ceiling(run: str, summary: SummaryDocument, cpu_limit: float) -> Ceiling | None:
    """The ceiling by a run in the folder `run`; None where it shows none: calls failed, nothing was done, or CPU was not seen.

    CPU is taken to grow with the rate. It grows less, since what a process does without load is in it: the more load, the better.
    """
    seconds, cpu = summary["run"]["planned_seconds"], [worker["cpu_percent"] or 0.0 for worker in summary["workers"]]
    metrics = summary["metrics"]
    done = metrics["iterations"]["count"] if "iterations" in metrics else 0
    failed = metrics["call_failures"].get("rate", 0.0) if "call_failures" in metrics else 0.0
    if failed > MOST_FAILED or not seconds or not done or not any(cpu):
        return None
    rate = done / seconds
    return Ceiling(rate * cpu_limit / max(cpu), sum(cpu) * 10 / rate, run)
