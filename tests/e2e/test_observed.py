"""One run of two workers, looked at by a real Prometheus, a real InfluxDB, an OTLP receiver and a file: all tell the same."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from mop_locust.exporters.buckets import SECONDS
from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.labels import split_series_name
from mop_locust.metrics.summary import restore
from tests.e2e.conftest import BRISK, PATIENT
from tests.e2e.observers import Influx, Prometheus, program, sink
from tests.e2e.processes import ROOT, LocustRun, Server, free_port

DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "mop-locust.json"
TOOL = {"MOP_RPS_TOOL": "exa_search_example", "MOP_RPS_TOOL_ARGS": '{"query": "load"}'}


@dataclass
class Observed:
    """A run that is over, and those who saw it."""

    code: int
    began: float
    ended: float
    run: LocustRun
    prometheus: Prometheus
    influx: Influx | None
    pushed: list[bytes]
    lines: list[dict[str, Any]]

    @property
    def summary(self) -> dict[str, Any]:
        """The one truth."""
        return self.run.summary


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """`mixed` for 8 s with two workers; half of the tool calls fail, so that there are failures to see."""
    program("prometheus")
    folder = tmp_path_factory.mktemp("observed")
    with ExitStack() as stack:
        server = stack.enter_context(Server(folder, "--keep-alive-seconds", "0.2", "--fault", "is-error:0.5"))
        collector, pushed = stack.enter_context(sink(200))
        influx = Influx(folder) if shutil.which("influxd") else None
        if influx is not None:
            stack.callback(influx.close)
        port = free_port()
        prometheus = Prometheus(folder, f"127.0.0.1:{port}")
        stack.callback(prometheus.close)
        more = {"MOP_INFLUX": influx.write_url, "MOP_INFLUX_TOKEN": influx.token} if influx is not None else {}
        file = folder / "seconds.jsonl"
        run = LocustRun(
            folder / "run",
            server.url,
            **{**PATIENT, **BRISK, **TOOL, **more, "MOP_SSE_ITERATIONS": "1000", "MOP_SERVER_PID": str(server.pid)},
            MOP_METRICS_PORT=str(port),
            MOP_OTLP=collector,
            MOP_JSONL=str(file),
        )
        stack.callback(run.close)
        began = time.time()
        run.with_workers("mixed", 2, "-t", "8s", "-u", "15", "--stop-timeout", "2")
        code = run.wait()
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        yield Observed(code, began, time.time(), run, prometheus, influx, pushed, lines)


def newest(metric: str, labels: str = "") -> str:
    """The last value that was scraped, though the target is gone."""
    return f"last_over_time({metric}{{{labels}}}[5m])"


def tags_of(labels: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """The labels that are tags of a series too."""
    return frozenset((name, value) for name, value in labels if name != "outcome" and value)


def series(summary: dict[str, Any], metric: str) -> dict[frozenset[tuple[str, str]], dict[str, Any]]:
    """The tagged series of a metric in the summary."""
    found = {split_series_name(text): value for text, value in summary["metrics"].items() if "{" in text}
    return {frozenset(tags): value for (name, tags), value in found.items() if name == metric}


def test_the_run_was_judged_and_nothing_was_lost(observed: Observed) -> None:
    """Half of the tool calls failed: a third of three events an iteration."""
    assert observed.code == 3, observed.run.output
    assert observed.summary["verdict"]["state"] == "CROSSED"
    assert observed.summary["run"]["notes"] == []
    assert "Traceback" not in observed.run.output


def test_prometheus_counted_what_the_summary_says(observed: Observed) -> None:
    """Each series: the exchanges by outcome, the failures, the bytes, the statuses."""
    calls = observed.prometheus.values(newest("mop_calls_total"))
    outcomes: dict[frozenset[tuple[str, str]], dict[str, int]] = {}
    for labels, value in calls.items():
        outcomes.setdefault(tags_of(labels), {})[dict(labels)["outcome"]] = int(value)
    assert outcomes == {tags: one["outcomes"] for tags, one in series(observed.summary, "calls").items()}
    assert {outcome for one in outcomes.values() for outcome in one} >= {"ok", "tool_error"}
    for metric in ("call_failures", "tools_call_failures", "ws_failures", "sse_failures"):
        found = observed.prometheus.values(newest(f"mop_{metric}_total"))
        assert found == {tags: one["failures"] for tags, one in series(observed.summary, metric).items()}, metric
        found = observed.prometheus.values(newest(f"mop_{metric}_events_total"))
        assert found == {tags: one["count"] for tags, one in series(observed.summary, metric).items()}, metric
    for metric in ("bytes_sent", "bytes_received", "http_responses", "iterations"):
        found = observed.prometheus.values(newest(f"mop_{metric}_total"))
        assert found == {tags: one["count"] for tags, one in series(observed.summary, metric).items()}, metric
    total = observed.prometheus.value(f"sum({newest('mop_calls_total')})")
    assert total == observed.summary["metrics"]["calls"]["count"] > 500


def test_prometheus_has_every_histogram_exactly_and_its_quantiles_within_their_buckets(observed: Observed) -> None:
    """Count, sum and each bucket; the quantiles of all series together."""
    totals = restore(observed.summary["metrics"])
    for metric in ("call_latency", "call_latency_failed", "first_byte_latency", "session_duration", "loop_lag"):
        histograms = {
            frozenset(tags): total.histogram
            for (name, tags), total in totals.series.items()
            if name == metric and total.kind == "trend"
        }
        name = f"mop_{metric}_seconds"
        assert observed.prometheus.values(newest(f"{name}_count")) == {tags: one.count for tags, one in histograms.items()}
        sums = observed.prometheus.values(newest(f"{name}_sum"))
        assert sums == {tags: pytest.approx(one.total / 1e6, rel=1e-12) for tags, one in histograms.items()}
        buckets = observed.prometheus.values(newest(f"{name}_bucket"))
        wanted = {
            tags | {("le", bound)}: n
            for tags, one in histograms.items()
            for bound, n in zip([*map(repr, SECONDS.shown), "+Inf"], SECONDS.cumulative(one), strict=True)
        }
        assert buckets == wanted
        whole = Histogram()
        for one in histograms.values():
            whole.merge(one)
        for q in (0.5, 0.95, 0.99):
            told = observed.prometheus.value(f"histogram_quantile({q}, sum by (le) ({newest(f'{name}_bucket')}))")
            lower, upper = _bucket_of(whole.quantile(q) / 1e6)
            assert lower <= told <= upper, (metric, q)


def _bucket_of(value: float) -> tuple[float, float]:
    edges = [0.0, *SECONDS.shown]
    upper = next(edge for edge in edges if value <= edge)
    return edges[edges.index(upper) - 1], upper


def test_prometheus_saw_the_gauges_the_verdict_and_what_ran(observed: Observed) -> None:
    """The newest ones, and those of a moment of the run."""
    summary, prometheus = observed.summary, observed.prometheus
    states = {dict(labels)["state"]: value for labels, value in prometheus.values(newest("mop_verdict_state")).items()}
    assert states == {"PASSED": 0, "CROSSED": 1, "NO_DATA": 0}
    validity = {dict(labels)["state"]: value for labels, value in prometheus.values(newest("mop_verdict_validity")).items()}
    assert validity == {"valid": 1, "degraded": 0, "incomplete": 0, "invalid": 0}
    assert prometheus.value(newest("mop_verdict_exit_code")) == 3
    assert prometheus.value(newest("mop_workers", 'state="finished"')) == 2
    assert prometheus.value(newest("mop_workers_expected")) == 2
    assert prometheus.value(newest("mop_run_active")) == 0
    assert prometheus.value(newest("mop_run_duration_seconds")) == summary["run"]["seconds"]
    assert prometheus.value("sum(max_over_time(mop_users[5m]))") == 15
    assert len(prometheus.values("max_over_time(mop_worker_cpu_ratio[5m])")) == 2
    thresholds = {dict(labels)["threshold"]: value for labels, value in prometheus.values(newest("mop_threshold_passed")).items()}
    assert thresholds == {"sse_failures: rate<0.05": 1, "tools_call_failures: rate<0.05": 0, "ws_failures: rate<0.05": 1}
    (info,) = prometheus.values(newest("mop_run_info"))
    assert dict(info)["run_id"] == summary["run"]["id"]
    assert dict(info)["target_http"] == summary["run"]["target"]["http"]
    (build,) = prometheus.values(newest("mop_build_info"))
    assert dict(build)["version"] == summary["run"]["suite_version"]


def dashboard_queries() -> list[str]:
    """Every PromQL of the dashboard."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def without_data(observed: Observed, queries: list[str]) -> list[str]:
    """Those that find nothing in the whole run, with the variables as Grafana sets them for a scrape each second."""
    empty = []
    for query in queries:
        expression = query.replace("$__rate_interval", "4s").replace("$scenario", ".*")
        assert "$" not in expression
        if not observed.prometheus.points(expression, observed.began, observed.ended):
            empty.append(query)
    return empty


