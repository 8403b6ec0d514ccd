"""The transport over `requests` agrees with our own on every case."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import gevent
import pytest

from mop_locust.protocol.errors import (
    ConnectError,
    ExchangeTimeout,
    HttpStatusError,
    MopError,
    RemoteProtocolError,
    TargetRefused,
)
from mop_locust.transports.dial import Dialer, Resolver, TlsOptions
from mop_locust.transports.requests_http import RequestsTransport
from mop_locust.transports.sse import End, Event
from mop_locust.transports.target import Target
from tests.unit.transports.http_cases import BAD, EVENT, GOOD, MAX_REPLY, RESULT, Bad, Good, cut, once, silent
from tests.unit.transports.loopback import Authority, Behaviour, Loopback, Peer, Request, answer, chunked, soon, unused_port
from tests.unit.transports.posting import MESSAGE, messages

Serve = Callable[..., Loopback]


def transport(server: Loopback, dialer: Dialer, *, scheme: str = "http", key: str = "KEY") -> RequestsTransport:
    """A transport to the server."""
    return RequestsTransport(Target.parse(server.url(scheme)), dialer, key=key, max_reply=MAX_REPLY)


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_good_answers(case: Good, serve: Serve, dialer: Dialer) -> None:
    """Every rightful form of an answer gives the same messages as over our own transport."""
    http = transport(serve(case.behave), dialer)
    assert http.receive(soon()) is None
    assert messages(http) == case.messages
    assert messages(http) == case.messages
    http.close()


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_bad_answers(case: Bad, serve: Serve, dialer: Dialer) -> None:
    """Every wrong answer ends in the same typed error as over our own transport, but for what the library cannot tell."""
    http = transport(serve(case.behave), dialer)
    with gevent.Timeout(3), pytest.raises(MopError) as caught:
        messages(http, case.seconds)
    expected = ("disconnected", "closed early") if case.name == "a bad chunk size" else (case.outcome, case.label)
    assert (caught.value.outcome, caught.value.label) == expected
    http.close()


def test_headers_and_session(serve: Serve, dialer: Dialer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same headers go out; cookies are not kept, and a .netrc file does not replace the key."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    seen: list[Request] = []

    def behave(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            seen.append(request)
            peer.write(answer(RESULT, extra="Mcp-Session-Id: s-1\r\nSet-Cookie: a=b\r\n"))

    server = serve(behave)
    http = transport(server, dialer)
    assert http.last_header("mcp-session-id") is None
    messages(http)
    http.session_id, http.protocol_version = http.last_header("mcp-session-id"), "2025-06-18"
    messages(http)
    assert seen[1].body == MESSAGE
    assert seen[1].headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "mop-locust",
        "accept": "application/json, text/event-stream",
        "accept-encoding": "identity",
        "authorization": "Bearer KEY",
        "content-type": "application/json",
        "content-length": str(len(MESSAGE)),
        "mcp-session-id": "s-1",
        "mcp-protocol-version": "2025-06-18",
    }
    assert (http.session_id, http.protocol_version) == ("s-1", "2025-06-18")
    assert server.connections == 1
    with pytest.raises(RemoteProtocolError, match="bad session id"):
        http.session_id = "a\r\nb"
    with pytest.raises(RemoteProtocolError, match="bad protocol version"):
        http.protocol_version = ""
    with pytest.raises(ValueError, match="the key"):
        transport(server, dialer, key="a b")


def test_phases(serve: Serve, dialer: Dialer) -> None:
    """Bodies are counted, the first byte is timed, the connect is not known."""
    http = transport(serve(once(answer(RESULT))), dialer)
    messages(http)
    phases = http.phases
    assert (phases.sent, phases.received, phases.status, phases.connect_us) == (len(MESSAGE), len(RESULT), 200, -1)
    assert phases.first_byte_us > 0


def test_refused(dialer: Dialer) -> None:
    """A port where nobody listens is a connect error, and so is a name that nobody has."""
    http = RequestsTransport(Target.parse(f"ws://127.0.0.1:{unused_port()}/mcp"), dialer, key="", max_reply=MAX_REPLY)
    with pytest.raises(ConnectError, match="refused"):
        http.send(MESSAGE, soon())
    http = RequestsTransport(Target.parse("http://no-such-name.invalid/mcp"), dialer, key="", max_reply=MAX_REPLY)
    with pytest.raises(ConnectError, match="name not found"):
        http.send(MESSAGE, soon(20))


def test_where_the_library_connects_is_judged_before_anything_is_sent(serve: Serve) -> None:
    """It looks the name up anew, by itself; there the same name may lead somewhere else."""
    seen: list[bytes] = []
    judged: list[str] = []

    def refusals(host: str, port: int, address: str) -> list[str]:
        judged.append(address)
        return ["not this time"] if len(judged) > lookups else []

    server = serve(lambda peer: seen.append(peer.read()))
    place = Target.parse(server.url("http").replace("127.0.0.1", "localhost"))
    lookups = len({address[4][0] for address in socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)})
    http = RequestsTransport(place, Dialer(Resolver(refusals), TlsOptions()), key="KEY", max_reply=MAX_REPLY)
    with pytest.raises(TargetRefused, match="not this time"):
        http.send(MESSAGE, soon())
    assert judged[-1] in ("127.0.0.1", "::1")
    gevent.sleep(0.05)
    assert b"".join(seen) == b""


def test_proxy(serve: Serve, dialer: Dialer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment is used, and one that is not there is named."""
    seen: list[Request] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.request() or Request("", "", {}, b""))
        peer.write(answer(RESULT))

    proxy = serve(behave)
    monkeypatch.setenv("http_proxy", proxy.url("http", ""))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    http = RequestsTransport(Target.parse("http://server.test/mcp"), dialer, key="", max_reply=MAX_REPLY)
    assert messages(http) == [RESULT]
    assert seen[0].path == "http://server.test/mcp"
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_port()}")
    http = RequestsTransport(Target.parse("http://server.test/mcp"), dialer, key="", max_reply=MAX_REPLY)
    with pytest.raises(ConnectError, match="proxy"):
        http.send(MESSAGE, soon())


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_tls(serve: Serve, authority: Authority) -> None:
    """Certificates are checked as the options say."""
    server = serve(once(answer(RESULT)), tls=authority.server("127.0.0.1"))
    wrong = serve(once(answer(RESULT)), tls=authority.server("other.test"))
    known = Dialer(Resolver(), TlsOptions(ca_file=authority.file))
    assert messages(transport(server, known, scheme="https")) == [RESULT]
    assert messages(transport(wrong, Dialer(Resolver(), TlsOptions(insecure=True)), scheme="https")) == [RESULT]
    with pytest.raises(ConnectError) as caught:
        messages(transport(wrong, known, scheme="https"))
    assert caught.value.label == "tls: wrong host name"
    with pytest.raises(ConnectError) as caught:
        messages(transport(server, Dialer(Resolver(), TlsOptions()), scheme="https"))
    assert caught.value.label == "tls: certificate verify failed"


