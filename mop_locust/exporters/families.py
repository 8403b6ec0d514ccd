"""A reading as counters, gauges and histograms with bounded labels: what Prometheus and OTLP show, each in its own way."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast, get_args
from urllib.parse import urlsplit

from mop_locust.exporters.buckets import OTHER, SECONDS, Bounds
from mop_locust.exporters.reading import Reading
from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal
from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.instruments import BUILT_IN
from mop_locust.metrics.labels import Tags, printable
from mop_locust.report.document import SummaryDocument
from mop_locust.verdict.judge import ValidityState
from mop_locust.verdict.windows import State

Labels = dict[str, str]
Number = tuple[Labels, float]

HELP: Final = {
    "calls": "Exchanges, by how they ended.",
    "call_failures": "Exchanges that failed.",
    "call_latency": "Duration of the exchanges that went well.",
    "call_latency_failed": "Duration of the exchanges that failed otherwise than by a timeout.",
    "call_latency_timeout": "Duration of the exchanges that timed out.",
    "connect_latency": "Time to connect, name lookup and TLS included.",
    "upgrade_latency": "Time of the WebSocket upgrade.",
    "first_byte_latency": "Time to the first byte of the answer.",
    "session_duration": "Time from the first to the last exchange of a session.",
    "sse_first_byte_latency": "Time to the first byte of an event stream.",
    "sse_first_event_latency": "Time to the first event of an event stream.",
    "sse_keepalive_gap": "Time between two keep-alives of an event stream.",
    "sse_stream_lifetime": "How long event streams were open.",
    "sse_early_ends": "Event streams that the server ended early.",
    "sse_keepalives": "Keep-alives of event streams.",
    "http_responses": "HTTP responses, by status.",
    "bytes_sent": "Bytes sent.",
    "bytes_received": "Bytes received.",
    "iterations": "Iterations of the users.",
    "arrivals": "Sessions that should begin by the clock of open load.",
    "dropped_iterations": "Arrivals whose session could not begin.",
    "iteration_duration": "How long iterations of open load took that went well, from their beginning.",
    "iteration_duration_intended": "The same from their intended beginning.",
    "time_to_answer": "From the intended beginning of a session of open load to the good answer of each of its exchanges.",
    "ws_failures": "WebSocket sessions that failed.",
    "tools_call_failures": "Calls of tools_call_rps that failed.",
    "sse_failures": "Iterations of sse_keep_alive that failed.",
    "start_lag": "How late iterations began after their pause, or after their arrival.",
    "ceiling_wait": "How long exchanges waited for the ceiling of the rate.",
    "loop_lag": "How late the event loop of a load generator ran.",
    "gc_pause": "Pauses for garbage collection in a load generator.",
}
"""One sentence for each built-in metric."""

WORKER_GAUGES: Final = {
    "users": ("users", "", 1.0, "Users that run."),
    "open_sessions": ("open_sessions", "", 1.0, "MCP sessions that are open."),
    "open_sockets": ("open_sockets", "", 1.0, "WebSockets that are open."),
    "open_streams": ("open_streams", "", 1.0, "Event streams that are open."),
    "cpu_percent": ("worker_cpu", "ratio", 0.01, "Use of a core, or of what the cgroup allows of one, in the last second."),
    "rss_bytes": ("worker_resident_memory", "bytes", 1.0, "Resident memory of a load generator."),
    "open_files": ("worker_open_files", "", 1.0, "File descriptors of a load generator."),
}
"""Name, unit, factor and help of the gauges by worker."""

SERVER_GAUGES: Final = {
    "cpu_percent": ("server_cpu", "ratio", 0.01, "The server's use of a core since the look before."),
    "rss_bytes": ("server_resident_memory", "bytes", 1.0, "Resident memory of the server."),
    "open_files": ("server_open_files", "", 1.0, "File descriptors of the server."),
    "threads": ("server_threads", "", 1.0, "Threads of the server."),
    "active_sessions": ("server_active_sessions", "", 1.0, "Sessions that the server says are open."),
}
"""The same of the figures of the server's own side."""

RESERVED: Final = frozenset({"le", "quantile", "outcome"})
"""Labels that mean something already."""

_BUILT_IN: Final = frozenset(instrument.name for instrument in BUILT_IN)


