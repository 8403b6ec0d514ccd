"""A MOP server of our own for one run, with or without a mission: the embedded one, or the binary of the real one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mop_locust.commands.rig import NoRun, addresses, end_group, last_line

START_SECONDS = 30.0
EMBEDDED = "the embedded reference server"


@contextmanager
def own_server(binary: str, mission: Path | None, log: Path) -> Iterator[tuple[str, int]]:
    """Starts a server on a free port, and ends it after the block; gives its URL, as -H takes it, and its process id.

    Without a binary it is the embedded one. What it says goes to `log`, and no variable of the suite reaches it. Raises NoRun
    when it does not start.
    """
    given = [] if mission is None else ["--mission", str(mission)]
    port = _free_port() if binary else 0
    words = [binary, "start"] if binary else [sys.executable, "-m", "mop_locust.server"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MOP_", "LOCUST_"))}
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*words, "--port", str(port), *given],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if binary else subprocess.PIPE,  # the real server tells of every request there
            stderr=errors,
            text=True,
            env=environment,
            start_new_session=True,
        )
    try:
        if process.stdout is None:
            _await(process, port, log)
            yield f"http://127.0.0.1:{port}", process.pid
        else:
            yield addresses(process.stdout.readline(), log)[0].removesuffix("/mcp"), process.pid
    finally:
        end_group(process)


def _await(process: subprocess.Popen[str], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise NoRun(f"the server did not start: {last_line(log) or 'it said nothing'}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
