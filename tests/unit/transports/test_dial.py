"""From a name to a connection: lookups, the order of addresses, TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
import pytest

from mop_locust.protocol.errors import ConnectError, Disconnected, ExchangeTimeout, TargetRefused
from mop_locust.transports import dial
from mop_locust.transports.dial import Dialer, Resolver, TlsOptions
from mop_locust.transports.target import Target
from mop_locust.transports.wire import TlsWire
from tests.unit.transports.loopback import Authority, Loopback, Peer, soon, unused_port

Serve = Callable[..., Loopback]


def echo(peer: Peer) -> None:
    """Send back what comes."""
    while data := peer.read():
        peer.write(data)


class Names:
    """A name service of a test: it knows one host and counts how often it was asked."""

    def __init__(self, *addresses: str, seconds: float = 0.0) -> None:
        self.addresses = list(addresses)
        self.seconds = seconds
        self.asked = 0

    def __call__(self, host: str, port: int, *, type: int) -> list[Any]:
        self.asked += 1
        gevent.sleep(self.seconds)
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, type, 6, "", (address, port)) for address in self.addresses]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Names]:
    """Puts a name service of the test's own in place of the system's, whose answers no test can choose."""

    def put(*addresses: str, seconds: float = 0.0) -> Names:
        service = Names(*addresses, seconds=seconds)
        monkeypatch.setattr(dial, "getaddrinfo", service)
        return service

    return put


def target(server: Loopback, host: str = "server.test", scheme: str = "http") -> Target:
    """The server under a name."""
    return Target.parse(f"{scheme}://{host}:{server.port}/mcp")


def test_the_system_resolves_localhost() -> None:
    """With the system's own name service, localhost is an address of this machine."""
    places = Resolver().places("localhost", 80, soon())
    assert (socket.AF_INET, ("127.0.0.1", 80)) in places


def test_the_system_does_not_know_every_name(dialer: Dialer) -> None:
    """A name that cannot exist (RFC 6761) is a connect error of its own."""
    with pytest.raises(ConnectError) as caught:
        dialer.dial(Target.parse("http://no-such-name.invalid/"), soon(20))
    assert caught.value.label == "name not found"


def test_one_lookup_for_all(serve: Serve, names: Callable[..., Names], dialer: Dialer) -> None:
    """Many users that start at once share one lookup, and later ones need none."""
    service = names("127.0.0.1", seconds=0.02)
    place = target(serve(echo))
    users = [gevent.spawn(dialer.dial, place, soon()) for _ in range(5)]
    wires = [user.get() for user in users] + [dialer.dial(place, soon())]
    assert service.asked == 1
    for wire, connect_us in wires:
        assert connect_us >= 0
        wire.close()


def test_a_slow_lookup_ends_at_the_deadline(names: Callable[..., Names], dialer: Dialer) -> None:
    """Who waits for a name waits no longer than it may; the lookup itself goes on and serves the next."""
    service = names("127.0.0.1", seconds=0.1)
    resolver = Resolver()
    with gevent.Timeout(1), pytest.raises(ExchangeTimeout, match="name lookup"):
        resolver.places("server.test", 80, soon(0.02))
    assert resolver.places("server.test", 80, soon()) == [(socket.AF_INET, ("127.0.0.1", 80))]
    assert service.asked == 1


def test_a_failed_lookup_is_not_kept(names: Callable[..., Names]) -> None:
    """A name that was not found is asked for again."""
    service = names()
    resolver = Resolver()
    with pytest.raises(ConnectError, match="name not found"):
        resolver.places("server.test", 80, soon())
    service.addresses.append("127.0.0.1")
    assert len(resolver.places("server.test", 80, soon())) == 1
    assert service.asked == 2


def test_addresses_are_tried_in_order_and_the_good_one_is_kept(serve: Serve, names: Callable[..., Names]) -> None:
    """A refused address is passed over, and the one that answered comes first from then on."""
    names("127.0.0.2", "127.0.0.3", "127.0.0.1")
    resolver = Resolver()
    server = serve(echo)
    wire, _ = Dialer(resolver, TlsOptions()).dial(target(server), soon())
    wire.close()
    addresses = [address[0] for _, address in resolver.places("server.test", server.port, soon())]
    assert addresses == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("127.0.0.2", "127.0.0.3")])
def test_a_host_that_refuses(addresses: tuple[str, ...], names: Callable[..., Names], monkeypatch: pytest.MonkeyPatch) -> None:
    """When no address answers the error is the last one's; a new lookup follows, but not at each attempt."""
    service = names(*addresses)
    dialer = Dialer(Resolver(), TlsOptions())
    place = Target.parse(f"http://server.test:{unused_port()}/")
    for _ in range(3):
        with pytest.raises(ConnectError, match="refused"):
            dialer.dial(place, soon())
    assert service.asked == 1
    monkeypatch.setattr(dial, "_LOOKUP_REST_S", 0.0)
    for _ in range(3):
        with pytest.raises(ConnectError, match="refused"):
            dialer.dial(place, soon())
    assert service.asked == 3


