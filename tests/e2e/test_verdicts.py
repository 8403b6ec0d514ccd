"""Thresholds from the command line to the exit code, and metrics of one's own all the way to summary.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved, exchanges
from tests.e2e.processes import Server

TOOL_SEARCH = Path(__file__).parent / "locustfiles" / "tool_search.py"
SHORT = ("-u", "4", "-t", "2s")


def judged(summary: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The state of each threshold by metric and expression."""
    return {(row["metric"], row["expression"]): row["state"] for row in summary["verdict"]["thresholds"]}


def test_a_crossed_threshold_ends_with_3(run_at: RunAt, tmp_path: Path) -> None:
    """The server holds each answer for 60 ms; the failure rate holds, the latency does not."""
    with Server(tmp_path, "--delay", "60") as server:
        run = run_at(server)
        run.command(
            "tools_call_rps", "--workers", "2", *SHORT, "--mop-threshold", "call_latency{method:tools/list}: p(95)<30,p(95)>50"
        )
        assert run.wait() == 3, run.output
        summary = run.summary
        conserved(summary, server.counts(), run.statistics)
    assert (summary["verdict"]["state"], summary["verdict"]["exit_code"]) == ("CROSSED", 3)
    assert judged(summary) == {
        ("tools_call_failures", "rate<0.05"): "PASSED",
        ("call_latency{method:tools/list}", "p(95)<30"): "CROSSED",
        ("call_latency{method:tools/list}", "p(95)>50"): "PASSED",
    }
    [crossed] = [row for row in summary["verdict"]["thresholds"] if row["state"] == "CROSSED"]
    assert crossed["value"] >= 60
    assert (
        crossed["samples"]
        == summary["metrics"]["tools_call_failures"]["count"] - exchanges(summary)["http", "initialize"].total()
    )
    assert summary["verdict"]["sentence"].startswith("CROSSED: ")
    assert summary["verdict"]["sentence"] in run.output


def test_given_thresholds_replace_those_of_their_metric_only(server: Server, run_at: RunAt) -> None:
    """From the option, repeated, and from the variable, which may use `;` and line ends and has commas inside."""
    run = run_at(server, MOP_THRESHOLDS="calls: count>=1;\n call_latency: avg<60000, max<60000 ")
    run.single(
        "mixed", "-u", "15", "-t", "2s", "--mop-threshold", "ws_failures: rate<0.5", "--mop-threshold", "sse_failures: rate<=1"
    )
    assert run.wait() == 0, run.output
    assert judged(run.summary) == {
        ("calls", "count>=1"): "PASSED",
        ("call_latency", "avg<60000"): "PASSED",
        ("call_latency", "max<60000"): "PASSED",
        ("ws_failures", "rate<0.5"): "PASSED",
        ("sse_failures", "rate<=1"): "PASSED",
        ("tools_call_failures", "rate<0.05"): "PASSED",
    }


def test_a_threshold_without_samples_ends_with_3(server: Server, run_at: RunAt) -> None:
    """A figure about nothing is no figure, however generous its limit."""
    run = run_at(server)
    run.single("tools_call_rps", *SHORT, "--mop-threshold", "call_latency{method:tools/call}: p(95)<60000")
    assert run.wait() == 3, run.output
    assert run.summary["verdict"]["state"] == "NO_DATA"
    [row] = [row for row in run.summary["verdict"]["thresholds"] if row["state"] == "NO_DATA"]
    assert (row["metric"], row["samples"], row["value"]) == ("call_latency{method:tools/call}", 0, None)
    assert "call_latency{method:tools/call} has no samples" in run.output


def test_metrics_of_ones_own_reach_the_summary(server: Server, run_at: RunAt) -> None:
    """A locustfile of at most 40 lines, run from elsewhere on two workers."""
    assert len(TOOL_SEARCH.read_text().splitlines()) <= 40
    run = run_at(server)
    run.command(str(TOOL_SEARCH), "--workers", "2", *SHORT)
    assert run.wait() == 0, run.output
    summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    metrics, calls = summary["metrics"], counts["answered"]["http tools/call"]
    assert metrics["calls{method:tools/call,scenario:tool_search,tool:exa_search_example,transport:http}"]["count"] == calls > 0
    assert metrics["answer_size"]["count"] == metrics["short_answers"]["count"] == calls
    assert (metrics["answer_size"]["kind"], metrics["answer_size"]["unit"]) == ("trend", "bytes")
    assert metrics["short_answers"]["failures"] == 0
    assert (metrics["words"]["kind"], metrics["words"]["count"] >= calls) == ("counter", True)
    assert summary["run"]["scenarios"] == ["tool_search"]
    assert set(judged(summary)) == {
        ("answer_size", "min>=1"),
        ("answer_size", "p(95)<100000"),
        ("short_answers", "rate<0.5"),
        ("words", "count>=10"),
        ("call_failures", "rate<0.05"),
    }
    assert set(judged(summary).values()) == {"PASSED"}


def test_a_tool_is_called_when_one_is_named(server: Server, run_at: RunAt) -> None:
    """MOP_RPS_TOOL adds a call to each iteration, and its failures to the scenario's rate."""
    run = run_at(server, MOP_RPS_TOOL="exa_search_example", MOP_RPS_TOOL_ARGS='{"query": "load"}', MOP_RPS_LISTS="2")
    run.single("tools_call_rps", *SHORT)
    assert run.wait() == 0, run.output
    summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    found = {method: outcomes["ok"] for (_, method), outcomes in exchanges(summary).items()}
    assert found["tools/list"] == 2 * found["initialize"] == 2 * found["tools/call"]
    assert summary["metrics"]["tools_call_failures"]["count"] == 4 * found["initialize"]
    assert counts["answered"]["http tools/call"] == found["tools/call"]
