"""The rows that the terminal, Markdown and HTML tables share: what is shown, in which order, before any formatting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mop_locust.metrics.instruments import BUILT_IN
from mop_locust.metrics.labels import Tags, series_name, split_series_name
from mop_locust.metrics.summary import MetricSummary
from mop_locust.report import figures
from mop_locust.report.document import SummaryDocument

COLUMNS: Final = ("count", "per s", "failed", "P50", "P95", "P99", "max")

_ANY_OTHER: Final = "…"
_TRANSPORTS: Final = ("http", "sse", "websocket", _ANY_OTHER)
_METHODS: Final = (
    "connect",
    "initialize",
    "notifications/initialized",
    "ping",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/read",
    "prompts/list",
    "prompts/get",
    "stream",
    _ANY_OTHER,
    "delete",
    "close",
)
_SHOWN: Final = (
    "session_duration",
    "connect_latency",
    "upgrade_latency",
    "sse_first_byte_latency",
    "sse_first_event_latency",
    "sse_keepalive_gap",
    "sse_stream_lifetime",
    "sse_keepalives",
    "sse_early_ends",
)
_OPEN_LOAD: Final = ("iteration_duration", "iteration_duration_intended", "time_to_answer", "start_lag", "dropped_iterations")
_PHASES: Final = ("connect_latency", "upgrade_latency", "first_byte_latency", "call_latency_failed", "call_latency_timeout")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; `failed` is a fraction or None, `spread` is P50, P95, P99 and max in `unit`."""

    label: str
    count: int
    failed: float | None
    spread: tuple[float | None, float | None, float | None, float | None]
    unit: str

    def cells(self, seconds: float) -> list[str]:
        """The figures under COLUMNS for a run of so many seconds."""
        return [
            figures.count(self.count),
            figures.rate(self.count, seconds),
            figures.percent(self.failed),
            *(figures.quantity(value, self.unit) for value in self.spread),
        ]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows under one title."""

    title: str
    rows: list[Row]


def series_of(metrics: dict[str, MetricSummary], name: str) -> list[tuple[Tags, MetricSummary]]:
    """All series of a metric, without its total."""
    prefix = name + "{"
    return [(split_series_name(key)[1], metric) for key, metric in metrics.items() if key.startswith(prefix)]


def call_blocks(summary: SummaryDocument) -> list[Block]:
    """A block for each transport, or for each scenario and transport where there are several scenarios; a row a method."""
    metrics = summary["metrics"]
    calls = in_order(series_of(metrics, "calls"))
    several = _are_several(calls)
    blocks: dict[str, list[Row]] = {}
    for tags, metric in calls:
        title = f"{_tag(tags, 'scenario')} {_tag(tags, 'transport')}" if several else _tag(tags, "transport")
        failures, latency = metrics.get(series_name("call_failures", tags)), metrics.get(series_name("call_latency", tags))
        blocks.setdefault(title, []).append(_row(_place(tags), metric["count"], failures, latency))
    return [Block(title, rows) for title, rows in blocks.items()]


def metric_rows(summary: SummaryDocument) -> list[Row]:
    """What else is worth a line: open load, sessions, connecting, streams where there were any, and what a user declared.

    A declared metric with tags of its own has a row for each series behind that of its total.
    """
    metrics = summary["metrics"]
    built_in = {instrument.name for instrument in BUILT_IN}
    declared = sorted(name for name in metrics if "{" not in name and name not in built_in)
    usual = (*_OPEN_LOAD, *_SHOWN) if "arrivals" in metrics else _SHOWN
    shown = [name for name in usual if name in metrics and metrics[name]["count"]]
    rows = [_metric_row(name, metrics[name]) for name in shown]
    for name in declared:
        rows.append(_metric_row(name, metrics[name]))
        rows += [_metric_row(f"· {own}", metric) for tags, metric in in_order(series_of(metrics, name)) if (own := _own(tags))]
    return rows


def _own(tags: Tags) -> str:
    """The values of the tags that say more than the scenario."""
    return " ".join(value for tag, value in tags if tag != "scenario")


def phase_blocks(summary: SummaryDocument) -> list[Block]:
    """The phases of exchanges and the time of unsuccessful ones: a block a metric, a row a transport and method."""
    blocks = []
    for name in _PHASES:
        series = in_order((tags, metric) for tags, metric in series_of(summary["metrics"], name) if metric["count"])
        several = _are_several(series)
        rows = []
        for tags, metric in series:
            scenario = [_tag(tags, "scenario")] if several else []
            rows.append(_metric_row(" ".join([*scenario, _tag(tags, "transport"), _place(tags)]).strip(), metric))
        if rows:
            blocks.append(Block(name, rows))
    return blocks


def stage_rows(summary: SummaryDocument) -> list[tuple[Row, float]]:
    """A row for each stage that has a time, of all its calls, with the seconds that it was measured."""
    rows = []
    for stage in summary.get("stages", []):
        if stage["planned_seconds"]:
            metrics, end = stage["metrics"], stage["start_s"] + stage["planned_seconds"]
            count = metrics["calls"]["count"] if "calls" in metrics else 0
            when = f"{figures.moment(stage['start_s'])} to {figures.moment(end)}"
            label = f"{stage['name']}, {when}, to {figures.number(stage['target'])} {stage.get('unit', 'users')}"
            row = _row(label, count, metrics.get("call_failures"), metrics.get("call_latency"))
            rows.append((row, stage["seconds"]))
    return rows


def place(method: str, tool: str) -> str:
    """A method, and the tool where there is one, as everywhere else in the suite: `tools/call NAME`."""
    return f"{method} {tool}" if tool else method


def _metric_row(label: str, metric: MetricSummary) -> Row:
    return _row(label, metric["count"], metric, metric)


def _row(label: str, count: int, rate: MetricSummary | None, trend: MetricSummary | None) -> Row:
    found = trend or {"kind": "trend", "count": 0}
    return Row(
        label,
        count,
        rate.get("rate") if rate else None,
        (found.get("p50"), found.get("p95"), found.get("p99"), found.get("max")),
        found.get("unit", ""),
    )


def _tag(tags: Tags, name: str) -> str:
    return dict(tags).get(name, "")


def _place(tags: Tags) -> str:
    return place(_tag(tags, "method"), _tag(tags, "tool"))


def _are_several(series: list[tuple[Tags, MetricSummary]]) -> bool:
    """Whether the scenario must be told, since there is more than one."""
    return len({_tag(tags, "scenario") for tags, _ in series}) > 1


def in_order(series: Iterable[tuple[Tags, MetricSummary]]) -> list[tuple[Tags, MetricSummary]]:
    """By scenario, transport and the order in which a session calls the methods, then by name."""
    return sorted(series, key=lambda pair: _order(pair[0]))


def _order(tags: Tags) -> tuple[str, int, str, int, Tags]:
    transport = _tag(tags, "transport")
    return _tag(tags, "scenario"), _position(transport, _TRANSPORTS), transport, _position(_tag(tags, "method"), _METHODS), tags


def _position(text: str, known: tuple[str, ...]) -> int:
    return known.index(text if text in known else _ANY_OTHER)
