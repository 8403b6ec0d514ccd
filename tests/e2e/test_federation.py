"""Calls through a federating server: counted alike at both servers and at the client, whatever becomes of the downstream."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract.fleet import BINARY_VARIABLE
from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved
from tests.e2e.processes import LOCUSTFILES, LocustRun, Server, environment, free_port, until

FILE = LOCUSTFILES / "federated_calls.py"
LONG = ("-t", "60s")
USERS = 2  # over each transport
EACH = 60  # calls over each transport: one user alone would need two seconds for them, and no worker stands still for so long
VARIABLES = {"MOP_FED_VUS": str(USERS), "MOP_FED_THINK_MS": "30"}


class Downstream:
    """A downstream server that can be ended and started again on its port; `lives` are the counts that each life ended with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._stack = ExitStack()
        self.lives: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """Its socket."""
        return f"ws://127.0.0.1:{self._port}/ws"

    def start(self) -> None:
        """Starts it with three tools that no other server has."""
        file = self._folder / f"downstream-{len(self.lives)}.json"
        self._stack.callback(lambda: self.lives.append(json.loads(file.read_bytes())))
        self._stack.enter_context(Server(self._folder, "--tools", "3", "--counts", str(file), port=self._port))

    def end(self) -> None:
        """Ends it; nothing when it does not run."""
        self._stack.close()

    def total(self, kind: str) -> int:
        """Tool calls of all lives."""
        return sum(life[kind].get("websocket tools/call", 0) for life in self.lives)


@pytest.fixture
def downstream(tmp_path: Path) -> Iterator[Downstream]:
    """One that runs."""
    made = Downstream(tmp_path)
    made.start()
    yield made
    made.end()


@pytest.fixture
def upstream(downstream: Downstream, tmp_path: Path) -> Iterator[Server]:
    """A server that federates it, and has a tool of its own left."""
    with Server(tmp_path, "--tools", "4", "--downstream", downstream.url) as started:
        yield started


def told(server: Server, transport: str, what: str) -> int:
    """What the federating server counted so far."""
    return int(server.counts_now().get("federation", {}).get(f"downstream-1 {transport}", {}).get(what, 0))


def more(server: Server, what: str, n: int, *transports: str) -> Callable[[], bool]:
    """Whether the server counted so many more than now, over each of the transports."""
    before = {transport: told(server, transport, what) for transport in transports}
    return lambda: all(told(server, transport, what) >= before[transport] + n for transport in transports)


def measured(summary: dict[str, Any], name: str, transport: str) -> dict[str, Any]:
    """A federated metric of one transport; one without samples counts 0."""
    key = f"federated_{name}{{downstream:downstream-1,scenario:federated_calls,transport:{transport}}}"
    return dict(summary["metrics"].get(key, {"count": 0, "failures": 0}))


def both_ends_agree(summary: dict[str, Any], counts: dict[str, Any]) -> None:
    """Asserts that each call is counted as the same by the client and by the federating server."""
    federation = counts["federation"]
    over_http = {"forwarded": 0, "failed": 0, "refused": 0, **federation.get("downstream-1 http", {})}
    over_socket = {"forwarded": 0, "failed": 0, "refused": 0, **federation.get("downstream-1 websocket", {})}
    for transport, told in (("http", over_http), ("websocket", over_socket)):
        unanswered = told["failed"] + told["refused"]
        failed, fell_back = (unanswered, 0) if transport == "http" else (0, unanswered)
        own = measured(summary, "own_answers", transport)["count"]
        assert measured(summary, "latency", transport)["count"] == told["forwarded"]
        assert measured(summary, "failures", transport)["failures"] == failed
        assert measured(summary, "fallbacks", transport)["failures"] == fell_back
        assert measured(summary, "failures", transport)["count"] == told["forwarded"] + unanswered
        assert measured(summary, "calls", transport)["count"] == told["forwarded"] + unanswered + own
    assert measured(summary, "circuit_refusals", "http")["count"] == over_http["refused"]
    assert measured(summary, "own_answers", "websocket")["count"] == 0


