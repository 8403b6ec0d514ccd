"""The session machine: its table, its matching of answers, and its life over a link with a small server core."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from mop_locust.protocol.errors import LocalProtocolError, RemoteProtocolError
from mop_locust.protocol.jsonrpc import (
    METHOD_NOT_FOUND,
    Error,
    Request,
    Result,
    decode,
    encode_error,
    encode_notification,
    encode_request,
    encode_result,
)
from mop_locust.protocol.mcp import ServerInfo, revision
from mop_locust.protocol.session import (
    TRANSITIONS,
    Answer,
    Event,
    ServerNotification,
    ServerRequest,
    Session,
    State,
    Trigger,
    Unmatched,
)

NEWEST = revision("2025-11-25")
WELCOME = {
    "protocolVersion": "2024-11-05",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "mop-server", "version": "0.1.4"},
    "sessionId": "mop-1",
}


def plain(events: list[Event]) -> list[tuple[object, ...]]:
    """The events as tuples, raw JSON as bytes."""
    return [
        (type(event).__name__, *(bytes(value) if isinstance(value, Raw) else value for value in members))
        for event in events
        for members in [[getattr(event, name) for name in event.__struct_fields__]]
    ]


def session_in(state: State) -> Session:
    """A session that was brought to this state by the ordinary calls."""
    session = Session(NEWEST)
    if state is State.CLOSED:
        session.close()
    elif state is State.ERROR:
        with pytest.raises(RemoteProtocolError):
            session.receive(b"")
    elif state is not State.NEW:
        id, _ = session.initialize()
        if state is State.READY:
            session.receive(encode_result(id, WELCOME))
    assert session.state is state
    return session


class ServerCore:
    """A server of four methods, as pure as the client: one message in, its answer out."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def answer(self, data: bytes) -> bytes | None:
        message = decode(data)
        assert not isinstance(message, (Result, Error))
        self.heard.append(message.method)
        if not isinstance(message, Request):
            return None
        results = {"initialize": WELCOME, "ping": {}, "tools/list": {"tools": []}}
        if message.method in results:
            return encode_result(message.id, results[message.method])
        return encode_error(message.id, METHOD_NOT_FOUND, "no such method")


class Link:
    """Joins a client core and a server core; messages wait on the line until they are delivered."""

    def __init__(self) -> None:
        self.client = Session(NEWEST)
        self.server = ServerCore()
        self.line: list[bytes] = []

    def send(self, data: bytes) -> None:
        answer = self.server.answer(data)
        if answer is not None:
            self.line.append(answer)

    def deliver(self, index: int = 0) -> list[tuple[object, ...]]:
        return plain(self.client.receive(self.line.pop(index)))


def test_a_whole_life() -> None:
    """Client core and server core, joined: events, bytes and states after each step."""
    link = Link()
    assert repr(link.client) == "<Session new pending=0>"

    id, data = link.client.initialize()
    assert (id, json.loads(data)["params"]["protocolVersion"]) == (1, "2025-11-25")
    assert repr(link.client) == "<Session initializing pending=1>"
    link.send(data)
    [(kind, answered, method, _, error)] = link.deliver()
    assert (kind, answered, method, error) == ("Answer", 1, "initialize", None)
    assert repr(link.client) == "<Session ready 2024-11-05 pending=0>"
    assert (link.client.session_id, link.client.server) == ("mop-1", ServerInfo("mop-server", "0.1.4"))
    assert bytes(link.client.capabilities or b"") == b'{"tools":{}}'

    link.send(link.client.notification("notifications/initialized"))
    assert link.line == []

    for expected_id, method in ((2, "tools/list"), (3, "ping"), (4, "no/such")):
        id, data = link.client.request(method)
        assert (id, data) == (expected_id, encode_request(expected_id, method))
        link.send(data)
    assert repr(link.client) == "<Session ready 2024-11-05 pending=3>"
    assert link.deliver(2) == [("Answer", 4, "no/such", None, Error(4, METHOD_NOT_FOUND, "no such method"))]
    assert link.deliver(0) == [("Answer", 2, "tools/list", b'{"tools":[]}', None)]
    assert link.deliver(0) == [("Answer", 3, "ping", b"{}", None)]

    link.client.close()
    assert repr(link.client) == "<Session closed 2024-11-05 pending=0>"
    assert link.server.heard == ["initialize", "notifications/initialized", "tools/list", "ping", "no/such"]


