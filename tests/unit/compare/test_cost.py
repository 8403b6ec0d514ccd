"""What a mission costs: from the summaries of pairs of runs to a table."""

from __future__ import annotations

from typing import Any

from markdown_it import MarkdownIt

from mop_locust.compare.cost import Cost, costs, markdown_text, table
from tests.unit.report.sample_summary import HOSTILE, green_summary

RULES = {"search": 2.0, "(none)": 1.0}


def run(more_ms: float, count: int = 600, bytes_mean: float = 500.0, rules: dict[str, float] | None = None) -> Any:
    """A run of the mission scenario, each rule slower by so much."""
    summary: Any = green_summary()
    for rule, ms in (RULES if rules is None else rules).items():
        name = rule.replace(",", "\\,").replace("{", "\\{").replace("}", "\\}")
        figures = {"p50": ms + more_ms, "p95": 2 * ms + more_ms, "p99": 3 * ms + more_ms}
        summary["metrics"][f"mission_latency{{rule:{name},scenario:mission}}"] = {
            "kind": "trend", "count": count, "unit": "ms", **figures
        }  # fmt: skip
        summary["metrics"][f"mission_bytes{{rule:{name},scenario:mission}}"] = {
            "kind": "trend", "count": count, "unit": "bytes", "mean": bytes_mean + more_ms
        }  # fmt: skip
    return summary


def test_each_rule_has_three_percentiles_and_its_bytes() -> None:
    """The difference pair by pair, and its interval with six of them."""
    found = costs("m", [run(n) for n in range(6)], [run(n + 0.5) for n in range(6)])
    assert [(cost.rule, cost.measure) for cost in found] == [
        (rule, measure) for rule in ("(none)", "search") for measure in ("P50", "P95", "P99", "bytes")
    ]
    assert found[5] == Cost("m", "search", "P95", "ms", [4, 5, 6, 7, 8, 9], [4.5, 5.5, 6.5, 7.5, 8.5, 9.5], 0.5, 0.5, 0.5)
    assert found[7].unit == "bytes"


def test_the_table() -> None:
    """Medians, difference, interval; finer than a tenth of a millisecond."""
    lines = table(costs("m", [run(n) for n in range(6)], [run(n + 0.04) for n in range(6)])).splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "mission rule without with difference 95 % interval",
        "m (none) P50 3.500 ms 3.540 ms +0.040 ms +0.040 ms to +0.040 ms",
        "m (none) P95 4.500 ms 4.540 ms +0.040 ms +0.040 ms to +0.040 ms",
        "m (none) P99 5.500 ms 5.540 ms +0.040 ms +0.040 ms to +0.040 ms",
        "m (none) bytes 502.5 502.5 +0.0 +0.0 to +0.0",
        "m search P50 4.500 ms 4.540 ms +0.040 ms +0.040 ms to +0.040 ms",
        "m search P95 6.500 ms 6.540 ms +0.040 ms +0.040 ms to +0.040 ms",
        "m search P99 8.500 ms 8.540 ms +0.040 ms +0.040 ms to +0.040 ms",
        "m search bytes 502.5 502.5 +0.0 +0.0 to +0.0",
        "",
        "A run is one sample; the difference is with minus without, pair by pair, its interval exact (signed ranks).",
    ]


def test_less_than_nothing_has_its_sign() -> None:
    """A mission can make calls faster, or seem to."""
    (cost, *_) = costs("m", [run(1)] * 6, [run(0)] * 6)
    assert (cost.change, cost.change_low, cost.change_high) == (-1.0, -1.0, -1.0)
    assert " ".join(table([cost]).splitlines()[1].split()) == "m (none) P50 2.000 ms 1.000 ms -1.000 ms -1.000 ms to -1.000 ms"


def test_too_few_calls_or_pairs() -> None:
    """A percentile without enough calls has no difference, a difference of few pairs no interval; each is said."""
    found = costs("m", [run(0, count=50)], [run(1, count=50)])
    assert [(cost.change, cost.change_low) for cost in found[:4]] == [(1.0, None), (None, None), (None, None), (1.0, None)]
    text = table(found)
    assert "No difference where a run has too few calls: P50 needs 10, P95 100, P99 500." in text
    assert "Too few pairs for an interval: 6 are needed." in text
    assert " ".join(text.splitlines()[2].split()) == "m (none) P95 - - - -"


def test_a_rule_that_one_side_never_saw() -> None:
    """It has its row and no difference."""
    found = costs("m", [run(0, rules={})], [run(0, rules={"late": 1.0})])
    assert [(cost.rule, cost.base, cost.new, cost.change) for cost in found[:1]] == [("late", [], [1.0], None)]


def test_hostile_ids_do_no_harm() -> None:
    """Neither at the terminal nor in Markdown."""
    found = [Cost(text, text, "P50", "ms", [1.0], [2.0], 1.0) for text in HOSTILE]
    assert "\x1b" not in table(found)
    page = MarkdownIt("gfm-like", {"linkify": False}).render(markdown_text(found, HOSTILE[0]))
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("<tr>") == 1 + len(HOSTILE)
