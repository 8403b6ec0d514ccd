"""One HTTP/1.1 exchange after another on a connection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.protocol.errors import Disconnected, ExchangeTimeout, LocalProtocolError, MopError, RemoteProtocolError
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.http1 import Http1Connection, header_of, media_type
from mop_locust.transports.phases import Phases
from mop_locust.transports.wire import Wire
from tests.unit.transports.http_cases import RESULT, cut, dripped, once, silent
from tests.unit.transports.loopback import Behaviour, Loopback, Peer, answer, chunked, soon

Serve = Callable[..., Loopback]

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def connect(serve: Serve) -> Callable[..., Http1Connection]:
    """Starts a server and connects to it."""

    def open_to(behave: Behaviour, max_reply: int = 100_000) -> Http1Connection:
        wire = Wire.connect(2, ("127.0.0.1", serve(behave).port), soon())
        return Http1Connection(wire, max_reply=max_reply, phases=Phases())

    return open_to


Connect = Callable[..., Http1Connection]


def test_a_whole_exchange(connect: Connect) -> None:
    """Status, headers, body and counts come out, and the connection goes on."""
    data = answer(RESULT, status="201 Created", extra="X-One: 1\r\nx-one: 2\r\nX-Empty:\r\n")
    connection = connect(once(data))
    for _ in range(2):
        assert connection.reusable()
        response = connection.exchange(GET, soon())
        assert (response.status, response.body, response.received) == (201, RESULT, len(data))
        assert response.content_type == "application/json"
        assert [response.header(name) for name in ("x-ONE", "X-Empty", "x-none")] == ["1", "", None]
        assert response.first_byte_us >= 0
    assert connection.phases.sent == 2 * len(GET)
    assert connection.phases.received == 2 * len(data)
    connection.close()
    assert connection.header("X-One") == "1"
    assert not connection.reusable()


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nA: b\r\n\r\n",
    ],
)
def test_answers_without_a_body(data: bytes, connect: Connect) -> None:
    """Statuses that have no body end with their head, and the connection goes on; interim answers are passed over."""
    for behave in (once(data), dripped(data)):
        connection = connect(behave)
        for _ in range(2):
            response = connection.exchange(GET, soon())
            assert response.body == b""
            assert response.header("link") is None
            assert (response.header("a") == "b") == (b"A: b" in data)
        assert connection.reusable()
        connection.close()


@pytest.mark.parametrize("data", [answer(RESULT)[: -len(RESULT)], b"HTTP/1.1 200 OK\r\n\r\n", answer()])
def test_head_has_no_body_whatever_its_headers_say(data: bytes, connect: Connect) -> None:
    """An answer to HEAD ends with its head (RFC 9110, section 9.3.2)."""
    connection = connect(once(data))
    response = connection.exchange(HEAD, soon())
    assert (response.status, response.body) == (200, b"")
    connection.close()


@pytest.mark.parametrize(
    ("data", "again"),
    [
        (answer(RESULT), True),
        (answer(RESULT, extra="Connection: close\r\n"), False),
        (answer(RESULT).replace(b"HTTP/1.1", b"HTTP/1.0"), False),
        (answer(RESULT, extra="Connection: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"), True),
    ],
)
def test_keeping_a_connection(data: bytes, again: bool, connect: Connect) -> None:
    """Whether the connection goes on is as the answer says (RFC 9112, section 9.3)."""
    connection = connect(once(data))
    assert connection.exchange(GET, soon()).body == RESULT
    assert connection.reusable() is again
    if not again:
        with pytest.raises(LocalProtocolError):
            connection.send(GET, soon())
    connection.close()


def test_one_request_at_a_time(connect: Connect) -> None:
    """A second request before the answer is our bug and says so; so is reading from a closed connection."""
    connection = connect(silent)
    connection.send(GET, soon())
    with pytest.raises(LocalProtocolError):
        connection.send(GET, soon())
    connection.close()
    connection.close()


def test_a_body_piece_by_piece(connect: Connect) -> None:
    """`stream` returns with the head; `read` gives what comes as it comes, and nothing at the end, again and again."""
    written = gevent.event.Event()

    def behave(peer: Peer) -> None:
        peer.request()
        peer.write(chunked(b"", kind="text/plain", end=False))
        written.wait(5)
        peer.write(b"3\r\none\r\n3\r\ntwo\r\n")
        gevent.sleep(0.05)
        peer.write(b"5\r\nthree\r\n0\r\n\r\n")
        peer.wait_end()

    connection = connect(behave)
    head = connection.stream(GET, soon())
    assert (head.status, head.content_type) == (200, "text/plain")
    with pytest.raises(ExchangeTimeout):
        connection.read(soon(0.02))
    written.set()
    assert connection.read(soon()) == b"onetwo"
    assert connection.read(soon()) == b"three"
    assert connection.read(soon()) == b""
    assert connection.read(soon()) == b""
    assert connection.reusable()
    connection.close()


@pytest.mark.parametrize(
    ("behave", "error", "label", "detail"),
    [
        (cut(b""), Disconnected, "closed early", "before any byte of the answer"),
        (cut(b"HTTP/1.1 200 OK\r\nA: b\r\n"), Disconnected, "closed early", "in the head of the answer"),
        (cut(answer(RESULT)[:-1]), Disconnected, "closed early", "in the middle of the answer"),
        (cut(chunked(RESULT, end=False)), Disconnected, "closed early", "in the middle of the answer"),
        (
            cut(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
            RemoteProtocolError,
            "bad HTTP",
            "switched",
        ),
        (cut(b"<html>"), RemoteProtocolError, "bad HTTP", ""),
        (cut(b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n"), RemoteProtocolError, "bad HTTP", ""),
        (cut(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"), RemoteProtocolError, "bad HTTP", ""),
        (cut(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"), RemoteProtocolError, "bad HTTP", ""),
        (cut(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"), RemoteProtocolError, "bad HTTP", ""),
        (cut(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), RemoteProtocolError, "bad HTTP", ""),
        (cut(b"HTTP/1.1 200 OK\r\n" + b"A: " + b"b" * 70_000), RemoteProtocolError, "reply too large", "head"),
        (cut(answer(b"x" * 100_001)), RemoteProtocolError, "reply too large", "body"),
    ],
)
def test_what_is_no_answer(behave: Behaviour, error: type[MopError], label: str, detail: str, connect: Connect) -> None:
    """Every way to break an answer has its error, and the connection is not used again."""
    connection = connect(behave)
    with pytest.raises(error) as caught:
        connection.exchange(GET, soon())
    assert caught.value.label == label
    assert detail in caught.value.detail
    assert not connection.reusable()
    connection.close()


def test_bytes_after_a_last_answer_are_ignored(connect: Connect) -> None:
    """What follows an answer that ends the connection harms nothing."""
    connection = connect(once(answer(RESULT, extra="Connection: close\r\n") + b"trailing bytes"))
    assert connection.exchange(GET, soon()).body == RESULT
    assert not connection.reusable()
    connection.close()


def test_header_of_an_unfinished_answer(connect: Connect) -> None:
    """Before the head is whole there are no headers."""
    connection = connect(silent)
    assert connection.header("a") is None
    assert connection.content_type() == ""
    connection.close()


@pytest.mark.parametrize(("value", "expected"), [(None, ""), ("", ""), (" Text/HTML ; charset=x", "text/html"), ("a/b", "a/b")])
def test_media_type(value: str | None, expected: str) -> None:
    """A media type has no parameters and one case."""
    assert media_type(value) == expected


def test_header_of() -> None:
    """Names match whole and without regard to case; the status line is no header."""
    head = b"HTTP/1.1 200 A: b\r\nXA: 1\r\nA:\t2 \r\n"
    assert (header_of(head, "a"), header_of(head, "xa"), header_of(head, "x")) == ("2", "1", None)


class Memory:
    """A wire of given pieces, since the law below needs thousands of connections."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = iter(pieces)

    def send(self, data: bytes, deadline: Deadline) -> None: ...

    def receive(self, deadline: Deadline, waiting_for: str = "") -> bytes:
        return next(self._pieces, b"")

    def quiet(self) -> bool:
        return True

    def close(self) -> None: ...


