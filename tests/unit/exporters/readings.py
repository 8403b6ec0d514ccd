"""Readings built by hand: two workers with real ledgers, a few exchanges, metrics of the scenario's own."""

from __future__ import annotations

from typing import Any

from mop_locust.exporters.reading import Reading, Second, short_names
from mop_locust.swarm.judging.document import document
from mop_locust.swarm.judging.roll import Hello
from mop_locust.swarm.judging.run import Run
from mop_locust.verdict.judge import Validity, judge
from mop_locust.verdict.threshold import parse_all
from tests.unit.swarm.runs import SECOND, STARTED_US, STARTED_WALL, Calls, exchange, heard, ledger, made_run, word

THRESHOLDS = ["tools_call_failures: rate<0.5", "call_latency: p(95)<1"]
GAUGES = {"w1": {"users": 12.0, "cpu_percent": 25.0}, "w2": {"users": 8.0, "cpu_percent": 50.0}}


def a_run(**more: Any) -> Run:
    """Worker w1: two answers of 2 ms, a timeout, a tool error. Worker w2: two answers, and every kind of own metric."""
    run = made_run(Calls, workers=2, **more)
    run.thresholds = parse_all(THRESHOLDS)[0]
    for index, worker in enumerate(("w1", "w2")):
        run.hellos[worker] = Hello("host", 100 + index, "k", 0.0, index)
    first, second = ledger(run, "w1"), ledger(run, "w2")
    tool = {"method": "tools/call", "tool": "find"}
    for number, sample in enumerate(
        [
            exchange(1.0, sent=10, received=20, status=200),
            exchange(1.2, sent=10, received=20, status=200),
            exchange(1.4, "timeout", "timeout", 10_000_000 - 1, **tool),
            exchange(1.6, "tool_error", "isError", 3000, **tool),
        ]
    ):
        first.record(sample)
        first.rate("tools_call_failures", (("scenario", "calls"),), number > 2, STARTED_US + 2 * SECOND)
    second.record(exchange(2.0, duration_us=700))
    second.record(exchange(2.1, duration_us=60_000_001))
    at = STARTED_US + 2 * SECOND
    second.trend("session_duration", (("scenario", "calls"),), 5_000_000, at)
    second.trend("answer_length", (("scenario", "calls"), ("le", "x")), 3000, at)
    second.count("users", (("scenario", "calls"),), 3, at)
    second.gauge("users", 8.0)
    for own, at_s in ((first, 30.0), (second, 60.0)):
        heard(run, word(own, at_s))
    run.merge.settle()
    return run


def a_reading(run: Run | None = None, **more: Any) -> Reading:
    """That run, judged."""
    run = run or a_run()
    totals = run.merge.totals()
    verdict = judge(totals, run.thresholds, seconds=run.seconds, validity=Validity(), allow_degraded=False)
    summary = document(run, totals, verdict, "calls")
    values: dict[str, Any] = {"gauges": GAUGES, "since": STARTED_WALL, "protocol_version": "2025-11-25", **more}
    return Reading(summary, **values)


def seconds(run: Run) -> list[Second]:
    """Its merged seconds."""
    names = short_names([("w1", 0), ("w2", 1)])
    return [Second(run.id, window, STARTED_WALL + window.index, names) for window in run.merge.windows]
