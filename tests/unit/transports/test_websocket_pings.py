"""A server's pings are answered: before the next wait, or with the next frame."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from mop_locust.protocol import frames
from mop_locust.protocol.errors import Disconnected, ExchangeTimeout
from mop_locust.transports.dial import Dialer
from tests.unit.transports.loopback import Loopback, Peer, soon, text
from tests.unit.transports.test_websocket import MESSAGE, transport
from tests.unit.transports.websocket_cases import RESULT

Serve = Callable[..., Loopback]


def test_pings_are_answered_and_frames_are_masked(serve: Serve, dialer: Dialer) -> None:
    """A ping is answered with its payload, also when no message follows; every client frame has a mask."""
    seen: list[frames.Frame | None] = []

    def behave(peer: Peer) -> None:
        peer.upgrade()
        source = peer.frames()
        peer.write(frames.encode_frame(frames.PING, b"are you there", b""))
        seen.extend((source.next(), source.next()))

    socket = transport(serve(behave), dialer)
    socket.open(soon())
    with pytest.raises(ExchangeTimeout):
        socket.receive(soon(0.05))
    socket.send(MESSAGE, soon())
    with pytest.raises(Disconnected):
        socket.receive(soon())
    assert seen == [frames.Pong(b"are you there"), frames.Text(MESSAGE)]


@pytest.mark.parametrize("waits_again", [False, True])
def test_a_pong_leaves_with_the_next_frame_or_before_the_next_wait(serve: Serve, dialer: Dialer, waits_again: bool) -> None:
    """A ping that came together with a message costs no write of its own, and is not forgotten when nothing follows."""
    seen: list[bytes] = []

    def behave(peer: Peer) -> None:
        peer.upgrade()
        peer.write(frames.encode_frame(frames.PING, b"x", b"") + text(RESULT))
        seen.append(peer.read())

    socket = transport(serve(behave), dialer)
    socket.open(soon())
    assert socket.receive(soon()) == RESULT
    if waits_again:
        with pytest.raises((ExchangeTimeout, Disconnected)):
            socket.receive(soon(0.1))
    else:
        gevent.sleep(0.05)
        assert seen == []
        socket.send(MESSAGE, soon())
    gevent.sleep(0.05)
    pong, message = 2 + 4 + 1, 2 + 4 + len(MESSAGE)
    assert [len(piece) for piece in seen] == [pong if waits_again else pong + message]
    socket.abort()


def test_a_ping_whose_sender_is_gone(serve: Serve, dialer: Dialer) -> None:
    """A pong that cannot be sent does not hide the close code that came after the ping."""

    def behave(peer: Peer) -> None:
        peer.upgrade()
        peer.frames().next()
        peer.write(frames.encode_frame(frames.PING, b"", b"") + frames.encode_close(1001, "", b""))
        gevent.sleep(0.02)
        peer.reset()

    socket = transport(serve(behave), dialer)
    socket.open(soon())
    socket.send(MESSAGE, soon())
    gevent.sleep(0.05)
    with pytest.raises(Disconnected, match="closed 1001"):
        socket.receive(soon())


def test_pongs_that_are_not_taken(serve: Serve, dialer: Dialer) -> None:
    """A server that sends pings and reads no pongs is left at the deadline."""
    ping = frames.encode_frame(frames.PING, b"x" * 125, b"")

    def flood(peer: Peer) -> None:
        peer.upgrade()
        while True:
            peer.write(ping * 1000)

    socket = transport(serve(flood), dialer)
    socket.open(soon())
    with gevent.Timeout(5), pytest.raises(ExchangeTimeout):
        socket.receive(soon(1.0))
    socket.abort()
