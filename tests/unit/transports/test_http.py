"""The HTTP transport, against servers that do right and servers that do not."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from mop_locust.protocol.errors import (
    ConnectError,
    ExchangeTimeout,
    HttpStatusError,
    LocalProtocolError,
    MopError,
    RemoteProtocolError,
)
from mop_locust.transports.dial import Dialer
from mop_locust.transports.http import HttpTransport
from mop_locust.transports.target import Target
from tests.unit.transports.http_cases import BAD, EVENT, GOOD, MAX_REPLY, RESULT, SECOND, Bad, Good, once
from tests.unit.transports.loopback import Loopback, Peer, Request, answer, chunked, soon, unused_port
from tests.unit.transports.posting import MESSAGE, messages, transport

Serve = Callable[..., Loopback]


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_good_answers(case: Good, serve: Serve, dialer: Dialer) -> None:
    """Every rightful form of an answer gives its messages, twice in a row."""
    http = transport(serve(case.behave), dialer)
    assert messages(http) == case.messages
    assert messages(http) == case.messages
    assert http.receive(soon()) is None


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_bad_answers(case: Bad, serve: Serve, dialer: Dialer) -> None:
    """Every wrong answer ends in its typed error, in time, and the status is known where there was one."""
    http = transport(serve(case.behave), dialer)
    with gevent.Timeout(3), pytest.raises(MopError) as caught:
        messages(http, case.seconds)
    assert (caught.value.outcome, caught.value.label, http.phases.status) == (case.outcome, case.label, case.status)


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_the_next_exchange_is_untouched(case: Bad, serve: Serve, dialer: Dialer) -> None:
    """Whatever the first exchange ended with, the second one gets its own answer."""

    def behave(peer: Peer) -> None:
        if peer.number == 1:
            case.behave(peer)
        else:
            once(answer(SECOND))(peer)

    server = serve(behave)
    http = transport(server, dialer)
    with pytest.raises(MopError):
        messages(http, case.seconds)
    if case.kept:
        with pytest.raises(MopError, match=case.label):
            messages(http)
        assert server.connections == 1
    else:
        assert messages(http) == [SECOND]
        assert server.connections == 2


def test_phases_of_a_new_and_a_kept_connection(serve: Serve, dialer: Dialer) -> None:
    """Bytes are exact; the connect is a phase of the first exchange alone."""
    seen: list[int] = []

    def behave(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            seen.append(len(request.body))
            peer.write(answer(RESULT))

    server = serve(behave)
    http = transport(server, dialer)
    assert messages(http) == [RESULT]
    assert http.phases.connect_us >= 0
    assert http.phases.first_byte_us >= 0
    assert http.phases.received == len(answer(RESULT))
    sent = http.phases.sent
    assert sent > len(MESSAGE) == seen[0]
    http.phases.clear()
    assert messages(http) == [RESULT]
    assert (http.phases.connect_us, http.phases.sent, http.phases.received) == (-1, sent, len(answer(RESULT)))
    assert server.connections == 1


def test_headers_and_session(serve: Serve, dialer: Dialer) -> None:
    """Requests carry the key, and the session id and the version once they are set; `last_header` reads the answer's."""
    seen: list[Request] = []

    def behave(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            seen.append(request)
            peer.write(answer(RESULT, extra="mcp-session-id:  s-1 \r\n"))

    server = serve(behave)
    http = transport(server, dialer, path="/mcp?a=%25d")
    assert http.last_header("Mcp-Session-Id") is None
    messages(http)
    http.session_id, http.protocol_version = http.last_header("Mcp-Session-Id"), "2025-06-18"
    messages(http)
    first, second = seen
    assert (first.method, first.path, first.body) == ("POST", "/mcp?a=%25d", MESSAGE)
    assert first.headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "mop-locust",
        "accept": "application/json, text/event-stream",
        "authorization": "Bearer KEY",
        "content-type": "application/json",
        "content-length": str(len(MESSAGE)),
    }
    assert second.headers == {**first.headers, "mcp-session-id": "s-1", "mcp-protocol-version": "2025-06-18"}
    assert (http.session_id, http.protocol_version) == ("s-1", "2025-06-18")
    assert http.last_header("x-none") is None


def test_no_key_no_header(serve: Serve, dialer: Dialer) -> None:
    """An empty key sends no Authorization."""
    seen: list[Request] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.request() or Request("", "", {}, b""))
        peer.write(answer(RESULT))

    messages(transport(serve(behave), dialer, key=""))
    assert "authorization" not in seen[0].headers


