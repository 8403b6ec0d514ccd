"""What the tables show, in which order."""

from __future__ import annotations

from typing import Any

from mop_locust.metrics.labels import series_name, sorted_tags
from mop_locust.metrics.summary import MetricSummary
from mop_locust.report.rows import Block, Row, call_blocks, metric_rows, phase_blocks, place, series_of
from tests.unit.report.sample_summary import PLAIN_TOOL, add_calls, dead_summary, green_summary, histogram, red_summary, trend


def test_calls_stand_in_the_order_of_a_session() -> None:
    """initialize first, delete last, a tool under its name."""
    (block,) = call_blocks(green_summary())
    assert block.title == "http"
    assert [row.label for row in block.rows] == ["initialize", "tools/list", f"tools/call {PLAIN_TOOL}", "delete"]


def test_a_row_holds_count_failures_and_latency() -> None:
    """The latency is of the successful calls, the failures of all."""
    row = call_blocks(red_summary())[0].rows[1]
    assert (row.count, row.failed, row.unit) == (4712, 664 / 4712, "ms")
    assert row.cells(58.4) == ["4,712", "80.7", "14.09 %", "1.6 ms", "2.7 ms", "2.8 ms", "11 ms"]


def test_several_scenarios_have_their_own_blocks_in_order() -> None:
    """By scenario, then http, sse, websocket, then what is unknown; unknown methods before the clean-up."""
    summary = green_summary()
    metrics: dict[str, MetricSummary] = {}
    for scenario, transport, method in (
        ("b", "websocket", "close"),
        ("b", "websocket", "custom/thing"),
        ("b", "websocket", "connect"),
        ("b", "other", "other"),
        ("b", "sse", "stream"),
        ("a", "http", "tools/list"),
    ):
        add_calls(metrics, transport, method, scenario=scenario, ok=histogram(1))
    summary["metrics"] = metrics
    assert [(block.title, [row.label for row in block.rows]) for block in call_blocks(summary)] == [
        ("a http", ["tools/list"]),
        ("b sse", ["stream"]),
        ("b websocket", ["connect", "custom/thing", "close"]),
        ("b other", ["other"]),
    ]


def test_calls_that_all_failed_have_no_latency() -> None:
    """No data is not zero."""
    summary = green_summary()
    summary["metrics"] = {}
    add_calls(summary["metrics"], "http", "initialize", ok=histogram(), connect=212)
    assert call_blocks(summary)[0].rows[0].cells(10) == ["212", "21.2", "100.00 %", "-", "-", "-", "-"]


def test_calls_without_a_rate_or_trend_are_shown_all_the_same() -> None:
    """A counter alone is enough for a row."""
    summary = green_summary()
    tags = sorted_tags([("method", "ping"), ("transport", "websocket")])
    summary["metrics"] = {series_name("calls", tags): {"kind": "counter", "count": 3}}
    assert call_blocks(summary) == [Block("websocket", [Row("ping", 3, None, (None, None, None, None), "")])]


def test_other_metrics_are_the_known_ones_with_samples_and_all_declared_ones() -> None:
    """What the suite measures about itself stays out, and so does a known metric without samples."""
    summary = green_summary()
    summary["metrics"]["declared_but_empty"] = {"kind": "counter", "count": 0}
    assert [row.label for row in metric_rows(summary)] == [
        "session_duration",
        "connect_latency",
        "basket_size",
        "cache_misses",
        "declared_but_empty",
        "orders",
    ]
    rows = {row.label: row.cells(60) for row in metric_rows(summary)}
    assert rows["cache_misses"] == ["200", "3.3", "1.50 %", "-", "-", "-", "-"]
    assert rows["basket_size"] == ["3", "0.1", "-", "4 items", "5 items", "5 items", "5 items"]


