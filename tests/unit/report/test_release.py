"""The table of a formal release."""

from __future__ import annotations

from typing import Any

import pytest
from markdown_it import MarkdownIt

from mop_locust.report.release import Spread, build, commit_of, mistakes, render
from tests.unit.report.sample_summary import HOSTILE, green_summary, hostile_summary, told_summary


def runs() -> dict[str, Any]:
    """Two scenarios, twice each; the second runs have twice the calls, half the latency and the higher peaks."""
    found: dict[str, Any] = {}
    for number in (1, 2):
        for scenario in ("ws_connect_storm", "tools_call_rps"):
            summary: Any = told_summary()
            summary["run"]["scenario"] = scenario
            summary["metrics"]["calls"]["count"] = 6002 * number
            summary["metrics"]["call_latency"] |= {"p95": 40.0 / number, "p99": 80.0 / number}
            summary["workers"][0]["rss_bytes_peak"] = 100e6 * number
            found[f"runs/{scenario}-{number}"] = summary
    return found


def test_figures_are_the_median_with_the_least_and_the_most() -> None:
    """Over the runs of each scenario."""
    release = build(runs())
    storm, calls = release.scenarios
    assert (storm.scenario, calls.scenario) == ("ws_connect_storm", "tools_call_rps")
    assert calls.runs == ["runs/tools_call_rps-1", "runs/tools_call_rps-2"]
    assert calls.calls_per_second == Spread(150.0, 100.0, 200.0)
    assert (calls.error_metric, calls.error_rate) == ("tools_call_failures", Spread(0, 0, 0))
    assert (calls.failed_calls, calls.p95_ms, calls.p99_ms) == (Spread(0, 0, 0), Spread(30, 20, 40), Spread(60, 40, 80))
    assert calls.peak_server == {"cpu_percent": 71.5, "rss_bytes": 28e6}
    assert calls.peak_workers == {"cpu_percent": 44.0, "rss_bytes": 200e6}
    assert calls.peak_master == {"cpu_percent": 6.0, "rss_bytes": 71e6}
    assert calls.command == ["mop-locust", "run", "tools_call_rps", "--workers", "2"]


def test_the_table_for_people() -> None:
    """Hash, one table, peaks, command lines, machines, and where the raw figures are."""
    text = render(build(runs()))
    for line in (
        "# Release figures of `meta-orchestration-protocol 0.1.4` at `0123abc`",
        "| scenario | runs | calls per s | error rate | failed calls | P95 | P99 | verdict |",
        (
            "| `tools_call_rps` | 2 | 150.0 (100.0 to 200.0) | 0.00 % `tools_call_failures` | 0.00 % | 30 ms (20 ms to 40 ms) "
            "| 60 ms (40 ms to 80 ms) | PASSED |"
        ),
        "| `tools_call_rps` | 72 %, 27 MiB | 44 %, 191 MiB | 6 %, 68 MiB |",
        "- `mop-locust run tools_call_rps --workers 2`",
        "- `load-1`: `Example CPU`, 2 cores, 8 GiB, `Linux 6.1.0`",
    ):
        assert line in text.splitlines()
    assert "`runs/ws_connect_storm-2`" in text


def test_a_server_that_nobody_looked_at_is_not_made_up() -> None:
    """Nor a failure rate of nothing."""
    only: dict[str, Any] = {"runs/a": told_summary()}
    del only["runs/a"]["server_side"]
    del only["runs/a"]["metrics"]["call_failures"]
    text = render(build(only))
    assert "| not seen | 44 %, 61 MiB | 6 %, 68 MiB |" in text
    assert "| 1 | 314.0 | 0.00 % `tools_call_failures` | - |" in text


def test_the_error_rate_is_that_of_the_scenario() -> None:
    """A close that the server never answers is a failed call and no failed session; of several rates none is the one."""
    only: dict[str, Any] = {"runs/a": told_summary()}
    metrics = only["runs/a"]["metrics"]
    metrics["call_failures"] = {"kind": "rate", "count": 3, "failures": 1, "rate": 1 / 3}
    metrics["ws_failures"] = metrics.pop("tools_call_failures")
    (storm,) = build(only).scenarios
    assert (storm.error_metric, storm.error_rate, storm.failed_calls) == (
        "ws_failures",
        Spread(0, 0, 0),
        Spread(1 / 3, 1 / 3, 1 / 3),
    )
    metrics["sse_failures"] = metrics["ws_failures"]
    (mixed,) = build(only).scenarios
    assert (mixed.error_metric, mixed.error_rate) == ("call_failures", mixed.failed_calls)


def test_what_keeps_runs_from_being_a_release() -> None:
    """None of it here; runs of an older version know no commit, and other sources are another suite."""
    assert mistakes(runs()) == []
    assert commit_of({"a": green_summary()}) == ""
    other = runs()
    other["runs/tools_call_rps-2"]["provenance"]["suite_sha256"] = "ef" * 32
    other["runs/tools_call_rps-1"]["metrics"] = {}
    assert mistakes(other) == [
        "runs/tools_call_rps-1: nothing was measured",
        f"the runs saw different suite hashes: {'ab' * 32}, {'ef' * 32}",
    ]


def test_a_websocket_run_does_not_know_the_server_and_need_not() -> None:
    """Its name is that of the other runs."""
    found = runs()
    for name in ("runs/ws_connect_storm-1", "runs/ws_connect_storm-2"):
        found[name]["run"]["server"] = None
        found[name]["provenance"]["server_commit"] = {"hash": None, "obtained": "unknown"}
    assert mistakes(found) == []
    release = build(found)
    assert (release.server, release.server_commit) == ("meta-orchestration-protocol 0.1.4", "0123abc")
    assert release.server_commit_obtained == "asked: /health"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_server_gets_out(text: str) -> None:
    """Into Markdown."""
    source = render(build({"runs/a": hostile_summary(text)}))
    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(source)
    assert not any(mark in html for mark in ("<script", "<img", "<a ", "<del", "onerror=alert(1)>"))
    assert {line.count("|") for line in source.splitlines() if line.startswith("|")} <= {9, 5}
