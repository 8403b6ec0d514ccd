"""The life of a session over a WebSocket of its own, and the one `close` that it has, whoever closes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from mop_locust.client import Client, WebSocketSession
from mop_locust.client.exchange import Exchanges
from mop_locust.protocol import frames
from mop_locust.protocol.errors import Disconnected, ExchangeTimeout, HttpStatusError, LocalProtocolError, RemoteProtocolError
from mop_locust.transports.deadline import Deadline
from tests.unit.client.memory import Link, Taken, client, clients, initialized, notification, refusal, request, result
from tests.unit.transports.loopback import Behaviour, FrameSource, Loopback, Peer, answer, text

Serve = Callable[[Behaviour], Loopback]

CONNECT, CLOSE = ("connect", "ok", ""), ("close", "ok", "")


class Side:
    """The server's side: upgrades, then does what a function says; the texts and close codes of the client are kept."""

    def __init__(self, then: Callable[[Peer, Side], None]) -> None:
        self._then = then
        self.got: list[dict[str, Any]] = []
        self.pongs: list[bytes] = []
        self.closes: list[int | None] = []
        self.ended = False
        self._frames: FrameSource

    def __call__(self, peer: Peer) -> None:
        peer.upgrade()
        self._frames = peer.frames()
        self._then(peer, self)

    def message(self) -> dict[str, Any]:
        """The client's next message; empty when it closes or goes."""
        while isinstance(frame := self._frames.next(), frames.Pong):
            self.pongs.append(frame.data)
        if isinstance(frame, frames.Text):
            self.got.append(json.loads(frame.data))
            return self.got[-1]
        if isinstance(frame, frames.Close):
            self.closes.append(frame.code)
        else:
            self.ended = True
        return {}

    def serve(self, peer: Peer) -> None:
        """Answers every request with its own method, until the client closes; then closes too."""
        while message := self.message():
            if "method" in message:
                peer.write(text(result(message["id"], message["method"])))
        peer.write(frames.encode_close(1000, "", b""))


def obedient(peer: Peer, side: Side) -> None:
    """Answers, and closes when the client does."""
    side.serve(peer)


def user(taken: Taken, server: Loopback, **values: str) -> Client:
    """A client of this server."""
    return client(clients(taken, MOP_BASE_URL=server.url("ws", "/ws"), **values))


def settle(side: Side) -> None:
    """Waits until the server has seen the client's end."""
    with gevent.Timeout(5):
        while not side.closes and not side.ended:
            gevent.sleep(0.001)


def test_a_session_is_opened_used_held_and_closed(taken: Taken, serve: Serve) -> None:
    """Connect, call, close: three samples; the upgrade and the whole session are trends."""
    side = Side(obedient)
    one = user(taken, serve(side))
    with one.connect() as session:
        assert one._exchanges.open.sockets == 1
        session.probe("ping")
        session.hold(0.01)
    settle(side)
    assert one._exchanges.open.sockets == 0
    assert taken.ends == [CONNECT, ("ping", "ok", ""), CLOSE]
    assert {sample.transport for sample in taken.samples} == {"websocket"}
    assert (taken.samples[0].status, taken.samples[0].connect_us >= 0) == (101, True)
    assert taken.samples[1].connect_us == -1
    assert taken.trend_names == ["upgrade_latency", "session_duration"]
    assert min(value for _, _, value in taken.trends) >= 0
    assert side.closes == [1000]


def test_a_refused_upgrade_is_one_failed_connect(taken: Taken, serve: Serve) -> None:
    """There is no session: nothing to close, no duration."""

    def refuse(peer: Peer) -> None:
        peer.request()
        peer.write(answer(status="403 No", kind=""))

    session = user(taken, serve(refuse)).connect()
    with pytest.raises(HttpStatusError), session:
        pytest.fail("the block was entered")
    session.close()
    assert taken.ends == [("connect", "http_status", "upgrade refused: HTTP 403")]
    assert taken.trends == []


def test_while_it_is_held_the_server_is_answered(taken: Taken, serve: Serve) -> None:
    """Requests of the server get their answers, WebSocket pings their pongs; notifications and answers to nobody get nothing."""

    def then(peer: Peer, side: Side) -> None:
        peer.write(text(notification("n")) + text(refusal(None, -1, "x")) + frames.encode_frame(frames.PING, b"alive?", b""))
        peer.write(text(request("s-1", "ping")))
        side.serve(peer)

    side = Side(then)
    with user(taken, serve(side)).connect() as session:
        session.hold(0.05)
    settle(side)
    assert side.got == [{"jsonrpc": "2.0", "id": "s-1", "result": {}}]
    assert side.pongs == [b"alive?"]
    assert taken.ends == [CONNECT, CLOSE]


