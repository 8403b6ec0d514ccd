"""What a held session costs in memory, and how long garbage collection stops its process, with all open at once.

    python -m benchmarks.memory [--sessions 5000] [--rate 500]

A run with 100 sessions is the ground; the growth to the full number, by the sessions between, is the cost of one. All of a run's
sessions are open together when the server says so; then the process's resident memory is read. Afterwards all are closed in good
order, and every failure is told: with `--sessions 20000` that is the figure. One source address has about 28,000 ports to a
target, and a stream takes two (its session's connection and its own), so several loopback addresses are used where one is not
enough. Each connection is a descriptor at both ends: the limit is raised as far as it goes, and bounds `--sessions`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil

from benchmarks.cpu import CLIENT_CORE, pinned
from benchmarks.machine import machine, versions
from benchmarks.peers import HERE
from benchmarks.result import keep
from benchmarks.servers import ROOT, Server, embedded, plain_environment
from benchmarks.whole import add_whole

LIMIT_KIB, LIMIT_PAUSE_MS = 20.0, 20.0
GROUND = 100
PORTS_AN_ADDRESS = 20_000
MOST_SESSIONS = 50_000
SPARE_DESCRIPTORS = 500
SETTLE_SECONDS, HELD_TOGETHER_SECONDS, END_SECONDS = 2.0, 10.0, 60.0


class Kind(msgspec.Struct, frozen=True):
    """What is held; `opened` is the server's count of it, `connections` how many each takes."""

    name: str
    file: str
    opened: str
    connections: int
    limit_kib: float = LIMIT_KIB


KINDS = (
    Kind("WebSocket sessions", "held_sockets", "sockets_open", 1),
    Kind("event streams", "held_streams", "streams_open", 2),
    Kind("users that ask each second", "paced_list", "sessions_open", 1, math.inf),
)


class Held(msgspec.Struct, frozen=True):
    """One run: memory with all sessions open, how its exchanges ended, and the longest pause for garbage after the ramp-up."""

    sessions: int
    rss_bytes: int
    outcomes: dict[str, int]
    gc_pause_ms: float


