"""A session over HTTP from `initialize` to DELETE, and what a server does to those without one or without a key."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from mop_locust.protocol import mcp
from mop_locust.protocol.errors import HttpStatusError, MopError
from mop_locust.protocol.session import Answer, Session
from mop_locust.transports.deadline import Deadline
from tests.contract.fleet import Fleet
from tests.contract.side import SCENARIO, Side, SideMaker
from tests.contract.tap import Tap
from tests.contract.targets import ASKED_VERSION, MOP, OK, REAL, SDK_POST_ONLY, SDK_SSE, Ending, Exchange, HttpTarget, refused

FOREIGN = "mop-00000000-0000-0000-0000-000000000000"


def ending_of(side: Side, call: Callable[[], object]) -> Ending:
    """Makes one call, good or bad, and returns how its exchange ended."""
    before = len(side.exchanges())
    with suppress(MopError):
        call()
    (made,) = side.exchanges()[before:]
    return made[2]


def test_initialize_agrees_on_a_version_and_names_the_server(http: SideMaker, http_target: HttpTarget) -> None:
    """`initialize` is one exchange, and the session ends with a DELETE where there is something to delete."""
    side = http()
    with side.session() as session:
        assert session.protocol_version == http_target.version
        assert session.server_name == http_target.server
        assert side.transport.protocol_version == http_target.version
    assert side.exchanges() == http_target.session()


@pytest.mark.parametrize("version", mcp.REVISIONS)
def test_each_revision_is_taken_or_another_is_chosen(http: SideMaker, http_target: HttpTarget, version: str) -> None:
    """The server's choice counts, whatever was asked for."""
    side = http(MOP_PROTOCOL_VERSION=version)
    with side.session() as session:
        assert session.protocol_version == (version if version in http_target.versions else http_target.version)
        session.ping()
    assert side.exchanges() == http_target.session(("http", "ping", OK))


def test_the_session_id_is_where_the_server_puts_it(http: SideMaker, http_target: HttpTarget) -> None:
    """Standard servers name the session in a header, the MOP server in the result too, stateless ones not at all."""
    side = http()
    with side.session():
        pass
    transport, core, deadline = side.transport, Session(mcp.revision(ASKED_VERSION)), Deadline.after(10)
    id, message = core.initialize()
    transport.protocol_version = None
    transport.send(message, deadline)
    data = transport.receive(deadline)
    assert data is not None
    (answer,) = core.receive(data)
    transport.finish(deadline)
    assert isinstance(answer, Answer)
    assert answer.id == id
    in_header = transport.last_header("Mcp-Session-Id")
    if http_target.session_id is None:
        assert in_header is None
    else:
        assert in_header is not None
        assert http_target.session_id.fullmatch(in_header)
        transport.session_id = in_header
        assert transport.delete(deadline) == 200
    assert core.session_id == (in_header if http_target.session_id_in_result else None)


def test_the_client_carries_the_session_id_and_gives_it_up(http: SideMaker, http_target: HttpTarget) -> None:
    """The id is the client's from `initialize` to DELETE."""
    side = http()
    with side.session():
        given = side.transport.session_id
    assert (given is None) == (http_target.session_id is None)
    assert side.transport.session_id is None


def test_two_sessions_of_one_user_differ(http: SideMaker, http_target: HttpTarget) -> None:
    """A user's second session is a new one on the server."""
    side, ids = http(), []
    for _ in range(2):
        with side.session() as session:
            session.ping()
            ids.append(side.transport.session_id)
    assert (ids[0] == ids[1]) == (http_target.session_id is None)
    assert side.exchanges() == 2 * http_target.session(("http", "ping", OK))


def test_initialized_is_taken_or_refused(http: SideMaker, http_target: HttpTarget) -> None:
    """A refusal is a status, and the session goes on."""
    side = http()
    with side.session() as session:
        assert ending_of(side, lambda: session.notify("notifications/initialized")) == http_target.initialized
        session.list_tools()
    notified: Exchange = ("http", "notifications/initialized", http_target.initialized)
    assert side.exchanges() == http_target.session(notified, ("http", "tools/list", OK))


def test_initialized_follows_initialize_where_it_is_wanted(http: SideMaker, http_target: HttpTarget) -> None:
    """With the notification switched on it is the second exchange of each session."""
    side = http(send_initialized=True)
    session = side.session()
    if http_target.initialized.outcome == "ok":
        session.initialize()
    else:
        with pytest.raises(HttpStatusError) as caught:
            session.initialize()
        assert caught.value.status == http_target.initialized.status
    session.close()
    assert side.exchanges() == http_target.session(("http", "notifications/initialized", http_target.initialized))


def test_a_sample_tells_the_phases_of_its_exchange(http: SideMaker, http_client: str) -> None:
    """Bytes both ways, a first byte within the exchange, a connect where one is known and a connection was opened."""
    side = http()
    for _ in range(2):
        with side.session() as session:
            session.list_tools()
    for number, sample in enumerate(side.recording.samples):
        assert sample.scenario == SCENARIO
        assert sample.lag_us == 0
        assert 0 <= sample.first_byte_us <= sample.duration_us
        assert sample.connect_us <= sample.duration_us
        # One connection carries both sessions; `requests` does not tell when it connected.
        assert (sample.connect_us >= 0) == (number == 0 and http_client == "gevent")
        if sample.method != "delete":
            assert sample.sent > 40
            assert sample.received > 100