@pytest.mark.parametrize(
    ("last", "kind", "label"),
    [
        (frames.encode_close(1001, "", b""), Disconnected, "closed 1001"),
        (b"", Disconnected, "closed 1006"),
        (text(b"nonsense"), RemoteProtocolError, "not JSON"),
        (b"\xff\xff", RemoteProtocolError, "bad frame"),
    ],
    ids=["close frame", "end of TCP", "no JSON-RPC", "no frame"],
)
def test_a_session_that_the_server_ends_has_one_close(
    taken: Taken, serve: Serve, last: bytes, kind: type[Disconnected] | type[RemoteProtocolError], label: str
) -> None:
    """While it is held, the end by the server is the session's one `close`, failed; it goes on to the scenario."""
    side = Side(lambda peer, _: peer.write(last))
    with pytest.raises(kind), user(taken, serve(side)).connect() as session:
        session.hold(60)
    assert taken.ends == [CONNECT, ("close", kind.outcome, label)]
    assert taken.trend_names == ["upgrade_latency", "session_duration"]


def test_a_call_that_the_server_cuts_is_its_own_failure(taken: Taken, serve: Serve) -> None:
    """The call is disconnected, and a socket that is gone is not closed as well."""

    def then(peer: Peer, side: Side) -> None:
        side.message()
        peer.write(frames.encode_close(1011, "", b""))

    with pytest.raises(Disconnected), user(taken, serve(Side(then))).connect() as session:
        session.probe("ping")
    assert taken.ends == [CONNECT, ("ping", "disconnected", "closed 1011")]
    assert taken.trend_names == ["upgrade_latency", "session_duration"]


def test_a_call_answered_with_nonsense_ends_the_session(taken: Taken, serve: Serve) -> None:
    """Nothing that follows could be understood, so the socket is dropped."""

    def then(peer: Peer, side: Side) -> None:
        side.message()
        peer.write(text(b"{}"))
        side.message()

    side = Side(then)
    with pytest.raises(RemoteProtocolError), user(taken, serve(side)).connect() as session:
        session.probe("ping")
    settle(side)
    assert taken.ends == [CONNECT, ("ping", "protocol", "not JSON-RPC")]
    assert side.ended


def test_a_session_that_was_dropped_takes_no_calls(taken: Taken, serve: Serve) -> None:
    """To go on with it is a mistake of the scenario, and loud."""
    session = user(taken, serve(Side(obedient))).connect()
    with session:
        pass
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        session.ping()


def test_a_call_that_timed_out_leaves_a_socket_to_close(taken: Taken, serve: Serve) -> None:
    """The answer that comes late, before the close frame of the server, is nobody's."""

    def then(peer: Peer, side: Side) -> None:
        late = side.message()
        side.message()
        peer.write(text(result(late["id"], "late")) + frames.encode_close(1000, "", b""))

    with pytest.raises(ExchangeTimeout), user(taken, serve(Side(then)), MOP_TIMEOUT_MS="60").connect() as session:
        session.probe("ping")
    assert taken.ends == [CONNECT, ("ping", "timeout", "no answer"), CLOSE]


def test_a_socket_is_dropped_without_a_word_on_purpose(taken: Taken, serve: Serve) -> None:
    """MOP_LEAK_SESSIONS=1: no close frame, no `close` in the figures, but the session had a duration."""

    def then(peer: Peer, side: Side) -> None:
        side.message()

    side = Side(then)
    with user(taken, serve(side), MOP_LEAK_SESSIONS="1").connect():
        pass
    settle(side)
    assert (side.closes, side.ended) == ([], True)
    assert taken.ends == [CONNECT]
    assert taken.trend_names == ["upgrade_latency", "session_duration"]


def test_a_close_that_the_server_does_not_answer_is_counted_and_raised_to_nobody(taken: Taken, serve: Serve) -> None:
    """Near the end of the run it costs what is left, not the timeout of an exchange."""

    def then(peer: Peer, side: Side) -> None:
        side.message()
        peer.wait_end()

    shared = clients(taken, MOP_BASE_URL=serve(Side(then)).url("ws"), MOP_TIMEOUT_MS="3600000")
    shared.end = Deadline.after(0)
    with client(shared).connect():
        pass
    assert taken.ends == [CONNECT, ("close", "timeout", "close frame")]


