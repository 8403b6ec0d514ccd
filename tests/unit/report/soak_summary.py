"""The summary of a soak of an hour, its courses given as functions of the time."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from mop_locust.report.document import SummaryDocument
from tests.unit.report.sample_summary import green_summary, histogram, look

SECONDS = 3600
WIDTH = 8
MIB = 2.0**20

Curve = Callable[[float], float | None]


def steady(level: float, noise: float = 0.0, per_hour: float = 0.0) -> Curve:
    """A level that rises so much an hour, with some noise, the same each time."""
    chance = random.Random(level)
    return lambda at_s: level + per_hour * at_s / SECONDS + chance.gauss(0, noise)


def soaked(seconds: int = SECONDS, width: int = WIDTH, **curves: Curve | None) -> SummaryDocument:
    """A soak with two workers and ten users; the curves stand in for those of a server and a swarm at rest.

    `memory`, `files`, `sessions`, `gauge` and `latency` are the server's, `master` and `worker` memory in bytes, `users` of both
    workers together.
    """
    given = {
        "memory": steady(40 * MIB, 0.2 * MIB),
        "files": steady(20),
        "sessions": steady(10),
        "gauge": None,
        "latency": steady(2, 0.1),
        "master": steady(90 * MIB, 0.1 * MIB),
        "worker": steady(88 * MIB, 0.1 * MIB),
        "users": lambda at_s: 10.0 if at_s > 20 else 4.0,
        **curves,
    }
    summary: Any = green_summary()
    summary["run"] |= {"planned_seconds": float(seconds), "seconds": seconds + 4.0}
    summary["windows"] = [_window(start, width, given) for start in range(0, seconds + width, width)]
    summary["server_side"]["samples"] = [_look(at_s, given) for at_s in range(1, seconds, 6)]
    summary["server_side"]["samples"].append(look(seconds + 4.0, 0.0, 1.0, 1.0, 0.0))  # when the load was over
    summary["master"] = {
        "cpu_percent": 2.0,
        "rss_bytes": 95 * MIB,
        "open_files": 30.0,
        "loop_lag_ms": None,
        "readings": {
            "rss_bytes": [(float(at_s), given["master"](at_s)) for at_s in range(1, seconds, 6)],
            "open_files": [(float(at_s), 30.0) for at_s in range(1, seconds, 6)],
        },
    }
    return summary


def _window(start: int, width: int, given: dict[str, Any]) -> dict[str, Any]:
    users, latency = given["users"](start), given["latency"](start) if given["latency"] else None
    gauges = {"users": users / 2, "rss_bytes": given["worker"](start), "open_files": 25.0}
    series = {"calls{method:ping,scenario:s,transport:http}": {"count": 1, "outcomes": {"ok": 1}}}
    if latency is not None:
        series["call_latency{method:ping,scenario:s,transport:http}"] = {
            "count": 3,
            "histogram": histogram(latency, latency, 50.0).to_wire(),
        }
    return {"start_s": start, "width_s": width, "series": series, "gauges": {"worker-0": gauges, "worker-1": dict(gauges)}}


def _look(at_s: int, given: dict[str, Any]) -> Any:
    values = {name: curve(at_s) if curve else None for name, curve in given.items()}
    metrics = {"calls_total": float(at_s)} | ({} if values["gauge"] is None else {"open_sessions": values["gauge"]})
    sample: Any = look(float(at_s), 3.0, 0.0, 0.0, 0.0, **metrics)
    return {**sample, "rss_bytes": values["memory"], "open_files": values["files"], "active_sessions": values["sessions"]}