@pytest.mark.parametrize("http_target", [MOP, SDK_POST_ONLY], indirect=True)
def test_every_request_carries_what_the_standard_asks_for(http: SideMaker, http_target: HttpTarget, fleet: Fleet) -> None:
    """MCP 2025-11-25, Streamable HTTP: Accept, Content-Type, MCP-Protocol-Version after `initialize`, the session id, the key."""
    with Tap(fleet.address(http_target.process)) as tap:
        side = http(host=tap.address)
        with side.session() as session:
            session.ping()
            session_id = side.transport.session_id
    requests = tap.requests()
    assert [request.method for request in requests] == ["POST", "POST"] + (["DELETE"] if session_id else [])
    first, second = requests[:2]
    for request in (first, second):
        assert request.path == http_target.path
        assert request.headers["host"] == tap.address
        assert request.headers["accept"] == "application/json, text/event-stream"
        assert request.headers["content-type"] == "application/json"
        assert request.headers["authorization"] == "Bearer DEMO_KEY_PUBLIC"
        assert request.headers["user-agent"].startswith("mop-locust")
        assert request.headers["content-length"] == str(len(request.body))
    assert {"mcp-session-id", "mcp-protocol-version"}.isdisjoint(first.headers)
    for request in requests[1:]:
        assert request.headers["mcp-protocol-version"] == http_target.version
        assert request.headers.get("mcp-session-id") == session_id


def test_without_a_key(http: SideMaker, http_target: HttpTarget) -> None:
    """MOP servers answer 401; the SDK's server asks for no key."""
    side = http(key="")
    session = side.session()
    assert ending_of(side, session.initialize) == http_target.no_key
    session.close()
    expected = http_target.session() if http_target.no_key == OK else [("http", "initialize", http_target.no_key)]
    assert side.exchanges() == expected


def test_with_a_wrong_key(http: SideMaker, http_target: HttpTarget) -> None:
    """401, and the key stands nowhere in the error."""
    side = http(key="wrong-key")
    session = side.session()
    if http_target.wrong_key == OK:
        session.initialize()
    else:
        with pytest.raises(HttpStatusError) as caught:
            session.initialize()
        assert caught.value.status == 401
        assert "wrong-key" not in str(caught.value)
        assert '"error"' in caught.value.excerpt
    session.close()
    expected = http_target.session() if http_target.wrong_key == OK else [("http", "initialize", http_target.wrong_key)]
    assert side.exchanges() == expected


def test_an_unknown_session(http: SideMaker, http_target: HttpTarget) -> None:
    """The MOP server answers 400, standard servers 404, stateless ones do not look."""
    side = http()
    with side.session() as session:
        own = side.transport.session_id
        side.transport.session_id = FOREIGN
        assert ending_of(side, session.list_tools) == http_target.unknown_session
        side.transport.session_id = own
    assert side.exchanges() == http_target.session(("http", "tools/list", http_target.unknown_session))


def test_no_session(http: SideMaker, http_target: HttpTarget) -> None:
    """A call without the session id gets 400, and no request of the same user is harmed by it."""
    side = http()
    with side.session() as session:
        own = side.transport.session_id
        side.transport.session_id = None
        assert ending_of(side, session.list_tools) == http_target.no_session
        side.transport.session_id = own
        session.ping()
    assert side.exchanges() == http_target.session(("http", "tools/list", http_target.no_session), ("http", "ping", OK))


@pytest.mark.parametrize(
    ("http_target", "detail"),
    [(MOP, "-32000 Invalid session ID"), (REAL, "-32000 Invalid session ID"), (SDK_SSE, "-32600 Session not found")],
    indirect=["http_target"],
)
def test_a_refusal_tells_the_json_rpc_error_in_its_body(http: SideMaker, detail: str) -> None:
    """The status is the outcome; the message beside it helps people."""
    side = http()
    with side.session() as session:
        own = side.transport.session_id
        side.transport.session_id = FOREIGN
        with pytest.raises(HttpStatusError) as caught:
            session.list_tools()
        side.transport.session_id = own
    assert caught.value.detail == detail


def test_delete_then_use(http: SideMaker, http_target: HttpTarget) -> None:
    """A deleted session is unknown; where sessions cannot be deleted, nothing changes."""
    side = http()
    session = side.session()
    session.initialize()
    assert side.transport.delete(Deadline.after(10)) == http_target.deleted
    assert ending_of(side, session.list_tools) == http_target.after_delete
    session.close()
    expected: list[Exchange] = [("http", "initialize", OK), ("http", "tools/list", http_target.after_delete)]
    if http_target.deleted_again is not None:
        expected.append(("http", "delete", http_target.deleted_again))
    assert side.exchanges() == expected


def test_sessions_are_left_open_on_purpose(http: SideMaker, http_target: HttpTarget) -> None:
    """With MOP_LEAK_SESSIONS=1 there is no DELETE, and the session works on."""
    side = http(MOP_LEAK_SESSIONS="1")
    with side.session():
        kept = side.transport.session_id
    assert side.exchanges() == [("http", "initialize", OK)]
    with side.session() as session:
        if kept is not None:
            side.transport.session_id = kept
        session.ping()
        side.transport.delete(Deadline.after(10))
    assert [ending for _, _, ending in side.exchanges()] == [OK, OK, OK]


def test_a_path_where_no_mcp_is(http: SideMaker, http_target: HttpTarget) -> None:
    """404 is the answer of an older MOP server too, which has no HTTP transport."""
    side = http(path="/nowhere")
    session = side.session()
    with pytest.raises(HttpStatusError):
        session.initialize()
    session.close()
    assert side.exchanges() == [("http", "initialize", refused(404))]
