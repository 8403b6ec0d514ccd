"""The life of a session over HTTP: opened, used, ended by a DELETE whatever ended it, and counted once each."""

from __future__ import annotations

import json
from collections.abc import Callable

import gevent
import pytest

from mop_locust.client.client import SHORTEST_CLOSE
from mop_locust.protocol.errors import ExchangeTimeout, HttpStatusError, MopError, RemoteProtocolError, RpcError
from mop_locust.transports.deadline import Deadline
from tests.unit.client.memory import Taken, client, clients, initialized, refusal, request, result
from tests.unit.transports.loopback import Behaviour, Loopback, Peer, Request, answer

Serve = Callable[[Behaviour], Loopback]
Reply = Callable[[Request], bytes | None]

OPEN = "Mcp-Session-Id: s-1\r\n"


class Endpoint:
    """An MCP endpoint: a reply for each verb and method, all requests kept; None leaves a request without an answer."""

    def __init__(self, **replies: bytes | Reply | None) -> None:
        self.requests: list[Request] = []
        self._replies: dict[str, bytes | Reply | None] = {
            "initialize": lambda asked: answer(initialized(json.loads(asked.body)["id"]), extra=OPEN),
            "tools/list": lambda asked: answer(result(json.loads(asked.body)["id"], {"tools": []})),
            "notifications/initialized": answer(status="202 Accepted", kind=""),
            "DELETE": answer(status="204 No Content", kind=""),
            **replies,
        }

    def __call__(self, peer: Peer) -> None:
        while (asked := peer.request()) is not None:
            self.requests.append(asked)
            reply = self._replies[self.name(asked)]
            data = reply(asked) if callable(reply) else reply
            if data is None:
                gevent.sleep(60)
            elif not data:
                return
            else:
                peer.write(data)

    @staticmethod
    def name(asked: Request) -> str:
        """The method of a POST, the verb of anything else."""
        return str(json.loads(asked.body)["method"]) if asked.method == "POST" else asked.method

    @property
    def names(self) -> list[str]:
        """What was asked, in order."""
        return [self.name(asked) for asked in self.requests]


def test_a_session_is_opened_used_and_deleted(taken: Taken, serve: Serve) -> None:
    """Three exchanges with one sample each; the id, the negotiated revision and the key travel as they must."""
    endpoint = Endpoint()
    shared = clients(taken, MOP_HTTP_BASE=serve(endpoint).url("http"))
    with client(shared).session() as session:
        assert shared.open.sessions == 1
        assert session.list_tools().tools == []
        assert (session.server_name, session.server_version, session.protocol_version) == ("tiny", "1.2", "2025-03-26")
    first, *later = endpoint.requests
    assert endpoint.names == ["initialize", "tools/list", "DELETE"]
    asked = json.loads(first.body)["params"]
    assert (asked["protocolVersion"], asked["capabilities"], asked["clientInfo"]["name"]) == ("2025-11-25", {}, "mop-locust")
    assert "mcp-session-id" not in first.headers
    assert "mcp-protocol-version" not in first.headers
    assert {each.headers["mcp-session-id"] for each in later} == {"s-1"}
    assert {each.headers["mcp-protocol-version"] for each in later} == {"2025-03-26"}
    assert {each.headers["authorization"] for each in endpoint.requests} == {"Bearer KEY"}
    assert taken.ends == [("initialize", "ok", ""), ("tools/list", "ok", ""), ("delete", "ok", "")]
    assert {sample.transport for sample in taken.samples} == {"http"}
    assert [sample.status for sample in taken.samples] == [200, 200, 204]
    assert [sample.connect_us >= 0 for sample in taken.samples] == [True, False, False]
    assert shared.open.sessions == 0
    assert taken.trend_names == ["session_duration"]


@pytest.mark.parametrize(
    ("header", "in_result", "used"),
    [(OPEN, {}, "s-1"), ("", {"sessionId": "r-1"}, "r-1"), (OPEN, {"sessionId": "r-1"}, "s-1")],
    ids=["header", "result", "both"],
)
def test_the_session_id_comes_from_the_header_or_the_result(
    taken: Taken, serve: Serve, header: str, in_result: dict[str, str], used: str
) -> None:
    """Standard servers name the session in a header, the MOP server in the result too; the header counts first."""
    endpoint = Endpoint(initialize=lambda asked: answer(initialized(json.loads(asked.body)["id"], **in_result), extra=header))
    with client(clients(taken, MOP_HTTP_BASE=serve(endpoint).url("http"))).session():
        pass
    assert endpoint.requests[-1].method == "DELETE"
    assert endpoint.requests[-1].headers["mcp-session-id"] == used