def hold(kind: Kind, sessions: int, rate: int, server: Server) -> Held:
    """Opens so many sessions, reads the memory, lets them close; RuntimeError when they were never open all at once."""
    ramp = sessions / rate
    seconds = ramp + HELD_TOGETHER_SECONDS
    with tempfile.TemporaryDirectory(prefix="mop-bench-") as folder:
        words = ["--headless", "--only-summary", "--loglevel", "WARNING", "-u", str(sessions), "-r", str(rate)]
        words += ["-t", f"{int(ramp + seconds) + 5}s", "-H", server.base, "-f", str(HERE / "scenarios" / f"{kind.file}.py")]
        ours = {"MOP_REPORTS": folder, "HOLD_SECONDS": str(seconds), "PAUSE_MS": "1000", "PYTHONPATH": str(ROOT)}
        if (addresses := source_addresses(sessions * kind.connections)) != "127.0.0.1":
            ours["MOP_SOURCE_ADDRESSES"] = addresses
        log = Path(folder) / "output.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                pinned([sys.executable, "-m", "locust", *words], CLIENT_CORE),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**plain_environment(), **ours},
                cwd=folder,
            )
        try:
            _all_open(kind, sessions, server, process, ramp + END_SECONDS)
            time.sleep(SETTLE_SECONDS)
            rss = psutil.Process(process.pid).memory_info().rss
            process.wait(ramp + seconds + END_SECONDS)
            summary = _summary(Path(folder))
            outcomes: dict[str, int] = summary["metrics"]["calls"]["outcomes"]
            return Held(sessions, rss, outcomes, longest_pause_ms(summary["windows"], sessions))
        except RuntimeError as error:
            raise RuntimeError(f"{error}; its last words: {log.read_text(errors='replace')[-500:]!r}") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def source_addresses(connections: int) -> str:
    """Loopback addresses enough for so many connections, between commas."""
    return ",".join(f"127.0.0.{number}" for number in range(1, 2 + (connections - 1) // PORTS_AN_ADDRESS))


def raise_limit(descriptors: int) -> int:
    """Raises this process's limit of descriptors, which its children inherit, to as many if that may be; returns the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # only root may go above the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, descriptors), max(most, descriptors)))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def _all_open(kind: Kind, sessions: int, server: Server, process: subprocess.Popen[bytes], seconds: float) -> None:
    end = time.monotonic() + seconds
    most = 0
    while time.monotonic() < end and process.poll() is None:
        most = max(most, server.counts()[kind.opened])
        if most == sessions:
            return
        time.sleep(0.2)
    raise RuntimeError(f"{most} of {sessions} {kind.name} were open together")


def _summary(folder: Path) -> dict[str, Any]:
    for file in folder.glob("*/summary.json"):
        summary: dict[str, Any] = json.loads(file.read_bytes())
        return summary
    raise RuntimeError("no report was written")


def longest_pause_ms(windows: Sequence[Mapping[str, Any]], users: int) -> float:
    """The longest garbage collection after the ramp-up, in milliseconds.

    Memory is settled once when all users are there, on purpose; so what counts is from two seconds after that on.
    """
    there = [window["start_s"] for window in windows if any(one.get("users", 0) >= users for one in window["gauges"].values())]
    since = min(there, default=math.inf) + SETTLE_SECONDS
    series = [window["series"]["gc_pause"] for window in windows if window["start_s"] >= since and "gc_pause" in window["series"]]
    return max((one["histogram"]["max"] for one in series), default=0) / 1000


def main(arguments: Sequence[str]) -> int:
    """Measures both kinds, prints and keeps them; 1 when a session costs more than the limit or one failed."""
    parser = argparse.ArgumentParser(prog="benchmarks.memory", description="Memory of held sessions.")
    add_whole(parser, "--sessions", 5000, 2 * GROUND, MOST_SESSIONS)
    add_whole(parser, "--rate", 500, 10, 5000, help="opened a second")
    options = parser.parse_args(arguments)
    lines = ["| held | RSS a session | at most | | longest GC pause | at most | | RSS in all | not ok |", "|" + " --- |" * 9]
    most = raise_limit(options.sessions * max(kind.connections for kind in KINDS) + SPARE_DESCRIPTORS)
    content: dict[str, object] = {"machine": machine(), "versions": versions()}
    good = True
    for kind in KINDS:
        needed = options.sessions * kind.connections
        if needed > most - SPARE_DESCRIPTORS:
            reason = f"not measured: {needed:,} connections, {most:,} descriptors"
            lines.append(f"| {options.sessions:,} {kind.name} | {reason} | | | | | | | |")
            continue
        try:
            with embedded() as server:
                ground, full = (hold(kind, sessions, options.rate, server) for sessions in (GROUND, options.sessions))
        except RuntimeError as error:
            good = False
            lines.append(f"| {options.sessions:,} {kind.name} | FAILED: {error} | | | | | | | |")
            continue
        each = (full.rss_bytes - ground.rss_bytes) / (full.sessions - ground.sessions) / 1024
        failed = {outcome: number for outcome, number in full.outcomes.items() if outcome != "ok" and number}
        good = good and each <= kind.limit_kib and full.gc_pause_ms <= LIMIT_PAUSE_MS and not failed
        met = {True: "met", False: "**not met**"}
        most_kib = "" if kind.limit_kib == math.inf else f"{kind.limit_kib:.0f} KiB"
        costs = f"{each:.1f} KiB | {most_kib} | {met[each <= kind.limit_kib] if most_kib else ''}"
        costs += f" | {full.gc_pause_ms:.1f} ms | {LIMIT_PAUSE_MS:.0f} ms | {met[full.gc_pause_ms <= LIMIT_PAUSE_MS]}"
        costs += f" | {full.rss_bytes / 2**20:.0f} MiB | {failed or 0}"
        lines.append(f"| {full.sessions:,} {kind.name} | {costs} |")
        content[kind.file] = {"ground": ground, "full": full, "kib_a_session": each}
    table = "\n".join(lines)
    began = datetime.now(UTC)
    content["date"] = began.isoformat(timespec="seconds")
    file = keep(f"{began:%Y%m%dT%H%M%SZ}-memory", content, f"# Memory of held sessions, {content['date']}\n\n{table}\n")
    print(f"{table}\n\n{file}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
