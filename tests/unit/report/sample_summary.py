"""Complete summaries built by code: a green run, a red one, one of a dead target, and any of them full of hostile text."""

from __future__ import annotations

import copy
import functools
from typing import Any

from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.labels import series_name, sorted_tags, split_series_name
from mop_locust.metrics.summary import MetricSummary, WindowRow
from mop_locust.report.document import ServerSample, SummaryDocument
from mop_locust.report.sentence import red_sentence

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE runs; --",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "a;=1+1",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
    "line\r\nbreak\u2028and\x00null\x08\x0b\ufffe\uffff",
    "@everyone see #1 and GH-2 at https://example.org/ or www.example.org",
    "| a | b |\n|---|---|",
    "`code` ``` **bold** _it_ ~~no~~ [link](javascript:alert(1)) ![x](y)",
    "]]> <!-- --> <![CDATA[ &amp; &#64;",
    "\u202egnp.exe \u200bzero\U000e0041",
    "lone \ud800 surrogate",
    "x" * 5000,
    "",
]
KEPT = {"state", "validity", "kind"}
PLAIN_TOOL = "echo, {mission}:1"


def histogram(*milliseconds: float) -> Histogram:
    """A histogram of these values."""
    result = Histogram()
    for value in milliseconds:
        result.record(round(value * 1000))
    return result


def trend(values: Histogram, unit: str = "ms") -> MetricSummary:
    """The summary of a trend."""
    metric: MetricSummary = {"kind": "trend", "count": values.count, "unit": unit, "histogram": values.to_wire()}
    if values.count:
        p50, p90, p95, p99, p999 = (value / 1000 for value in values.quantiles((0.5, 0.9, 0.95, 0.99, 0.999)))
        metric |= {"min": values.min / 1000, "mean": values.mean / 1000, "max": values.max / 1000}
        metric |= {"p50": p50, "p90": p90, "p95": p95, "p99": p99, "p999": p999}
    return metric


def rate(count: int, failures: int) -> MetricSummary:
    """The summary of a rate, which of nothing has no value."""
    metric: MetricSummary = {"kind": "rate", "count": count, "failures": failures}
    return metric | {"rate": failures / count} if count else metric


def add_calls(
    metrics: dict[str, MetricSummary],
    transport: str,
    method: str,
    *,
    ok: Histogram,
    tool: str = "",
    scenario: str = "tools_call_rps",
    **failed: int,
) -> None:
    """Add the series of one method, its failures by outcome, and their part of the totals."""
    tags = sorted_tags(
        [("scenario", scenario), ("transport", transport), ("method", method), *([("tool", tool)] if tool else [])]
    )
    outcomes = {"ok": ok.count, **failed}
    count, failures = sum(outcomes.values()), sum(failed.values())
    metrics[series_name("calls", tags)] = {"kind": "counter", "count": count, "outcomes": outcomes}
    metrics[series_name("call_failures", tags)] = rate(count, failures)
    metrics[series_name("call_latency", tags)] = trend(ok)
    total = metrics.setdefault("calls", {"kind": "counter", "count": 0, "outcomes": {}})
    total["count"] += count
    for outcome, n in outcomes.items():
        total["outcomes"][outcome] = total["outcomes"].get(outcome, 0) + n
    all_rates = metrics.get("call_failures", rate(0, 0))
    metrics["call_failures"] = rate(all_rates["count"] + count, all_rates["failures"] + failures)
    merged = Histogram.from_wire(metrics["call_latency"]["histogram"]) if "call_latency" in metrics else Histogram()
    merged.merge(ok)
    metrics["call_latency"] = trend(merged)


def window(start: int, ok: int, failed: int = 0) -> WindowRow:
    """One second with so many tools/list calls."""
    tags = sorted_tags([("scenario", "tools_call_rps"), ("transport", "http"), ("method", "tools/list")])
    latency = histogram(*(0.5 + (n * 7 + start * 3) % 23 / 10 for n in range(ok)))
    return {
        "start_s": start,
        "width_s": 1,
        "series": {
            series_name("calls", tags): {
                "count": ok + failed,
                "outcomes": {name: n for name, n in (("http_status", failed), ("ok", ok)) if n},
            },
            series_name("call_failures", tags): {"count": ok + failed, "failures": failed},
            series_name("call_latency", tags): {"count": ok, "histogram": latency.to_wire()},
        },
        "gauges": {"worker-0": {"users": 10.0, "loop_lag": 0.4}, "worker-1": {"users": 10.0}},
    }


