"""A reading as OTLP metrics, and how OpenTelemetry's exporter fares with a place that fails."""

from __future__ import annotations

import re
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics.export import Metric
from opentelemetry.sdk.resources import Resource

from mop_locust.exporters import otlp
from mop_locust.exporters.buckets import SECONDS
from mop_locust.exporters.otlp import endpoint, metrics_data, writer
from mop_locust.exporters.reading import Reading
from mop_locust.exporters.sink import NO_ANSWER, WriteError
from tests.e2e.observers import closed_port, sink
from tests.unit.exporters.readings import a_reading, a_run
from tests.unit.swarm.runs import STARTED_WALL, exchange, worked

NOW = round((STARTED_WALL + 60) * 1e9)
LIST = {"mcp.method.name": "tools/list", "mop.scenario": "calls"}
CALL = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "find", "mop.scenario": "calls"}
WIRE = {"network.transport": "tcp", "network.protocol.name": "http", "mcp.protocol.version": "2025-11-25"}


def metrics(reading: Reading) -> dict[str, Metric]:
    """The metrics of a reading by name."""
    ((resource,),) = (metrics_data(reading, NOW, Resource({"deployment.environment": "lab"})).resource_metrics,)
    assert dict(resource.resource.attributes)["service.name"] == "mop-locust"
    assert dict(resource.resource.attributes)["service.instance.id"] == "r-1"
    assert dict(resource.resource.attributes)["deployment.environment"] == "lab"
    ((scope,),) = (resource.scope_metrics,)
    return {metric.name: metric for metric in scope.metrics}


def points(metric: Metric) -> list[Any]:
    """Its data points."""
    return list(metric.data.data_points)


def test_operations_are_named_by_the_conventions() -> None:
    """In seconds, since the start; what failed has its error type."""
    metric = metrics(a_reading())["mcp.client.operation.duration"]
    assert metric.unit == "s"
    found = [(dict(point.attributes), point.count, point.sum) for point in points(metric)]
    wanted = [
        ({**LIST, **WIRE}, 4, 60.004701),
        ({**CALL, **WIRE, "error.type": "tool_error"}, 1, 0.003),
        ({**CALL, **WIRE, "error.type": "timeout"}, 1, 9.999999),
    ]
    assert [one for one in found if one not in wanted] == [one for one in wanted if one not in found] == []
    (listed,) = [point for point in points(metric) if point.count == 4]
    assert (listed.start_time_unix_nano, listed.time_unix_nano) == (round(STARTED_WALL * 1e9), NOW)
    assert (listed.min, listed.max) == (0.0007, 60.000001)
    assert (tuple(listed.explicit_bounds), len(listed.bucket_counts), sum(listed.bucket_counts)) == (
        SECONDS.shown,
        len(SECONDS.shown) + 1,
        4,
    )


def test_several_ways_to_fail_in_one_series_are_other() -> None:
    """And what is no request of MCP is no operation of it."""
    run = a_run()
    worked(run, "w3", exchange(outcome="tool_error", method="tools/call"), exchange(outcome="rpc_error", method="tools/call"))
    worked(run, "w4", *(exchange(outcome=outcome, method="delete") for outcome in ("ok", "timeout", "connect")))
    found = metrics(a_reading(run))
    types = {point.attributes.get("error.type") for point in points(found["mcp.client.operation.duration"])}
    assert types == {None, "timeout", "tool_error", "_OTHER"}
    assert "delete" not in {point.attributes["mcp.method.name"] for point in points(found["mcp.client.operation.duration"])}
    assert "delete" in {point.attributes["mcp.method.name"] for point in points(found["mop.call_latency"])}


def test_sessions_are_named_by_the_conventions() -> None:
    """Without a version where none is known."""
    found = metrics(a_reading(protocol_version=""))
    (point,) = points(found["mcp.client.session.duration"])
    assert dict(point.attributes) == {"mop.scenario": "calls", "network.transport": "tcp"}
    assert (point.count, point.sum) == (1, 5.0)
    empty = a_reading()
    empty.summary["metrics"] = {}
    assert not [name for name in metrics(empty) if name.startswith("mcp.")]


def test_everything_else_has_our_own_names() -> None:
    """Sums that grow, gauges, units."""
    found = metrics(a_reading())
    calls = found["mop.calls"].data
    assert (calls.is_monotonic, int(calls.aggregation_temporality)) == (True, 2)  # type: ignore[union-attr]
    assert {point.attributes["mop.outcome"]: point.value for point in calls.data_points} == {
        "timeout": 1,
        "tool_error": 1,
        "ok": 4,
    }
    assert [(dict(point.attributes), point.value) for point in points(found["mop.users"])] == [
        ({"worker": "0"}, 12.0),
        ({"worker": "1"}, 8.0),
    ]
    assert (found["mop.worker_cpu"].unit, found["mop.answer_length"].unit) == ("1", "{characters}")


@pytest.mark.parametrize("given", ["http://h:4318", "http://h:4318/", "http://h:4318/v1/metrics"])
def test_the_address_is_that_of_a_collector_or_of_its_metrics(given: str) -> None:
    """As OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_METRICS_ENDPOINT."""
    assert endpoint(given) == "http://h:4318/v1/metrics"


def test_a_reading_is_sent() -> None:
    """As protobuf that another reader takes."""
    with sink(200) as (url, bodies):
        writer(url)(a_reading())
    request = ExportMetricsServiceRequest.FromString(bodies[0])
    names = {metric.name for metric in request.resource_metrics[0].scope_metrics[0].metrics}
    assert {"mcp.client.operation.duration", "mcp.client.session.duration", "mop.calls", "mop.verdict_state"} <= names


@pytest.mark.parametrize(
    ("status", "text", "again"),
    [(400, "HTTP 400", False), (503, "HTTP 503", True), (None, NO_ANSWER, True), (0, "Connection refused", True)],
)
def test_a_place_that_fails_is_named_by_its_reason(
    status: int | None, text: str, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter itself only tells that it failed."""
    monkeypatch.setattr(otlp, "ATTEMPT_SECONDS", 0.3)
    with sink(status or None) as (url, _), pytest.raises(WriteError, match=f"^{re.escape(text)}$") as caught:
        writer(closed_port() if status == 0 else url)(a_reading())
    assert caught.value.again is again


def test_what_cannot_be_encoded_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent, so there is no reason of the place."""
    monkeypatch.setattr(otlp, "metrics_data", lambda *_: None)
    with sink(200) as (url, bodies), pytest.raises(WriteError, match="could not be encoded"):
        writer(url)(a_reading())
    assert bodies == []
