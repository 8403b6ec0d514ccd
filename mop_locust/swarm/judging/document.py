"""A finished run as the document that every report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from mop_locust.config.stages import spans
from mop_locust.metrics.accumulators import CounterTotal, TrendTotal
from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.summary import error_rows, summarise, window_rows
from mop_locust.metrics.totals import Totals
from mop_locust.preflight import Findings
from mop_locust.report.document import SCHEMA, LagMs, Master, Preflight, ServerName, StagePart, SummaryDocument, Worker
from mop_locust.report.drift import add_drift
from mop_locust.report.sentence import red_sentence
from mop_locust.swarm.judging.arrived import arrival_notes
from mop_locust.swarm.judging.provenance import machines
from mop_locust.swarm.judging.run import Run
from mop_locust.verdict.judge import Part, Verdict

LATE_US = 3_000_000  # a first report later than this is of a worker that joined in the middle


def document(run: Run, totals: Totals, verdict: Verdict, name: str, stages: Mapping[str, Part] | None = None) -> SummaryDocument:
    """Returns the summary of a judged run, or of one that goes on: that is without its windows, which are asked for apart.

    `stages` is what was measured in each of its stages, where it has any.
    """
    summary: SummaryDocument = {
        "schema": SCHEMA,
        "run": {
            "id": run.id,
            "scenario": name,
            "scenarios": run.scenarios.names,
            "target": {
                "http": run.settings.http_base if run.scenarios.transports & {"http", "sse"} else None,
                "websocket": run.settings.base_url if "websocket" in run.scenarios.transports else None,
            },
            "server": _server(run.findings),
            "users": run.users,
            "workers": run.workers_expected,
            "planned_seconds": run.planned_seconds,
            "seconds": round(run.seconds, 6),
            "started": _utc(run.started_wall),
            "ended": _utc(run.ended_wall) if run.finished else "",
            "stopped_by": run.stopped_by,
            "suite_version": version("mop-locust"),
            "options": dict(run.options),
            "notes": [*notes(totals), *arrival_notes(run, totals), *_held(run, totals), *_late(run), *run.notes],
        },
        "verdict": {**verdict.to_json(), "sentence": ""},
        "metrics": summarise(totals),
        "windows": window_rows(run.merge.windows) if run.finished else [],
        "errors": error_rows(totals),
        "workers": _workers(run),
        "preflight": _preflight(run.findings),
    }
    if run.workers_expected:
        summary["master"] = _master(run)
    if run.provenance is not None:
        summary["provenance"] = {**run.provenance, "machines": machines(run.provenance, run.hellos.values())}
    if before := summarise(run.merge.before()):
        summary["before_reset"] = before
    if run.stopping_us:
        summary["run"]["load_seconds"] = (run.stopping_us - run.started_us) / 1e6
    if run.aborted is not None:
        threshold = run.aborted.threshold
        summary["verdict"]["aborted"] = {
            "at_s": run.aborted.at_s,
            "metric": threshold.name,
            "expression": threshold.expression,
            "value": run.aborted.value,
        }
    if stages:
        summary["stages"] = _stages(run, stages)
    if run.server is not None:
        summary["server_side"] = run.server.to_json()
    if run.settings.drift and run.finished and run.stopped_by != "preflight":
        add_drift(summary, run.settings.allow_degraded)
    summary["verdict"]["sentence"] = red_sentence(summary)
    return summary


def _stages(run: Run, parts: Mapping[str, Part]) -> list[StagePart]:
    return [
        {
            "name": stage.name,
            "start_s": begin,
            "planned_seconds": stage.seconds,
            "target": stage.target,
            "unit": "arrivals/s" if run.arrivals else "users",
            "seconds": round(parts[stage.name].seconds, 6),
            "metrics": summarise(parts[stage.name].totals),
        }
        for stage, begin, _ in spans(run.stages)
    ]


def notes(totals: Totals) -> list[str]:
    """Returns what a reader must know about the figures, in whole sentences."""
    early = totals.select("sse_early_ends")
    if not isinstance(early, CounterTotal) or not early.count:
        return []
    streams = totals.select("sse_stream_lifetime")
    opened = streams.histogram.count if isinstance(streams, TrendTotal) else 0
    after = streams.histogram.quantile(0.5) / 1000 if isinstance(streams, TrendTotal) else 0.0
    observed = ": keep-alive was not observed" if totals.select("sse_keepalives") is None else ""
    return [f"{early.count:,} of {opened:,} streams were ended by the server after {after:.0f} ms{observed}"]


def _held(run: Run, totals: Totals) -> list[str]:
    """Says that the ceiling, and not the scenario or the target, set the pace."""
    waits = totals.select("ceiling_wait")
    if not isinstance(waits, TrendTotal) or not waits.histogram.count:
        return []
    n, median, limit = waits.histogram.count, waits.histogram.quantile(0.5) / 1000, run.settings.max_rps
    ceiling = f"the ceiling of {limit:,} exchanges a second (MOP_MAX_RPS)"
    return [f"{ceiling} held back {n:,} exchanges, by {median:.1f} ms at the median"]


def _late(run: Run) -> list[str]:
    """Says which workers joined in the middle."""
    return [
        f"worker {worker} joined after {record.first_at_us / 1e6:.1f} s"
        for worker, record in sorted(run.merge.workers.items())
        if record.first_at_us > LATE_US
    ]


def _server(findings: Findings | None) -> ServerName | None:
    if findings is None or not findings.server_name:
        return None
    return {"name": findings.server_name, "version": findings.server_version}


def _preflight(findings: Findings | None) -> Preflight:
    if findings is None:
        return {"state": "off", "findings": [], "exchanges": []}
    return {
        "state": findings.state,
        "findings": [*findings.sentences, *findings.target_faults, *findings.mistakes, *findings.voids],
        "exchanges": [
            {
                "transport": sample.transport,
                "method": sample.method,
                "outcome": sample.outcome,
                "duration_ms": sample.duration_us / 1000,
                "error": sample.error,
            }
            for sample in findings.exchanges
        ],
    }


def _workers(run: Run) -> list[Worker]:
    rows: list[Worker] = []
    early, lost = set(run.left_early()), set(run.lost())
    for worker, record in sorted(run.merge.workers.items()):
        hello = run.hellos.get(worker)
        own = run.merge.of_worker(worker)
        rows.append(
            {
                "id": worker,
                "index": hello.index if hello else 0,
                "host": hello.host if hello else "",
                "pid": hello.pid if hello else 0,
                "state": "lost"
                if worker in lost
                else "stopped"
                if worker in early
                else "finished"
                if record.final
                else "running",
                "first_s": record.first_at_us / 1e6,
                "last_s": record.last_at_us / 1e6,
                "sequence": record.sequence,
                "gaps": record.gaps,
                "exchanges": own.exchanges,
                "cpu_percent": _rounded(run.mean_cpu(worker)),
                "loop_lag_ms": _lag(own.loop_lag) if own.loop_lag is not None else None,
                "clock_offset_s": hello.clock_offset_s if hello else None,
                "rss_bytes": record.gauges.get("rss_bytes"),
                "open_files": record.gauges.get("open_files"),
                "gc_pause_max_ms": own.gc_pause.max / 1000 if own.gc_pause is not None else None,
                "cpu_percent_peak": _rounded(run.peaks.get(worker, {}).get("cpu_percent")),
                "rss_bytes_peak": run.peaks.get(worker, {}).get("rss_bytes"),
            }
        )
    return rows


def _master(run: Run) -> Master:
    cpu, memory, files = (run.gauges[name] for name in ("cpu_percent", "rss_bytes", "open_files"))
    return {
        "cpu_percent": _rounded(cpu.mean),
        "rss_bytes": memory.peak,
        "open_files": files.peak,
        "loop_lag_ms": _lag(run.master_lag) if run.master_lag.count else None,
        "cpu_percent_peak": _rounded(cpu.peak),
        "readings": {"rss_bytes": memory.points, "open_files": files.points},
    }


def _lag(histogram: Histogram) -> LagMs:
    return {
        "p50": histogram.quantile(0.5) / 1000,
        "p99": histogram.quantile(0.99) / 1000,
        "max": histogram.max / 1000,
    }


def _rounded(percent: float | None) -> float | None:
    return None if percent is None else round(percent, 1)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
