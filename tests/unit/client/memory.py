"""What the client's tests measure with and talk to: a recorder that keeps everything, a transport without a network, servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mop_locust.client import Client, Clients
from mop_locust.client.exchange import Tags
from mop_locust.config import ApiKey, Settings, parse_settings
from mop_locust.metrics.instruments import BUILT_IN, Instrument
from mop_locust.metrics.sample import Sample
from mop_locust.protocol.errors import ExchangeTimeout
from mop_locust.transports import Phases
from mop_locust.transports.deadline import Deadline

ROOT = Path(__file__).resolve().parents[3]
INSTRUMENTS: dict[str, Instrument] = {instrument.name: instrument for instrument in BUILT_IN}


@dataclass
class Taken:
    """A recorder that keeps what it takes."""

    samples: list[Sample] = field(default_factory=list)
    errors: list[BaseException | None] = field(default_factory=list)
    counts: list[tuple[str, Tags, int]] = field(default_factory=list)
    rates: list[tuple[str, Tags, bool]] = field(default_factory=list)
    trends: list[tuple[str, Tags, int]] = field(default_factory=list)

    def exchange(self, sample: Sample, error: BaseException | None) -> None:
        """Keeps a sample and its error."""
        self.samples.append(sample)
        self.errors.append(error)

    def count(self, name: str, tags: Tags, n: int, at_us: int) -> None:
        """Keeps an addition to a counter."""
        self.counts.append((name, tags, n))

    def rate(self, name: str, tags: Tags, failed: bool, at_us: int) -> None:
        """Keeps a value of a rate."""
        self.rates.append((name, tags, failed))

    def trend(self, name: str, tags: Tags, value: int, at_us: int) -> None:
        """Keeps a value of a trend."""
        self.trends.append((name, tags, value))

    @property
    def ends(self) -> list[tuple[str, str, str]]:
        """How each exchange ended: method, outcome, label."""
        return [(sample.method, sample.outcome, sample.error) for sample in self.samples]

    @property
    def trend_names(self) -> list[str]:
        """The trends that took a value, in order."""
        return [name for name, _, _ in self.trends]


Said = list[bytes | BaseException | None]
Script = Callable[[dict[str, Any]], Said]


class Link:
    """A message transport whose peer is a function: from one message to what then comes back.

    None is the end of an answer, an exception is raised; with nothing left a receive ends at the deadline.
    """

    name = "http"

    def __init__(self, script: Script) -> None:
        self.phases = Phases()
        self.sent: list[dict[str, Any]] = []
        self.coming: Said = []
        self._script = script

    def send(self, message: bytes, deadline: Deadline) -> None:
        """Takes one message."""
        self.sent.append(json.loads(message))
        self.coming += self._script(self.sent[-1])

    def receive(self, deadline: Deadline) -> bytes | None:
        """Gives the next message."""
        if not self.coming:
            raise ExchangeTimeout("no answer")
        item = self.coming.pop(0)
        if isinstance(item, BaseException):
            raise item
        return item


def result(id: Any, value: object) -> bytes:
    """A good answer."""
    return json.dumps({"jsonrpc": "2.0", "id": id, "result": value}).encode()


def refusal(id: Any, code: int, message: str) -> bytes:
    """A JSON-RPC error."""
    return json.dumps({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}).encode()


def request(id: Any, method: str) -> bytes:
    """A request of the server."""
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method}).encode()


def notification(method: str) -> bytes:
    """A notification of the server."""
    return json.dumps({"jsonrpc": "2.0", "method": method}).encode()


def initialized(id: Any, **more: object) -> bytes:
    """The answer to `initialize`."""
    server = {"name": "tiny", "version": "1.2"}
    return result(id, {"protocolVersion": "2025-03-26", "capabilities": {}, "serverInfo": server, **more})


def settings(**values: str) -> Settings:
    """Settings with these values by variable; a short timeout, since nothing here waits for long."""
    return parse_settings({"MOP_TIMEOUT_MS": "5000", **values})


def clients(taken: Taken, *, send_initialized: bool = False, **values: str) -> Clients:
    """What all clients of a process share, with these settings by variable."""
    return Clients(settings(**values), ApiKey("KEY"), taken, send_initialized=send_initialized)


def client(shared: Clients, feeds: Mapping[str, str] | None = None) -> Client:
    """A client of the scenario `tests`."""
    return shared.client("tests", INSTRUMENTS, feeds or {})


TAGS: Tags = (("scenario", "tests"),)


@contextmanager
def reference(*arguments: str) -> Iterator[dict[str, str]]:
    """The embedded server on a free port, in a process of its own; gives the variables that point at it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mop_locust.server", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("MOP_")},
    )
    try:
        assert process.stdout is not None
        http, websocket = process.stdout.readline().split()[-2:]
        yield {"MOP_HTTP_BASE": http, "MOP_BASE_URL": websocket}
    finally:
        process.terminate()
        process.communicate(timeout=10)
