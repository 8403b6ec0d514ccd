"""The WebSocket transport, against servers that do right and servers that do not."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import gevent
import pytest

from mop_locust.protocol import frames
from mop_locust.protocol.errors import ConnectError, Disconnected, ExchangeTimeout, HttpStatusError, LocalProtocolError, MopError
from mop_locust.transports.dial import Dialer, Resolver, TlsOptions
from mop_locust.transports.target import Target
from mop_locust.transports.websocket import WebSocketTransport
from tests.unit.transports.loopback import Authority, Behaviour, Loopback, Peer, Request, answer, soon, text, unused_port
from tests.unit.transports.websocket_cases import BAD, GOOD, MAX_REPLY, REFUSED, RESULT, Bad, Good, after_upgrade, upgrading

Serve = Callable[..., Loopback]

MESSAGE = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


def transport(server: Loopback, dialer: Dialer, *, key: str = "KEY", subprotocol: str = "") -> WebSocketTransport:
    """A transport to the server, not open."""
    return WebSocketTransport(
        Target.parse(server.url("ws", "/ws")), dialer, key=key, max_reply=MAX_REPLY, subprotocol=subprotocol
    )


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_good_answers(case: Good, serve: Serve, dialer: Dialer) -> None:
    """Every rightful form of a message arrives, and what it took is counted."""
    socket = transport(serve(case.behave), dialer)
    socket.open(soon())
    socket.phases.clear()
    socket.send(MESSAGE, soon())
    assert socket.phases.sent == len(MESSAGE) + 6
    assert [socket.receive(soon()) for _ in case.messages] == case.messages
    assert socket.phases.received >= sum(map(len, case.messages))
    assert socket.phases.first_byte_us >= 0
    socket.abort()


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_bad_answers(case: Bad, serve: Serve, dialer: Dialer) -> None:
    """Every wrong answer ends in its typed error, in time."""
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
    """Every refused or broken handshake ends in its typed error, and the transport stays closed."""
    socket = transport(serve(case.behave), dialer)
    with gevent.Timeout(2), pytest.raises(MopError) as caught:
        socket.open(soon(case.seconds))
    assert (caught.value.outcome, caught.value.label) == (case.outcome, case.label)
    assert socket.phases.connect_us >= 0
    with pytest.raises(LocalProtocolError):
        socket.send(MESSAGE, soon())


@pytest.mark.parametrize(
    "behave",
    [
        upgrading("Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        upgrading("Sec-WebSocket-Protocol: other\r\n"),
        lambda peer: peer.write(b"HTTP/1.0 101 X\r\n\r\n"),
    ],
)
def test_what_was_not_asked_for(behave: Behaviour, serve: Serve, dialer: Dialer) -> None:
    """An extension or a subprotocol that was not offered, and another version of HTTP, fail the handshake."""
    with pytest.raises(MopError, match="bad upgrade"):
        transport(serve(behave), dialer, subprotocol="mcp").open(soon())


def test_a_head_without_end(serve: Serve, dialer: Dialer) -> None:
    """The head of the answer has a limit."""

    def behave(peer: Peer) -> None:
        peer.request()
        for _ in range(200):
            peer.write(b"A: " + b"b" * 1000)

    with pytest.raises(MopError, match="reply too large"):
        transport(serve(behave), dialer).open(soon())


def test_refused_upgrade_tells_status_and_text(serve: Serve, dialer: Dialer) -> None:
    """The error carries the status and the start of the body."""
    socket = transport(serve(lambda peer: peer.write(answer(b"go away", status="403 Forbidden"))), dialer)
    with pytest.raises(HttpStatusError) as caught:
        socket.open(soon())
    assert (caught.value.status, caught.value.excerpt, socket.phases.status) == (403, "go away", 403)


def test_handshake(serve: Serve, dialer: Dialer) -> None:
    """The request is as RFC 6455 asks, its key 16 bytes and each time another; phases tell connect and upgrade."""
    seen: list[Request] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.upgrade("Sec-WebSocket-Protocol: mcp\r\n", rest=text(b"hello")))
        peer.wait_end()

    server = serve(behave)
    socket = transport(server, dialer, subprotocol="mcp")
    for _ in range(2):
        socket.phases.clear()
        socket.open(soon())
        phases = socket.phases
        assert phases.status == 101
        assert phases.connect_us >= 0
        assert 0 <= phases.first_byte_us <= phases.upgrade_us
        assert phases.sent > 100
        assert phases.received > 100
        with pytest.raises(LocalProtocolError):
            socket.open(soon())
        assert socket.receive(soon()) == b"hello"
        socket.abort()
    first, second = seen
    keys = [request.headers.pop("sec-websocket-key") for request in seen]
    assert [len(base64.b64decode(key)) for key in keys] == [16, 16]
    assert keys[0] != keys[1]
    assert first.path == "/ws"
    assert (
        first.headers
        == second.headers
        == {
            "host": f"127.0.0.1:{server.port}",
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-version": "13",
            "sec-websocket-protocol": "mcp",
            "user-agent": "mop-locust",
            "authorization": "Bearer KEY",
        }
    )


def test_no_key_no_header(serve: Serve, dialer: Dialer) -> None:
    """An empty key sends no Authorization; one that cannot stand in a header is refused at once."""
    seen: list[Request] = []
    server = serve(lambda peer: seen.append(peer.upgrade()))
    socket = transport(server, dialer, key="")
    socket.open(soon())
    socket.abort()
    assert "authorization" not in seen[0].headers
    with pytest.raises(ValueError, match="key"):
        transport(server, dialer, key="a\r\nb")


def test_refused_connection(dialer: Dialer) -> None:
    """Nobody listens."""
    socket = WebSocketTransport(Target.parse(f"ws://127.0.0.1:{unused_port()}/ws"), dialer, key="", max_reply=1)
    with pytest.raises(ConnectError, match="refused"):
        socket.open(soon())


def test_over_tls(serve: Serve, authority: Authority) -> None:
    """The same over wss."""
    server = serve(after_upgrade(text(RESULT)), tls=authority.server("127.0.0.1"))
    target = Target.parse(server.url("wss", "/ws"))
    socket = WebSocketTransport(target, Dialer(Resolver(), TlsOptions(authority.file)), key="", max_reply=MAX_REPLY)
    socket.open(soon())
    socket.send(MESSAGE, soon())
    assert socket.receive(soon()) == RESULT
    socket.abort()


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
    for _ in range(2):
        with pytest.raises(ExchangeTimeout, match="no answer"):
            socket.receive(soon(0.02))
    go.set()
    assert socket.receive(soon()) == RESULT
    socket.abort()


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\x83\x00", 1002), (frames.encode_frame(frames.BINARY, b"x", b""), 1003), (text(b"x" * (MAX_REPLY + 1)), 1009)],
)
def test_the_server_is_told_why(data: bytes, code: int, serve: Serve, dialer: Dialer) -> None:
    """A connection that we end because of the server's mistake ends with a close frame that says so."""
    seen: list[frames.Frame | None] = []

    def behave(peer: Peer) -> None:
        peer.upgrade()
        peer.write(data)
        seen.append(peer.frames().next())

    socket = transport(serve(behave), dialer)
    socket.open(soon())
    with pytest.raises(MopError):
        socket.receive(soon())
    gevent.sleep(0.02)
    assert seen == [frames.Close(code)]


