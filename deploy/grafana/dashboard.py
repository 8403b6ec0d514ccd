"""Makes dashboards/mop-locust.json, so that the dashboard is reviewed as code: `python deploy/grafana/dashboard.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "dashboards" / "mop-locust.json"

WIDTH = 24  # of Grafana's grid
RATE = "$__rate_interval"
LOOKS = "30s"  # the server's own side is looked at each 5 s
GREEN, ORANGE, RED = "green", "orange", "red"


def rate(metric: str, labels: str = "", by: str = "") -> str:
    """A sum of rates, by labels."""
    inner = ",".join(filter(None, ('scenario=~"$scenario"', labels)))
    grouped = f" by ({by}) " if by else ""
    return f"sum{grouped}(rate({metric}{{{inner}}}[{RATE}]))"


def quantile(q: float, metric: str, by: str = "", labels: str = 'scenario=~"$scenario"') -> str:
    """A quantile of a histogram, as exact as its buckets."""
    grouped = ", ".join(filter(None, ("le", by)))
    return f"histogram_quantile({q}, sum by ({grouped}) (rate({metric}_bucket{{{labels}}}[{RATE}])))"


def panel(kind: str, title: str, queries: dict[str, str], unit: str = "short", **more: Any) -> dict[str, Any]:
    """A panel; `queries` are PromQL by legend."""
    instant = kind in ("stat", "table")
    targets = [
        {
            "refId": chr(ord("A") + number),
            "expr": expression,
            "legendFormat": legend,
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            **({"instant": True, "format": "table" if kind == "table" else "time_series"} if instant else {}),
            **({"format": "heatmap"} if kind == "heatmap" else {}),
        }
        for number, (legend, expression) in enumerate(queries.items())
    ]
    defaults = {"unit": unit, **more.pop("defaults", {})}
    return {
        "type": kind,
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": targets,
        **more,
    }


def lines(title: str, queries: dict[str, str], unit: str = "short", **more: Any) -> dict[str, Any]:
    """Curves over time, with their newest and greatest values beside them."""
    legend = {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]}
    options = {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    defaults = {"min": 0, "custom": {"lineWidth": 1, "fillOpacity": 5, "showPoints": "never"}}
    return panel("timeseries", title, queries, unit, options=options, defaults=defaults, **more)


def words(title: str, expression: str, legend: str, colours: dict[str, str]) -> dict[str, Any]:
    """The label of the one series that there is, in a colour of its own."""
    mappings = [
        {"matcher": {"id": "byName", "options": word}, "properties": [_fixed(colour)]} for word, colour in colours.items()
    ]
    shown = panel(
        "stat", title, {legend: expression}, options={"textMode": "name", "colorMode": "background", "graphMode": "none"}
    )
    shown["fieldConfig"]["overrides"] = mappings
    return shown


def _fixed(colour: str) -> dict[str, Any]:
    return {"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}


def number(title: str, queries: dict[str, str], unit: str = "short") -> dict[str, Any]:
    """Newest values as figures."""
    return panel("stat", title, queries, unit, options={"colorMode": "none", "graphMode": "none", "textMode": "value_and_name"})


def table(title: str, expression: str) -> dict[str, Any]:
    """The labels of the newest values, without those that Prometheus adds."""
    hidden = dict.fromkeys(("Time", "__name__", "instance", "job"), True)
    return panel("table", title, {"": expression}, transformations=[{"id": "organize", "options": {"excludeByName": hidden}}])


def heat_map(transport: str) -> dict[str, Any]:
    """How many exchanges took how long."""
    expression = rate("mop_call_latency_seconds_bucket", f'transport="{transport}"', "le")
    options = {
        "calculate": False,
        "yAxis": {"unit": "s"},
        "color": {"scheme": "Oranges", "mode": "scheme", "scale": "exponential"},
    }
    return panel("heatmap", f"Latency of {transport}", {"{{le}}": expression}, "s", options=options)


PASSED = {"PASSED": GREEN, "CROSSED": RED, "NO_DATA": RED}
VALID = {"valid": GREEN, "degraded": ORANGE, "incomplete": ORANGE, "invalid": RED}
PERCENTILES = {"P50": 0.5, "P95": 0.95, "P99": 0.99}
PLACE = "transport, method, tool"
LEGEND = "{{transport}} {{method}} {{tool}}"

FAILED_SHARE = " / ".join(rate(f"mop_call_failures{which}_total", by="scenario") for which in ("", "_events"))

ROWS: dict[str, list[tuple[int, int, dict[str, Any]]]] = {
    # row: (width, height, panel)
    "Verdict and run": [
        (4, 4, words("Verdict", "mop_verdict_state == 1", "{{state}}", PASSED)),
        (4, 4, words("Validity", "mop_verdict_validity == 1", "{{state}}", VALID)),
        (4, 4, number("Time", {"run": "mop_run_duration_seconds", "planned": "mop_run_planned_duration_seconds"}, "s")),
        (4, 4, number("Users", {"running": "sum(mop_users)", "planned": "mop_users_planned"})),
        (8, 4, number("Workers", {"{{state}}": "mop_workers"})),
        (12, 5, table("Thresholds (1: holds)", "mop_threshold_passed")),
        (12, 5, table("Run", "mop_run_info")),
    ],
    "Rates offered and achieved": [
        (
            12,
            8,
            lines(
                "Exchanges: all that were tried, and those that went well",
                {"tried": rate("mop_calls_total"), "went well": rate("mop_calls_total", 'outcome="ok"')},
                "reqps",
            ),
        ),
        (6, 8, lines("Exchanges by method", {LEGEND: rate("mop_calls_total", by=PLACE)}, "reqps")),
        (
            6,
            8,
            lines(
                "Iterations, and how late they began",
                {
                    "{{scenario}}": rate("mop_iterations_total", by="scenario"),
                    "start lag P99 (s)": quantile(0.99, "mop_start_lag_seconds"),
                },
                "short",
            ),
        ),
    ],
    "Latency": [
        *(
            (8, 8, lines(f"{name} by transport and method", {LEGEND: quantile(q, "mop_call_latency_seconds", PLACE)}, "s"))
            for name, q in PERCENTILES.items()
        ),
        *((8, 8, heat_map(transport)) for transport in ("http", "sse", "websocket")),
        (
            12,
            8,
            lines(
                "First byte and connect, P95",
                {
                    "first byte {{transport}}": quantile(0.95, "mop_first_byte_latency_seconds", "transport"),
                    "connect {{transport}}": quantile(0.95, "mop_connect_latency_seconds", "transport"),
                },
                "s",
            ),
        ),
        (
            12,
            8,
            lines(
                "Event streams, P95",
                {
                    "first event": quantile(0.95, "mop_sse_first_event_latency_seconds"),
                    "between keep-alives": quantile(0.95, "mop_sse_keepalive_gap_seconds"),
                },
                "s",
            ),
        ),
    ],
    "Failures": [
        (12, 8, lines("Failures by class", {"{{outcome}}": rate("mop_calls_total", 'outcome!="ok"', "outcome")}, "reqps")),
        (
            6,
            8,
            lines(
                "Share of exchanges that failed",
                {
                    "{{scenario}}": FAILED_SHARE,
                },
                "percentunit",
            ),
        ),
        (6, 8, lines("HTTP responses by status", {"{{status}}": rate("mop_http_responses_total", by="status")}, "reqps")),
    ],
    "Sessions and streams": [
        (
            12,
            8,
            lines(
                "Open",
                {
                    "users": "sum(mop_users)",
                    "sessions": "sum(mop_open_sessions)",
                    "WebSockets": "sum(mop_open_sockets)",
                    "streams": "sum(mop_open_streams)",
                },
            ),
        ),
        (
            12,
            8,
            lines(
                "Duration of sessions and streams, median",
                {
                    "session {{scenario}}": quantile(0.5, "mop_session_duration_seconds", "scenario"),
                    "stream": quantile(0.5, "mop_sse_stream_lifetime_seconds"),
                },
                "s",
            ),
        ),
    ],
    "Load generators": [
        (
            6,
            8,
            lines(
                "CPU of a core", {"worker {{worker}}": "mop_worker_cpu_ratio", "master": "mop_master_cpu_ratio"}, "percentunit"
            ),
        ),
        (
            6,
            8,
            lines(
                "Event loop late by",
                {
                    "P99 now": quantile(0.99, "mop_loop_lag_seconds", labels=""),
                    "P99 of worker {{worker}}": "mop_worker_loop_lag_p99_seconds",
                },
                "s",
            ),
        ),
        (6, 8, lines("Memory", {"worker {{worker}}": "mop_worker_resident_memory_bytes"}, "bytes")),
        (6, 8, lines("Descriptors", {"worker {{worker}}": "mop_worker_open_files"})),
    ],
    "Server": [
        (6, 8, lines("CPU of a core", {"server": "mop_server_cpu_ratio"}, "percentunit")),
        (6, 8, lines("Memory", {"server": "mop_server_resident_memory_bytes"}, "bytes")),
        (
            6,
            8,
            lines(
                "Descriptors, threads, sessions",
                {
                    "descriptors": "mop_server_open_files",
                    "threads": "mop_server_threads",
                    "sessions": "mop_server_active_sessions",
                },
            ),
        ),
        (6, 8, lines("What it counts, a second", {"{{name}}": f"rate(mop_server_metric[{LOOKS}])"})),
    ],
}


def dashboard() -> dict[str, Any]:
    """The whole dashboard; panels stand from left to right, row by row."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS.items():
        panels.append({"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": _at(0, top, WIDTH, 1)})
        top += 1
        left = highest = 0
        for width, height, shown in row:
            if left + width > WIDTH:
                top, left, highest = top + highest, 0, 0
            panels.append({**shown, "gridPos": _at(left, top, width, height)})
            left, highest = left + width, max(highest, height)
        top += highest
    for number_, shown in enumerate(panels, 1):
        shown["id"] = number_
    return {
        "uid": "mop-locust",
        "title": "mop-locust",
        "tags": ["load test", "mcp"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,  # one cross hair through all panels: load and server on the same time axis
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1},
                {
                    "name": "scenario",
                    "label": "Scenario",
                    "type": "query",
                    "datasource": {"type": "prometheus", "uid": "${datasource}"},
                    "definition": "label_values(mop_calls_total, scenario)",
                    "query": {"query": "label_values(mop_calls_total, scenario)", "refId": "scenario"},
                    "refresh": 2,
                    "multi": True,
                    "includeAll": True,
                    "allValue": ".*",
                    "current": {"text": "All", "value": "$__all"},
                },
            ]
        },
        "panels": panels,
    }


def _at(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}


def text() -> str:
    """The file's content."""
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text())