def test_a_server_without_sessions_gets_no_delete(taken: Taken, serve: Serve) -> None:
    """Without an id there is nothing to delete; the session had a duration all the same."""
    endpoint = Endpoint(initialize=lambda asked: answer(initialized(json.loads(asked.body)["id"])))
    with client(clients(taken, MOP_HTTP_BASE=serve(endpoint).url("http"))).session():
        pass
    assert endpoint.names == ["initialize"]
    assert taken.trend_names == ["session_duration"]


def test_a_session_is_left_open_on_purpose(taken: Taken, serve: Serve) -> None:
    """MOP_LEAK_SESSIONS=1 sends no DELETE, and nothing is counted in its place."""
    endpoint = Endpoint()
    with client(clients(taken, MOP_HTTP_BASE=serve(endpoint).url("http"), MOP_LEAK_SESSIONS="1")).session():
        pass
    assert endpoint.names == ["initialize"]
    assert taken.ends == [("initialize", "ok", "")]
    assert taken.trend_names == ["session_duration"]


@pytest.mark.parametrize(
    ("reply", "kind", "label"),
    [
        (lambda asked: answer(refusal(json.loads(asked.body)["id"], -32602, "no")), RpcError, "JSON-RPC -32602"),
        (answer(b"down", status="503 Busy", kind="text/plain"), HttpStatusError, "HTTP 503"),
        (answer(b"nonsense"), RemoteProtocolError, "not JSON"),
        (answer(result(1, {})), RemoteProtocolError, "bad result"),
    ],
    ids=["JSON-RPC error", "status", "no JSON", "no result of initialize"],
)
def test_a_session_that_was_not_opened_has_no_end(
    taken: Taken, serve: Serve, reply: bytes | Reply, kind: type[MopError], label: str
) -> None:
    """The error of initialize goes on to the caller: one sample, no DELETE, no duration."""
    endpoint = Endpoint(initialize=reply)
    session = client(clients(taken, MOP_HTTP_BASE=serve(endpoint).url("http"))).session()
    with pytest.raises(kind), session:
        pytest.fail("the block was entered")
    session.close()
    assert endpoint.names == ["initialize"]
    assert taken.ends == [("initialize", kind.outcome, label)]
    assert taken.trends == []


def test_a_session_id_that_cannot_travel_is_the_servers_fault(taken: Taken, serve: Serve) -> None:
    """An id with a space stands in no header of ours: initialize broke the protocol."""
    endpoint = Endpoint(
        initialize=lambda asked: answer(initialized(json.loads(asked.body)["id"]), extra="Mcp-Session-Id: two words\r\n")
    )
    with pytest.raises(RemoteProtocolError), client(clients(taken, MOP_HTTP_BASE=serve(endpoint).url("http"))).session():
        pytest.fail("the block was entered")
    assert taken.ends == [("initialize", "protocol", "bad session id")]


def test_initialized_is_an_exchange_of_its_own(taken: Taken, serve: Serve) -> None:
    """It is sent where the server takes it; a body in its answer means nothing and keeps the connection good."""
    endpoint = Endpoint(**{"notifications/initialized": answer(b'{"ok":true}')})
    server = serve(endpoint)
    with client(clients(taken, send_initialized=True, MOP_HTTP_BASE=server.url("http"))).session() as session:
        session.list_tools()
    assert endpoint.names == ["initialize", "notifications/initialized", "tools/list", "DELETE"]
    assert [method for method, outcome, _ in taken.ends if outcome == "ok"] == [
        "initialize",
        "notifications/initialized",
        "tools/list",
        "delete",
    ]
    assert server.connections == 1


