"""How much latency the suite itself adds: `tools/list` at a third of its capacity, beside wrk at the same rate.

    python -m benchmarks.latency [--rounds 3] [--seconds 5] [--connections 50]

First the capacity of one process is measured. Then the suite and wrk ask in turn, over the same number of connections, each of
which waits 0 to 2 x the same pause between two requests (wrk by Lua's `delay()`). What our P99 is above wrk's is the addition.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.compare import MARGIN_SECONDS, SHORT_SECONDS, sample
from benchmarks.cpu import spend
from benchmarks.machine import machine, versions
from benchmarks.operations import OPERATIONS
from benchmarks.peers import HERE, OURS, Load, peers
from benchmarks.result import keep
from benchmarks.servers import Server, embedded
from benchmarks.whole import add_whole

LIMIT_MS = 0.3
SHARE = 1 / 3
CAPACITY_USERS = 10
OPERATION = next(operation for operation in OPERATIONS if operation.key == "a")

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Tail(msgspec.Struct, frozen=True):
    """One run: requests a second as the server counted them, and the P99 that the client measured, in milliseconds."""

    peer: str
    rate: float
    p99_ms: float


def capacity(server: Server, seconds: int) -> float:
    """Requests a second of one process of ours; RuntimeError when it could not be measured."""
    ours = next(peer for peer in peers(os.environ) if peer.name == OURS)
    found = sample(ours, OPERATION, server, 0, argparse.Namespace(users=CAPACITY_USERS, seconds=seconds))
    if found.long is None:
        raise RuntimeError(found.fault)
    return found.long.count / (SHORT_SECONDS + seconds)


def tail(name: str, server: Server, connections: int, seconds: int, pause_ms: float) -> Tail:
    """One run of ours or of wrk at a moderate rate; ValueError when it failed."""
    peer = next(peer for peer in peers(os.environ) if peer.name == name)
    with tempfile.TemporaryDirectory(prefix="mop-bench-") as folder:
        load = Load(OPERATION, server, connections, seconds, Path(folder))
        words, added = peer.command(load)
        if name == OURS:
            words[words.index("-f") + 1] = str(HERE / "scenarios" / "paced_list.py")
        environment = peer.environment({**added, "PAUSE_MS": f"{pause_ms:.3f}"})
        before = server.counts()
        spent = spend(words, environment, load.folder, seconds + MARGIN_SECONDS)
        peer.claim(load, spent)
        rate = OPERATION.count(before, server.counts()) / seconds
        return Tail(name, rate, _our_p99(load.folder) if name == OURS else wrk_p99(spent.output))


def _our_p99(folder: Path) -> float:
    (file,) = folder.glob("reports/*/summary.json")
    metrics = json.loads(file.read_bytes())["metrics"]
    (name,) = (name for name in metrics if name.startswith("call_latency{") and "tools/list" in name)
    return float(metrics[name]["p99"])


def wrk_p99(output: str) -> float:
    """The P99 in wrk's output, in milliseconds; ValueError when there is none."""
    found = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", output)
    if found is None:
        raise ValueError("wrk told no P99")
    return float(found[1]) * _UNITS[found[2]]


def main(arguments: Sequence[str]) -> int:
    """Measures, prints and keeps; 1 when the limit is not met, 0 also when wrk is missing, which is named."""
    parser = argparse.ArgumentParser(prog="benchmarks.latency", description="Latency that the suite adds, beside wrk.")
    add_whole(parser, "--rounds", 3, 1, 50)
    add_whole(parser, "--seconds", 5, 1, 120)
    add_whole(parser, "--connections", 50, 1, 1000)
    options = parser.parse_args(arguments)
    missing = next(peer for peer in peers(os.environ) if peer.name == "wrk").missing
    if missing:
        print(f"not measured: {missing}")
        return 0
    tails = []
    with embedded() as server:
        most = capacity(server, options.seconds)
        pause_ms = options.connections / (most * SHARE) * 1000
        for number in range(options.rounds):
            for name in (OURS, "wrk") if number % 2 == 0 else ("wrk", OURS):
                tails.append(tail(name, server, options.connections, options.seconds, pause_ms))
    by_peer = {name: [one for one in tails if one.peer == name] for name in (OURS, "wrk")}
    added = [ours.p99_ms - theirs.p99_ms for ours, theirs in zip(by_peer[OURS], by_peer["wrk"], strict=True)]
    median = statistics.median(added)
    how = f"Capacity of one process: {most:,.0f} a second; {options.connections} connections, mean pause {pause_ms:.1f} ms."
    lines = [how, "", "| | requests a second | P99 |", "| --- | --- | --- |"]
    for name, found in by_peer.items():
        rates, p99s = [one.rate for one in found], [one.p99_ms for one in found]
        lines.append(f"| {name} | {statistics.median(rates):,.0f} | {statistics.median(p99s):.2f} ms |")
    met = "met" if median <= LIMIT_MS else "**not met**"
    lines += ["", f"Added at P99: {median:.2f} ms ({min(added):.2f} to {max(added):.2f}), at most {LIMIT_MS} ms: {met}"]
    table = "\n".join(lines)
    began = datetime.now(UTC)
    content = {"date": began.isoformat(timespec="seconds"), "machine": machine(), "versions": versions(), "tails": tails}
    file = keep(f"{began:%Y%m%dT%H%M%SZ}-latency", content, f"# Added latency, {content['date']}\n\n{table}\n")
    print(f"{table}\n\n{file}")
    return 0 if median <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