@pytest.mark.parametrize("value", ["a\r\nX: y", "", "a b", "ä"])
def test_what_cannot_stand_in_a_header(value: str, serve: Serve, dialer: Dialer) -> None:
    """A session id or version that would break the head is refused and not kept; so is a key, without repeating it."""
    http = transport(serve(once(answer(RESULT))), dialer)
    http.session_id, http.protocol_version = "good", "good"
    with pytest.raises(RemoteProtocolError, match="bad session id"):
        http.session_id = value
    with pytest.raises(RemoteProtocolError, match="bad protocol version"):
        http.protocol_version = value
    assert (http.session_id, http.protocol_version) == ("good", "good")
    if value:
        with pytest.raises(ValueError, match=r"^the key contains a character that cannot stand in a header$"):
            transport(serve(once(b"")), dialer, key=value)


def test_detail_of_a_refusal(serve: Serve, dialer: Dialer) -> None:
    """A JSON-RPC error under an HTTP error is told; text that only looks like it is an excerpt."""
    body = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Invalid session ID"}}'
    http = transport(serve(once(answer(body, status="400 Bad Request"))), dialer)
    with pytest.raises(HttpStatusError) as caught:
        messages(http)
    assert caught.value.detail == "-32000 Invalid session ID"
    assert caught.value.status == 400
    http = transport(serve(once(answer(b'not "jsonrpc" at all', status="400 Bad Request"))), dialer)
    with pytest.raises(HttpStatusError) as caught:
        messages(http)
    assert (caught.value.detail, caught.value.excerpt) == ("", 'not "jsonrpc" at all')


def test_refused(dialer: Dialer) -> None:
    """A port where nobody listens is a connect error."""
    http = HttpTransport(Target.parse(f"http://127.0.0.1:{unused_port()}/mcp"), dialer, key="", max_reply=MAX_REPLY)
    with pytest.raises(ConnectError, match="refused"):
        http.send(MESSAGE, soon())


def test_receive_without_a_connection(serve: Serve, dialer: Dialer) -> None:
    """After an exchange that failed and a `send` that found nobody there is nothing to receive from."""
    server = serve(lambda peer: peer.wait_end())
    http = transport(server, dialer)
    with pytest.raises(ExchangeTimeout):
        messages(http, 0.05)
    server.stop_listening()
    with pytest.raises(ConnectError, match="refused"):
        http.send(MESSAGE, soon())
    with pytest.raises(LocalProtocolError):
        http.receive(soon())


@pytest.mark.parametrize("kept_for", [1, 2, 4])
def test_a_connection_that_the_server_ended_meanwhile(serve: Serve, dialer: Dialer, kept_for: int) -> None:
    """An idle connection that was ended is replaced without an error, and so is one that announced its end."""

    def some_each(peer: Peer) -> None:
        for _ in range(kept_for):
            peer.request()
            peer.write(answer(RESULT))

    server = serve(some_each)
    http = transport(server, dialer)
    for _ in range(kept_for):
        assert messages(http) == [RESULT]
    assert server.connections == 1
    gevent.sleep(0.02)
    assert messages(http) == [RESULT]
    assert server.connections == 2

    server = serve(once(answer(RESULT, extra="Connection: close\r\n")))
    http = transport(server, dialer)
    assert messages(http) + messages(http) == [RESULT, RESULT]
    assert server.connections == 2


def test_bytes_after_the_answer_are_nobodys(serve: Serve, dialer: Dialer) -> None:
    """A second answer to one request, whole or begun, is never taken for the next one's."""
    for more in (answer(SECOND), b"HTTP/1.1 2"):

        def behave(peer: Peer, more: bytes = more) -> None:
            peer.request()
            peer.write(answer(RESULT) + (more if peer.number == 1 else b""))
            peer.wait_end()

        server = serve(behave)
        http = transport(server, dialer)
        assert messages(http) + messages(http) == [RESULT, RESULT]
        assert server.connections == 2


def test_an_exchange_that_was_killed_leaves_nothing(serve: Serve, dialer: Dialer) -> None:
    """A greenlet killed while it waits does not leave its answer to the next exchange."""

    def behave(peer: Peer) -> None:
        while peer.request() is not None:
            gevent.sleep(0.05 if peer.number == 1 else 0)
            peer.write(answer(RESULT if peer.number == 1 else SECOND))

    http = transport(serve(behave), dialer)
    victim = gevent.spawn(messages, http)
    gevent.sleep(0.02)
    victim.kill()
    assert messages(http) == [SECOND]


