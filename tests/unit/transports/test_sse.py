"""An event stream gives events and comments as they come, and says how it ended."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from mop_locust.protocol.errors import Disconnected, ExchangeTimeout, RemoteProtocolError
from mop_locust.transports.dial import Dialer
from mop_locust.transports.http import HttpTransport
from mop_locust.transports.sse import End, Event, EventReader, EventStream, KeepAlive
from mop_locust.transports.target import Target
from tests.unit.transports.loopback import Behaviour, Loopback, Peer, soon

Serve = Callable[..., Loopback]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One HTTP chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.fixture
def open_stream(serve: Serve, dialer: Dialer) -> Callable[[Behaviour], EventStream]:
    """Opens the stream of a server that has written the head and does then what the test says."""

    def start(behave: Behaviour) -> EventStream:
        def whole(peer: Peer) -> None:
            peer.request()
            peer.write(HEAD)
            behave(peer)

        http = HttpTransport(Target.parse(serve(whole).url("http")), dialer, key="", max_reply=1000)
        return http.open_stream(soon())

    return start


OpenStream = Callable[[Behaviour], EventStream]


def test_reader() -> None:
    """Comments come first, then events; names and ids are told, texts stay UTF-8 bytes with their lines."""
    reader = EventReader(1000)
    assert reader.feed(
        b"\xef\xbb\xbf: one\r\nid: 1\r\ndata: a\xc3\xa4\r\ndata:b\r\n\r\n: two\n\nevent: x\ndata\ndata: c\n\nretry: 5\n\n"
    ) == [
        KeepAlive(),
        KeepAlive(),
        Event("aä\nb".encode(), "message", "1"),
        Event(b"\nc", "x", ""),
    ]
    assert reader.feed(b"data: un") == []
    assert reader.feed(b"finished\n\n") == [Event(b"unfinished")]


def test_reader_limits_an_event() -> None:
    """An event above the limit breaks the protocol."""
    with pytest.raises(RemoteProtocolError, match="event too large"):
        EventReader(10).feed(b"data: 0123456789\n\n")


def test_events_and_comments_byte_by_byte(open_stream: OpenStream) -> None:
    """What comes in single bytes, in chunks of single bytes, is the same."""

    def behave(peer: Peer) -> None:
        for byte in b": keep-alive\n\ndata: 1\n\n:\n\ndata: 2\n\n":
            peer.drip(chunk(bytes((byte,))))
        peer.write(b"0\r\n\r\n")

    stream = open_stream(behave)
    items = [stream.next(soon()) for _ in range(6)]
    assert [item for item in items if not isinstance(item, KeepAlive)] == [Event(b"1"), Event(b"2"), End("server"), End("server")]
    assert items.count(KeepAlive()) == 2
    assert stream.status == 200
    stream.close()
    stream.close()


def test_an_event_comes_at_once(open_stream: OpenStream) -> None:
    """An event is given when it is whole, not when the next one begins."""

    def behave(peer: Peer) -> None:
        peer.write(chunk(b"data: 1\n\n"))
        peer.wait_end()

    stream = open_stream(behave)
    assert stream.next(soon(2)) == Event(b"1")
    stream.close()


def test_a_window_of_silence_harms_nothing(open_stream: OpenStream) -> None:
    """Timeouts pass, in the middle of a chunk too, and the stream goes on where it was."""
    go = gevent.event.Event()

    def behave(peer: Peer) -> None:
        peer.write(chunk(b"data: 1\n\n")[:8])
        go.wait(5)
        peer.write(chunk(b"data: 1\n\n")[8:])
        peer.wait_end()

    stream = open_stream(behave)
    for _ in range(3):
        with pytest.raises(ExchangeTimeout, match="no event"):
            stream.next(soon(0.02))
    go.set()
    assert stream.next(soon()) == Event(b"1")
    assert stream.phases.received > len(HEAD)
    stream.close()
    end = stream.next(soon())
    assert isinstance(end, End)
    assert str(end.error) == "the connection ended too early: closed early (by this side)"


def test_ended_at_once(open_stream: OpenStream) -> None:
    """The MOP server ends its stream right after the head: an end in good order."""
    stream = open_stream(lambda peer: peer.write(b"0\r\n\r\n"))
    assert stream.next(soon()) == End("server")
    assert stream.first_byte_us >= 0
    stream.close()


def cut(peer: Peer) -> None:
    """End the connection without the last chunk."""
    peer.write(chunk(b"data: 1\n\n"))


def reset(peer: Peer) -> None:
    """Reset the connection."""
    peer.write(chunk(b"data: 1\n\n"))
    gevent.sleep(0.02)
    peer.reset()


def nonsense(peer: Peer) -> None:
    """Break the chunks."""
    peer.write(chunk(b"data: 1\n\n"))
    gevent.sleep(0.02)
    peer.write(b"nonsense\r\n")


def huge(peer: Peer) -> None:
    """Send an event above the limit."""
    peer.write(chunk(b"data: 1\n\n"))
    gevent.sleep(0.02)
    peer.write(chunk(b"data: " + b"x" * 2000))


@pytest.mark.parametrize(
    ("behave", "error", "label"),
    [
        (cut, Disconnected, "closed early"),
        (reset, Disconnected, "reset"),
        (nonsense, RemoteProtocolError, "bad HTTP"),
        (huge, RemoteProtocolError, "event too large"),
    ],
)
def test_ended_by_an_error(behave: Behaviour, error: type[Exception], label: str, open_stream: OpenStream) -> None:
    """What came before is given first; then the end, with its error."""
    stream = open_stream(behave)
    assert stream.next(soon()) == Event(b"1")
    end = stream.next(soon())
    assert isinstance(end, End)
    assert end.by == "error"
    assert isinstance(end.error, error)
    assert end.error.label == label
    assert stream.next(soon()) is end
    stream.close()
