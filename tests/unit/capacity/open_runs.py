"""Summaries of runs with open load, built by code."""

from __future__ import annotations

from typing import Any

from mop_locust.capacity.search import Answer
from mop_locust.capacity.step import Latency, Step
from mop_locust.report.document import SummaryDocument
from tests.unit.report.sample_summary import green_summary, spread, trend

SECONDS = 10


def open_run(rate: int = 100, *, over: int = 0, dropped: int = 0, users: int = 20, slower_ms: float = 0.0) -> SummaryDocument:
    """A green run of 10 s at so many arrivals a second, `over` of them left over, and `dropped` dropped in all."""
    summary: Any = green_summary()
    done = (rate - over) * SECONDS - dropped
    summary["run"] |= {"planned_seconds": float(SECONDS), "seconds": SECONDS + 0.1}
    summary["metrics"] |= {
        "iterations": {"kind": "counter", "count": done},
        "arrivals": {"kind": "counter", "count": rate * SECONDS},
        "dropped_iterations": {"kind": "counter", "count": dropped},
        "iteration_duration": trend(spread(500, 14.0 + slower_ms)),
        "iteration_duration_intended": trend(spread(500, 15.0 + slower_ms)),
    }
    tag = "{scenario:tools_call_rps}"
    summary["windows"] = [
        {
            "start_s": second,
            "width_s": 1,
            "series": {
                f"arrivals{tag}": {"count": rate if second < SECONDS else 0},
                f"iterations{tag}": {"count": rate - over - (dropped if second == 9 else 0)},
                f"dropped_iterations{tag}": {"count": dropped if second == 9 else 0},
            },
            "gauges": {"worker-0": {"users": users / 2}, "worker-1": {"users": users / 2}, "worker-2": {}},
        }
        for second in range(SECONDS + 1)
    ]
    return summary  # type: ignore[no-any-return]


def step(rate: float, answer: Answer = Answer.HELD, why: str = "", p95: float | None = 20.0) -> Step:
    """A step with this P95 from the intended start; None for no latency at all, nor anything else."""
    latency = None if p95 is None else Latency(p95 / 2, p95, p95 * 2)
    served = None if p95 is None else Latency(p95 / 4, p95 / 2, p95)
    seen = p95 is not None
    return Step(
        rate=rate,
        answer=answer,
        why=why,
        run=f"steps/{rate:g}",
        iterations=round(rate * SECONDS),
        dropped=0 if answer is Answer.HELD else 7,
        failed=0.0 if seen else None,
        intended=latency,
        served=served,
        mean_ms=10.0 if seen else None,
        cpu_percent=31.0 if seen else None,
        loop_lag_p99_ms=0.9 if seen else None,
    )