def look(at_s: float, cpu: float | None, rss: float, files: float, sessions: float, **metrics: float) -> ServerSample:
    """One look at the server."""
    return {
        "at_s": at_s,
        "cpu_percent": cpu,
        "rss_bytes": rss,
        "open_files": files,
        "threads": 4.0,
        "active_sessions": sessions,
        "metrics": metrics,
    }


@functools.cache
def spread(count: int, low: float) -> Histogram:
    """So many values from `low` up, with a tail."""
    return histogram(*(low + (n % 97) / 40 + (n % 1000 == 999) * 8 for n in range(count)))


def green_summary() -> SummaryDocument:
    """A minute of tools_call_rps on two workers with nothing wrong."""
    return copy.deepcopy(_green_summary())


@functools.cache
def _green_summary() -> SummaryDocument:
    metrics: dict[str, MetricSummary] = {}
    add_calls(metrics, "http", "delete", ok=spread(4712, 0.2))
    add_calls(metrics, "http", "initialize", ok=spread(4712, 0.6))
    add_calls(metrics, "http", "tools/call", ok=spread(4712, 1.2), tool=PLAIN_TOOL)
    add_calls(metrics, "http", "tools/list", ok=spread(4712, 0.4))
    tags = (("scenario", "tools_call_rps"),)
    metrics["tools_call_failures"] = metrics[series_name("tools_call_failures", tags)] = rate(9424, 0)
    metrics["session_duration"] = trend(spread(4712, 14.0))
    metrics["connect_latency"] = trend(spread(20, 0.1))
    first = sorted_tags([("scenario", "tools_call_rps"), ("transport", "http"), ("method", "initialize")])
    metrics[series_name("connect_latency", first)] = trend(spread(20, 0.1))
    metrics[series_name("first_byte_latency", first)] = trend(spread(4712, 0.5))
    metrics["sse_keepalive_gap"] = trend(Histogram())
    metrics["loop_lag"] = trend(spread(600, 0.1))
    metrics["basket_size"] = trend(histogram(3, 4, 5), "items")
    metrics["cache_misses"] = rate(200, 3)
    metrics["orders"] = {"kind": "counter", "count": 120}
    return {
        "schema": 1,
        "run": {
            "id": "7f3a9c",
            "scenario": "tools_call_rps",
            "scenarios": ["tools_call_rps"],
            "target": {"http": "http://localhost:8000/mcp", "websocket": None},
            "server": {"name": "meta-orchestration-protocol", "version": "0.1.4"},
            "users": 20,
            "workers": 2,
            "planned_seconds": 60.0,
            "seconds": 60.02,
            "started": "2026-11-22T14:46:00Z",
            "ended": "2026-11-22T14:47:00Z",
            "stopped_by": "run time",
            "suite_version": "0.1.0",
            "options": {
                "MOP_RPS_LISTS": 1,
                "MOP_API_KEY": "(set)",
                "MOP_RPS_TOOL": None,
                "MOP_THRESHOLDS": ["a: rate<1", "b: rate<1"],
            },
            "notes": [],
        },
        "verdict": {
            "state": "PASSED",
            "validity": "valid",
            "reasons": [],
            "exit_code": 0,
            "sentence": "",
            "thresholds": [
                {"metric": "tools_call_failures", "expression": "rate<0.05", "value": 0.0, "samples": 9424, "state": "PASSED"},
                {
                    "metric": "call_latency{method:tools/list}",
                    "expression": "p(95)<250",
                    "value": 2.7,
                    "samples": 4712,
                    "state": "PASSED",
                },
            ],
        },
        "metrics": metrics,
        "windows": [window(second, 70 + second * 5 % 17) for second in range(60)],
        "errors": [],
        "workers": [_worker(0, 31.2, 0.9), _worker(1, 30.8, 0.7)],
        "preflight": {
            "state": "passed",
            "findings": ["HTTP: protocol 2024-11-05, 4 tools."],
            "exchanges": [{"transport": "http", "method": "initialize", "outcome": "ok", "duration_ms": 1.9, "error": ""}],
        },
        "server_side": {
            "health": True,
            "metrics": True,
            "pid": 4711,
            "cgroup": None,
            "notes": [],
            "samples": [
                look(0.01, None, 35_546_726.0, 16.0, 0.0, calls_total=0.0),
                look(5.0, 31.4, 40_000_000.0, 37.0, 20.0, calls_total=800.0, errors_total=1.0),
                look(60.02, 2.0, 43_201_331.0, 18.0, 1.0, calls_total=9424.0, errors_total=2.0),
            ],
        },
    }