OVER = {State.CLOSED, State.ERROR}
MOVES: dict[Trigger, Callable[[Session], object]] = {
    Trigger.INITIALIZE: Session.initialize,
    Trigger.ANSWERED: lambda session: session.receive(encode_result(1, WELCOME)),
    Trigger.REFUSED: lambda session: session.receive(encode_error(1, -32602, "no")),
    Trigger.GIVEN_UP: lambda session: session.forget(1),
    Trigger.BROKEN: lambda session: session.receive(b"<html>"),
    Trigger.CLOSE: Session.close,
}


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("state", State)
def test_the_table_is_what_happens(state: State, trigger: Trigger) -> None:
    """For every state and every trigger the session goes where the table says, and nowhere when it says nothing."""
    session = session_in(state)
    after = TRANSITIONS.get((state, trigger))
    if trigger is Trigger.BROKEN and after is not None:
        with pytest.raises(RemoteProtocolError):
            MOVES[trigger](session)
    elif after is None and (trigger is Trigger.INITIALIZE or (trigger is not Trigger.GIVEN_UP and state in OVER)):
        with pytest.raises(LocalProtocolError, match=state.value):
            MOVES[trigger](session)
    else:
        MOVES[trigger](session)
    assert session.state is (after or state)


@pytest.mark.parametrize("state", State)
def test_what_may_be_sent(state: State) -> None:
    """Requests and notifications need a ready session; a ping needs only one that is not over."""
    session = session_in(state)
    calls: dict[str, Callable[[], object]] = {
        "ping": lambda: session.request("ping"),
        "tools/list": lambda: session.request("tools/list"),
        "notifications/cancelled": lambda: session.notification("notifications/cancelled", {"requestId": 1}),
    }
    allowed = {State.READY: set(calls), State.NEW: {"ping"}, State.INITIALIZING: {"ping"}}.get(state, set())
    for method, call in calls.items():
        if method in allowed:
            call()
        else:
            with pytest.raises(LocalProtocolError, match=f"{method} cannot be sent by <Session {state.value}"):
                call()


def test_without_a_handshake_the_session_is_ready() -> None:
    """The MOP server's socket takes calls at once."""
    session = Session(NEWEST, handshake=False)
    assert session.request("tools/call", {"name": "x"}) == (1, encode_request(1, "tools/call", {"name": "x"}))
    assert repr(session) == "<Session ready pending=1>"
    with pytest.raises(LocalProtocolError, match="initialize is not possible for <Session ready pending=1>"):
        session.initialize()


def test_ids_with_a_prefix() -> None:
    """A prefix makes the ids unique beyond the session."""
    session = Session(NEWEST, handshake=False, prefix="w1-u7")
    assert [session.request("ping")[0] for _ in range(2)] == ["w1-u7-1", "w1-u7-2"]
    assert plain(session.receive(encode_result("w1-u7-2", {}))) == [("Answer", "w1-u7-2", "ping", b"{}", None)]


def test_the_client_says_who_it_is() -> None:
    """Name and version of the client stand in `initialize`."""
    _, data = Session(NEWEST, client_name="probe", client_version="7").initialize()
    assert json.loads(data)["params"]["clientInfo"] == {"name": "probe", "version": "7"}


def test_a_refused_initialize_may_be_tried_again() -> None:
    """The error is the answer, the session is new again, and ids are not used twice."""
    session = session_in(State.INITIALIZING)
    assert plain(session.receive(encode_error(1, -32602, "version"))) == [
        ("Answer", 1, "initialize", None, Error(1, -32602, "version"))
    ]
    assert repr(session) == "<Session new pending=0>"
    assert session.initialize()[0] == 2


def test_a_late_answer_to_a_given_up_initialize_changes_nothing() -> None:
    """It is Unmatched, and the second one counts."""
    session = session_in(State.INITIALIZING)
    session.forget(1)
    id, _ = session.initialize()
    [late] = session.receive(encode_result(1, WELCOME | {"sessionId": "late"}))
    assert isinstance(late, Unmatched)
    assert repr(session) == "<Session initializing pending=1>"
    session.receive(encode_result(id, WELCOME | {"sessionId": "right"}))
    assert session.session_id == "right"


@pytest.mark.parametrize("result", [{}, {"protocolVersion": None}, [], {"protocolVersion": "a\nb"}])
def test_an_initialize_answer_of_another_shape_breaks_the_session(result: object) -> None:
    """A session never becomes ready on a bad answer."""
    session = session_in(State.INITIALIZING)
    with pytest.raises(RemoteProtocolError, match="bad result"):
        session.receive(encode_result(1, result))
    assert repr(session) == "<Session error pending=0>"