def no_203(host: str, port: int, address: str) -> list[str]:
    """Nothing may connect to 203.0.113.0/24."""
    return [f"not {address}"] if address.startswith("203.0.113.") else []


def test_every_address_of_a_lookup_is_judged(names: Callable[..., Names]) -> None:
    """One that may not be connected to is enough to refuse the host, and the refusal is not kept."""
    service = names("127.0.0.1", "203.0.113.7", "203.0.113.8")
    resolver = Resolver(no_203)
    for _ in range(2):
        with pytest.raises(TargetRefused, match="target not allowed") as raised:
            resolver.places("server.test", 80, soon())
    assert raised.value.reasons == ["not 203.0.113.7", "not 203.0.113.8"]
    assert raised.value.outcome == "client_fault"
    del service.addresses[1:]
    assert len(resolver.places("server.test", 80, soon())) == 1
    assert service.asked == 3


def test_a_name_that_leads_elsewhere_later_is_judged_again(
    serve: Serve, names: Callable[..., Names], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the first lookup gives an address that is fine, the next one another."""
    service = names("127.0.0.1")
    monkeypatch.setattr(dial, "_LOOKUP_REST_S", 0.0)
    dialer = Dialer(Resolver(no_203), TlsOptions())
    place = Target.parse(f"http://server.test:{unused_port()}/")
    with pytest.raises(ConnectError, match="refused"):
        dialer.dial(place, soon())
    service.addresses[:] = ["203.0.113.7"]
    with pytest.raises(TargetRefused):
        dialer.dial(place, soon())


def test_whoever_connects_by_itself_can_ask(names: Callable[..., Names], monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that only a proxy can look up is judged without an address; without a proxy it is not found."""
    asked = []

    def refusals(host: str, port: int, address: str) -> list[str]:
        asked.append(address)
        return ["no"] if address in ("", "203.0.113.7") else []

    service = names("127.0.0.1")
    dialer, place = Dialer(Resolver(refusals), TlsOptions()), Target.parse("http://server.test:8000/")
    dialer.check(place, soon())
    service.addresses.clear()
    monkeypatch.setattr(dial, "getproxies", dict)
    with pytest.raises(ConnectError, match="name not found"):
        Dialer(Resolver(refusals), TlsOptions()).check(place, soon())
    monkeypatch.setattr(dial, "getproxies", lambda: {"http": "http://127.0.0.1:1"})
    with pytest.raises(TargetRefused):
        Dialer(Resolver(refusals), TlsOptions()).check(place, soon())
    with pytest.raises(TargetRefused):
        dialer.judge(place, "203.0.113.7")
    dialer.judge(place, "127.0.0.1")
    assert asked == ["127.0.0.1", "", "203.0.113.7", "127.0.0.1"]


def test_source_addresses_take_turns(serve: Serve) -> None:
    """Each connection comes from the next of the addresses."""
    seen: list[str] = []
    server = serve(lambda peer: seen.append(peer.socket.getpeername()[0]))
    dialer = Dialer(Resolver(), TlsOptions(), ("127.0.0.5", "127.0.0.6"))
    for _ in range(3):
        wire, _ = dialer.dial(target(server, "127.0.0.1"), soon())
        assert wire.receive(soon()) == b""
        wire.close()
    assert seen == ["127.0.0.5", "127.0.0.6", "127.0.0.5"]


def secure(serve: Serve, authority: Authority, options: TlsOptions, *hosts: str) -> tuple[Loopback, Dialer]:
    """An echo server with a certificate for `hosts`, and a dialer that checks as the options say."""
    return serve(echo, tls=authority.server(*hosts)), Dialer(Resolver(), options)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_tls_with_an_own_authority(host: str, serve: Serve, authority: Authority) -> None:
    """A server that the given authority vouches for is connected to, by name or by address, with one context for all."""
    server, dialer = secure(serve, authority, TlsOptions(ca_file=authority.file), "localhost", "127.0.0.1")
    for _ in range(2):
        wire, connect_us = dialer.dial(target(server, host, "https"), soon())
        assert isinstance(wire, TlsWire)
        assert connect_us > 0
        big = b"x" * 300_000
        echoed = gevent.spawn(read_all, wire, len(big))
        gevent.sleep(0)
        wire.send(big[:100_000], soon())
        wire.send(big[100_000:], soon())
        assert echoed.get() == big
        assert wire.quiet()
        wire.close()
        wire.close()
    assert dialer.context() is dialer.context()


def read_all(wire: TlsWire, size: int) -> bytes:
    """Read `size` bytes."""
    data = b""
    while len(data) < size:
        data += wire.receive(soon())
    return data


@pytest.mark.parametrize(
    ("options", "label"),
    [
        (lambda authority: TlsOptions(), "tls: certificate verify failed"),
        (lambda authority: TlsOptions(ca_file=authority.file), "tls: wrong host name"),
    ],
)
def test_tls_with_a_wrong_certificate(
    options: Callable[[Authority], TlsOptions], label: str, serve: Serve, authority: Authority
) -> None:
    """An unknown authority and a certificate for another name are told apart."""
    server, dialer = secure(serve, authority, options(authority), "other.test")
    with pytest.raises(ConnectError) as caught:
        dialer.dial(target(server, "localhost", "wss"), soon())
    assert caught.value.label == label


def test_tls_unchecked(serve: Serve, authority: Authority) -> None:
    """Asked not to check, it takes any certificate."""
    server, dialer = secure(serve, authority, TlsOptions(insecure=True), "other.test")
    wire, _ = dialer.dial(target(server, "localhost", "https"), soon())
    wire.send(b"hello", soon())
    assert wire.receive(soon()) == b"hello"
    wire.close()


def test_tls_to_a_server_without(serve: Serve, authority: Authority) -> None:
    """A server that speaks plain HTTP fails the handshake with OpenSSL's reason."""

    def plain(peer: Peer) -> None:
        peer.read()
        peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises(ConnectError) as caught:
        Dialer(Resolver(), TlsOptions()).dial(target(serve(plain), "localhost", "https"), soon())
    assert caught.value.label in ("tls: wrong version number", "tls: record layer failure")


@pytest.mark.parametrize("pause", [60.0, 0.02])
def test_tls_handshake_ends_at_the_deadline(pause: float, serve: Serve) -> None:
    """A server that never answers the handshake, or one byte at a time, is left in time."""

    def slow(peer: Peer) -> None:
        peer.read()
        if pause < 1:
            peer.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 100, pause)
        peer.wait_end()

    with gevent.Timeout(1.5), pytest.raises(ExchangeTimeout, match="connect"):
        Dialer(Resolver(), TlsOptions()).dial(target(serve(slow), "localhost", "https"), soon(0.15))


