"""How long a person waits: for `mop-locust --help`, and for the first request after `locust -f`.

    python -m benchmarks.startup [--rounds 5]

The first request is what arrives first at a socket that only listens: the preflight's, and with the preflight off the first one
of the load itself.
"""

from __future__ import annotations

import argparse
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.cpu import CLIENT_CORE, pinned
from benchmarks.figures import Spread
from benchmarks.machine import machine, versions
from benchmarks.peers import HERE
from benchmarks.result import keep
from benchmarks.servers import ROOT, plain_environment
from benchmarks.whole import add_whole

MOST_SECONDS = 30.0


class Waited(msgspec.Struct, frozen=True):
    """How long one thing took, in seconds, and how long it may take."""

    what: str
    seconds: Spread
    limit: float

    @property
    def met(self) -> bool:
        """Whether the median is within the limit."""
        return self.seconds.median <= self.limit


def help_seconds() -> float:
    """The wall time of `mop-locust --help`."""
    began = time.monotonic()
    command = pinned([sys.executable, "-m", "mop_locust.cli", "--help"], CLIENT_CORE)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=MOST_SECONDS, cwd=ROOT, env=plain_environment())
    return time.monotonic() - began


def first_request_seconds(preflight: str) -> float:
    """The wall time from the start of `locust -f` until the first byte arrives; TimeoutError when none does."""
    scenario = str(HERE / "scenarios" / "tools_list.py")
    with tempfile.TemporaryDirectory(prefix="mop-bench-") as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        words = ["--headless", "-u", "1", "-t", "30s", "-H", f"http://127.0.0.1:{listener.getsockname()[1]}", "-f", scenario]
        variables = {**plain_environment(), "MOP_PREFLIGHT": preflight, "MOP_REPORTS": folder, "PYTHONPATH": str(ROOT)}
        nowhere = subprocess.DEVNULL
        began = time.monotonic()
        command = pinned([sys.executable, "-m", "locust", *words], CLIENT_CORE)
        process = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, cwd=folder, env=variables)
        try:
            _first_byte(listener)
            return time.monotonic() - began
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _first_byte(listener: socket.socket) -> None:
    if not select.select([listener], [], [], MOST_SECONDS)[0]:
        raise TimeoutError("nobody connected")
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(MOST_SECONDS)
        connection.recv(1)


def main(arguments: Sequence[str]) -> int:
    """Measures, prints and keeps; 1 when a limit is not met."""
    parser = argparse.ArgumentParser(prog="benchmarks.startup", description="Time to help and to the first request.")
    add_whole(parser, "--rounds", 5, 1, 50)
    options = parser.parse_args(arguments)
    found = []
    for what, measure, limit in (
        ("mop-locust --help", help_seconds, 0.3),
        ("locust -f to the first request, the preflight's", lambda: first_request_seconds("on"), 2.0),
        ("locust -f to the first request of the load, without preflight", lambda: first_request_seconds("off"), 2.0),
    ):
        spread = Spread.of([measure() for _ in range(options.rounds)])
        assert spread is not None
        found.append(Waited(what, spread, limit))
    lines = ["| | median (least to most) | at most | |", "| --- | --- | --- | --- |"]
    for one in found:
        spread = one.seconds
        took = f"{spread.median:.2f} s ({spread.least:.2f} to {spread.most:.2f})"
        lines.append(f"| {one.what} | {took} | {one.limit:.1f} s | {'met' if one.met else '**not met**'} |")
    table = "\n".join(lines)
    began = datetime.now(UTC)
    content = {"date": began.isoformat(timespec="seconds"), "machine": machine(), "versions": versions(), "waited": found}
    file = keep(f"{began:%Y%m%dT%H%M%SZ}-startup", content, f"# Start-up, {content['date']}\n\n{table}\n")
    print(f"{table}\n\n{file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}")
    return 0 if all(one.met for one in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
