"""`mop-locust prove`: shows that each fault of a server turns a threshold red, and is counted as what it is."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from mop_locust.commands.places import THE_THREE, UnknownScenario, find
from mop_locust.commands.rig import NoRun, Rig
from mop_locust.metrics.labels import split_series_name
from mop_locust.metrics.sample import FAILURES
from mop_locust.metrics.summary import ErrorRow
from mop_locust.report.document import SummaryDocument
from mop_locust.report.text import plain
from mop_locust.server.faults import FAULTS, UPGRADE, Place
from mop_locust.verdict.exit_codes import CONFIGURATION, CROSSED, PASSED

CONTROL: Final = "none"
EARLY_END: Final = "sse_early_ends"

# What counts each fault: for a transport that can have it, the outcome of the exchange. A stream is opened by its exchange, so
# what ends it after that is counted by a counter. On a WebSocket an answer with a foreign id may be a late one to a request that
# was given up: it is passed over, and the right one is waited for.
EXPECTED: Final[Mapping[str, Mapping[str, str]]] = {
    "refuse": {"http": "connect", "websocket": "connect"},
    "reset": {"http": "disconnected", "sse": "disconnected", "websocket": "disconnected"},
    "stall": {"http": "timeout", "sse": "timeout", "websocket": "timeout"},
    "early-end": {"http": "disconnected", "sse": EARLY_END, "websocket": "disconnected"},
    "wrong-id": {"http": "protocol", "websocket": "timeout"},
    "other-id": {"http": "protocol", "websocket": "timeout"},
    "truncated-json": {"http": "protocol", "websocket": "protocol"},
    "wrong-json": {"http": "protocol", "websocket": "protocol"},
    "wrong-content-type": {"http": "protocol", "sse": "protocol"},
    "session-404": {"http": "http_status", "sse": "http_status"},
    "is-error": {"http": "tool_error", "websocket": "tool_error"},
    "error-in-content": {"http": "tool_error", "websocket": "tool_error"},
    "500": {"http": "http_status", "sse": "http_status", "websocket": "http_status"},
    "401": {"http": "http_status", "sse": "http_status", "websocket": "http_status"},
    "drip": {"http": "timeout", "sse": "timeout", "websocket": "timeout"},
    "huge": {"http": "protocol", "sse": EARLY_END, "websocket": "protocol"},
    "bad-frame": {"websocket": "protocol"},
    "close-without-handshake": {"websocket": "disconnected"},
}

Exchanges = frozenset[tuple[str, str]]
"""The pairs of transport and method that a scenario has."""


class Proof(NamedTuple):
    """What a fault did to a scenario: the red thresholds, what counted it, and what is wrong with that ("" when nothing is)."""

    red: Sequence[str] = ()
    counted: Sequence[str] = ()
    wrong: str = ""


def prove(scenarios: Sequence[str], faults: Sequence[str]) -> int:
    """Prints for each scenario (the three) a table with a row for each fault (all).

    Returns 0 when all is proven, 3 when a fault is not, 2 when that could not be found out.
    """
    try:
        files = find(scenarios or THE_THREE)
    except UnknownScenario as error:
        print(f"mop-locust prove: nothing was started:\n  {error}", file=sys.stderr)
        return CONFIGURATION
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the processes as Ctrl-C does
    pool = ThreadPoolExecutor(min(4, (os.cpu_count() or 1) + 1))
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mop-locust-prove-", ignore_cleanup_errors=True) as folder,
            Rig(Path(folder)) as rig,
        ):
            wrong = list(_prove_all(files, [name for name in FAULTS if not faults or name in faults], rig, pool))
    except NoRun as error:
        print(f"mop-locust prove: {error}", file=sys.stderr)
        return CONFIGURATION
    except KeyboardInterrupt:
        print("mop-locust prove: stopped; nothing is proven", file=sys.stderr)
        return CONFIGURATION
    finally:
        pool.shutdown(cancel_futures=True)
        signal.signal(signal.SIGTERM, before)
    print("\n".join(wrong) or "PROVEN. Every fault turned a threshold red and was counted as what it is.")
    return CROSSED if wrong else PASSED


def _prove_all(files: Sequence[Path], faults: Sequence[str], rig: Rig, pool: ThreadPoolExecutor) -> Iterator[str]:
    """Prints the tables and gives a sentence for each fault that was not proven."""
    controls = {file: pool.submit(rig.run, file) for file in files}
    started: dict[Path, tuple[Proof, dict[str, Future[Proof]]]] = {}
    for file, control in controls.items():
        try:
            summary = control.result()
        except NoRun as error:
            raise NoRun(f"{file.stem} could not be judged: {error}") from error
        had, wrong = exchanges(summary), _control(summary)
        runs = (
            {fault: pool.submit(_prove_one, rig, file, fault, had) for fault in faults if struck(fault, had)} if not wrong else {}
        )
        started[file] = Proof(counted=(f"{_calls(summary)} exchanges",), wrong=wrong), runs
    for file, (proof, runs) in started.items():
        print(f"\n{file.stem}\n  {'fault':<24}{'red':<24}counted as", flush=True)
        yield from _say(file, CONTROL, proof)
        if proof.wrong:
            continue
        for fault in faults:
            if fault in runs:
                yield from _say(file, fault, runs[fault].result())
            else:
                print(f"  {fault:<24}-", flush=True)
    print()


def exchanges(summary: SummaryDocument) -> Exchanges:
    """Returns the pairs of transport and method that a run had."""
    tags = [dict(tags) for name, tags in map(split_series_name, summary["metrics"]) if name == "calls" and tags]
    return frozenset((tag["transport"], tag["method"]) for tag in tags)


def struck(fault: str, had: Exchanges) -> list[str]:
    """Returns the transports of a scenario that the fault strikes, sorted; none when they cannot have it.

    A scenario with streams has them struck rather than the session before them, where the stream can have the fault.
    """
    of_tools = FAULTS[fault].places == {Place.TOOL}
    found = {transport for transport, method in had if method == "tools/call" or not of_tools} & set(EXPECTED[fault])
    return sorted(found - {"http"} if "sse" in found else found)


def methods_to_strike(fault: str, had: Exchanges) -> list[str]:
    """Returns what `--fault-on` is given: with streams all but the HTTP session before them, else nothing for everything."""
    if "sse" not in struck(fault, had):
        return []
    return ["GET", UPGRADE, *sorted(method for transport, method in had if transport == "websocket")]


def _prove_one(rig: Rig, file: Path, fault: str, had: Exchanges) -> Proof:
    try:
        summary = rig.run(file, fault, methods_to_strike(fault, had))
    except NoRun as error:
        return Proof(wrong=f"it came to no verdict: {error}")
    return judge(fault, struck(fault, had), summary)


def judge(fault: str, transports: Sequence[str], summary: SummaryDocument) -> Proof:
    """Returns what the fault did: on each of the transports the commonest failure must be the expected one."""
    red = sorted({threshold["metric"] for threshold in summary["verdict"]["thresholds"] if threshold["state"] != "PASSED"})
    counted, wrong = [], []
    for transport in transports:
        expected = EXPECTED[fault][transport]
        if expected == EARLY_END:
            metric = summary["metrics"].get(EARLY_END)
            found, text = (EARLY_END, f"{EARLY_END}: {metric['count']}") if metric else ("", "")
        else:
            found, text = _commonest(transport, summary["errors"])
        counted.append(text or "nothing")
        if found != expected:
            wrong.append(f"it was counted as {text or 'nothing'} and not as {expected}")
    if not red:
        wrong.insert(0, "every threshold stayed green")
    if summary["verdict"]["validity"] not in ("valid", "degraded"):
        wrong.append(f"the run is {summary['verdict']['validity']}: {'; '.join(summary['verdict']['reasons'])}")
    return Proof(red, counted, "; ".join(wrong))


def _commonest(transport: str, errors: Sequence[ErrorRow]) -> tuple[str, str]:
    """Returns the outcome and the words of the commonest class of failures of a transport; two empty texts without one."""
    rows = [row for row in errors if row["transport"] == transport and row["outcome"] in FAILURES]
    if not rows:
        return "", ""
    row = max(rows, key=lambda row: row["count"])
    return row["outcome"], plain(f"{row['outcome']}: {row['error']} ({transport} {row['method']}, {row['count']} times)")


def _control(summary: SummaryDocument) -> str:
    """Returns what is wrong with a run without a fault: it must be green, and something must be there to turn red."""
    verdict = summary["verdict"]
    if not verdict["thresholds"]:
        return "there is no threshold that could turn red"
    if verdict["state"] != "PASSED":
        return f"without a fault it is not green: {verdict['sentence']}"
    return ""


def _calls(summary: SummaryDocument) -> int:
    calls = summary["metrics"].get("calls")
    return calls["count"] if calls else 0


def _say(file: Path, fault: str, proof: Proof) -> Iterator[str]:
    """Prints a row, and gives the sentence when something is wrong with it."""
    red = ", ".join(proof.red) or ("green" if not proof.wrong or fault != CONTROL else "not green")
    mark = "" if not proof.wrong else "   NOT PROVEN"
    print(f"  {fault:<24}{red:<24}{', '.join(proof.counted)}{mark}", flush=True)
    if proof.wrong:
        yield f"NOT PROVEN. {file.stem}, {fault}: {proof.wrong}."
