"""A formal release: all runs of all scenarios as one table, with what ran on what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Final

import msgspec

from mop_locust.report import figures
from mop_locust.report.document import SummaryDocument
from mop_locust.report.manifest import Peak, master_peak, server_peak, worker_peak
from mop_locust.report.provenance import Machine
from mop_locust.report.text import markdown_code

SCHEMA: Final = 1
NOT_SEEN: Final = "not seen"
FED: Final = ("ws_failures", "tools_call_failures", "sse_failures")
CALL_FAILURES: Final = "call_failures"


class Spread(msgspec.Struct, frozen=True):
    """A figure over the runs of a scenario."""

    median: float
    least: float
    most: float


class ScenarioFigures(msgspec.Struct, frozen=True):
    """One scenario: its command line, its runs by folder, its figures (latencies of all successful calls, in ms).

    `error_rate` is of `error_metric`: the rate that the scenario itself feeds, else that of all calls, which is `failed_calls`.
    """

    scenario: str
    command: list[str]
    runs: list[str]
    verdicts: list[str]
    calls_per_second: Spread
    error_metric: str
    error_rate: Spread | None
    failed_calls: Spread | None
    p95_ms: Spread | None
    p99_ms: Spread | None
    peak_server: Peak
    peak_workers: Peak
    peak_master: Peak


class Release(msgspec.Struct, frozen=True):
    """The whole of `release.json`."""

    server: str
    server_commit: str
    server_commit_obtained: str
    suite_version: str
    suite_sha256: str
    started: str
    ended: str
    machines: dict[str, Machine]
    scenarios: list[ScenarioFigures]
    schema: int = SCHEMA

    def to_json(self) -> bytes:
        """The release for a program."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def mistakes(runs: Mapping[str, SummaryDocument]) -> list[str]:
    """A sentence for all that keeps these runs, by their folders, from being a release."""
    found = [
        f"{folder}: the run is {verdict['validity']}: {'; '.join(verdict['reasons'])}"
        for folder, run in runs.items()
        if (verdict := run["verdict"])["validity"] != "valid"
    ]
    found += [f"{folder}: nothing was measured" for folder, run in runs.items() if not run["metrics"]]
    for what, tell in (("server commits", _commit), ("servers", _server), ("suite hashes", _suite)):
        told = _once(runs, tell)
        if len(told) > 1:
            found.append(f"the runs saw different {what}: {', '.join(told)}")
    return found


def commit_of(runs: Mapping[str, SummaryDocument]) -> str:
    """The server's commit as any of these runs knows it; "" when none does."""
    return next(iter(_once(runs, _commit)), "")


def build(runs: Mapping[str, SummaryDocument]) -> Release:
    """The release of these runs by their folders, of which `mistakes` has found nothing to say."""
    first = next((run for run in runs.values() if _commit(run)), next(iter(runs.values())))
    by_scenario: dict[str, dict[str, SummaryDocument]] = {}
    for folder, run in runs.items():
        by_scenario.setdefault(run["run"]["scenario"], {})[folder] = run
    return Release(
        server=next(iter(_once(runs, _server)), "a server without a name"),
        server_commit=commit_of(runs),
        server_commit_obtained=first["provenance"]["server_commit"]["obtained"],
        suite_version=first["run"]["suite_version"],
        suite_sha256=_suite(first),
        started=min(run["run"]["started"] for run in runs.values()),
        ended=max(run["run"]["ended"] for run in runs.values()),
        machines={host: machine for run in runs.values() for host, machine in run["provenance"]["machines"].items()},
        scenarios=[_figures(name, own) for name, own in by_scenario.items()],
    )