def downstream_agrees(downstream: Downstream, counts: dict[str, Any]) -> None:
    """Asserts that the downstream answered what was forwarded; a request whose answer was lost may have come to it."""
    totals = list(counts["federation"].values())
    forwarded, lost = (sum(one.get(what, 0) for one in totals) for what in ("forwarded", "lost"))
    assert forwarded <= downstream.total("answered") <= forwarded + lost
    assert forwarded <= downstream.total("received") <= forwarded + lost


def test_a_downstream_that_dies_and_comes_back_is_counted_exactly(
    downstream: Downstream, upstream: Server, run_at: RunAt
) -> None:
    """Over both transports, by two workers: fallbacks, failures, refusals and recoveries are those of the servers' own counts."""
    run = run_at(upstream, **VARIABLES)
    process = run.command("federated_calls", "--workers", "2", *LONG)
    both = ("http", "websocket")
    until(more(upstream, "forwarded", EACH, *both), what="forwarded calls")
    downstream.end()
    until(more(upstream, "refused", EACH, *both), what="refused calls")
    downstream.start()
    until(more(upstream, "forwarded", EACH, *both), what="recovery")
    process.signal(signal.SIGINT)
    process.wait()
    summary, counts = run.summary, upstream.counts()
    downstream.end()
    conserved(summary, counts)
    both_ends_agree(summary, counts)
    downstream_agrees(downstream, counts)
    # Each user saw the one recovery; the server saw it once, with whichever call came first.
    assert [measured(summary, "recoveries", transport)["count"] for transport in both] == [USERS, USERS]
    assert sum(one.get("recovered", 0) for one in counts["federation"].values()) == 1
    # Each answered pair gave one difference, over both transports.
    for transport in both:
        assert measured(summary, "added_latency", transport)["count"] == measured(summary, "latency", transport)["count"]
    assert summary["verdict"]["state"] == "CROSSED"
    errors = {(error["outcome"], error["error"]) for error in summary["errors"]}
    assert {("check", "fallback"), ("tool_error", "error in content")} == errors


def test_a_single_user_sees_each_opening_of_the_breaker(downstream: Downstream, upstream: Server, run_at: RunAt) -> None:
    """Over HTTP, where each failure is told, and where nobody else's failures open it."""
    run = run_at(upstream, **VARIABLES)
    process = run.single(FILE, "-u", "1", *LONG, "FederatedOverHttp")
    until(more(upstream, "forwarded", 5, "http"), what="forwarded calls")
    downstream.end()
    until(more(upstream, "opened", 2, "http"), what="two openings")
    downstream.start()
    until(more(upstream, "forwarded", 5, "http"), what="recovery")
    process.signal(signal.SIGINT)
    process.wait()
    summary, counts = run.summary, upstream.counts()
    downstream.end()
    conserved(summary, counts)
    both_ends_agree(summary, counts)
    downstream_agrees(downstream, counts)
    told = counts["federation"]["downstream-1 http"]
    assert told["opened"] >= 2
    assert measured(summary, "circuit_openings", "http")["count"] == told["opened"]
    assert measured(summary, "recoveries", "http")["count"] == told["recovered"] == 1


def test_a_green_run_gives_the_cost_of_the_hop(downstream: Downstream, upstream: Server, run_at: RunAt) -> None:
    """Exit code 0, a difference for each forwarded call, and the rows of each downstream in the table."""
    run = run_at(upstream, **VARIABLES)
    process = run.command("federated_calls", "-t", "2s")
    assert run.wait() == 0, run.output
    summary, counts = run.summary, upstream.counts()
    downstream.end()
    conserved(summary, counts)
    both_ends_agree(summary, counts)
    downstream_agrees(downstream, counts)
    forwarded = sum(measured(summary, "latency", transport)["count"] for transport in ("http", "websocket"))
    assert summary["metrics"]["federated_added_latency"]["count"] == forwarded > 0
    assert "· downstream-1 websocket" in process.output
    assert summary["preflight"]["findings"][-1] == "federated: 7 tools of downstream-1; 1 local tool"


