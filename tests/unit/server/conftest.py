"""A real server process for a test, and a small client that shares no code with the suite."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

KEY = {"Authorization": "Bearer DEMO_KEY_PUBLIC"}
BOTH = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
CLIENT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
WAIT = 10.0


def body(method: str, params: Any = None, call_id: Any = 1) -> str:
    """A JSON-RPC request as text."""
    message = {"jsonrpc": "2.0", "id": call_id, "method": method}
    return json.dumps(message if params is None else {**message, "params": params})


class Running:
    """A server process and its addresses."""

    def __init__(self, process: subprocess.Popen[str], line: str) -> None:
        self.process = process
        self.line = line
        self.mcp, self.ws = line.split()[-2:]
        self.base = self.mcp.removesuffix("/mcp")

    def post(self, data: str | bytes, headers: dict[str, str], query: str = "") -> requests.Response:
        """POST to /mcp with the headers that a standard client sends."""
        return requests.post(self.mcp + query, data=data, headers={**BOTH, **headers}, timeout=WAIT)

    def initialize(self, **params: Any) -> tuple[dict[str, str], dict[str, Any]]:
        """Open a session; returns the headers of later requests and the result."""
        answer = self.post(body("initialize", {**CLIENT, **params}), KEY)
        return {**KEY, "Mcp-Session-Id": answer.headers["mcp-session-id"]}, answer.json()["result"]

    def call(self, session: dict[str, str], method: str, params: Any = None) -> dict[str, Any]:
        """The whole answer to a call of that session."""
        answer: dict[str, Any] = self.post(body(method, params), session).json()
        return answer

    def get(self, path: str) -> requests.Response:
        """GET a page."""
        return requests.get(self.base + path, timeout=WAIT)

    def counts(self) -> dict[str, Any]:
        """What GET /counts tells."""
        counts: dict[str, Any] = self.get("/counts").json()
        return counts

    def settled_counts(self, **wanted: int) -> dict[str, Any]:
        """The counts once they show `wanted`: the server sees the end of a connection a moment later than the client."""
        deadline = time.monotonic() + WAIT
        while True:
            counts = self.counts()
            if all(counts[name] == value for name, value in wanted.items()) or time.monotonic() > deadline:
                return counts
            time.sleep(0.02)

    def socket(self, **options: Any) -> websocket.WebSocket:
        """An open WebSocket."""
        return websocket.create_connection(self.ws, timeout=WAIT, **options)

    def end(self, number: int = signal.SIGTERM) -> int:
        """End the process with a signal; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(WAIT)


def over(socket: websocket.WebSocket, method: str, params: Any = None, call_id: Any = 1) -> dict[str, Any]:
    """The answer to a call over a socket."""
    socket.send(body(method, params, call_id))
    answer: dict[str, Any] = json.loads(socket.recv())
    return answer


@contextmanager
def running(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[Running]:
    """A server process on a free port, ended at the end."""
    command = [sys.executable, "-m", "mop_locust.server", "--port", "0", *arguments]
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root, env={**os.environ, **(environment or {})}
    )
    try:
        assert process.stdout is not None
        yield Running(process, process.stdout.readline().strip())
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Start servers with options of the test's own."""
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(running(*arguments, **options))


@pytest.fixture(scope="session")
def mop() -> Iterator[Running]:
    """One server in dialect mop for all tests that do not count."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def mcp() -> Iterator[Running]:
    """One server in dialect mcp with JSON answers for all tests that do not count."""
    with running("--dialect", "mcp") as server:
        yield server


@pytest.fixture(scope="session")
def mcp_events() -> Iterator[Running]:
    """One server in dialect mcp with event-stream answers for all tests that do not count."""
    with running("--dialect", "mcp", "--answer", "sse") as server:
        yield server


MISSION = """\
id: search-guidance
name: Search guidance
description: Adds guidance to search tools.
templates:
  - id: cite-sources
    name: Cite sources
    description: Asks for dates.
    categories: [search]
    priority: 100
    enabled: true
    content: |
      Give the date of each source.
    perception_affinity: []
    paradox_resistance: 0.8
    metadata: {}
rules:
  - id: search-tools
    name: Search tools
    enabled: true
    conditions:
      tool_patterns: ["exa_"]
      environment_vars: {}
      file_signals: []
      perception_states: []
      min_confidence: null
    actions:
      template_ids: [cite-sources]
      transform_type: Prepend
      target_field: null
      char_limit: null
      perception_lock: false
    perception_scope: []
    paradox_handling: Coexist
perceptions: []
budgets:
  global_char_limit: null
  per_tool_limits: {}
  perception_quotas: {}
  paradox_overhead: 0.1
created_at: "2026-01-01T00:00:00Z"
updated_at: "2026-01-01T00:00:00Z"
"""


@pytest.fixture
def mission_file(tmp_path: Path) -> Path:
    """A mission that parses, in a file."""
    path = tmp_path / "mission.yaml"
    path.write_text(MISSION)
    return path
