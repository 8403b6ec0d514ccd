"""A server of our own for one command: the embedded one, or the program of a MOP server, on a free loopback port."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

START_SECONDS, END_SECONDS = 30.0, 5.0


class NoServer(Exception):
    """A server that did not start; the text says which and, where it is known, why."""


class Served(NamedTuple):
    """A server that listens: what it is called, its address as host and port, its process."""

    name: str
    address: str
    pid: int

    @property
    def variables(self) -> dict[str, str]:
        """The settings of a run against it: it has the public demo key, and an empty variable is taken out."""
        return {
            "MOP_API_KEY": "",
            "MOP_API_KEY_FILE": "",
            "MOP_HTTP_BASE": f"http://{self.address}/mcp",
            "MOP_BASE_URL": f"ws://{self.address}/ws",
            "MOP_SERVER_PID": str(self.pid),
        }


@contextmanager
def served(program: str) -> Iterator[Served]:
    """Starts the program of a MOP server, or the embedded server for ""; ends it when the block is left. NoServer."""
    process = _start_program(program) if program else _start_embedded()
    try:
        address = _listening(program, process)
        yield Served(program or "the embedded server", address, process.pid)
    finally:
        _end(process)


def _start_embedded() -> subprocess.Popen[bytes]:
    # A session of its own, here and below: Ctrl-C at a terminal ends the load in good order before the server.
    command = [sys.executable, "-m", "mop_locust.server", "--port", "0"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=_environment(), start_new_session=True)


def _start_program(program: str) -> subprocess.Popen[bytes]:
    nowhere = subprocess.DEVNULL  # it writes more than it answers
    try:
        return subprocess.Popen(
            [program, "start", "--port", str(_free_port())],
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise NoServer(f"{program} could not be started: {error.strerror or error}") from None


def _environment() -> dict[str, str]:
    """This process's variables, without those of the load."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MOP_", "LOCUST_"))}


def _listening(program: str, process: subprocess.Popen[bytes]) -> str:
    """Waits until the server listens, and returns where."""
    if process.stdout is not None:
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        told = re.search(r"http://(\S+?)/mcp", process.stdout.readline().decode(errors="replace") if ready else "")
        if told is None:
            raise NoServer("the embedded server did not start")
        return told[1]
    port = int(process.args[-1])  # type: ignore[index,arg-type]  # as `_start_program` gave it
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1.0).close()
            return f"127.0.0.1:{port}"
        time.sleep(0.05)
    raise NoServer(f"{program} did not listen: it takes `start --port N`, as the MOP server does")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    for end in (process.terminate, process.kill):
        if process.poll() is None:
            end()
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)
    if process.stdout is not None:
        process.stdout.close()
