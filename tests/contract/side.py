"""The client's side of a contract: the measured client, of either kind, and a record of what it measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from mop_locust.client import Client, Clients, HttpSession, WebSocketSession
from mop_locust.client.exchange import Tags
from mop_locust.config import ApiKey, parse_settings
from mop_locust.metrics.sample import Sample
from mop_locust.protocol.errors import MopError
from mop_locust.transports import HttpLike, WebSocketLike
from tests.contract.targets import Ending, Exchange

SCENARIO = "contract"


class Recording:
    """Keeps all that a client measured."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.counted: Counter[str] = Counter()
        self.trends: list[str] = []

    def exchange(self, sample: Sample, error: BaseException | None) -> None:
        """Keeps one exchange; its sample and its error must tell the same."""
        assert (error is None) == (sample.outcome == "ok")
        assert not isinstance(error, MopError) or (error.outcome, error.label) == (sample.outcome, sample.error)
        self.samples.append(sample)

    def count(self, name: str, tags: Tags, n: int, at_us: int) -> None:
        """Keeps a counter's sum."""
        self.counted[name] += n

    def rate(self, name: str, tags: Tags, failed: bool, at_us: int) -> None:
        """No rate is fed here."""
        raise AssertionError(f"unreachable: {name} is fed by no scenario of this suite")

    def trend(self, name: str, tags: Tags, value: int, at_us: int) -> None:
        """Keeps the trend's name."""
        self.trends.append(name)


class WatchedClients(Clients):
    """Clients that remember the transport they made last, so that a test can play a client that has lost its session."""

    def __init__(self, values: dict[str, str], key: str, recording: Recording, *, send_initialized: bool) -> None:
        super().__init__(parse_settings(values), ApiKey(key), recording, send_initialized=send_initialized)
        self.transport: HttpLike | None = None
        self.wire: WebSocketLike | None = None

    def http(self) -> HttpLike:
        """Returns a new HTTP transport."""
        self.transport = super().http()
        return self.transport

    def websocket(self) -> WebSocketLike:
        """Returns a new WebSocket."""
        self.wire = super().websocket()
        return self.wire


class Side:
    """One user's client against one server."""

    def __init__(self, values: dict[str, str], *, key: str, send_initialized: bool) -> None:
        self.recording = Recording()
        self._clients = WatchedClients(values, key, self.recording, send_initialized=send_initialized)
        self.client: Client = self._clients.client(SCENARIO, {}, {})

    @property
    def transport(self) -> HttpLike:
        """The HTTP transport of the session that was made last."""
        assert self._clients.transport is not None
        return self._clients.transport

    @property
    def wire(self) -> WebSocketLike:
        """The WebSocket of the session that was made last."""
        assert self._clients.wire is not None
        return self._clients.wire

    def session(self) -> HttpSession:
        """A session over HTTP."""
        return self.client.session()

    def connect(self) -> WebSocketSession:
        """A session over a WebSocket."""
        return self.client.connect()

    def exchanges(self) -> list[Exchange]:
        """All exchanges so far."""
        return [
            (sample.transport, sample.method, Ending(sample.outcome, sample.status, sample.error))
            for sample in self.recording.samples
        ]


SideMaker = Callable[..., Side]
"""Makes a side of the test's kind of client against the test's server.

Keyword arguments: `scheme`, `host` (with the port), `path`, `key`, `send_initialized`, and any setting by its name.
"""