def test_what_the_server_says_unasked() -> None:
    """Requests and notifications of the server are events of their own, before `initialize` too."""
    session = session_in(State.NEW)
    assert plain(session.receive(encode_request(1, "roots/list"))) == [("ServerRequest", 1, "roots/list", None)]
    assert plain(session.receive(encode_notification("notifications/message", {"level": "info"}))) == [
        ("ServerNotification", "notifications/message", b'{"level":"info"}')
    ]
    assert repr(session) == "<Session new pending=0>"


def test_answers_to_nothing() -> None:
    """A null id, an unknown one, one of another type, a duplicate, a forgotten one: none is an answer, none does harm."""
    session = session_in(State.READY)
    session.request("ping")
    session.request("tools/list")
    session.forget(3)
    session.forget(99)
    assert plain(session.receive(encode_result(2, {}))) == [("Answer", 2, "ping", b"{}", None)]
    for data in (
        encode_error(None, -32603, "Server busy - send buffer full"),
        encode_result(99, {}),
        encode_result("2", {}),
        encode_result(2, {}),
        encode_error(2, -1, "again"),
        encode_result(3, {}),
    ):
        [event] = session.receive(data)
        assert isinstance(event, Unmatched)
    assert repr(session) == "<Session ready 2024-11-05 pending=0>"


def test_closing_twice_and_after_an_error() -> None:
    """Closing is always allowed, forgets what was pending, and does not heal an error."""
    session = session_in(State.READY)
    session.request("ping")
    session.close()
    session.close()
    assert repr(session) == "<Session closed 2024-11-05 pending=0>"
    broken = session_in(State.ERROR)
    broken.close()
    assert broken.state is State.ERROR


def test_params_that_json_cannot_hold_leave_nothing_pending() -> None:
    """A call that was never sent is not waited for."""
    session = session_in(State.READY)
    with pytest.raises(LocalProtocolError):
        session.request("tools/call", {"x": object()})
    assert repr(session) == "<Session ready 2024-11-05 pending=0>"


@given(st.data())
def test_answers_in_any_order_find_their_requests(data: st.DataObject) -> None:
    """Each request gets its own answer once, whatever the order, the duplicates, and the requests given up in between."""
    methods = data.draw(st.lists(st.sampled_from(["ping", "tools/list", "tools/call"]), min_size=1, max_size=8))
    session = Session(NEWEST, handshake=False)
    sent = [session.request(method)[0] for method in methods]
    assert sent == list(range(1, len(methods) + 1))
    given_up = data.draw(st.sets(st.sampled_from(sent)))
    for id in given_up:
        session.forget(id)
    answered = []
    for id in data.draw(st.lists(st.sampled_from(sent), max_size=20)):
        [event] = session.receive(encode_result(id, {"for": id}))
        if id in given_up or id in answered:
            assert isinstance(event, Unmatched)
        else:
            assert plain([event]) == [("Answer", id, methods[int(id) - 1], b'{"for":%d}' % int(id), None)]
            answered.append(id)
    assert repr(session) == f"<Session ready pending={len(set(sent) - given_up - set(answered))}>"


messages = st.one_of(
    st.binary(),
    st.fixed_dictionaries(
        {"jsonrpc": st.just("2.0")},
        optional={
            "id": st.integers(0, 4) | st.none() | st.text(max_size=2),
            "method": st.sampled_from(["ping", "roots/list", ""]),
            "params": st.just({}),
            "result": st.sampled_from([{}, None, WELCOME, {"protocolVersion": 1}]),
            "error": st.just({"code": -32603, "message": "x"}),
        },
    ).map(lambda message: json.dumps(message).encode()),
)


@given(st.sampled_from([State.NEW, State.INITIALIZING, State.READY]), st.lists(messages, max_size=6))
def test_any_bytes_give_events_or_a_protocol_error(state: State, received: list[bytes]) -> None:
    """Whatever comes, in whatever state: one event a message, or a RemoteProtocolError that ends the session for good."""
    session = session_in(state)
    session.request("ping")
    for data in received:
        try:
            [event] = session.receive(data)
        except RemoteProtocolError:
            assert session.state is State.ERROR
            break
        assert isinstance(event, (Answer, Unmatched, ServerRequest, ServerNotification))
        assert session.state in {State.NEW, State.INITIALIZING, State.READY}
