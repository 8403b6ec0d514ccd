"""`Client`: one user's door to the target. `Clients`: what all clients of a process share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version

from mop_locust.client.ceiling import CappedExchanges, Ceiling
from mop_locust.client.exchange import Exchanges, Recorder
from mop_locust.client.federated import FederatedPairs
from mop_locust.client.http_session import HttpSession
from mop_locust.client.meters import CounterMeter, RateMeter, TrendMeter, meter
from mop_locust.client.open_counts import OpenCounts
from mop_locust.client.websocket_session import WebSocketSession
from mop_locust.config import PUBLIC_KEY, ApiKey, Settings, TargetRule, read_hosts
from mop_locust.federation.plan import Plan
from mop_locust.metrics.instruments import Instrument
from mop_locust.metrics.sample import Sample
from mop_locust.protocol.errors import ClientFault, MopError, TargetRefused
from mop_locust.protocol.mcp import Revision, revision
from mop_locust.transports import HttpLike, WebSocketLike
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.dial import Dialer, Resolver, TlsOptions
from mop_locust.transports.target import Target

SHORTEST_CLOSE = 0.1  # seconds; enough for a DELETE or a close frame to a live server


class Clients:
    """What the clients of one process share: settings, key, name lookups, the TLS context and the recorder.

    `send_initialized` tells whether `notifications/initialized` is sent after `initialize`. `end` is when a run that is
    being stopped must have closed its sessions. `open` counts what is held open. `ceiling` holds exchanges back, if there is one.
    `plan` is what a run of federated calls calls.
    """

    def __init__(self, settings: Settings, key: ApiKey, recorder: Recorder, *, send_initialized: bool) -> None:
        self.settings = settings
        self.recorder = recorder
        self.send_initialized = send_initialized
        self.open = OpenCounts()
        self._key = key
        self._http = Target.parse(settings.http_base)
        self._websocket = Target.parse(settings.base_url)
        tls = TlsOptions(ca_file=settings.tls_ca or None, insecure=settings.tls_insecure)
        self._dialer = Dialer(Resolver(self._rule().refusals), tls, settings.source_addresses)
        self.revision: Revision = revision(settings.protocol_version)
        self.suite_version = version("mop-locust")
        self.end: Deadline | None = None
        self.ceiling: Ceiling | None = None
        self.plan = Plan([])
        self._new_socket = partial(
            _socket_kind(settings.ws_client),
            self._websocket,
            self._dialer,
            key=key.secret,
            max_reply=settings.max_reply_bytes,
            subprotocol=settings.ws_subprotocol,
        )

    def _rule(self) -> TargetRule:
        names, networks = read_hosts(self.settings.allow_targets)
        plain: set[tuple[str, int]] = set()
        if self._key.secret not in ("", PUBLIC_KEY) and not self.settings.allow_cleartext_key:
            plain = {(target.host, target.port) for target in (self._http, self._websocket) if not target.tls}
        return TargetRule(names, networks, frozenset(plain))

    def refusals(self, transports: Iterable[str]) -> list[str]:
        """Returns why the target of these transports may not be loaded, in whole sentences; looks its names up."""
        reasons: dict[str, None] = {}
        for target in {self._websocket if transport == "websocket" else self._http for transport in transports}:
            try:
                self._dialer.check(target, Deadline.after(self.settings.timeout))
            except TargetRefused as refused:
                reasons.update(dict.fromkeys(refused.reasons))
            except MopError:
                pass  # a lookup that takes too long is the target's matter, and the exchanges will tell it
        return sorted(reasons)

    def closing_timeout(self) -> float:
        """Returns the seconds that closing a session may take: less than usual once the end of the run is set."""
        if self.end is None:
            return self.settings.timeout
        return max(SHORTEST_CLOSE, min(self.settings.timeout, self.end.at - time.monotonic()))

    def client(
        self, scenario: str, instruments: Mapping[str, Instrument], feeds: Mapping[str, str], recorder: Recorder | None = None
    ) -> Client:
        """Returns a new client that measures for `scenario`, with the metrics that it may feed by name.

        `recorder` takes its measurements instead of the common one.
        """
        kind = Exchanges if self.ceiling is None else CappedExchanges
        exchanges = kind(scenario, recorder or self.recorder, self.settings.timeout, feeds, self.open)
        if isinstance(exchanges, CappedExchanges) and self.ceiling is not None:
            exchanges.ceiling = self.ceiling
        return Client(self, exchanges, instruments)

    def http(self) -> HttpLike:
        """Returns a new HTTP transport of the kind that `MOP_HTTP_CLIENT` names."""
        if self.settings.http_client == "requests":
            from mop_locust.transports.requests_http import RequestsTransport

            return RequestsTransport(self._http, self._dialer, key=self._key.secret, max_reply=self.settings.max_reply_bytes)
        from mop_locust.transports.http import HttpTransport

        return HttpTransport(self._http, self._dialer, key=self._key.secret, max_reply=self.settings.max_reply_bytes)

    def websocket(self) -> WebSocketLike:
        """Returns a new, unopened WebSocket of the kind that `MOP_WS_CLIENT` names."""
        return self._new_socket()


def _socket_kind(name: str) -> Callable[..., WebSocketLike]:
    """Returns the transport that `MOP_WS_CLIENT` names; only that one is loaded."""
    if name == "websocket-client":
        from mop_locust.transports.websocket_client import WebSocketClientTransport

        return WebSocketClientTransport
    from mop_locust.transports.websocket import WebSocketTransport

    return WebSocketTransport


class Client:
    """One user's client: sessions over HTTP and WebSocket, and the user's own metrics.

    An HTTP connection is kept between the sessions of a user; a WebSocket belongs to its session.
    """

    __slots__ = ("_clients", "_exchanges", "_http", "_instruments")

    def __init__(self, clients: Clients, exchanges: Exchanges, instruments: Mapping[str, Instrument]) -> None:
        self._clients = clients
        self._exchanges = exchanges
        self._instruments = instruments
        self._http: HttpLike | None = None

    def session(self) -> HttpSession:
        """Returns a session over HTTP: `with` initializes it, and ends it with a DELETE."""
        if self._http is None:
            self._http = self._clients.http()
        return HttpSession(self._clients, self._exchanges, self._http)

    def connect(self) -> WebSocketSession:
        """Returns a session over a WebSocket of its own: `with` opens it, and ends it with a close handshake."""
        return WebSocketSession(self._clients, self._exchanges, self._clients.websocket())

    def federated_pairs(self, transport: str) -> FederatedPairs:
        """Returns this user's calls of federated tools; for a scenario that looked ahead for their plan."""
        return FederatedPairs(self, self._clients.plan, transport)

    @contextmanager
    def attempt(self, rate: str) -> Iterator[None]:
        """Feeds `rate` one value for the block: failed when a `MopError` leaves it, which goes on to the caller.

        What our own limits or the end of the run cut short feeds nothing: neither says anything about the target.
        """
        try:
            yield
        except ClientFault:
            raise
        except MopError:
            self._exchanges.rate(rate, True)
            raise
        self._exchanges.rate(rate, False)

    @property
    def exchanges(self) -> int:
        """How many exchanges this client has had."""
        return self._exchanges.measured

    @property
    def last(self) -> Sample:
        """The exchange that ended last, as it was counted; LookupError before the first one."""
        if self._exchanges.last is None:
            raise LookupError("no exchange has ended yet")
        return self._exchanges.last

    def counter(self, name: str, **tags: str) -> CounterMeter:
        """Returns the declared counter `name`, with `tags` of its own; raises KeyError with the declared names otherwise."""
        return meter(CounterMeter, self._instruments, name, self._exchanges, tags)

    def rate(self, name: str, **tags: str) -> RateMeter:
        """Returns the declared rate `name`, with `tags` of its own; raises KeyError with the declared names otherwise."""
        return meter(RateMeter, self._instruments, name, self._exchanges, tags)

    def trend(self, name: str, **tags: str) -> TrendMeter:
        """Returns the declared trend `name`, with `tags` of its own; raises KeyError with the declared names otherwise."""
        return meter(TrendMeter, self._instruments, name, self._exchanges, tags)

    def close(self) -> None:
        """Closes the kept connection, if any."""
        if self._http is not None:
            self._http.close()
            self._http = None
