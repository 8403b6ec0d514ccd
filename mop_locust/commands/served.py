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
from typing import IO, NamedTuple

from mop_locust.commands.rig import end_group

START_SECONDS = 30.0


class NoServer(OSError):
    """A server that did not start; the text says which and, where it is known, why."""


class Served(NamedTuple):
    """A server that listens: what it is called, its address as host and port, its process."""

    name: str
    address: str
    pid: int

    @property
    def http(self) -> str:
        """Its HTTP endpoint."""
        return f"http://{self.address}/mcp"

    @property
    def websocket(self) -> str:
        """Its WebSocket endpoint."""
        return f"ws://{self.address}/ws"

    @property
    def variables(self) -> dict[str, str]:
        """The settings of a run against it: it has the public demo key, and an empty variable is taken out."""
        return {
            "MOP_API_KEY": "",
            "MOP_API_KEY_FILE": "",
            "MOP_HTTP_BASE": self.http,
            "MOP_BASE_URL": self.websocket,
            "MOP_SERVER_PID": str(self.pid),
        }


@contextmanager
def served(program: str, *options: str) -> Iterator[Served]:
    """Starts the program of a MOP server, or the embedded server for ""; ends it when the block is left. NoServer."""
    try:
        process, port = launch(program, *options)
    except OSError as error:
        raise NoServer(f"{program or 'the embedded server'} could not be started: {error.strerror or error}") from None
    try:
        if process.stdout is not None:
            address = _told(process.stdout)
        elif listens(process, port):
            address = f"127.0.0.1:{port}"
        else:
            raise NoServer(f"{program} did not listen: it takes `start --port N`, as the MOP server does")
        yield Served(program or "the embedded server", address, process.pid)
    finally:
        end_group(process)


def launch(program: str, *options: str, errors: int | IO[bytes] = subprocess.DEVNULL) -> tuple[subprocess.Popen[str], int]:
    """Starts a server without a variable of the load, and returns its process and its port.

    The embedded one takes a port by itself, so that 0 is returned, and tells its addresses in the first line of its output; a
    program's output goes to nowhere, since it writes more than it answers. OSError when there is no such program.
    """
    port = 0
    if program:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
    words = [program, "start"] if program else [sys.executable, "-m", "mop_locust.server"]
    process = subprocess.Popen(
        [*words, "--port", str(port), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if program else subprocess.PIPE,
        stderr=errors,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith(("MOP_", "LOCUST_"))},
        start_new_session=True,  # Ctrl-C at a terminal ends the load in good order before the server
    )
    return process, port


def listens(process: subprocess.Popen[str], port: int) -> bool:
    """Waits until the server listens; False when it ended before, or has not come so far in its time."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1.0).close()
            return True
        time.sleep(0.02)
    return False


def _told(output: IO[str]) -> str:
    ready, _, _ = select.select([output], [], [], START_SECONDS)
    told = re.search(r"http://(\S+?)/mcp", output.readline() if ready else "")
    if told is None:
        raise NoServer("the embedded server did not start")
    return told[1]
