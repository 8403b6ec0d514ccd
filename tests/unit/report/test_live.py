"""What is worth a look while a run goes on."""

from __future__ import annotations

from mop_locust.report.live import ScenarioLine, scenario_lines, workers_state
from tests.unit.report.sample_summary import add_calls, dead_summary, green_summary, histogram, red_summary, trend


def test_a_line_a_scenario() -> None:
    """All its exchanges together; a scenario without any has its line too."""
    summary = green_summary()
    summary["metrics"] = {}
    summary["run"]["scenarios"] = ["calls", "storm"]
    add_calls(summary["metrics"], "http", "initialize", ok=histogram(1, 2, 3), scenario="calls", timeout=1)
    add_calls(summary["metrics"], "http", "tools/list", ok=histogram(4), scenario="calls", http_status=1)
    add_calls(summary["metrics"], "sse", "stream", ok=histogram(7), scenario="streams")
    first = trend(histogram(0.5))
    summary["metrics"]["first_byte_latency{method:initialize,scenario:calls,transport:http}"] = first
    assert scenario_lines(summary) == [
        ScenarioLine("calls", 6, 2 / 6, 2.001, 4.0, 4.0, 0.5),
        ScenarioLine("storm", 0, None, None, None, None, None),
        ScenarioLine("streams", 1, 0.0, 7.0, 7.0, 7.0, None),
    ]


def test_before_the_first_exchange() -> None:
    """There is a line without figures."""
    assert scenario_lines(dead_summary()) == [ScenarioLine("tools_call_rps", 0, None, None, None, None, None)]


def test_the_workers() -> None:
    """How many are here, how many are not, and how hard they work."""
    summary = green_summary()
    for worker in summary["workers"]:
        worker["state"] = "running"
    assert workers_state(summary) == "2 of 2 here, CPU 31 % of a core, loop lag P99 0.9 ms"
    summary["workers"][0] |= {"cpu_percent": 9.0, "state": "stopped"}
    assert workers_state(summary) == "1 of 2 here, 1 left, CPU 9 to 31 % of a core, loop lag P99 0.9 ms"
    assert workers_state(red_summary()) == "0 of 2 here, 1 lost, CPU 31 % of a core, loop lag P99 0.9 ms"
    assert workers_state(dead_summary()) == ""