def test_each_query_of_the_dashboard_has_data(observed: Observed) -> None:
    """Of the load and of those who make it."""
    queries = [query for query in dashboard_queries() if "mop_server_" not in query]
    assert len(queries) == 39
    assert without_data(observed, queries) == []


def test_each_query_of_the_servers_own_side_has_data(observed: Observed) -> None:
    """On the same axis of time."""
    queries = [query for query in dashboard_queries() if "mop_server_" in query]
    assert len(queries) == 6
    assert without_data(observed, queries) == []


def test_every_metric_is_in_the_document(observed: Observed) -> None:
    """docs/metrics.md explains what a panel shows, and what was scraped."""
    told = set(re.findall(r"`(mop_\w+)`", (ROOT / "docs" / "metrics.md").read_text()))
    used = {re.sub(r"_bucket$", "", name) for query in dashboard_queries() for name in re.findall(r"\bmop_\w+", query)}
    scraped = set(observed.prometheus.names())
    assert {name for name in scraped if name.endswith("_bucket")}
    shown = {re.sub(r"(?<=_seconds)_(bucket|sum|count)$", "", name) for name in scraped if name.startswith("mop_")}
    assert len(shown) > 40
    assert {name for name in shown | used if name.removesuffix("_events_total") + "_total" not in told} - told == set()