def render(release: Release) -> str:
    """`release.md`: hash, table, peaks, command lines, machines."""
    parts = [
        f"# Release figures of {markdown_code(release.server)} at {markdown_code(release.server_commit)}",
        f"Commit: {markdown_code(release.server_commit_obtained)}.",
        f"From {markdown_code(release.started)} to {markdown_code(release.ended)}.",
        f"Suite: mop-locust {markdown_code(release.suite_version)}, sources {markdown_code(release.suite_sha256[:12])}.",
        "The median over the runs of a scenario, with the least and the most of them; P95 and P99 are of all successful calls.",
        _table(
            ("scenario", "runs", "calls per s", "error rate", "failed calls", "P95", "P99", "verdict"),
            [
                (
                    markdown_code(one.scenario),
                    str(len(one.runs)),
                    _spread(one.calls_per_second, lambda value: f"{value:,.1f}"),
                    f"{_spread(one.error_rate, figures.percent)} {markdown_code(one.error_metric)}",
                    _spread(one.failed_calls, figures.percent),
                    _spread(one.p95_ms, figures.duration),
                    _spread(one.p99_ms, figures.duration),
                    ", ".join(dict.fromkeys(one.verdicts)),
                )
                for one in release.scenarios
            ],
        ),
        "Peak CPU (of a core) and memory over all runs:",
        _table(
            ("scenario", "server", "worker", "master"),
            [
                (markdown_code(one.scenario), *(_peak(peak) for peak in (one.peak_server, one.peak_workers, one.peak_master)))
                for one in release.scenarios
            ],
        ),
        "Command lines:",
        "\n".join(f"- {markdown_code(' '.join(one.command), 1000)}" for one in release.scenarios),
        "Machines:",
        "\n".join(
            f"- {markdown_code(host)}: {markdown_code(machine['cpu'])}, {figures.plural(machine['cores'], 'core')}, "
            f"{machine['memory_bytes'] / 2**30:.0f} GiB, {markdown_code(machine['kernel'])}"
            for host, machine in release.machines.items()
        ),
        f"Raw figures: {', '.join(f'`{folder}`' for one in release.scenarios for folder in one.runs)}",
    ]
    return "\n\n".join(parts) + "\n"


def _figures(name: str, runs: Mapping[str, SummaryDocument]) -> ScenarioFigures:
    summaries = list(runs.values())
    fed = [metric for metric in FED if any(metric in run["metrics"] for run in summaries)]
    error_metric = fed[0] if len(fed) == 1 else CALL_FAILURES
    return ScenarioFigures(
        scenario=name,
        command=summaries[0]["provenance"]["command"],
        runs=list(runs),
        verdicts=[run["verdict"]["state"] for run in summaries],
        calls_per_second=_required([run["metrics"]["calls"]["count"] / run["run"]["seconds"] for run in summaries]),
        error_metric=error_metric,
        error_rate=_over(summaries, error_metric, "rate"),
        failed_calls=_over(summaries, CALL_FAILURES, "rate"),
        p95_ms=_over(summaries, "call_latency", "p95"),
        p99_ms=_over(summaries, "call_latency", "p99"),
        peak_server=_highest([server_peak(run) for run in summaries]),
        peak_workers=_highest([worker_peak(worker) for run in summaries for worker in run["workers"]]),
        peak_master=_highest([master_peak(run) for run in summaries]),
    )


def _over(runs: Sequence[SummaryDocument], metric: str, field: str) -> Spread | None:
    found = [run["metrics"][metric].get(field) for run in runs if metric in run["metrics"]]
    values = [value for value in found if isinstance(value, float | int)]
    return _required(values) if values else None


def _once(runs: Mapping[str, SummaryDocument], tell: Callable[[SummaryDocument], str]) -> list[str]:
    """The different texts that the runs tell; one that tells none, such as a WebSocket run of the server's name, is no other."""
    return sorted({text for run in runs.values() if (text := tell(run))})


def _required(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def _highest(peaks: Sequence[Peak]) -> Peak:
    cpu = [peak["cpu_percent"] for peak in peaks if peak["cpu_percent"] is not None]
    memory = [peak["rss_bytes"] for peak in peaks if peak["rss_bytes"] is not None]
    return {"cpu_percent": max(cpu, default=None), "rss_bytes": max(memory, default=None)}


def _commit(run: SummaryDocument) -> str:
    return (run["provenance"]["server_commit"]["hash"] or "") if "provenance" in run else ""


def _suite(run: SummaryDocument) -> str:
    return run["provenance"]["suite_sha256"] if "provenance" in run else ""


def _server(run: SummaryDocument) -> str:
    """The server by its name, where the run saw it: a WebSocket scenario does not ask for it."""
    server = run["run"]["server"]
    return f"{server['name']} {server['version']}".strip() if server else ""


def _spread(spread: Spread | None, text: Callable[[float], str]) -> str:
    if spread is None:
        return figures.NONE
    if spread.least == spread.most:
        return text(spread.median)
    return f"{text(spread.median)} ({text(spread.least)} to {text(spread.most)})"


def _peak(peak: Peak) -> str:
    cpu, memory = peak["cpu_percent"], peak["rss_bytes"]
    parts = [*([f"{cpu:.0f} %"] if cpu is not None else []), *([f"{memory / 2**20:,.0f} MiB"] if memory is not None else [])]
    return ", ".join(parts) or NOT_SEEN


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, [":--"] * len(head), *rows))
