"""From a target to an open connection: names, addresses, TLS."""

from __future__ import annotations

import ssl
import time
from _socket import SOCK_STREAM
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final
from urllib.request import getproxies, proxy_bypass

import gevent
from gevent.socket import getaddrinfo
from gevent.ssl import SSLContext

from mop_locust.protocol.errors import ConnectError, ExchangeTimeout, MopError, TargetRefused
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.target import Target
from mop_locust.transports.wire import Address, TlsWire, Wire, connect_fault

Place = tuple[int, Address]

# Of a host, a port and an address that was looked up for it ("": a proxy alone knows it): why nothing may connect there.
Refusals = Callable[[str, int, str], Sequence[str]]

_LOOKUP_REST_S: Final = 5.0


def refused(reasons: Sequence[str]) -> TargetRefused:
    """Return the error for a target that may not be connected to."""
    return TargetRefused("target not allowed", "; ".join(reasons), reasons=reasons)


def behind_proxy(target: Target) -> bool:
    """Return whether the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) has a proxy before the target."""
    return ("https" if target.tls else "http") in getproxies() and not proxy_bypass(target.host)


class Resolver:
    """Finds the addresses of a host once for a whole process: a lookup for each connection would measure the resolver.

    The address that took the last connection comes first. A host none of whose addresses answered is looked up anew, but
    not at each attempt: a server that is down is a load to test too. Each lookup's addresses are all shown to ``refusals``:
    a name may lead somewhere else the next time.
    """

    def __init__(self, refusals: Refusals = lambda _host, _port, _address: ()) -> None:
        self._refusals = refusals
        self._known: dict[tuple[str, int], list[Place]] = {}
        self._looked_up: dict[tuple[str, int], float] = {}
        self._lookups: dict[tuple[str, int], gevent.Greenlet] = {}

    def places(self, host: str, port: int, deadline: Deadline) -> list[Place]:
        """Return (family, address) of each address, at least one; waits for a lookup, which all callers share.

        ConnectError "name not found", ExchangeTimeout "name lookup" or TargetRefused.
        """
        key = (host, port)
        known = self._known.get(key)
        if known is not None:
            return known
        lookup = self._lookups.get(key)
        if lookup is None:
            # In a greenlet of its own: the thread that asks the system cannot be interrupted, but its callers can.
            lookup = self._lookups[key] = gevent.spawn(self._look_up, host, port)
        lookup.join(deadline.remaining("name lookup"))
        if not lookup.ready():
            raise ExchangeTimeout("name lookup")
        found: list[Place] | Callable[[], MopError] = lookup.value
        if isinstance(found, list):
            return found
        raise found()

    def judge(self, host: str, port: int, address: str) -> None:
        """Raise TargetRefused for an address that nothing may connect to."""
        reasons = self._refusals(host, port, address)
        if reasons:
            raise refused(reasons)

    def _look_up(self, host: str, port: int) -> list[Place] | Callable[[], MopError]:
        try:
            answers = getaddrinfo(host, port, type=SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            reason = f"{host}: {error}"
            return lambda: ConnectError("name not found", reason)
        else:
            places = [(int(family), address) for family, _, _, _, address in answers]
            reasons = [reason for _, address in places for reason in self._refusals(host, port, address[0])]
            if reasons:
                return lambda: refused(reasons)
            self._known[host, port] = places
            self._looked_up[host, port] = time.monotonic()
            return places
        finally:
            del self._lookups[host, port]

    def prefer(self, host: str, port: int, place: Place) -> None:
        """Put ``place`` before the others of its host."""
        known = self._known.get((host, port))
        if known and known[0] != place:
            self._known[host, port] = [place, *(other for other in known if other != place)]

    def doubt(self, host: str, port: int) -> None:
        """Look the host up anew next time, unless that was done in the last five seconds."""
        if time.monotonic() - self._looked_up.get((host, port), 0.0) > _LOOKUP_REST_S:
            self._known.pop((host, port), None)


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How servers are checked: against the system's authorities, against ``ca_file`` (PEM) alone, or not at all."""

    ca_file: str | None = None
    insecure: bool = False

    def context(self) -> ssl.SSLContext:
        """Return a new client context: 25 ms and 800 KB, so one is enough for a process.

        OSError or ssl.SSLError when ``ca_file`` cannot be read.
        """
        context: ssl.SSLContext = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["http/1.1"])
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca_file:
            context.load_verify_locations(self.ca_file)
        else:
            context.load_default_certs()
        return context


class Dialer:
    """Opens connections; one for a process, since it shares addresses and the TLS context.

    ``source_addresses`` are local addresses to connect from, in turn: each has its own 28,000 ports to a target.
    """

    def __init__(self, resolver: Resolver, tls: TlsOptions, source_addresses: tuple[str, ...] = ()) -> None:
        self._resolver = resolver
        self.tls = tls
        self._context: ssl.SSLContext | None = None
        self._sources = source_addresses
        self._turn = count()

    def check(self, target: Target, deadline: Deadline) -> None:
        """Raise TargetRefused for a target that nothing may connect to: for whoever then connects in its own way.

        Errors as `Resolver.places`, but for a name that the environment's proxy alone may know.
        """
        try:
            self._resolver.places(target.host, target.port, deadline)
        except ConnectError:
            if not behind_proxy(target):
                raise
            self.judge(target, "")

    def judge(self, target: Target, address: str) -> None:
        """Raise TargetRefused when nothing may connect to the target at this address, "" for one that a proxy looks up."""
        self._resolver.judge(target.host, target.port, address)

    def dial(self, target: Target, deadline: Deadline) -> tuple[Wire | TlsWire, int]:
        """Return an open connection and the microseconds it took: name lookup, TCP and TLS.

        Addresses are tried in order, each with its share of the time. ConnectError, ClientFault, ExchangeTimeout, TargetRefused.
        """
        started = time.monotonic_ns()
        plain = self._connect(target, deadline)
        wire = self._secure(plain, target, deadline) if target.tls else plain
        return wire, (time.monotonic_ns() - started) // 1000

    def _connect(self, target: Target, deadline: Deadline) -> Wire:
        host, port = target.host, target.port
        places = self._resolver.places(host, port, deadline)
        source = self._sources[next(self._turn) % len(self._sources)] if self._sources else ""
        if len(places) == 1:
            try:
                return Wire.connect(*places[0], deadline, source)
            except ConnectError:
                self._resolver.doubt(host, port)
                raise
        for left, place in zip(range(len(places), 0, -1), places, strict=True):
            try:
                wire = Wire.connect(*place, deadline.sooner(deadline.remaining("connect") / left), source)
            except (ConnectError, ExchangeTimeout):
                if left == 1:
                    self._resolver.doubt(host, port)
                    raise
            else:
                self._resolver.prefer(host, port, place)
                return wire
        raise AssertionError("unreachable: a lookup gives at least one address")

    def context(self) -> ssl.SSLContext:
        """Return the TLS context that all connections share; ConnectError when the file of authorities cannot be read."""
        if self._context is None:
            try:
                self._context = self.tls.context()
            except OSError as error:
                raise connect_fault(error) from error
        return self._context

    def _secure(self, plain: Wire, target: Target, deadline: Deadline) -> TlsWire:
        try:
            context = self.context()
        except MopError:
            plain.close()
            raise
        return TlsWire(plain, context, target.host, deadline)