def test_a_close_of_the_server_is_answered(serve: Serve, dialer: Dialer) -> None:
    """Its close frame gets ours, with the same code; then the transport can be opened again."""
    seen: list[frames.Frame | None] = []

    def behave(peer: Peer) -> None:
        peer.upgrade(rest=frames.encode_close(1012, "restart", b""))
        seen.append(peer.frames().next())

    socket = transport(serve(behave), dialer)
    for _ in range(2):
        socket.open(soon())
        with pytest.raises(Disconnected, match=r"closed 1012 \(restart\)"):
            socket.receive(soon())
    gevent.sleep(0.01)
    assert seen == [frames.Close(1012)] * 2


def closing(*, before: bytes = b"", code: int | None = 1000, linger: float = 0.0) -> Behaviour:
    """Answer a close frame with `before` and a close frame, and end the connection."""

    def behave(peer: Peer) -> None:
        peer.upgrade()
        peer.frames().next()
        peer.write(before + frames.encode_close(code, "", b""))
        gevent.sleep(linger)

    return behave


@pytest.mark.parametrize(
    "behave",
    [
        closing(),
        closing(code=None),
        closing(linger=0.2),
        closing(before=text(RESULT) + frames.encode_frame(frames.PONG, b"", b"")),
    ],
)
def test_close_in_good_order(behave: Behaviour, serve: Serve, dialer: Dialer) -> None:
    """A close is done when the server's close frame came, whatever came before it and however long TCP stays open."""
    socket = transport(serve(behave), dialer)
    socket.close(soon())
    socket.open(soon())
    with gevent.Timeout(2):
        socket.close(soon(), 1001)
    socket.close(soon())
    with pytest.raises(LocalProtocolError):
        socket.receive(soon())