def test_a_close_answered_by_the_end_of_tcp_is_a_failure(taken: Taken, serve: Serve) -> None:
    """RFC 6455 wants a close frame."""

    def then(peer: Peer, side: Side) -> None:
        side.message()

    with user(taken, serve(Side(then))).connect():
        pass
    assert taken.ends == [CONNECT, ("close", "disconnected", "closed without handshake")]


def test_a_killed_user_still_closes_its_socket(taken: Taken, serve: Serve) -> None:
    """The end of the run comes while the session is held: it is closed with a handshake."""
    side = Side(obedient)
    door = user(taken, serve(side))

    def iterate() -> None:
        with door.connect() as session:
            session.probe("ping")
            session.hold(60)

    running = gevent.spawn(iterate)
    with gevent.Timeout(5):
        while len(taken.samples) < 2:
            gevent.sleep(0.001)
    running.kill()
    settle(side)
    assert taken.ends == [CONNECT, ("ping", "ok", ""), CLOSE]
    assert side.closes == [1000]


def test_closing_twice_or_before_the_start_does_nothing(taken: Taken, serve: Serve) -> None:
    """One session has at most one close."""
    session = user(taken, serve(Side(obedient))).connect()
    session.close()
    assert taken.samples == []
    session.open()
    session.close()
    session.close()
    assert taken.ends == [CONNECT, CLOSE]


@pytest.mark.parametrize("says_so", [True, False])
def test_a_session_with_initialize(taken: Taken, serve: Serve, says_so: bool) -> None:
    """SDK servers want it; what they say of themselves is known then, and `initialized` is an exchange of its own."""

    def then(peer: Peer, side: Side) -> None:
        peer.write(text(initialized(side.message()["id"])))
        if says_so:
            side.message()
        side.serve(peer)

    side = Side(then)
    with client(clients(taken, send_initialized=says_so, MOP_BASE_URL=serve(side).url("ws"))).connect() as session:
        session.initialize()
        assert (session.server_name, session.protocol_version) == ("tiny", "2025-03-26")
        session.ping()
    middle = ["initialize", *["notifications/initialized"] * says_so, "ping"]
    assert [message["method"] for message in side.got] == middle
    assert taken.ends == [CONNECT, *((method, "ok", "") for method in middle), CLOSE]


def test_a_refused_initialize_is_raised_and_the_socket_closed(taken: Taken, serve: Serve) -> None:
    """The session stays one to be closed with a handshake."""

    def then(peer: Peer, side: Side) -> None:
        peer.write(text(refusal(side.message()["id"], -32602, "no")))
        side.serve(peer)

    side = Side(then)
    with pytest.raises(Exception, match="-32602"), user(taken, serve(side)).connect() as session:
        session.initialize()
    settle(side)
    assert taken.ends == [CONNECT, ("initialize", "rpc_error", "JSON-RPC -32602"), CLOSE]


class Broken(Link):
    """A socket without a network that takes one message."""

    name = "websocket"

    def __init__(self) -> None:
        super().__init__(lambda message: [initialized(message["id"])])
        self.aborted = 0

    def open(self, deadline: Deadline) -> None:
        """Connects."""

    def send(self, message: bytes, deadline: Deadline) -> None:
        """Takes the first message."""
        if self.sent:
            raise Disconnected("reset")
        super().send(message, deadline)

    def close(self, deadline: Deadline, code: int = 1000) -> None:
        """Closes."""
        raise AssertionError("a broken socket was closed in good order")

    def abort(self) -> None:
        """Drops the socket."""
        self.aborted += 1


def test_a_notification_that_could_not_be_sent_is_counted(taken: Taken) -> None:
    """Its failure is in the figures, and the socket, broken, is dropped instead of closed."""
    shared = clients(taken, send_initialized=True)
    socket = Broken()
    with (
        pytest.raises(Disconnected),
        WebSocketSession(shared, Exchanges("tests", taken, 5.0, {}), socket) as session,  # type: ignore[arg-type]
    ):
        session.initialize()
    assert taken.ends == [CONNECT, ("initialize", "ok", ""), ("notifications/initialized", "disconnected", "reset")]
    assert socket.aborted == 1
