"""The transport over `websocket-client` agrees with our own on every case."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from mop_locust.protocol import frames
from mop_locust.protocol.errors import ConnectError, ExchangeTimeout, HttpStatusError, LocalProtocolError, MopError
from mop_locust.transports.dial import Dialer, Resolver, TlsOptions
from mop_locust.transports.target import Target
from mop_locust.transports.websocket_client import WebSocketClientTransport
from tests.unit.transports.loopback import Authority, Behaviour, Loopback, Peer, Request, answer, soon, text, unused_port
from tests.unit.transports.websocket_cases import BAD, GOOD, MAX_REPLY, REFUSED, RESULT, Bad, Good, after_upgrade

Serve = Callable[..., Loopback]

MESSAGE = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


def transport(server: Loopback, dialer: Dialer, *, scheme: str = "ws", key: str = "KEY") -> WebSocketClientTransport:
    """A transport to the server, not open."""
    target = Target.parse(server.url(scheme, "/ws?a=b"))
    return WebSocketClientTransport(target, dialer, key=key, max_reply=MAX_REPLY, subprotocol="mcp")


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_good_answers(case: Good, serve: Serve, dialer: Dialer) -> None:
    """Every rightful form of a message arrives."""
    socket = transport(serve(case.behave), dialer)
    socket.open(soon())
    assert socket.phases.connect_us >= 0
    assert socket.phases.upgrade_us > 0
    socket.phases.clear()
    socket.send(MESSAGE, soon())
    assert socket.phases.sent == len(MESSAGE) + 6
    assert [socket.receive(soon()) for _ in case.messages] == case.messages
    assert socket.phases.received == sum(map(len, case.messages))
    assert socket.phases.first_byte_us >= 0
    socket.abort()


# The library takes masked frames from a server.
NOTICED = [case for case in BAD if case.name != "a masked frame"]


@pytest.mark.parametrize("case", NOTICED, ids=lambda case: case.name)
def test_bad_answers(case: Bad, serve: Serve, dialer: Dialer) -> None:
    """Every wrong answer ends in the same typed error as over our own transport."""
    socket = transport(serve(case.behave), dialer)
    socket.open(soon())
    socket.send(MESSAGE, soon())
    with gevent.Timeout(2), pytest.raises(MopError) as caught:
        socket.receive(soon(case.seconds))
    assert (caught.value.outcome, caught.value.label) == (case.outcome, case.label)
    assert getattr(caught.value, "code", None) == case.code
    socket.abort()


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused_upgrades(case: Bad, serve: Serve, dialer: Dialer) -> None:
    """Every refused or broken handshake ends in the same typed error, and the transport stays closed."""
    socket = transport(serve(case.behave), dialer)
    with gevent.Timeout(2), pytest.raises(MopError) as caught:
        socket.open(soon(case.seconds))
    assert (caught.value.outcome, caught.value.label) == (case.outcome, case.label)
    with pytest.raises(LocalProtocolError):
        socket.send(MESSAGE, soon())


def test_refused_upgrade_tells_status_and_text(serve: Serve, dialer: Dialer) -> None:
    """The error carries the status and the start of the body."""
    socket = transport(serve(lambda peer: peer.write(answer(b"go away", status="403 Forbidden"))), dialer)
    with pytest.raises(HttpStatusError) as caught:
        socket.open(soon())
    assert (caught.value.status, caught.value.excerpt, socket.phases.status) == (403, "go away", 403)


def test_handshake(serve: Serve, dialer: Dialer) -> None:
    """The same headers go out, no Origin among them, and a cookie of the server comes back to nobody."""
    seen: list[Request] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.upgrade("Sec-WebSocket-Protocol: mcp\r\nSet-Cookie: a=b; Domain=127.0.0.1\r\n"))
        peer.wait_end()

    server = serve(behave)
    socket = transport(server, dialer)
    for _ in range(2):
        socket.open(soon())
        with pytest.raises(LocalProtocolError):
            socket.open(soon())
        socket.abort()
        socket.abort()
    for request in seen:
        assert len(request.headers.pop("sec-websocket-key")) == 24
        assert request.path == "/ws?a=b"
        assert request.headers == {
            "host": f"127.0.0.1:{server.port}",
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-version": "13",
            "sec-websocket-protocol": "mcp",
            "user-agent": "mop-locust",
            "authorization": "Bearer KEY",
        }
    with pytest.raises(ValueError, match="the key"):
        transport(server, dialer, key="a b")


def test_tls(serve: Serve, authority: Authority) -> None:
    """The same over wss, with the certificate checked."""
    server = serve(after_upgrade(text(RESULT)), tls=authority.server("127.0.0.1"))
    socket = transport(server, Dialer(Resolver(), TlsOptions(authority.file)), scheme="https")
    socket.open(soon())
    socket.send(MESSAGE, soon())
    assert socket.receive(soon()) == RESULT
    socket.abort()
    with pytest.raises(ConnectError, match="tls: certificate verify failed"):
        transport(server, Dialer(Resolver(), TlsOptions()), scheme="wss").open(soon())


def test_refused_connection(dialer: Dialer) -> None:
    """Nobody listens."""
    socket = WebSocketClientTransport(Target.parse(f"ws://127.0.0.1:{unused_port()}/ws"), dialer, key="", max_reply=1)
    with pytest.raises(ConnectError, match="refused"):
        socket.open(soon())


def tunnel(peer: Peer) -> None:
    """A proxy that is the server itself: take the CONNECT, then upgrade."""
    request = peer.request()
    assert request is not None
    assert (request.method, request.path) == ("CONNECT", "server.test:80")
    peer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    after_upgrade(text(RESULT))(peer)


def without_proxy_exceptions(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """Set the proxy for all hosts."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, proxy)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_proxy(scheme: str, serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment is used; one that refuses is named, and so is one that is not there."""
    dialer = Dialer(Resolver(), TlsOptions(authority.file))
    if scheme == "ws":
        without_proxy_exceptions(monkeypatch, serve(tunnel).url("http", ""))
        socket = WebSocketClientTransport(Target.parse("ws://server.test/ws"), dialer, key="", max_reply=MAX_REPLY)
        socket.open(soon())
        assert socket.phases.connect_us == -1
        socket.send(MESSAGE, soon())
        assert socket.receive(soon()) == RESULT
        socket.abort()
    without_proxy_exceptions(monkeypatch, serve(lambda peer: peer.write(answer(b"", status="403 Forbidden"))).url("http", ""))
    socket = WebSocketClientTransport(Target.parse(f"{scheme}://server.test/ws"), dialer, key="", max_reply=MAX_REPLY)
    with pytest.raises(ConnectError, match="proxy"):
        socket.open(soon())
    without_proxy_exceptions(monkeypatch, f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(ConnectError, match="refused"):
        socket.open(soon())
    without_proxy_exceptions(monkeypatch, "http://no-such-name.invalid:1")
    with pytest.raises(ConnectError, match="name not found"):
        socket.open(soon(20))


def test_a_timeout_does_not_end_the_connection(serve: Serve, dialer: Dialer) -> None:
    """After a wait in vain, in the middle of a frame too, the message still arrives."""
    go = gevent.event.Event()

    def behave(peer: Peer) -> None:
        peer.upgrade()
        peer.write(text(RESULT)[:10])
        go.wait(5)
        peer.write(text(RESULT)[10:])
        peer.wait_end()

    socket = transport(serve(behave), dialer)
    socket.open(soon())
    with pytest.raises(ExchangeTimeout, match="no answer"):
        socket.receive(soon(0.03))
    go.set()
    assert socket.receive(soon()) == RESULT
    socket.abort()


def test_close_in_good_order(serve: Serve, dialer: Dialer) -> None:
    """A close is done when the server's close frame came, whatever came before it."""
    seen: list[frames.Frame | None] = []

    def behave(peer: Peer) -> None:
        peer.upgrade()
        seen.append(peer.frames().next())
        peer.write(text(RESULT) + frames.encode_close(1000, "", b""))

    socket = transport(serve(behave), dialer)
    socket.close(soon())
    socket.open(soon())
    with gevent.Timeout(2):
        socket.close(soon(), 1001)
    assert seen == [frames.Close(1001)]
    socket.close(soon())


def ended(peer: Peer) -> None:
    """End the connection after the client's close frame, without one of one's own."""
    peer.upgrade()
    peer.frames().next()


@pytest.mark.parametrize(
    ("behave", "outcome", "label"),
    [(after_upgrade(), "timeout", "close frame"), (ended, "disconnected", "closed without handshake")],
)
def test_close_without_an_answer(behave: Behaviour, outcome: str, label: str, serve: Serve, dialer: Dialer) -> None:
    """A close frame that does not come is told, and the connection is closed all the same."""
    socket = transport(serve(behave), dialer)
    socket.open(soon())
    with gevent.Timeout(2), pytest.raises(MopError) as caught:
        socket.close(soon(0.2))
    assert (caught.value.outcome, caught.value.label) == (outcome, label)


def test_a_send_that_is_not_taken(serve: Serve, dialer: Dialer) -> None:
    """After half a frame nothing can follow: the connection is closed."""

    def deaf(peer: Peer) -> None:
        peer.upgrade()
        gevent.sleep(1)

    socket = transport(serve(deaf), dialer)
    socket.open(soon())
    with pytest.raises(ExchangeTimeout, match="request not taken"):
        socket.send(b"x" * 5_000_000, soon(0.3))
    with pytest.raises(LocalProtocolError):
        socket.send(MESSAGE, soon())