def test_reply_goes_on_a_second_connection(serve: Serve, dialer: Dialer) -> None:
    """The answer to a server's request is posted while the stream that brought it stays open."""
    replied: list[bytes] = []
    asked = b'{"jsonrpc":"2.0","id":9,"method":"ping"}'

    def behave(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            if request.body != MESSAGE:
                replied.append(request.body)
                peer.write(answer(status="202 Accepted", kind=""))
                continue
            count = len(replied)
            peer.write(chunked(b"data: " + asked + b"\n\n", 100, kind="text/event-stream", end=False))
            while len(replied) == count:
                gevent.sleep(0.001)
            peer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(EVENT), EVENT))

    server = serve(behave)
    http = transport(server, dialer)
    for _ in range(2):
        http.send(MESSAGE, soon())
        assert http.receive(soon()) == asked
        before = http.phases.sent
        http.reply(b"pong", soon())
        assert http.phases.sent > before
        assert http.receive(soon()) == RESULT
        assert http.receive(soon()) is None
    assert replied == [b"pong", b"pong"]
    assert server.connections == 2
    http.close()


def test_reply_refused_and_reply_after_an_end(serve: Serve, dialer: Dialer) -> None:
    """A reply that is not taken is an HTTP status error; a second connection that was ended is replaced."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.write(answer(b"no", status="400 Bad Request", kind="text/plain"))

    server = serve(behave)
    http = transport(server, dialer)
    for _ in range(2):
        with pytest.raises(HttpStatusError, match="HTTP 400"):
            http.reply(b"pong", soon())
        gevent.sleep(0.01)
    assert server.connections == 2


@pytest.mark.parametrize(("rest", "connections"), [(b": more\n\n" * 10, 1), (b": more\n\n" * 20_000, 2)])
def test_finish_reads_a_little_and_drops_a_lot(rest: bytes, connections: int, serve: Serve, dialer: Dialer) -> None:
    """What follows the wanted message is read if it is short; otherwise the connection is given up."""

    def behave(peer: Peer) -> None:
        while peer.request() is not None:
            peer.write(chunked(EVENT, 1000, kind="text/event-stream", end=False))
            gevent.sleep(0.01)
            peer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest))

    server = serve(behave)
    http = transport(server, dialer)
    for _ in range(2):
        http.send(MESSAGE, soon())
        assert http.receive(soon()) == RESULT
        http.finish(soon())
        assert http.receive(soon()) is None
    assert server.connections == connections


def test_finish_does_not_wait_for_a_silent_stream(serve: Serve, dialer: Dialer) -> None:
    """A stream that stays open after the wanted message costs a quarter of a second at most."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.write(chunked(EVENT, 1000, kind="text/event-stream", end=False))
        peer.wait_end()

    server = serve(behave)
    http = transport(server, dialer)
    for _ in range(2):
        http.send(MESSAGE, soon())
        assert http.receive(soon()) == RESULT
        with gevent.Timeout(2):
            http.finish(soon(10))
    assert server.connections == 2


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "405 Method Not Allowed"])
def test_delete_tells_the_status(status: str, serve: Serve, dialer: Dialer) -> None:
    """DELETE gives the status, whatever it is, and carries the session id."""
    seen: list[Request] = []

    def behave(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            seen.append(request)
            peer.write(answer(b"text", status=status, kind="text/plain"))

    http = transport(serve(behave), dialer)
    http.session_id = "s-1"
    assert http.delete(soon()) == int(status[:3]) == http.phases.status
    assert (seen[0].method, seen[0].headers["mcp-session-id"], "content-length" in seen[0].headers) == ("DELETE", "s-1", False)
    assert http.receive(soon()) is None


def test_close_and_open_again(serve: Serve, dialer: Dialer) -> None:
    """`close` may come twice, and before anything was sent; a later `send` opens a new connection."""
    server = serve(once(answer(RESULT)))
    http = transport(server, dialer)
    http.close()
    assert http.receive(soon()) is None
    messages(http)
    http.close()
    http.close()
    assert messages(http) == [RESULT]
    assert server.connections == 2


def test_timeout_names_what_was_waited_for(serve: Serve, dialer: Dialer) -> None:
    """A deadline that has passed already lets no exchange begin."""
    http = transport(serve(once(answer(RESULT))), dialer)
    with pytest.raises(ExchangeTimeout):
        messages(http, 0.0)