def test_close_sends_its_code(serve: Serve, dialer: Dialer) -> None:
    """The close frame carries the code that was asked for."""
    seen: list[frames.Frame | None] = []

    def behave(peer: Peer) -> None:
        peer.upgrade()
        seen.append(peer.frames().next())
        peer.write(frames.encode_close(1000, "", b""))

    socket = transport(serve(behave), dialer)
    socket.open(soon())
    socket.close(soon(), 1001)
    assert seen == [frames.Close(1001)]


def test_the_first_byte_of_a_close_counts_from_the_close_frame(serve: Serve, dialer: Dialer) -> None:
    """Not from the request before it: a session may have been held in between."""

    def behave(peer: Peer) -> None:
        peer.upgrade()
        peer.frames().next()
        peer.frames().next()
        peer.write(frames.encode_close(1000, "", b""))

    socket = transport(serve(behave), dialer)
    socket.open(soon())
    socket.send(MESSAGE, soon())
    gevent.sleep(0.02)
    socket.phases.clear()
    started = time.monotonic_ns()
    socket.close(soon())
    assert 0 <= socket.phases.first_byte_us <= (time.monotonic_ns() - started) // 1000


def ended(peer: Peer) -> None:
    """End the connection after the client's close frame, without one of one's own."""
    peer.upgrade()
    peer.frames().next()


def ended_by_reset(peer: Peer) -> None:
    """Reset the connection after the client's close frame."""
    peer.upgrade()
    peer.frames().next()
    peer.reset()


@pytest.mark.parametrize(
    ("behave", "outcome", "label"),
    [
        (after_upgrade(), "timeout", "close frame"),
        (ended, "disconnected", "closed without handshake"),
        (ended_by_reset, "disconnected", "closed without handshake"),
    ],
)
def test_close_without_an_answer(behave: Behaviour, outcome: str, label: str, serve: Serve, dialer: Dialer) -> None:
    """A close frame that does not come is told, and the connection is closed all the same."""
    socket = transport(serve(behave), dialer)
    socket.open(soon())
    with gevent.Timeout(2), pytest.raises(MopError) as caught:
        socket.close(soon(0.2))
    assert (caught.value.outcome, caught.value.label) == (outcome, label)
    socket.close(soon())


def test_a_send_that_is_not_taken(serve: Serve, dialer: Dialer) -> None:
    """After half a frame nothing can follow: the connection is closed."""

    def deaf(peer: Peer) -> None:
        peer.upgrade()
        gevent.sleep(1)

    socket = transport(serve(deaf), dialer)
    socket.open(soon())
    with pytest.raises(ExchangeTimeout, match="request not taken"):
        socket.send(b"x" * 20_000_000, soon(0.2))
    with pytest.raises(LocalProtocolError):
        socket.send(MESSAGE, soon())