@dataclass(frozen=True)
class Family:
    """One metric, its name without prefix and unit: numbers, or histograms that `bounds` cuts into buckets."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    help: str
    numbers: Sequence[Number] = ()
    histograms: Sequence[tuple[Labels, Histogram]] = ()
    bounds: Bounds = SECONDS

    @property
    def label_names(self) -> list[str]:
        """The labels that any of its points has."""
        return sorted({name for labels, _ in (*self.numbers, *self.histograms) for name in labels})


def families(reading: Reading) -> list[Family]:
    """Every metric of a reading that has a point; no two have the same name and unit."""
    summary = reading.summary
    found = {(family.name, family.unit): family for family in (*_about(summary), *_judged(summary), *_generators(reading))}
    found |= {(family.name, family.unit): family for family in _server(summary)}
    series: dict[str, list[tuple[Tags, Accumulator]]] = {}
    for (name, tags), total in reading.totals.series.items():
        series.setdefault(name, []).append((tags, total))
    for name in sorted(series, key=lambda name: (name not in _BUILT_IN, name)):
        for family in _measured(name, series[name]):
            while (family.name, family.unit) in found:  # a metric of a scenario that is called as one of ours
                family = replace(family, name=f"custom_{family.name}")
            found[family.name, family.unit] = family
    return [family for family in found.values() if family.numbers or family.histograms]


def _about(summary: SummaryDocument) -> Iterator[Family]:
    run = summary["run"]
    build = {"version": run["suite_version"], "python": platform.python_version()}
    yield Family("build_info", "gauge", "", "The suite that measures; always 1.", [(build, 1.0)])
    server = run["server"] or {"name": "", "version": ""}
    labels = {
        "run_id": run["id"],
        "scenario": printable(run["scenario"]),
        "target_http": _place(run["target"]["http"]),
        "target_websocket": _place(run["target"]["websocket"]),
        "server_name": printable(server["name"]),
        "server_version": printable(server["version"]),
    }
    yield Family("run_info", "gauge", "", "The run; always 1.", [(labels, 1.0)])
    yield _gauge("run_active", "", "Whether the run goes on.", float(not run["ended"]))
    yield _gauge("run_duration", "seconds", "How long the figures have been taken.", run["seconds"])
    yield _gauge("run_planned_duration", "seconds", "How long the run is meant to take.", run["planned_seconds"])
    yield _gauge("users_planned", "", "Users that the run is meant to have.", run["users"])
    yield _gauge("workers_expected", "", "Workers that were there when the run began; 0 in a single process.", run["workers"])


def _place(url: str | None) -> str:
    """A target without what may be secret."""
    parts = urlsplit(url or "")
    return printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}") if url else ""


def _judged(summary: SummaryDocument) -> Iterator[Family]:
    verdict = summary["verdict"]
    yield _states("verdict_state", "How the run stands, 1 for what holds.", get_args(State), verdict["state"])
    yield _states(
        "verdict_validity", "Whether it can be believed, 1 for what holds.", get_args(ValidityState), verdict["validity"]
    )
    yield _gauge("verdict_exit_code", "", "The exit code that follows.", verdict["exit_code"])
    thresholds: dict[str, float] = {
        printable(f"{result['metric']}: {result['expression']}"): float(result["state"] == "PASSED")
        for result in verdict["thresholds"]
    }
    passed = [({"threshold": text}, holds) for text, holds in thresholds.items()]
    yield Family("threshold_passed", "gauge", "", "Whether a threshold holds, on data.", passed)


def _states(name: str, text: str, states: Iterable[str], now: str) -> Family:
    return Family(name, "gauge", "", text, [({"state": state}, float(state == now)) for state in states])


def _generators(reading: Reading) -> Iterator[Family]:
    summary, names = reading.summary, reading.worker_names
    states = [worker["state"] for worker in summary["workers"]]
    by_state = [({"state": state}, float(states.count(state))) for state in ("running", "finished", "lost", "stopped")]
    yield Family("workers", "gauge", "", "Load generators, by state.", by_state)
    for gauge, (name, unit, factor, text) in WORKER_GAUGES.items():
        points = [
            ({"worker": names[worker]}, values[gauge] * factor)
            for worker, values in sorted(reading.gauges.items())
            if worker in names and gauge in values
        ]
        yield Family(name, "gauge", unit, text, points)
    lags = [
        ({"worker": names[worker["id"]]}, worker["loop_lag_ms"]["p99"] / 1000)
        for worker in summary["workers"]
        if worker["loop_lag_ms"]
    ]
    yield Family(
        "worker_loop_lag_p99", "gauge", "seconds", "How late a load generator's event loop ran, once in a hundred.", lags
    )
    if (master := summary.get("master")) is not None:
        cpu, lag = master["cpu_percent"], master["loop_lag_ms"]
        yield _gauge("master_cpu", "ratio", "Mean use of a core by the master.", None if cpu is None else cpu / 100)
        yield _gauge("master_resident_memory", "bytes", "Most resident memory of the master.", master["rss_bytes"])
        yield _gauge("master_loop_lag_p99", "seconds", "How late the master's event loop ran.", lag and lag["p99"] / 1000)


def _server(summary: SummaryDocument) -> Iterator[Family]:
    side = cast(Mapping[str, Any], summary).get("server_side")  # not in every summary
    samples = side["samples"] if side is not None else []
    if not samples:
        return
    newest = samples[-1]
    for figure, (name, unit, factor, text) in SERVER_GAUGES.items():
        value = newest[figure]
        yield _gauge(name, unit, text, None if value is None else value * factor)
    own = [({"name": printable(name)}, value) for name, value in newest["metrics"].items()]
    yield Family("server_metric", "gauge", "", "What the server tells of itself at /metrics, by the name that it gives.", own)


def _gauge(name: str, unit: str, text: str, value: float | None) -> Family:
    return Family(name, "gauge", unit, text, [] if value is None else [({}, float(value))])


def _measured(name: str, series: list[tuple[Tags, Accumulator]]) -> Iterator[Family]:
    text = HELP.get(name, f"{name} of the scenario.")
    counts: list[Number] = []
    events: list[Number] = []
    times: list[tuple[Labels, Histogram]] = []
    unit = ""
    for tags, total in series:
        labels = _labels(tags)
        if isinstance(total, CounterTotal):
            by_outcome = [({**labels, "outcome": outcome}, float(n)) for outcome, n in total.outcomes.items()]
            counts += by_outcome or [(labels, total.count)]
        elif isinstance(total, RateTotal):
            counts.append((labels, total.failures))
            events.append((labels, total.count))
        else:
            unit = total.unit
            times.append((labels, total.histogram))
    if counts:
        yield Family(name, "counter", "", text, counts)
    if events:
        yield Family(f"{name}_events", "counter", "", f"What {name} is counted among.", events)
    if times and unit == "ms":
        yield Family(name, "histogram", "seconds", text, histograms=times)
    elif times:
        yield Family(name, "histogram", unit, text, histograms=times, bounds=OTHER)


def _labels(tags: Tags) -> Labels:
    return {f"tag_{name}" if name in RESERVED or name.startswith("__") else name: value for name, value in tags}
