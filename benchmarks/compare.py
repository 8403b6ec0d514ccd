"""`make bench`: what an operation costs the suite and its peers in CPU, on the same work, in the same run.

    python -m benchmarks.compare [--rounds 5] [--seconds 5] [--only a,b] [--peers k6,wrk] [--users 10]

The server runs on one core and the client on another; each round begins with another peer. It is the shipped path that is
measured: `locust -f` headless, with our ledger, Locust's event and thresholds.

A client's start is not its operations' cost. It is taken out by two runs, of 1 s and of 1 s + `--seconds`, and the slope between
them. The other way, to take off the cost of a run without load, would flatter us: what a run costs by the second (watching the
loop, reports, a progress line) would go with it, and a user pays that. In the slope it stays.

Operations are counted by the server, so no client is believed. The real server (`MOP_SERVER_BIN`) does not count; there each
client is believed, and what the embedded server found about its honesty stands in the table above.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.cpu import spend
from benchmarks.figures import Run, Sample
from benchmarks.machine import machine, versions
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.peers import FLOOR, OURS, Load, Peer, peers
from benchmarks.result import Result, keep
from benchmarks.servers import BINARY_VARIABLE, Server, embedded, real
from benchmarks.table import render
from benchmarks.whole import add_whole

SHORT_SECONDS = 1
MARGIN_SECONDS = 60.0  # beyond its length, for a client to start and to end on a busy machine


def rotated(items: Sequence[Peer], number: int) -> list[Peer]:
    """The items in another order each round, each of them first in turn."""
    turn = number % len(items) if items else 0
    return [*items[turn:], *items[:turn]]


def run(peer: Peer, load: Load) -> Run:
    """One run; ValueError with a sentence when it failed or did another work."""
    words, added = peer.command(load)
    before = load.server.counts() if load.server.counts_itself else {}
    spent = spend(words, peer.environment(added), load.folder, load.seconds + MARGIN_SECONDS)
    try:
        claimed = peer.claim(load, spent)
        count = load.operation.count(before, load.server.counts()) if load.server.counts_itself else claimed
    except ValueError as error:
        raise ValueError(f"{error}; its last words: {' '.join(spent.output.split())[-300:]!r}") from None
    return Run(spent.cpu, count, claimed, spent.wall, spent.system)


def sample(peer: Peer, operation: Operation, server: Server, number: int, options: argparse.Namespace) -> Sample:
    """A short and a long run of one peer."""
    counted_by = "server" if server.counts_itself else "client"
    runs: list[Run] = []
    fault = ""
    for seconds in (SHORT_SECONDS, SHORT_SECONDS + options.seconds):
        with tempfile.TemporaryDirectory(prefix="mop-bench-") as folder:
            try:
                runs.append(run(peer, Load(operation, server, options.users, seconds, Path(folder))))
            except (ValueError, RuntimeError, OSError) as error:
                fault = str(error)
                break
    short, long = runs if len(runs) == 2 else (None, None)
    return Sample(server.name, operation.key, peer.name, number, counted_by, short, long, fault)


def one_server(operation: Operation, name: str) -> AbstractContextManager[Server]:
    """The named server, ready for the operation."""
    return embedded(*operation.server_options) if name == "embedded" else real(os.environ[BINARY_VARIABLE])


def one_operation(
    operation: Operation, name: str, order: Sequence[Peer], number: int, options: argparse.Namespace
) -> Iterator[Sample]:
    """One round of one operation: all peers against the same server process."""
    waiting = list(order)
    try:
        with one_server(operation, name) as server:
            while waiting:
                yield sample(waiting[0], operation, server, number, options)
                waiting.pop(0)
    except RuntimeError as error:  # no server: an hour of other figures is not thrown away for it
        for peer in waiting:
            yield Sample(name, operation.key, peer.name, number, "", fault=str(error))


def measure(present: Sequence[Peer], operations: Sequence[Operation], options: argparse.Namespace) -> list[Sample]:
    """All rounds against all servers; a line of progress for each sample."""
    names = ["embedded", *(["real"] if os.environ.get(BINARY_VARIABLE) else [])]
    samples = []
    for number in range(options.rounds):
        for name in names:
            for operation in operations:
                if name == "real" and operation.only_embedded:
                    continue
                able = [peer for peer in present if operation.key in peer.operations]
                for found in one_operation(operation, name, rotated(able, number), number, options):
                    samples.append(found)
                    print(_line(found), flush=True)
    return samples


def _line(found: Sample) -> str:
    where = f"round {found.round + 1}  {found.server}  ({found.operation}) {found.peer:<17}"
    if found.cost is None or found.long is None or found.short is None:
        return f"{where} FAILED: {found.why}"
    a_second = (found.long.count - found.short.count) / (found.long.wall - found.short.wall)
    return f"{where}{found.cost:9.1f} us {a_second:9,.0f} a second"


def _chosen(text: str, allowed: Sequence[str]) -> list[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    wrong = [word for word in words if word not in allowed]
    if wrong or not words:
        raise argparse.ArgumentTypeError(f"{', '.join(wrong) or 'nothing'}: allowed are {', '.join(allowed)}")
    return words


def _options(arguments: Sequence[str], everybody: Sequence[Peer]) -> argparse.Namespace:
    keys = [operation.key for operation in OPERATIONS]
    names = [peer.name for peer in everybody]
    parser = argparse.ArgumentParser(prog="benchmarks.compare", description="CPU an operation, beside other load generators.")
    add_whole(parser, "--rounds", 5, 1, 100)
    add_whole(parser, "--seconds", 5, 2, 300, help="of load in the slope")
    add_whole(parser, "--users", 10, 1, 1000)
    parser.add_argument("--only", type=lambda text: _chosen(text, keys), default=keys, metavar="a,b", help="operations")
    parser.add_argument("--peers", type=lambda text: _chosen(text, names), default=names, metavar="k6,wrk", help="beside ours")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Measures, prints the table and keeps it; 1 when a limit with a figure is not met or one of our own runs failed."""
    everybody = peers(os.environ)
    options = _options(arguments, everybody)
    wanted = [peer for peer in everybody if peer.name in {OURS, *options.peers}]
    present = [peer for peer in wanted if not peer.missing]
    missing = {peer.name: peer.missing for peer in wanted if peer.missing}
    for name, reason in missing.items():
        print(f"not there: {name}, {reason}")
    if not os.environ.get(BINARY_VARIABLE):
        missing["the real MOP server"] = f"{BINARY_VARIABLE} is not set"
    operations = [operation for operation in OPERATIONS if operation.key in options.only]
    began, place = datetime.now(UTC), machine()
    samples = measure(present, operations, options)
    result = Result(
        date=began.isoformat(timespec="seconds"),
        machine=place,
        versions={**versions(), **{peer.name: peer.version for peer in present}},
        options={
            "rounds": str(options.rounds),
            "users": str(options.users),
            "short": str(SHORT_SECONDS),
            "long": str(SHORT_SECONDS + options.seconds),
        },
        missing=missing,
        samples=samples,
    )
    table = render(result, OURS, FLOOR)
    file = keep(began.strftime("%Y%m%dT%H%M%SZ"), result, table)
    print(f"\n{table}\n{file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}")
    return 1 if "not met" in table or any(found.why and found.peer == OURS for found in samples) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
