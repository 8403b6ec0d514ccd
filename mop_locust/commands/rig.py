"""The processes of `mop-locust prove`: for each run a reference server with at most one fault, and the run itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from mop_locust.report.document import SummaryDocument, read_summary

USERS, SECONDS = 4, 2
RUN_SECONDS = 60.0  # for a run of two seconds to be over on a busy machine
END_SECONDS = 5.0

# Short pauses and windows, so that two seconds are many iterations; a deadline that a stalled answer meets; a cap that a huge
# answer passes; every fault counts: a stream that ends early too, and nothing is looked at before the load.
VARIABLES = {
    "MOP_PREFLIGHT": "off",
    "MOP_SSE_REQUIRE_KEEPALIVE": "1",
    "MOP_TIMEOUT_MS": "1000",
    "MOP_MAX_REPLY_BYTES": "1048576",
    "MOP_WS_SLEEP_MS": "100",
    "MOP_RPS_THINK_MS": "100",
    "MOP_RPS_TOOL": "exa_search_example",
    "MOP_RPS_TOOL_ARGS": '{"query": "load"}',
    "MOP_SSE_WINDOW_MS": "300",
    "MOP_SSE_ITERATIONS": "100000",
}
# The user's settings that count: what is to be proven, and with which clients.
KEPT = ("MOP_THRESHOLDS", "MOP_HTTP_CLIENT", "MOP_WS_CLIENT")


class NoRun(Exception):
    """A run that came to no summary; the text says why."""


class Rig:
    """Starts runs, several at a time if asked to; `with` ends whatever is still there when it is left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[str]] = []
        self._ended = False
        self._runs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._lock:
            self._ended = True
            processes = tuple(self._processes)
        for process in processes:
            end_group(process)

    def run(self, scenario: Path, fault: str = "", on: Sequence[str] = ()) -> SummaryDocument:
        """Runs a scenario against a server with the fault, on answers to these methods; returns its summary, or raises NoRun."""
        with self._lock:
            self._runs += 1
            folder = self._folder / f"run-{self._runs}"
        folder.mkdir()
        options = ["--fault", fault, *(word for method in on for word in ("--fault-on", method))] if fault else []
        words = [sys.executable, "-m", "mop_locust.server", "--port", "0", "--keep-alive-seconds", "0.1", *options]
        server = self._start(words, folder / "server.log", {})
        try:
            assert server.stdout is not None
            http, websocket = addresses(server.stdout.readline(), folder / "server.log")
            where = {"MOP_HTTP_BASE": http, "MOP_BASE_URL": websocket, "MOP_REPORTS": str(folder)}
            words = [sys.executable, "-m", "mop_locust.cli", "run", str(scenario), "-u", str(USERS), "-t", f"{SECONDS}s"]
            run = self._start(words, folder / "run.log", {**VARIABLES, **where})
            try:
                run.communicate(timeout=RUN_SECONDS)
            except subprocess.TimeoutExpired:
                raise NoRun(f"the run was not over after {RUN_SECONDS:.0f} s") from None
            finally:
                end_group(run)
        finally:
            end_group(server)
        found = list(folder.glob("*/summary.json"))
        if len(found) != 1:
            raise NoRun(last_line(folder / "run.log") or f"it ended with {run.returncode} and no summary")
        return read_summary(found[0])

    def _start(self, words: Sequence[str], log: Path, variables: Mapping[str, str]) -> subprocess.Popen[str]:
        """Starts a process that leads a group of its own, so that it can be ended with all that it started."""
        kept = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(("MOP_", "LOCUST_"))}
        with self._lock, log.open("w") as errors:
            if self._ended:
                raise NoRun("the command was stopped")
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**kept, **variables},
                start_new_session=True,
            )
            self._processes.append(process)
        return process


def addresses(line: str, log: Path) -> tuple[str, str]:
    """Returns both addresses that a reference server told in its first line; raises NoRun with its last words when it did not."""
    words = line.split()
    if len(words) < 2:
        raise NoRun(f"the server did not start: {last_line(log)}")
    return words[-2], words[-1]


def last_line(log: Path) -> str:
    """Returns the last line of what a process said, "" when it said nothing."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


def end_group(process: subprocess.Popen[str]) -> None:
    """Ends a process and its group, if it still runs, and closes its output."""
    # Nothing outlives the second signal, so its end is waited for without a limit: else a dead process is left unread.
    for number, patience in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, None)):
        if process.poll() is not None:
            break
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    if process.stdout is not None:
        process.stdout.close()