def test_tls_handshake_cut(serve: Serve) -> None:
    """An end in the handshake is a connect error."""
    with pytest.raises(ConnectError) as caught:
        Dialer(Resolver(), TlsOptions()).dial(target(serve(lambda peer: peer.reset()), "localhost", "https"), soon())
    assert caught.value.label in ("reset", "tls: closed early")


def test_tls_authority_that_cannot_be_read(serve: Serve) -> None:
    """A file of authorities that is not there is named, and nothing stays open."""
    dialer = Dialer(Resolver(), TlsOptions(ca_file="/nonexistent/ca.pem"))
    with pytest.raises(ConnectError, match="no such file"):
        dialer.dial(target(serve(echo), "localhost", "https"), soon())


def test_tls_wire_waits_and_ends(serve: Serve, authority: Authority) -> None:
    """Over TLS too, a wait ends at the deadline and harms nothing; a silent end is an end; a blocked send ends in time."""

    def behave(peer: Peer) -> None:
        peer.read()
        gevent.sleep(0.1)
        peer.write(b"late")
        peer.read()
        peer.write(b"unasked")

    server = serve(behave, tls=authority.server("localhost"))
    dialer = Dialer(Resolver(), TlsOptions(ca_file=authority.file))
    wire, _ = dialer.dial(target(server, "localhost", "https"), soon())
    wire.send(b"go", soon())
    with pytest.raises(ExchangeTimeout, match="no event"):
        wire.receive(soon(0.03), "no event")
    assert wire.receive(soon()) == b"late"
    assert wire.quiet()
    wire.send(b"go", soon())
    gevent.sleep(0.03)
    assert not wire.quiet()
    assert not wire.quiet()
    wire.close()

    wire, _ = dialer.dial(
        target(serve(lambda peer: gevent.sleep(1), tls=authority.server("localhost")), "localhost", "https"), soon()
    )
    with gevent.Timeout(1), pytest.raises(ExchangeTimeout, match="request not taken"):
        wire.send(b"x" * 50_000_000, soon(0.2))
    wire.close()


def test_tls_wire_reset(serve: Serve, authority: Authority) -> None:
    """A reset over TLS is an end when reading (TLS hides which) and a disconnect when writing."""

    def behave(peer: Peer) -> None:
        peer.read()
        peer.reset()

    server = serve(behave, tls=authority.server("localhost"))
    dialer = Dialer(Resolver(), TlsOptions(ca_file=authority.file))
    wire, _ = dialer.dial(target(server, "localhost", "https"), soon())
    wire.send(b"go", soon())
    with suppress(Disconnected):
        assert wire.receive(soon()) == b""
    with pytest.raises(Disconnected):
        wire.send(b"x" * 10_000_000, soon())
    assert not wire.quiet()
    released = wire.release()
    assert isinstance(released, ssl.SSLSocket)
    wire.close()
