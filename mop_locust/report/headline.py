"""The few words that stand at the head and foot of every report: what was run, how it ended, how the generators were."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mop_locust.report import figures
from mop_locust.report.document import DriftPart, SummaryDocument
from mop_locust.report.text import CUT_PROSE, plain


def verdict_words(summary: SummaryDocument) -> str:
    """`PASSED, valid`, and with the exit code where it is not 0: `CROSSED, degraded, exit code 4`; `so far` while it goes on.

    A run that a threshold ended says when: `CROSSED, valid, aborted at 03:12, exit code 3`.
    """
    verdict = summary["verdict"]
    words = f"{verdict['state'].replace('_', ' ')}, {verdict['validity']}"
    if "aborted" in verdict:
        words += f", aborted at {figures.clock(verdict['aborted']['at_s'])}"
    if not summary["run"]["ended"]:
        return f"{words}, so far"
    return f"{words}, exit code {verdict['exit_code']}" if verdict["exit_code"] else words


def run_parts(summary: SummaryDocument) -> list[str]:
    """Target, server, size and length of the run, each on its own; inert plain text."""
    run = summary["run"]
    urls = [plain(url) for url in (run["target"]["http"], run["target"]["websocket"]) if url]
    server = run["server"]
    name = plain(f"{server['name']} {server['version']}") if server else ""
    load = f"{figures.plural(run['users'], 'user')} {_where(run['workers'])}"
    return [part for part in (*urls, name, load, length(summary)) if part]


def length(summary: SummaryDocument) -> str:
    """`1m00s`, or `12s of 1m00s` for a run that ended before its time, or goes on."""
    run = summary["run"]
    planned = run["planned_seconds"]
    # Less than a second is no earlier than planned: the last figure of the two would be the same.
    if planned is not None and run["seconds"] < planned - 1:
        return f"{figures.span(run['seconds'])} of {figures.span(planned)}"
    return figures.span(run["seconds"])


def workers_text(summary: SummaryDocument) -> str:
    """`Workers at 31 % of a core, loop lag P99 0.9 ms.`: the range of CPU, the worst lag; empty when none is known."""
    workers = summary["workers"]
    cpu = [worker["cpu_percent"] for worker in workers if worker["cpu_percent"] is not None]
    lag = [worker["loop_lag_ms"]["p99"] for worker in workers if worker["loop_lag_ms"] is not None]
    parts = []
    if cpu:
        low, high = f"{min(cpu):.0f}", f"{max(cpu):.0f}"
        subject = "Workers" if len(workers) > 1 else "Worker" if summary["run"]["workers"] else "The process"
        parts.append(f"{subject} at {high if low == high else f'{low} to {high}'} % of a core")
    if lag:
        parts.append(f"{'loop' if parts else 'Loop'} lag P99 {figures.duration(max(lag))}")
    text = ", ".join(parts) + "." if parts else ""
    absent = [worker for worker in workers if worker["state"] not in ("finished", "running")]
    if absent:
        text += f" {len(absent)} of {figures.plural(len(workers), 'worker')} did not finish."
    return text.strip()


def server_text(summary: SummaryDocument) -> str:
    """`Server: CPU up to 31 % of a core, RSS 33.9 MiB to 41.2 MiB, …`; empty when nothing is known."""
    samples = summary["server_side"]["samples"] if "server_side" in summary else []
    cpu = [sample["cpu_percent"] for sample in samples if sample["cpu_percent"] is not None]
    rss = _from_to([sample["rss_bytes"] for sample in samples], figures.size)
    files = _from_to([sample["open_files"] for sample in samples], figures.number)
    sessions = [sample["active_sessions"] for sample in samples if sample["active_sessions"] is not None]
    parts = [f"CPU up to {max(cpu):.0f} % of a core"] if cpu else []
    parts += [f"RSS {rss}"] if rss else []
    parts += [f"{files} descriptors"] if files else []
    if sessions and not any(sessions):
        parts += ["no open session at any look"]
    elif sessions:
        parts += [f"up to {figures.plural(round(max(sessions)), 'open session')} (last {sessions[-1]:.0f})"]
    return f"Server: {', '.join(parts)}." if parts else ""


def drift_words(drift: DriftPart) -> str:
    """`drift, from 10:00 to 1:00:00 of the run`: what was judged."""
    return f"drift, from {figures.moment(drift['from_s'])} to {figures.moment(drift['to_s'])} of the run"


def _from_to(values: Iterable[float | None], text: Callable[[float], str]) -> str:
    """The first and the last value that is known; one where they read the same."""
    known = [text(value) for value in values if value is not None]
    return " to ".join(dict.fromkeys([known[0], known[-1]])) if known else ""


def remarks(summary: SummaryDocument) -> list[str]:
    """Why the run is not valid, what a failed preflight found, and the notes, on the server too; not what was said before."""
    verdict, preflight = summary["verdict"], summary["preflight"]
    said = plain(verdict["sentence"], CUT_PROSE)
    texts: list[tuple[str, str]] = [(verdict["validity"], reason) for reason in verdict["reasons"]]
    if preflight["state"] == "failed":
        texts += [("preflight", finding) for finding in preflight["findings"]]
    texts += [("note", note) for note in summary["run"]["notes"]]
    if "server_side" in summary:
        texts += [("server", note) for note in summary["server_side"]["notes"]]
    return [f"{kind}: {text}" for kind, text in texts if plain(text, CUT_PROSE).rstrip(".") not in said]


def _where(workers: int) -> str:
    return f"on {figures.plural(workers, 'worker')}" if workers else "in one process"