def test_a_refused_initialized_leaves_no_session_behind(taken: Taken, serve: Serve) -> None:
    """The server had opened the session, so it is deleted although the block was never entered."""
    endpoint = Endpoint(**{"notifications/initialized": answer(status="400 Bad Request", kind="")})
    shared = clients(taken, send_initialized=True, MOP_HTTP_BASE=serve(endpoint).url("http"))
    with pytest.raises(HttpStatusError), client(shared).session():
        pytest.fail("the block was entered")
    assert endpoint.names == ["initialize", "notifications/initialized", "DELETE"]
    assert taken.ends == [
        ("initialize", "ok", ""),
        ("notifications/initialized", "http_status", "HTTP 400"),
        ("delete", "ok", ""),
    ]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("200 OK", "ok"),
        ("202 Accepted", "ok"),
        ("204 No Content", "ok"),
        ("405 Method Not Allowed", "ok"),
        ("404 Not Found", "http_status"),
        ("500 Internal Server Error", "http_status"),
    ],
)
def test_what_the_delete_says_is_counted_and_raised_to_nobody(taken: Taken, serve: Serve, status: str, outcome: str) -> None:
    """405 is the right of a server that lets nobody end sessions; anything else but success is a failed exchange."""
    endpoint = Endpoint(DELETE=answer(status=status, kind=""))
    with client(clients(taken, MOP_HTTP_BASE=serve(endpoint).url("http"))).session():
        pass
    label = "" if outcome == "ok" else f"HTTP {status[:3]}"
    assert taken.ends == [("initialize", "ok", ""), ("delete", outcome, label)]
    assert taken.trend_names == ["session_duration"]


def test_a_delete_without_an_answer_is_counted_and_raised_to_nobody(taken: Taken, serve: Serve) -> None:
    """The server closes the connection instead."""
    endpoint = Endpoint(DELETE=b"")
    with client(clients(taken, MOP_HTTP_BASE=serve(endpoint).url("http"))).session():
        pass
    assert taken.ends[1:] == [("delete", "disconnected", "closed early")]


def test_a_session_is_deleted_after_an_error_in_its_block(taken: Taken, serve: Serve) -> None:
    """The error of the call goes on, and the session is ended properly."""
    endpoint = Endpoint(**{"tools/list": answer(status="500 Oh", kind="")})
    with (
        pytest.raises(HttpStatusError),
        client(clients(taken, MOP_HTTP_BASE=serve(endpoint).url("http"))).session() as session,
    ):
        session.list_tools()
    assert endpoint.names == ["initialize", "tools/list", "DELETE"]
    assert taken.ends[1:] == [("tools/list", "http_status", "HTTP 500"), ("delete", "ok", "")]


def test_a_session_is_deleted_when_its_user_is_killed(taken: Taken, serve: Serve) -> None:
    """The exchange that the end of the run cuts is cancelled; the DELETE still goes out, on a fresh connection."""
    endpoint = Endpoint(**{"tools/list": None})
    server = serve(endpoint)
    user = client(clients(taken, MOP_HTTP_BASE=server.url("http")))

    def iterate() -> None:
        with user.session() as session:
            session.list_tools()

    running = gevent.spawn(iterate)
    with gevent.Timeout(5):
        while "tools/list" not in endpoint.names:
            gevent.sleep(0.001)
    running.kill()
    assert taken.ends == [("initialize", "ok", ""), ("tools/list", "cancelled", "end of the run"), ("delete", "ok", "")]
    assert endpoint.names[-1] == "DELETE"


def test_near_the_end_of_the_run_the_delete_gets_little_time(taken: Taken, serve: Serve) -> None:
    """A server that does not answer the DELETE costs what is left, not the timeout of an exchange."""
    shared = clients(taken, MOP_HTTP_BASE=serve(Endpoint(DELETE=None)).url("http"), MOP_TIMEOUT_MS="3600000")
    shared.end = Deadline.after(0)
    with client(shared).session():
        pass
    assert taken.ends == [("initialize", "ok", ""), ("delete", "timeout", "no answer")]