def result_of(pieces: list[bytes]) -> tuple[object, ...]:
    """What an exchange over these pieces gives, apart from times."""
    connection = Http1Connection(Memory(pieces), max_reply=1000, phases=Phases())  # type: ignore[arg-type]
    try:
        response = connection.exchange(GET, soon())
        return response.status, response.head, response.body
    except MopError as error:
        return type(error), error.label
    finally:
        connection.close()


ANSWERS = [
    answer(RESULT),
    chunked(RESULT, 5),
    b"HTTP/1.1 100 Continue\r\nA: x\r\n\r\n" + answer(RESULT, extra="A: b\r\n"),
    b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n" + RESULT,
    answer(RESULT)[:-5],
]


@given(st.sampled_from(ANSWERS), st.lists(st.integers(0, 200), max_size=8))
def test_cuts_do_not_matter(data: bytes, cuts: list[int]) -> None:
    """However the network cuts an answer, the outcome is the same."""
    edges = [0, *sorted(min(edge, len(data)) for edge in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges) if end > start]
    assert result_of(pieces) == result_of([data])


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", *ANSWERS]))
def test_any_bytes_give_an_answer_or_a_typed_error(pieces: list[bytes], start: bytes) -> None:
    """No bytes raise anything but the typed errors."""
    with suppress(MopError):
        result_of([start, *pieces] if start else pieces)
