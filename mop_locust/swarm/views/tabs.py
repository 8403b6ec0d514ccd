"""The tabs of ours in Locust's own page: it knows tables only, so each tab is one."""

from __future__ import annotations

from typing import Any, Final

from mop_locust.metrics.labels import series_name
from mop_locust.metrics.summary import MetricSummary
from mop_locust.report import figures, headline, thresholds
from mop_locust.report.document import SummaryDocument
from mop_locust.report.rows import in_order, place, series_of
from mop_locust.report.text import CUT_PROSE, plain
from mop_locust.swarm.judging.run import Run

Cells = dict[str, str | int | float]

# key of the tab, its title, and its columns. Locust turns keys into camel case: they are single words here.
_TABS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "mop": (
        "MOP",
        {
            "scenario": "Scenario",
            "transport": "Transport",
            "call": "Method, tool",
            "count": "Count",
            "failed": "Failed %",
            "p50": "P50 (ms)",
            "p95": "P95 (ms)",
            "p99": "P99 (ms)",
            "max": "Max (ms)",
            "first": "First byte P95 (ms)",
        },
    ),
    "thresholds": ("Thresholds", {"metric": "Metric", "condition": "Condition", "state": "State", "found": "Found"}),
    "generators": (
        "Load generators",
        {
            "worker": "Worker",
            "state": "State",
            "exchanges": "Calls",
            "cpu": "CPU %",
            "late": "Loop lag P99 (ms)",
            "worst": "Loop lag max (ms)",
        },
    ),
}

TABS: Final = [{"key": key, "title": title} for key, (title, _) in _TABS.items()]
TABLES: Final = [
    {"key": key, "structure": [{"key": name, "title": column} for name, column in columns.items()]}
    for key, (_, columns) in _TABS.items()
]


def tab_rows(summary: SummaryDocument | None, run: Run | None) -> list[dict[str, Any]]:
    """Returns the rows of each tab in the shape that Locust's page takes as `extended_stats`; empty tabs before a run."""
    if summary is None or run is None:
        return [{"key": key, "data": []} for key in _TABS]
    rows = {"mop": _calls(summary, run), "thresholds": _thresholds(summary), "generators": _generators(summary)}
    return [{"key": key, "data": data} for key, data in rows.items()]


def _calls(summary: SummaryDocument, run: Run) -> list[Cells]:
    metrics, rows = summary["metrics"], []
    for tags, calls in in_order(series_of(metrics, "calls")):
        tag = dict(tags)
        found, first = (metrics.get(series_name(name, tags)) for name in ("call_latency", "first_byte_latency"))
        failed = metrics.get(series_name("call_failures", tags), calls).get("rate")
        cells: Cells = {
            "scenario": plain(tag.get("scenario", "")),
            "transport": plain(tag.get("transport", "")),
            "call": plain(place(tag.get("method", ""), tag.get("tool", ""))),
            "count": calls["count"],
            "failed": figures.NONE if failed is None else round(failed * 100, 2),
        }
        latency, byte = _spread(found), _spread(first)
        rows.append(cells | {name: latency[name] for name in ("p50", "p95", "p99", "max")} | {"first": byte["p95"]})
    # One table a tab is all that Locust has, so what is open stands under the calls.
    for name in ("sessions", "sockets", "streams"):
        held = sum(record.gauges.get(f"open_{name}", 0) for record in run.merge.workers.values())
        if held or not run.finished:
            rows.append({"scenario": "", "transport": "", "call": f"{name} open now", "count": round(held)})
    return rows


def _spread(trend: MetricSummary | None) -> Cells:
    found: dict[str, Any] = dict(trend or {})
    return {name: round(found[name], 2) if name in found else figures.NONE for name in ("p50", "p95", "p99", "max")}


def _thresholds(summary: SummaryDocument) -> list[Cells]:
    rows: list[Cells] = [
        {
            "metric": plain(result["metric"]),
            "condition": plain(result["expression"]),
            "state": thresholds.state_words(result),
            "found": thresholds.found_text(result, summary["metrics"]),
        }
        for result in summary["verdict"]["thresholds"]
    ]
    words, verdict = headline.verdict_words(summary), summary["verdict"]
    reasons = "; ".join([verdict["sentence"], *verdict["reasons"]] if verdict["sentence"] else verdict["reasons"])
    return [*rows, {"metric": "verdict", "condition": "", "state": words, "found": plain(reasons, CUT_PROSE)}]


def _generators(summary: SummaryDocument) -> list[Cells]:
    rows: list[Cells] = []
    for worker in summary["workers"]:
        lag, cpu = worker["loop_lag_ms"], worker["cpu_percent"]
        rows.append(
            {
                "worker": plain(f"{worker['index']} {worker['host']} {worker['pid']}"),
                "state": worker["state"],
                "exchanges": worker["exchanges"],
                "cpu": figures.NONE if cpu is None else round(cpu),
                "late": round(lag["p99"], 1) if lag else figures.NONE,
                "worst": round(lag["max"], 1) if lag else figures.NONE,
            }
        )
    return rows