def test_influxdb_has_every_second(observed: Observed) -> None:
    """The sums over all seconds are the totals; the verdict stands at the end."""
    if observed.influx is None:
        pytest.skip("influxd is not installed")
    rows = observed.influx.rows('SELECT sum("count") FROM mop_calls GROUP BY method, scenario, transport, tool')
    found = {
        frozenset((name, row[name]) for name in ("method", "scenario", "transport", "tool") if row[name]): row["sum"]
        for row in rows
    }
    assert found == {tags: one["count"] for tags, one in series(observed.summary, "calls").items()}
    (failed,) = observed.influx.rows('SELECT sum("failures"), sum("count") FROM mop_tools_call_failures')
    rate = observed.summary["metrics"]["tools_call_failures"]
    assert (failed["sum"], failed["sum_1"]) == (rate["failures"], rate["count"])
    (greatest,) = observed.influx.rows('SELECT max("max_ms") FROM mop_call_latency')
    assert greatest["max"] == observed.summary["metrics"]["call_latency"]["max"]
    (end,) = observed.influx.rows("SELECT * FROM mop_run")
    assert (end["state"], end["validity"], end["run_id"]) == ("CROSSED", "valid", observed.summary["run"]["id"])
    assert end["calls"] == observed.summary["metrics"]["calls"]["count"]
    users = observed.influx.rows('SELECT max("users") FROM mop_worker GROUP BY worker')
    assert {row["worker"] for row in users} == {"0", "1"}
    assert sum(row["max"] for row in users) == 15


