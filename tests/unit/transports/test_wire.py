"""A wire waits no longer than it may, and says in its own words what went wrong."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import gevent.socket
import pytest

from mop_locust.protocol.errors import ClientFault, ConnectError, Disconnected, ExchangeTimeout, LocalProtocolError
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.wire import Wire
from tests.unit.transports.loopback import Loopback, Peer, soon, unused_port

Serve = Callable[..., Loopback]


def connect(server: Loopback, source: str = "") -> Wire:
    """A wire to the server."""
    return Wire.connect(socket.AF_INET, ("127.0.0.1", server.port), soon(), source)


def echo(peer: Peer) -> None:
    """Send back what comes."""
    while data := peer.read():
        peer.write(data)


def silent(peer: Peer) -> None:
    """Say nothing until the client is gone."""
    peer.wait_end()


def test_carries_bytes_both_ways(serve: Serve) -> None:
    """What is sent comes back."""
    wire = connect(serve(echo))
    for data in (b"hello", b"again"):
        wire.send(data, soon())
        assert wire.receive(soon()) == data
    wire.close()


def test_a_message_larger_than_every_buffer_arrives_whole(serve: Serve) -> None:
    """A send that the kernel takes in parts goes on until all is sent."""
    big = bytes(range(256)) * 60_000
    got: list[bytes] = []

    def slow(peer: Peer) -> None:
        gevent.sleep(0.05)
        size = 0
        while size < len(big):
            piece = peer.read()
            got.append(piece)
            size += len(piece)
        peer.write(b"done")

    wire = connect(serve(slow))
    wire.send(big, soon(20))
    assert wire.receive(soon(20)) == b"done"
    assert b"".join(got) == big
    assert wire.receive(soon()) == b""
    wire.close()


def test_a_reader_that_does_not_read(serve: Serve) -> None:
    """A send that the server does not take ends at the deadline."""

    def deaf(peer: Peer) -> None:
        gevent.sleep(1)

    wire = connect(serve(deaf))
    with pytest.raises(ExchangeTimeout, match="request not taken"):
        wire.send(b"x" * 50_000_000, soon(0.2))
    with pytest.raises(ExchangeTimeout, match="request not taken"):
        wire.send(b"x" * 50_000_000, soon(0.1))
    wire.close()


def test_no_byte_in_time(serve: Serve) -> None:
    """A wait ends at the deadline with the label it was given, and the next wait starts anew."""

    def late(peer: Peer) -> None:
        gevent.sleep(0.15)
        peer.write(b"late")

    wire = connect(serve(late))
    with pytest.raises(ExchangeTimeout, match="close frame"):
        wire.receive(soon(0.03), "close frame")
    assert wire.receive(soon()) == b"late"
    wire.close()


@pytest.mark.parametrize("waits", [[0.03, 5.0, 0.03], [5.0, 0.03, 0.06], [0.05, 0.1, 0.05]])
def test_each_wait_has_its_own_deadline(waits: list[float], serve: Serve) -> None:
    """A timer left from an earlier wait ends no later one too early, and none too late."""
    peers: list[Peer] = []

    def behave(peer: Peer) -> None:
        peers.append(peer)
        peer.wait_end()

    wire = connect(serve(behave))
    while not peers:
        gevent.sleep(0.001)
    for seconds in waits:
        deadline = soon(seconds)
        if seconds >= 5:
            gevent.spawn_later(0.08, peers[0].write, b"x")
            assert wire.receive(deadline) == b"x"
        else:
            with gevent.Timeout(1), pytest.raises(ExchangeTimeout):
                wire.receive(deadline)
            assert time.monotonic() >= deadline.at - 0.002
    wire.close()


def receive_for_ever(wire: Wire, deadline: Callable[[], Deadline]) -> None:
    """Read without end."""
    while True:
        wire.receive(deadline())


def test_one_deadline_over_many_waits(serve: Serve) -> None:
    """A server that sends a byte now and then does not move the deadline."""

    def drip(peer: Peer) -> None:
        peer.drip(b"x" * 200, 0.01)

    wire = connect(serve(drip))
    deadline = soon(0.2)
    with gevent.Timeout(1.5), pytest.raises(ExchangeTimeout):
        receive_for_ever(wire, lambda: deadline)
    wire.close()


def test_a_deadline_in_the_past_ends_a_flood(serve: Serve) -> None:
    """Bytes that are always there do not keep a reader going past its deadline."""

    def flood(peer: Peer) -> None:
        for _ in range(20_000):
            peer.write(b"x" * 1000)

    wire = connect(serve(flood))
    with gevent.Timeout(3), pytest.raises(ExchangeTimeout):
        receive_for_ever(wire, lambda: Deadline(time.monotonic() - 1))
    wire.close()


def test_a_reset(serve: Serve) -> None:
    """A reset is a disconnect, when reading and when writing."""
    server = serve(lambda peer: peer.reset())
    wire = connect(server)
    with pytest.raises(Disconnected, match="reset"):
        wire.receive(soon())
    wire.close()
    wire = connect(server)
    gevent.sleep(0.02)
    with pytest.raises(Disconnected, match="reset"):
        wire.send(b"x", soon())
    wire.close()


def test_a_reset_in_the_middle_of_a_send(serve: Serve) -> None:
    """A reset while the server takes its time is a disconnect too."""

    def behave(peer: Peer) -> None:
        gevent.sleep(0.05)
        peer.reset()

    wire = connect(serve(behave))
    with pytest.raises(Disconnected, match="reset"):
        wire.send(b"x" * 50_000_000, soon())
    wire.close()


def test_quiet(serve: Serve) -> None:
    """Only an open connection without anything to read is quiet."""

    def behave(peer: Peer) -> None:
        peer.read()
        peer.write(b"unasked")
        peer.read()

    wire = connect(serve(behave))
    assert wire.quiet()
    wire.send(b"go", soon())
    gevent.sleep(0.02)
    assert not wire.quiet()
    assert wire.receive(soon()) == b"unasked"
    assert wire.quiet()
    wire.send(b"go", soon())
    gevent.sleep(0.02)
    assert not wire.quiet()
    assert wire.receive(soon()) == b""
    wire.close()
    assert not wire.quiet()


@pytest.mark.parametrize("says", [b"unasked", b""])
def test_what_comes_while_nobody_waits_is_known(serve: Serve, says: bytes) -> None:
    """The loop tells of unasked bytes and of the end, once; what was said is still there to read."""

    def behave(peer: Peer) -> None:
        assert peer.read() == b"hello"
        peer.write(b"hello")
        gevent.sleep(0.03)
        if says:
            peer.write(says)

    wire = connect(serve(behave))
    wire.send(b"hello", soon())
    assert wire.receive(soon()) == b"hello"
    assert wire.undisturbed()
    gevent.sleep(0.06)
    assert not wire.undisturbed()
    assert wire.receive(soon()) == says
    wire.close()


def test_a_switch_by_anybody_else_tells_nothing_of_a_connection(serve: Serve) -> None:
    """Who waits for bytes goes on waiting for them."""

    def behave(peer: Peer) -> None:
        gevent.sleep(0.05)
        peer.write(b"at last")

    wire = connect(serve(behave))
    waiting = gevent.spawn(wire.receive, soon())
    gevent.sleep(0.01)
    gevent.get_hub().loop.run_callback(waiting.switch, "stray")
    assert waiting.get(timeout=2) == b"at last"
    wire.close()


def test_an_early_answer_does_not_wake_the_sender(serve: Serve) -> None:
    """The server answers before it has taken the request: the wire waits for room, and reads when it is asked to."""
    size = 20_000_000

    def behave(peer: Peer) -> None:
        peer.write(b"early")
        gevent.sleep(0.1)
        left = size + 5
        while left:
            left -= len(peer.read())
        peer.write(b"done")

    wire = connect(serve(behave))
    wire.send(b"hello", soon())
    assert wire.receive(soon()) == b"early"
    wire.send(b"x" * size, soon(10))
    assert wire.receive(soon(10)) == b"done"
    wire.close()


def test_close_wakes_who_waits(serve: Serve) -> None:
    """A greenlet that waits on a wire which another one closes is told, and does not wait for ever."""
    wire = connect(serve(silent))
    waiter = gevent.spawn(wire.receive, soon(60))
    gevent.sleep(0.01)
    wire.close()
    with gevent.Timeout(1), pytest.raises(Disconnected, match="by this side"):
        waiter.get()
    wire.close()


def test_one_greenlet_at_a_time(serve: Serve) -> None:
    """A second greenlet on the same wire is our bug and says so."""
    wire = connect(serve(silent))
    waiter = gevent.spawn(wire.receive, soon(60))
    gevent.sleep(0.01)
    with pytest.raises(LocalProtocolError):
        wire.receive(soon())
    waiter.kill()
    wire.close()


def test_release_gives_a_socket(serve: Serve) -> None:
    """The connection lives on as a socket of gevent's, and the wire has nothing left to close."""
    wire = connect(serve(echo))
    wire.send(b"1", soon())
    assert wire.receive(soon()) == b"1"
    released = wire.release()
    wire.close()
    released.sendall(b"2")
    assert released.recv(10) == b"2"
    released.close()