def red_summary() -> SummaryDocument:
    """The same run, with a server that answers 503 from 0:41 on and a worker that went away."""
    return copy.deepcopy(_red_summary())


@functools.cache
def _red_summary() -> SummaryDocument:
    summary = green_summary()
    metrics = summary["metrics"]
    metrics.pop("calls")
    metrics.pop("call_failures")
    metrics.pop("call_latency")
    add_calls(metrics, "http", "delete", ok=spread(4712, 0.2))
    add_calls(metrics, "http", "initialize", ok=spread(4707, 0.6), timeout=5)
    add_calls(metrics, "http", "tools/list", ok=spread(4048, 0.4), http_status=664)
    tags = (("scenario", "tools_call_rps"),)
    metrics["tools_call_failures"] = metrics[series_name("tools_call_failures", tags)] = rate(9424, 669)
    metrics[series_name("call_latency_timeout", sorted_tags([("transport", "http"), ("method", "initialize")]))] = trend(
        histogram(10_001, 10_002, 10_003, 10_004, 10_010)
    )
    summary["errors"] = [
        _error("tools/list", "http_status", "HTTP 503", 664, 41.3, 60.0),
        _error("initialize", "timeout", "no answer", 5, 42.0, 58.0),
        _error("delete", "client_fault", "too many open files", 3, 43.0, 44.0),
    ]
    summary["windows"] = [window(second, 70 if second < 41 else 8, 0 if second < 41 else 35) for second in range(60)]
    summary["workers"][1] |= {
        "state": "lost",
        "cpu_percent": None,
        "loop_lag_ms": None,
        "clock_offset_s": None,
        "first_s": None,
        "last_s": None,
        "gaps": 2,
    }
    summary["run"]["notes"] = ["20 of 20 streams were ended by the server after 0 ms: keep-alive was not observed."]
    summary["run"]["seconds"] = 58.4
    verdict = summary["verdict"]
    verdict["thresholds"][0] |= {"value": 669 / 9424, "state": "CROSSED"}
    verdict["thresholds"].append(
        {"metric": "sse_keepalive_gap", "expression": "max<20000", "value": None, "samples": 0, "state": "NO_DATA"}
    )
    verdict |= {
        "state": "CROSSED",
        "validity": "incomplete",
        "exit_code": 4,
        "reasons": ["worker 1 was lost at 0:44; at most 1 s of its samples is missing."],
    }
    verdict["sentence"] = red_sentence(summary)
    return summary


def dead_summary() -> SummaryDocument:
    """A target that is down: found by the preflight, so that no load was sent."""
    summary = green_summary()
    summary["metrics"] = {}
    summary["windows"] = []
    summary["workers"] = []
    del summary["server_side"]
    summary["run"] |= {"server": None, "workers": 0, "seconds": 0.0, "users": 1}
    summary["preflight"] = {
        "state": "failed",
        "findings": ["nothing answered at http://localhost:8000/mcp: refused."],
        "exchanges": [
            {"transport": "http", "method": "initialize", "outcome": "connect", "duration_ms": 0.4, "error": "refused"}
        ],
    }
    verdict = summary["verdict"]
    verdict["thresholds"] = [
        {"metric": "tools_call_failures", "expression": "rate<0.05", "value": None, "samples": 0, "state": "NO_DATA"}
    ]
    verdict |= {"state": "NO_DATA", "exit_code": 3}
    verdict["sentence"] = red_sentence(summary)
    return summary


