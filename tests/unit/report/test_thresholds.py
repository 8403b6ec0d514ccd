"""A judged threshold in words."""

from __future__ import annotations

import pytest

from mop_locust.metrics.summary import MetricSummary
from mop_locust.report import thresholds
from mop_locust.verdict.judge import ThresholdJson

METRICS: dict[str, MetricSummary] = {
    "call_failures": {"kind": "rate", "count": 9424},
    "call_latency": {"kind": "trend", "count": 4712, "unit": "ms"},
    "orders": {"kind": "counter", "count": 120},
}


def result(metric: str, expression: str, value: float | None, state: str = "CROSSED") -> ThresholdJson:
    """A threshold of 4,712 samples."""
    return {"metric": metric, "expression": expression, "value": value, "samples": 4712, "state": state}


@pytest.mark.parametrize(
    ("metric", "expression", "value", "found", "limit"),
    [
        ("call_failures", "rate<0.05", 0.071, "7.10 % of 4,712", "limit 5 %"),
        ("call_failures", "rate<=7%", 0.071, "7.10 % of 4,712", "limit 7 %"),
        ("call_failures", "rate<0.0001", 0.071, "7.10 % of 4,712", "limit 0.01 %"),
        ("call_failures", "rate>0.5", 0.071, "7.10 % of 4,712", "wanted rate>0.5"),
        ("call_failures", "count<5", 4712, "4,712", "limit 5"),
        ("call_latency{method:tools/list}", "p(95)<250", 412.0, "412 ms over 4,712", "limit 250 ms"),
        ("call_latency", "avg<1500", 2000.0, "2.00 s over 4,712", "limit 1.50 s"),
        ("orders", "count>1000", 120, "120", "wanted count>1000"),
        ("orders", "rate<10", 12.0, "12.0 per s", "limit 10.0 per s"),
        ("unknown", "count>10", 0, "0", "wanted count>10"),
        ("unknown", "p(95)<10", 0.5, "0.5", "limit 10"),
        ("call_latency", "p(95)<250", None, "-", "limit 250 ms"),
        ("call_latency", "later grammar", 3.5, "3.5", "wanted later grammar"),
        ("call_latency", "p(95)<1,max<2", 3.5, "3.5", "wanted p(95)<1,max<2"),
    ],
)
def test_found_and_limit(metric: str, expression: str, value: float | None, found: str, limit: str) -> None:
    """Each value in the form of its kind, the limit in the same."""
    one = result(metric, expression, value)
    assert thresholds.found_text(one, METRICS) == found
    assert thresholds.limit_text(one, METRICS) == limit


@pytest.mark.parametrize(
    ("expression", "name"),
    [("p(95)<1", "P95"), ("p(99.9)<1", "P99.9"), ("avg<1", "mean"), ("med<1", "median"), ("max<1", "max"), ("count<1", "count")],
)
def test_aggregation_name(expression: str, name: str) -> None:
    """As a person says it."""
    threshold = thresholds.read_threshold(result("call_latency", expression, 1.0))
    assert threshold is not None
    assert thresholds.aggregation_name(threshold) == name


def test_state_words() -> None:
    """Small letters, no underscores."""
    words = [thresholds.state_words(result("a", "count<1", None, state)) for state in ("PASSED", "CROSSED", "NO_DATA")]
    assert words == ["passed", "crossed", "no data"]


def test_the_window_that_decided() -> None:
    """From when to when; nothing where there is none."""
    one = result("call_latency", "p(95)<250 over 1m", 412.0)
    one["window"] = {"start_s": 132, "seconds": 60}
    assert thresholds.found_text(one, METRICS) == "412 ms over 4,712 from 2:12 to 3:12"
    assert thresholds.limit_text(one, METRICS) == "limit 250 ms"
    counted = result("orders", "count>3 over 2s", 1)
    counted["window"] = {"start_s": 0, "seconds": 2}
    assert thresholds.found_text(counted, METRICS) == "1 from 0:00 to 0:02"
    assert thresholds.window_text(result("orders", "count>3", 1)) == ""