def test_refused() -> None:
    """Nobody listens."""
    with pytest.raises(ConnectError, match="refused"):
        Wire.connect(socket.AF_INET, ("127.0.0.1", unused_port()), soon())


def test_source_address(serve: Serve) -> None:
    """The connection comes from the address that was asked for; one that is not ours cannot be used."""
    seen: list[str] = []
    server = serve(lambda peer: seen.append(peer.socket.getpeername()[0]))
    wire = connect(server, "127.0.0.9")
    assert wire.receive(soon()) == b""
    assert seen == ["127.0.0.9"]
    wire.close()
    with pytest.raises(ClientFault, match="source address cannot be used"):
        connect(server, "192.0.2.1")


@contextmanager
def full_backlog() -> Iterator[gevent.socket.socket]:
    """A listener whose queue of connections is full, so that a further one is neither taken nor refused."""
    with gevent.socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [gevent.socket.socket() for _ in range(2)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        gevent.sleep(0.02)
        yield listener
        for each in waiting:
            each.close()


def test_no_connection_in_time() -> None:
    """A connect that nobody answers ends at the deadline."""
    with full_backlog() as listener, gevent.Timeout(2), pytest.raises(ExchangeTimeout, match="connect"):
        Wire.connect(socket.AF_INET, listener.getsockname(), soon(0.1))


def test_a_connection_after_a_while() -> None:
    """A connect that is answered only after the system tried again comes about."""
    with full_backlog() as listener:
        accepting = gevent.spawn_later(0.1, lambda: [listener.accept() for _ in range(2)])
        wire = Wire.connect(socket.AF_INET, listener.getsockname(), soon(10))
        assert wire.quiet()
        wire.close()
        assert len(accepting.get()) == 2


def test_too_many_open_files(serve: Serve) -> None:
    """The limit of this process is told as such."""
    server = serve(silent)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = socket.socket()
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe.fileno() + 1, hard))
    try:
        with pytest.raises(ClientFault, match="too many open files"):
            [connect(server) for _ in range(100)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        probe.close()