def test_the_time_to_close_is_what_is_left_of_the_run(taken: Taken) -> None:
    """The usual timeout until the end is set, then at most what is left, and never nothing."""
    shared = clients(taken, MOP_TIMEOUT_MS="5000")
    assert shared.closing_timeout() == 5.0
    shared.end = Deadline.after(3600)
    assert shared.closing_timeout() == 5.0
    shared.end = Deadline.after(2)
    assert 0.1 < shared.closing_timeout() <= 2.0
    shared.end = Deadline.after(-1)
    assert shared.closing_timeout() == SHORTEST_CLOSE


def test_the_connection_is_kept_between_sessions_and_the_id_is_not(taken: Taken, serve: Serve) -> None:
    """A user has one connection for all its sessions; each initialize begins without the id of the one before."""
    endpoint = Endpoint()
    server = serve(endpoint)
    user = client(clients(taken, MOP_HTTP_BASE=server.url("http")))
    for _ in range(2):
        with user.session():
            pass
    assert endpoint.names == ["initialize", "DELETE"] * 2
    assert ["mcp-session-id" in asked.headers for asked in endpoint.requests] == [False, True, False, True]
    assert server.connections == 1


def test_a_closed_client_opens_a_connection_again(taken: Taken, serve: Serve) -> None:
    """Closing is allowed at any time, also twice and before anything was sent."""
    endpoint = Endpoint()
    server = serve(endpoint)
    user = client(clients(taken, MOP_HTTP_BASE=server.url("http")))
    user.close()
    for _ in range(2):
        with user.session():
            pass
        user.close()
        user.close()
    assert server.connections == 2


def test_the_servers_request_inside_an_answer_is_answered_beside_it(taken: Taken, serve: Serve) -> None:
    """An event-stream answer may hold a request of the server: our answer is a POST on a second connection."""

    def events(asked: Request) -> bytes:
        lines = (request("s-1", "ping"), result(json.loads(asked.body)["id"], {"tools": []}))
        return answer(b"".join(b"data: %b\n\n" % line for line in lines), kind="text/event-stream")

    replies: list[object] = []
    endpoint = Endpoint(**{"tools/list": events})

    def behaviour(peer: Peer) -> None:
        if peer.number == 1:
            endpoint(peer)
        while (asked := peer.request()) is not None:
            replies.append(json.loads(asked.body))
            peer.write(answer(status="202 Accepted", kind=""))

    with client(clients(taken, MOP_HTTP_BASE=serve(behaviour).url("http"))).session() as session:
        assert session.list_tools().tools == []
    assert replies == [{"jsonrpc": "2.0", "id": "s-1", "result": {}}]
    assert taken.ends == [("initialize", "ok", ""), ("tools/list", "ok", ""), ("delete", "ok", "")]


def test_an_exchange_has_one_deadline(taken: Taken, serve: Serve) -> None:
    """A server that does not answer is a timeout, and the session is still deleted."""
    endpoint = Endpoint(**{"tools/list": None})
    with (
        pytest.raises(ExchangeTimeout),
        client(clients(taken, MOP_HTTP_BASE=serve(endpoint).url("http"), MOP_TIMEOUT_MS="60")).session() as session,
    ):
        session.list_tools()
    assert taken.ends == [("initialize", "ok", ""), ("tools/list", "timeout", "no answer"), ("delete", "ok", "")]


def test_a_stream_of_the_session_carries_its_id(taken: Taken, serve: Serve) -> None:
    """The GET names the session and asks for events; the stream has a connection of its own, opened and closed with the block."""
    endpoint = Endpoint(GET=answer(b": keep-alive\n\ndata: 1\n\n", kind="text/event-stream"))
    server = serve(endpoint)
    with client(clients(taken, MOP_HTTP_BASE=server.url("http"))).session() as session, session.stream() as stream:
        report = stream.watch(60)
    asked = endpoint.requests[1]
    assert (asked.method, asked.headers["mcp-session-id"], asked.headers["accept"]) == ("GET", "s-1", "text/event-stream")
    assert (report.events, report.keepalives, report.ended_by) == (1, 1, "server")
    assert [(sample.transport, sample.method, sample.outcome) for sample in taken.samples] == [
        ("http", "initialize", "ok"),
        ("sse", "stream", "ok"),
        ("http", "delete", "ok"),
    ]
    assert taken.trends[0][0] == "sse_first_byte_latency"
    assert taken.trends[0][2] == taken.samples[1].first_byte_us > 0
    assert server.connections == 2
