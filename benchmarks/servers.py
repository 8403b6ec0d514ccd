"""The servers under load, each in a process of its own on the server's core, and what they counted."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from benchmarks.cpu import SERVER_CORE, pinned

BINARY_VARIABLE = "MOP_SERVER_BIN"
KEY = "DEMO_KEY_PUBLIC"
START_SECONDS, STOP_SECONDS, HTTP_SECONDS = 30.0, 5.0, 10.0
ROOT = Path(__file__).resolve().parents[1]

_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}


class Server(msgspec.Struct, frozen=True):
    """A server that listens; only the embedded one counts."""

    name: str
    host: str
    port: int
    pid: int
    counts_itself: bool

    @property
    def http_url(self) -> str:
        """The MCP endpoint."""
        return f"http://{self.host}:{self.port}/mcp"

    @property
    def ws_url(self) -> str:
        """The WebSocket endpoint."""
        return f"ws://{self.host}:{self.port}/ws"

    @property
    def base(self) -> str:
        """What Locust's -H takes."""
        return f"http://{self.host}:{self.port}"

    def counts(self) -> dict[str, int]:
        """What the server counted until now, flat: `http tools/list` (answered), `sockets_opened` and the like."""
        _, _, body = self._ask("GET", "/counts")
        counts = json.loads(body)
        answered: dict[str, int] = counts.pop("answered")
        del counts["received"]
        return {**answered, **counts}

    def open_session(self) -> str:
        """Opens a session and returns its id; RuntimeError when the server gives none."""
        headers = {
            "Authorization": f"Bearer {KEY}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        status, session, _ = self._ask("POST", "/mcp", json.dumps(_INITIALIZE), headers)
        if session is None:
            raise RuntimeError(f"{self.name} opened no session: HTTP {status}")
        return session

    def _ask(
        self, verb: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> tuple[int, str | None, bytes]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=HTTP_SECONDS)
        try:
            connection.request(verb, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.getheader("Mcp-Session-Id"), answer.read()
        finally:
            connection.close()


@contextmanager
def embedded(*options: str) -> Iterator[Server]:
    """`mop-locust serve` on a free port, with further options; RuntimeError when it does not start."""
    command = [sys.executable, "-m", "mop_locust.cli", "serve", "--port", "0", *options]
    process = subprocess.Popen(
        pinned(command, SERVER_CORE), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT, env=plain_environment()
    )
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline().decode() if ready else ""
        address = re.search(r"https?://([\d.]+):(\d+)/mcp", line)
        if address is None:
            raise RuntimeError(f"the embedded server did not start: {line!r}")
        yield Server("embedded", address[1], int(address[2]), process.pid, True)
    finally:
        _stop(process)
        process.stdout.close()


@contextmanager
def real(binary: str) -> Iterator[Server]:
    """The real MOP server, whose output goes to nowhere: it writes more than it answers. RuntimeError as `embedded`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = pinned([binary, "start", "--port", str(port)], SERVER_CORE)
    process = _silent(command)
    try:
        end = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < end:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                break
            time.sleep(0.02)
        else:
            raise RuntimeError(f"the MOP server {binary} did not start")
        yield Server("real", "127.0.0.1", port, process.pid, False)
    finally:
        _stop(process)


def _silent(command: Sequence[str]) -> subprocess.Popen[bytes]:
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, env=plain_environment())


def plain_environment() -> dict[str, str]:
    """This process's variables without those that would change a server, a run or a script."""
    ours = ("MOP_", "_MOP_", "LOCUST_", "K6_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