def test_a_declared_metric_has_a_row_for_each_series_of_its_own() -> None:
    """Behind its total; the scenario alone tells nothing more, and gives no row."""
    summary = green_summary()
    tags = {"scenario": "a", "downstream": "downstream-1"}
    for key, count in {
        "hops": 5,
        series_name("hops", sorted_tags([*tags.items(), ("transport", "websocket")])): 2,
        series_name("hops", sorted_tags([*tags.items(), ("transport", "http")])): 3,
        "orders{scenario:a}": 7,
    }.items():
        summary["metrics"][key] = {"kind": "counter", "count": count}
    rows = [(row.label, row.count) for row in metric_rows(summary)]
    assert rows[rows.index(("hops", 5)) :][:3] == [("hops", 5), ("· downstream-1 http", 3), ("· downstream-1 websocket", 2)]
    assert rows[-1][0] == "orders"


def test_phases_have_a_block_a_metric() -> None:
    """Phases of exchanges, and the time that unsuccessful ones took."""
    blocks = phase_blocks(red_summary())
    assert [(block.title, [row.label for row in block.rows]) for block in blocks] == [
        ("connect_latency", ["http initialize"]),
        ("first_byte_latency", ["http initialize"]),
        ("call_latency_timeout", ["http initialize"]),
    ]


def test_phases_name_the_scenario_where_there_are_several() -> None:
    """Without it, two rows would look the same; a series without values has none."""
    summary = green_summary()
    summary["metrics"] = {
        series_name("connect_latency", sorted_tags([("scenario", scenario), ("transport", "http"), ("method", "ping")])): trend(
            values
        )
        for scenario, values in (("b", histogram(2)), ("a", histogram(1)), ("c", histogram()))
    }
    assert [[row.label for row in block.rows] for block in phase_blocks(summary)] == [["a http ping", "b http ping"]]


def test_nothing_measured_gives_no_rows() -> None:
    """A dead target has no tables."""
    assert (call_blocks(dead_summary()), metric_rows(dead_summary()), phase_blocks(dead_summary())) == ([], [], [])


def test_series_of_takes_no_other_metric() -> None:
    """A name that is the beginning of another one is not that one, and a total is no series."""
    metrics: dict[str, MetricSummary] = {
        name: {"kind": "counter", "count": 1} for name in ("calls", "calls{method:ping}", "calls{}", "calls_more{method:ping}")
    }
    assert [tags for tags, _ in series_of(metrics, "calls")] == [(("method", "ping"),), ()]


def test_place() -> None:
    """As Locust's rows are named."""
    assert (place("tools/call", "echo"), place("ping", "")) == ("tools/call echo", "ping")


def test_a_declared_metric_with_tags_of_its_own_has_a_row_for_each() -> None:
    """Below its total; the scenario alone is no reason for one."""
    summary: Any = green_summary()
    figures = {"kind": "trend", "unit": "ms", "p50": 1.0}
    summary["metrics"] |= {
        "cost": {**figures, "count": 5},
        "cost{rule:a,scenario:s}": {**figures, "count": 3},
        "cost{rule:b,scenario:s}": {**figures, "count": 2},
        "plain": {**figures, "count": 1},
        "plain{scenario:s}": {**figures, "count": 1},
    }
    rows = [(row.label, row.count) for row in metric_rows(summary) if row.label.startswith(("cost", "plain", "·"))]
    assert rows == [("cost", 5), ("· a", 3), ("· b", 2), ("plain", 1)]


def test_open_load_has_lines_of_its_own() -> None:
    """Where sessions arrived by a clock, and only there: the start lag of closed load is the generator's alone."""
    closed = green_summary()
    closed["metrics"]["start_lag"] = {"kind": "trend", "count": 3, "unit": "ms", "p50": 1.0}
    assert "start_lag" not in [row.label for row in metric_rows(closed)]
    closed["metrics"]["arrivals"] = {"kind": "counter", "count": 5}
    closed["metrics"]["dropped_iterations"] = {"kind": "counter", "count": 2}
    rows = metric_rows(closed)
    assert [(row.label, row.count) for row in rows[:2]] == [("start_lag", 3), ("dropped_iterations", 2)]
