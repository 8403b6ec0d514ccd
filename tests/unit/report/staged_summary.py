"""A run in stages that a threshold ended."""

from __future__ import annotations

from mop_locust.metrics.summary import MetricSummary
from mop_locust.report.document import StagePart, SummaryDocument
from mop_locust.report.sentence import red_sentence
from tests.unit.report.sample_summary import add_calls, green_summary, histogram

EXPRESSION = "p(95)<250 over 1m abort after 10s"


def stage(name: str, start_s: int, planned_seconds: int, target: float, seconds: float, *milliseconds: float) -> StagePart:
    """A stage with calls of these times."""
    metrics: dict[str, MetricSummary] = {}
    if milliseconds:
        add_calls(metrics, "http", "tools/list", ok=histogram(*milliseconds))
    return {
        "name": name,
        "start_s": start_s,
        "planned_seconds": planned_seconds,
        "target": target,
        "seconds": seconds,
        "metrics": metrics,
    }


def staged_summary() -> SummaryDocument:
    """Ended at 3:12 of 6 minutes: the third stage never came, and a jump has no time."""
    summary = green_summary()
    summary["run"] |= {"stopped_by": "threshold", "planned_seconds": 360.0, "seconds": 193.5, "load_seconds": 193.0}
    summary["stages"] = [
        stage("jump", 0, 0, 1500, 0.0),
        stage("steady", 0, 120, 1500, 120.0, 1, 2, 3),
        stage("spike", 120, 120, 3000, 73.5, 400, 400),
        stage("recovery", 240, 120, 0, 0.0),
    ]
    summary["verdict"] |= {
        "state": "CROSSED",
        "exit_code": 3,
        "thresholds": [
            {"metric": "tools_call_failures", "expression": "rate<0.05", "value": 0.07, "samples": 9424, "state": "CROSSED"},
            {
                "metric": "call_latency",
                "expression": EXPRESSION,
                "value": 412.0,
                "samples": 1234,
                "state": "CROSSED",
                "window": {"start_s": 132, "seconds": 60},
            },
        ],
        "aborted": {"at_s": 192, "metric": "call_latency", "expression": EXPRESSION, "value": 412.0},
    }
    summary["verdict"]["sentence"] = red_sentence(summary)
    return summary