def told_summary() -> SummaryDocument:
    """The green run with all that a run may tell and need not: its origin, the master, the server's own side."""
    summary = green_summary()
    summary["master"] = {
        "cpu_percent": 2.5,
        "rss_bytes": 71e6,
        "open_files": 30.0,
        "loop_lag_ms": {"p50": 0.1, "p99": 0.4, "max": 1.0},
        "cpu_percent_peak": 6.0,
    }
    for worker, cpu in zip(summary["workers"], (44.0, 39.5), strict=True):
        worker |= {"cpu_percent_peak": cpu, "rss_bytes_peak": 64e6}  # type: ignore[typeddict-item]
    summary["server_side"]["samples"] = [
        look(0.0, 1.0, 20e6, 9.0, 0.0),
        look(5.0, 71.5, 28e6, 31.0, 9.0, calls=9.0),
        {**look(10.0, None, 0.0, 0.0, 19.0, calls=19.0), "rss_bytes": None, "open_files": None, "threads": None},
    ]
    summary["provenance"] = {
        "command": ["mop-locust", "run", "tools_call_rps", "--workers", "2"],
        "host": "load-1",
        "machines": {
            "load-1": {
                "kernel": "Linux 6.1.0",
                "architecture": "x86_64",
                "cpu": "Example CPU",
                "cores": 2,
                "memory_bytes": 8 * 2**30,
                "nofile_soft": 1024,
                "nofile_hard": None,
                "ephemeral_ports": [32768, 60999],
            }
        },
        "packages": {"python": "3.11.7", "locust": "2.47.0", "gevent": "26.9.0"},
        "suite_sha256": "ab" * 32,
        "locustfile_sha256": {"tools_call_rps.py": "cd" * 32},
        "server_commit": {"hash": "0123abc", "obtained": "asked: /health"},
        "seed": {"value": None, "note": "No seed."},
    }
    return summary


def hostile_summary(text: str) -> SummaryDocument:
    """The red run with the text in each field that can hold one, tags, options and gauges included."""
    summary: Any = _replaced(red_summary() | {"provenance": told_summary()["provenance"]}, text)
    summary["metrics"] = {_series(key, text): metric for key, metric in red_summary()["metrics"].items()}
    summary["metrics"]["basket_size"]["unit"] = text
    for one in summary["windows"]:
        one["series"] = {_series(key, text): series for key, series in window(1, 3, 1)["series"].items()}
        one["gauges"] = {text: {text: 2.5}}
    summary["run"]["options"] = {text: text, "list": [text]}
    summary["server_side"]["notes"] = [text]
    summary["server_side"]["samples"] = [look(1.0, 1.0, 1.0, 1.0, 1.0, **{text: 2.5})]
    return summary


def _series(key: str, text: str) -> str:
    name, tags = split_series_name(key)
    # Not cleaned as the ledger does it: the reports must stand on their own.
    return series_name(name, tuple((tag, text) for tag, _ in tags))


def _replaced(value: Any, text: str, key: str = "") -> Any:
    if isinstance(value, str):
        return value if key in KEPT else text
    if isinstance(value, dict):
        return {name: _replaced(member, text, name) for name, member in value.items()}
    if isinstance(value, list):
        return [_replaced(member, text, key) for member in value]
    return value


def _worker(index: int, cpu: float, lag: float) -> Any:
    return {
        "id": f"worker-{index}",
        "index": index,
        "host": "load-1",
        "pid": 4000 + index,
        "state": "finished",
        "first_s": 0.2,
        "last_s": 60.0,
        "sequence": 61,
        "gaps": 0,
        "exchanges": 7068,
        "cpu_percent": cpu,
        "loop_lag_ms": {"p50": 0.1, "p99": lag, "max": 4.2},
        "clock_offset_s": -0.0012,
    }


def _error(method: str, outcome: str, error: str, count: int, first: float, last: float, tool: str = "") -> Any:
    return {
        "scenario": "tools_call_rps",
        "transport": "http",
        "method": method,
        "tool": tool,
        "outcome": outcome,
        "error": error,
        "count": count,
        "first_s": first,
        "last_s": last,
    }