def test_the_file_has_every_second_and_the_summary(observed: Observed) -> None:
    """Added up, the seconds are the totals: counts and histograms."""
    *seconds, last = observed.lines
    assert {line["type"] for line in seconds} == {"second"}
    assert [line["start_s"] for line in seconds] == sorted({line["start_s"] for line in seconds})
    assert len(seconds) >= 8
    counts: Counter[str] = Counter()
    latency = Histogram()
    for line in seconds:
        for name, one in line["series"].items():
            if name.startswith(("calls{", "call_failures{", "iterations{")):
                counts[name] += one["count"]
            elif name.startswith("call_latency{"):
                latency.merge(Histogram.from_wire(one["histogram"]))
    metrics = observed.summary["metrics"]
    assert counts == {name: metrics[name]["count"] for name in counts}
    assert sum(n for name, n in counts.items() if name.startswith("calls{")) == metrics["calls"]["count"]
    assert latency.to_wire() == metrics["call_latency"]["histogram"]
    assert last == {"type": "summary", "run_id": observed.summary["run"]["id"], "summary": observed.summary}


def test_otlp_pushes_the_conventions_metrics_cumulatively(observed: Observed) -> None:
    """The last push has the totals of the run."""
    assert len(observed.pushed) >= 2
    request = ExportMetricsServiceRequest.FromString(observed.pushed[-1])
    (resource,) = request.resource_metrics
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert attributes["service.name"] == "mop-locust"
    assert attributes["service.instance.id"] == observed.summary["run"]["id"]
    metrics = {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}
    operations = metrics["mcp.client.operation.duration"]
    assert (operations.unit, operations.histogram.aggregation_temporality) == ("s", 2)
    counted: dict[frozenset[tuple[str, str]], int] = {}
    for point in operations.histogram.data_points:
        found = {one.key: one.value.string_value for one in point.attributes}
        assert found["network.transport"] == "tcp"
        assert found["mcp.protocol.version"] == "2025-11-25"
        assert sum(point.bucket_counts) == point.count
        kept = {key: value for key, value in found.items() if key in ("mcp.method.name", "gen_ai.tool.name", "error.type")}
        key = frozenset(kept.items())
        counted[key] = counted.get(key, 0) + point.count
    calls = series(observed.summary, "calls")
    (tool,) = [one for tags, one in calls.items() if ("method", "tools/call") in tags]
    call = {("mcp.method.name", "tools/call"), ("gen_ai.tool.name", "exa_search_example")}
    assert counted[frozenset(call)] == tool["outcomes"]["ok"]
    assert counted[frozenset({*call, ("error.type", "tool_error")})] == tool["outcomes"]["tool_error"]
    assert {dict(key)["mcp.method.name"] for key in counted} == {"initialize", "tools/list", "tools/call", "ping"}
    sessions = metrics["mcp.client.session.duration"].histogram.data_points
    assert sum(point.count for point in sessions) == observed.summary["metrics"]["session_duration"]["count"]
    total = sum(point.as_double or point.as_int for point in metrics["mop.calls"].sum.data_points)
    assert total == observed.summary["metrics"]["calls"]["count"]


def test_no_secret_is_in_any_output(observed: Observed) -> None:
    """The token of InfluxDB, which only the master has."""
    if observed.influx is None:
        pytest.skip("influxd is not installed")
    canary = observed.influx.token.partition(":")[2]
    written = [path for path in observed.run.folder.rglob("*") if path.is_file()]
    assert [path for path in written if canary.encode() in path.read_bytes()] == []
    assert canary not in json.dumps(observed.lines) + observed.run.output