def test_a_server_that_federates_nothing_is_refused(server: Server, run_at: RunAt) -> None:
    """Exit code 2 and a sentence, without any load; though the preflight is off."""
    run = run_at(server, MOP_PREFLIGHT="off")
    run.command("federated_calls", "--workers", "1", "-t", "2s")
    assert run.wait() == 2
    assert "the server federates no tool: its catalogue has 4 tools, all its own" in run.output
    assert run.summaries() == []
    assert "http tools/call" not in server.counts()["received"]


CONFIG = """\
server: {{port: {port}, max_connections: 1000, timeout_seconds: 300}}
consciousness: {{enabled: true, perception_lock_timeout: 30, paradox_resolution_timeout: 60, substrate_integration: true}}
metrics: {{enabled: true, collection_interval: 30, retention_hours: 24}}
logging: {{level: error, json_format: false, file_output: null}}
federation:
  enabled: true
  catalog_refresh_interval: 300
  spec_version_tracking: true
  connection_timeout_ms: 10000
  max_retries: 3
  downstream_servers:
    - {{id: downstream-1, name: Downstream, url: "ws://127.0.0.1:{downstream}/ws", connection_type: websocket, enabled: true,
       timeout_ms: 5000, priority: 1, auth: null}}
"""


@contextmanager
def real_server(folder: Path, *options: str) -> Iterator[int]:
    """The MOP server itself; gives its port. Skips the test when it is not here."""
    binary = os.environ.get(BINARY_VARIABLE)
    if not binary:
        pytest.skip(f"{BINARY_VARIABLE} names no MOP server")
    port = free_port()
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([binary, "start", "--port", str(port), *options], env=environment(folder, {}), **quiet)
    try:
        until(lambda: answers(port), what="the MOP server")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    """Whether the server is there."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok
    except requests.ConnectionError:
        return False


def run_when_federated(folder: Path, downstream: int, run_at: RunAt, stack: ExitStack) -> tuple[LocustRun, int, str]:
    """A run against a real server that federates; one that started without the downstream's tools, as it may, is started anew."""
    for number in range(10):
        with ExitStack() as attempt:
            file = folder / f"federation-{number}.yaml"
            file.write_text(CONFIG.format(port=8000, downstream=downstream))
            url = f"http://127.0.0.1:{attempt.enter_context(real_server(folder, '--config', str(file)))}"
            time.sleep(0.5)
            run = run_at(url, **VARIABLES)
            run.command("federated_calls", "-t", "2s")
            code = run.wait()
            if "the server federates no tool" not in run.output:
                stack.push(attempt.pop_all())
                return run, code, url
    raise AssertionError("the MOP server never federated")


def test_two_real_servers(tmp_path: Path, run_at: RunAt) -> None:
    """Over the socket all is forwarded and compared with plans, over HTTP simulated; without the downstream all falls back."""
    with ExitStack() as stack, ExitStack() as below:
        downstream = below.enter_context(real_server(tmp_path))
        run, code, url = run_when_federated(tmp_path, downstream, run_at, stack)
        assert code == 0, run.output
        summary = run.summary
        calls = measured(summary, "calls", "websocket")["count"]
        assert calls > 0
        assert measured(summary, "latency", "websocket")["count"] == calls
        assert measured(summary, "added_latency", "websocket")["count"] == calls
        assert measured(summary, "fallbacks", "websocket")["failures"] == 0
        assert measured(summary, "own_answers", "http")["count"] == measured(summary, "calls", "http")["count"] > 0
        below.close()
        dead = run_at(url, **VARIABLES)
        dead.command("federated_calls", "-t", "2s")
        assert dead.wait() == 3, dead.output
        calls = measured(dead.summary, "calls", "websocket")["count"]
        assert measured(dead.summary, "fallbacks", "websocket")["failures"] == calls > 0
        assert measured(dead.summary, "latency", "websocket")["count"] == 0