def test_reply(serve: Serve, dialer: Dialer) -> None:
    """A reply goes out while the stream that asked for it is open; one that is not taken is an error."""
    replied: list[bytes] = []

    def behave(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            if request.body == MESSAGE:
                peer.write(chunked(EVENT, 1000, kind="text/event-stream", end=False))
            else:
                replied.append(request.body)
                peer.write(answer(status="202 Accepted" if request.body == b"pong" else "400 Bad Request", kind=""))

    server = serve(behave)
    http = transport(server, dialer)
    http.send(MESSAGE, soon())
    assert http.receive(soon()) == RESULT
    http.reply(b"pong", soon())
    with pytest.raises(HttpStatusError, match="HTTP 400"):
        http.reply(b"else", soon())
    assert replied == [b"pong", b"else"]
    http.close()


@pytest.mark.parametrize("rest", [b": more\n\n" * 10, b": more\n\n" * 20_000, b""])
def test_finish(rest: bytes, serve: Serve, dialer: Dialer) -> None:
    """What follows the wanted message is read within bounds, and the next exchange is its own."""

    def behave(peer: Peer) -> None:
        while peer.request() is not None:
            peer.write(chunked(EVENT, 1000, kind="text/event-stream", end=False))
            gevent.sleep(0.01)
            if not rest:
                peer.wait_end()
                return
            peer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest))

    http = transport(serve(behave), dialer)
    for _ in range(2):
        http.send(MESSAGE, soon())
        assert http.receive(soon()) == RESULT
        with gevent.Timeout(2):
            http.finish(soon())
        assert http.receive(soon()) is None
    http.close()


def test_delete(serve: Serve, dialer: Dialer) -> None:
    """DELETE gives the status, whatever it is."""
    http = transport(serve(once(answer(b"gone", status="404 Not Found", kind="text/plain"))), dialer)
    assert http.delete(soon()) == 404
    assert http.last_header("content-type") == "text/plain"


def test_stream(serve: Serve, dialer: Dialer) -> None:
    """The event stream is the same, and a window of silence, in the middle of an event too, harms nothing."""
    go = gevent.event.Event()

    def behave(peer: Peer) -> None:
        peer.request()
        peer.write(chunked(EVENT + b"data: ", 1000, kind="text/event-stream", end=False))
        go.wait(5)
        peer.write(b"5\r\nmore\n\r\n1\r\n\n\r\n0\r\n\r\n")

    http = transport(serve(behave), dialer)
    stream = http.open_stream(soon())
    assert stream.next(soon()) == Event(RESULT, "message", "7")
    for _ in range(2):
        with pytest.raises(ExchangeTimeout, match="no event"):
            stream.next(soon(0.02))
    go.set()
    assert stream.next(soon()) == Event(b"more")
    assert stream.next(soon()) == End("server")
    assert (stream.status, stream.connect_us) == (200, -1)
    stream.close()
    stream.close()


@pytest.mark.parametrize(
    ("behave", "label"),
    [
        (once(answer(b"no", status="405 Method Not Allowed")), "HTTP 405"),
        (once(answer(b"{}")), "wrong content type"),
        (cut(b""), "closed early"),
        (silent, "no answer"),
    ],
)
def test_a_stream_that_is_none(behave: Behaviour, label: str, serve: Serve, dialer: Dialer) -> None:
    """What is no stream is the same error."""
    with pytest.raises(MopError) as caught:
        transport(serve(behave), dialer).open_stream(soon(0.3))
    assert caught.value.label == label


def test_a_stream_that_breaks(serve: Serve, dialer: Dialer) -> None:
    """A stream that is cut gives its event, then the end with its error."""
    stream = transport(serve(cut(chunked(EVENT, 1000, kind="text/event-stream", end=False))), dialer).open_stream(soon())
    assert stream.next(soon()) == Event(RESULT, "message", "7")
    end = stream.next(soon())
    assert isinstance(end, End)
    assert end.error is not None
    assert end.error.label == "closed early"
    stream.close()
