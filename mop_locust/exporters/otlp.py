"""The families of a reading as OTLP metrics, cumulative, sent by OpenTelemetry's own HTTP exporter (`mop-locust[otlp]`).

Its exporter takes finished data points, so what is merged already is not counted a second time by its instruments. Its readers
and batch threads, which have been seen to deadlock under gevent, have no part in it. Imported only when it is wanted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import requests
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as SdkHistogram
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mop_locust.exporters.buckets import SECONDS, Bounds
from mop_locust.exporters.families import Family, Labels, families
from mop_locust.exporters.reading import Reading
from mop_locust.exporters.sink import ATTEMPT_SECONDS, WriteError, unreachable
from mop_locust.metrics.accumulators import CounterTotal, TrendTotal
from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.labels import Tags
from mop_locust.metrics.sample import FAILURES

UNITS: Final = {"seconds": "s", "bytes": "By", "ratio": "1", "": "1"}

NO_REQUESTS: Final = frozenset({"connect", "stream", "close", "delete"})
"""Methods of ours that are exchanges, but no requests of MCP: they stand in `mop.call_latency` alone."""

_ATTRIBUTES: Final = {
    "method": "mcp.method.name",
    "tool": "gen_ai.tool.name",
    "status": "http.response.status_code",
    "scenario": "mop.scenario",
    "transport": "mop.transport",
    "outcome": "mop.outcome",
}
_PROTOCOLS: Final = {"http": "http", "sse": "http", "websocket": "websocket"}


def endpoint(url: str) -> str:
    """The address of the metrics: that of a collector with `/v1/metrics` behind it, unless it stands there."""
    base = url.rstrip("/")
    return base if base.endswith("/v1/metrics") else f"{base}/v1/metrics"


class _Session(requests.Session):
    """Keeps why the last request came to nothing: the exporter only tells that it did."""

    fault, status = "", 0

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        try:
            answer = super().send(request, **more)
        except requests.RequestException as error:
            self.fault, self.status = unreachable(error), 0
            raise
        self.fault, self.status = f"HTTP {answer.status_code}", answer.status_code
        return answer


def writer(url: str) -> Callable[[Reading], None]:
    """Returns what sends a reading; the exporter takes its headers from `OTEL_EXPORTER_OTLP_HEADERS`."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # what it would say stands in the notes of the run
    session = _Session()
    exporter = OTLPMetricExporter(endpoint=endpoint(url), session=session, timeout=ATTEMPT_SECONDS)
    host = Resource.create()  # with OTEL_RESOURCE_ATTRIBUTES

    def send(reading: Reading) -> None:
        session.fault, session.status = "", 0
        if exporter.export(metrics_data(reading, time.time_ns(), host)) is not MetricExportResult.SUCCESS:
            again = session.status in (0, 429) or session.status >= 500
            raise WriteError(session.fault or "the metrics could not be encoded", again=again)

    return send


def metrics_data(reading: Reading, now_ns: int, host: Resource) -> MetricsData:
    """The reading as the value that the SDK's exporters take; `now_ns` counts since 1970."""
    run = reading.summary["run"]
    own = Resource({"service.name": "mop-locust", "service.version": run["suite_version"], "service.instance.id": run["id"]})
    resource = host.merge(own)
    times = round(reading.since * 1e9), now_ns
    metrics = [*_conventional(reading, times), *(_metric(family, times) for family in families(reading))]
    scope = InstrumentationScope("mop_locust", run["suite_version"])
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(scope, metrics, "")], "")])


def _metric(family: Family, times: tuple[int, int]) -> Metric:
    name, unit = f"mop.{family.name}", UNITS.get(family.unit, f"{{{family.unit}}}")
    if family.kind == "histogram":
        return _histograms(name, unit, family.help, family.histograms, family.bounds, times)
    numbers = [NumberDataPoint(_attributes(labels), *times, value) for labels, value in family.numbers]
    if family.kind == "gauge":
        return Metric(name, family.help, unit, Gauge(numbers))
    return Metric(name, family.help, unit, Sum(numbers, AggregationTemporality.CUMULATIVE, is_monotonic=True))


def _histograms(
    name: str, unit: str, text: str, found: Sequence[tuple[Labels, Histogram]], bounds: Bounds, times: tuple[int, int]
) -> Metric:
    points = [
        HistogramDataPoint(
            _attributes(labels),
            *times,
            count=histogram.count,
            sum=histogram.total / bounds.scale,
            bucket_counts=bounds.counts(histogram),
            explicit_bounds=bounds.shown,
            min=histogram.min / bounds.scale,
            max=histogram.max / bounds.scale,
        )
        for labels, histogram in found
    ]
    return Metric(name, text, unit, SdkHistogram(points, AggregationTemporality.CUMULATIVE))


def _attributes(labels: Labels) -> Labels:
    return {_ATTRIBUTES.get(name, name): value for name, value in labels.items()}


def _conventional(reading: Reading, times: tuple[int, int]) -> list[Metric]:
    """The two metrics of the semantic conventions for MCP clients."""
    operations: list[tuple[Labels, Histogram]] = []
    sessions: list[tuple[Labels, Histogram]] = []
    for (name, tags), total in reading.totals.series.items():
        if not isinstance(total, TrendTotal):
            continue
        attributes = _of_convention(reading, tags)
        if name == "session_duration":
            sessions.append((attributes, total.histogram))
        elif name == "call_latency" and dict(tags)["method"] not in NO_REQUESTS:
            operations.append((attributes, total.histogram))
        elif name == "call_latency_timeout" and dict(tags)["method"] not in NO_REQUESTS:
            operations.append(({**attributes, "error.type": "timeout"}, total.histogram))
        elif name == "call_latency_failed" and dict(tags)["method"] not in NO_REQUESTS:
            operations.append(({**attributes, "error.type": _error_type(reading, tags)}, total.histogram))
    told = [
        ("mcp.client.operation.duration", "The duration of requests and notifications as the client saw it.", operations),
        ("mcp.client.session.duration", "The duration of sessions as the client saw it.", sessions),
    ]
    return [_histograms(name, "s", text, found, SECONDS, times) for name, text, found in told if found]


def _of_convention(reading: Reading, tags: Tags) -> Labels:
    attributes = {**_attributes(dict(tags)), "network.transport": "tcp"}
    if protocol := _PROTOCOLS.get(attributes.pop("mop.transport", "")):
        attributes["network.protocol.name"] = protocol
    if reading.protocol_version:
        attributes["mcp.protocol.version"] = reading.protocol_version
    return attributes


def _error_type(reading: Reading, tags: Tags) -> str:
    """The one way in which the exchanges of a series failed; the conventions' `_OTHER` when there are several."""
    calls = reading.totals.series.get(("calls", tags))
    outcomes = calls.outcomes if isinstance(calls, CounterTotal) else {}
    failed = [outcome for outcome in FAILURES if outcome != "timeout" and outcomes.get(outcome)]
    return failed[0] if len(failed) == 1 else "_OTHER"
