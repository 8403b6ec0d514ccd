"""Dialect mcp as a process: what a standard server answers where the MOP server does otherwise; and the key in a query."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
import requests

from mop_locust.server.dialect import BadQuery, query_key

from .conftest import BOTH, CLIENT, KEY, Running, body

Start = Callable[..., Running]


def events(text: str) -> list[dict[str, object]]:
    """The JSON-RPC messages of an event stream that has `message` events only."""
    blocks = text.removesuffix("\n\n").split("\n\n")
    assert all(block.startswith("event: message\ndata: ") for block in blocks)
    return [json.loads(block.removeprefix("event: message\ndata: ")) for block in blocks]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("never", "2025-11-25"),
    ],
)
def test_the_version_is_negotiated(mcp: Running, asked: str, answered: str) -> None:
    """An unknown version is answered with the newest; the session id is in the header alone."""
    session, result = mcp.initialize(protocolVersion=asked)
    assert result["protocolVersion"] == answered
    assert "sessionId" not in result
    assert len(session["Mcp-Session-Id"]) == 32


def test_initialize_with_wrong_params_opens_no_session(mcp: Running) -> None:
    """-32602 and no session header."""
    answer = mcp.post(body("initialize", {"capabilities": {}}), KEY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, -32602)
    assert "mcp-session-id" not in answer.headers


def test_a_notification_and_a_reply_are_accepted(mcp: Running) -> None:
    """202 and nothing else, but only in a session."""
    session, _ = mcp.initialize()
    for text in ('{"jsonrpc":"2.0","method":"notifications/initialized"}', '{"jsonrpc":"2.0","id":"server-1","result":{}}'):
        answer = mcp.post(text, session)
        assert (answer.status_code, answer.content) == (202, b"")
        assert mcp.post(text, KEY).status_code == 400


def test_an_unknown_session_is_404_and_a_missing_one_400(mcp: Running) -> None:
    """For every verb; a deleted session is unknown."""
    session, _ = mcp.initialize()
    unknown = {**KEY, **BOTH, "Mcp-Session-Id": "0" * 32}
    for verb in ("POST", "GET", "DELETE"):
        data = body("ping") if verb == "POST" else None
        assert requests.request(verb, mcp.mcp, data=data, headers=unknown, timeout=10).status_code == 404
        assert requests.request(verb, mcp.mcp, data=data, headers={**KEY, **BOTH}, timeout=10).status_code == 400
    assert requests.delete(mcp.mcp, headers=session, timeout=10).status_code == 200
    gone = mcp.post(body("ping"), session)
    assert (gone.status_code, gone.json()["error"]) == (404, {"code": -32600, "message": "Session not found"})


def test_every_request_needs_the_key(mcp: Running) -> None:
    """Also one with a session; the refusal names the scheme."""
    session, _ = mcp.initialize()
    answer = mcp.post(body("ping"), {"Mcp-Session-Id": session["Mcp-Session-Id"]})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert mcp.post(body("ping"), {**session, "Authorization": "Bearer wrong"}).status_code == 401
    assert mcp.post(body("ping"), {**session, "Authorization": "bearer DEMO_KEY_PUBLIC"}).status_code == 200


@pytest.mark.parametrize(
    ("accept", "as_json", "as_events"),
    [
        ("application/json, text/event-stream", 200, 200),
        ("*/*", 200, 200),
        ("application/json", 200, 406),
        ("text/event-stream", 406, 406),
        ("text/html", 406, 406),
    ],
)
def test_accept_must_name_what_can_come(mcp: Running, mcp_events: Running, accept: str, as_json: int, as_events: int) -> None:
    """JSON alone is enough where answers are JSON."""
    for server, status in ((mcp, as_json), (mcp_events, as_events)):
        assert server.post(body("initialize", CLIENT), {**KEY, "Accept": accept}).status_code == status


def test_the_stream_must_be_accepted(mcp: Running) -> None:
    """406 for a GET that takes no events."""
    session, _ = mcp.initialize()
    assert requests.get(mcp.mcp, headers={**session, "Accept": "application/json"}, timeout=10).status_code == 406


@pytest.mark.parametrize(("kind", "status"), [("application/json; charset=utf-8", 200), ("text/plain", 400), ("", 400)])
def test_the_content_type_must_be_json(mcp: Running, kind: str, status: int) -> None:
    """Parameters do not matter."""
    assert mcp.post(body("initialize", CLIENT), {**KEY, "Content-Type": kind}).status_code == status


@pytest.mark.parametrize(
    ("data", "code"),
    [("no JSON", -32700), (b'"\xff"', -32700), ("[]", -32602), ("7", -32600), ('{"jsonrpc":"2.0","id":1}', -32600)],
)
def test_a_body_that_is_no_message_is_400_with_a_json_rpc_error(mcp: Running, data: str | bytes, code: int) -> None:
    """A batch has a code of its own."""
    session, _ = mcp.initialize()
    answer = mcp.post(data, session)
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["id"]) == (400, code, None)


def test_the_version_header_must_be_a_known_one(mcp: Running) -> None:
    """It may be missing."""
    session, _ = mcp.initialize()
    for version, status in (("2025-06-18", 200), ("2024-11-05", 200), ("1999-01-01", 400)):
        assert mcp.post(body("ping"), {**session, "MCP-Protocol-Version": version}).status_code == status


def test_a_tool_that_fails_is_a_result_with_is_error(mcp: Running) -> None:
    """An unknown tool and wrong arguments alike."""
    session, _ = mcp.initialize()
    for params, text in (
        ({"name": "no_such_tool"}, "Unknown tool: no_such_tool"),
        ({"name": "exa_search_example", "arguments": {"query": 1}}, '1 is not of type "string"'),
    ):
        result = mcp.call(session, "tools/call", params)["result"]
        assert result == {"content": [{"type": "text", "text": text}], "isError": True}
    good = mcp.call(session, "tools/call", {"name": "exa_search_example", "arguments": {"query": "q"}})["result"]
    assert (good["isError"], good["structuredContent"]["query"]) == (False, "q")
    assert json.loads(good["content"][0]["text"]) == good["structuredContent"]


def test_methods_that_only_the_mop_server_has_are_not_found(mcp: Running) -> None:
    """And one that only a standard server has is there."""
    session, _ = mcp.initialize()
    for method in ("sampling/createMessage", "notifications/initialized", "casial/debug"):
        assert mcp.call(session, method, {"messages": []})["error"]["code"] == -32601
    assert mcp.call(session, "logging/setLevel", {"level": "info"})["result"] == {}


def test_a_session_has_one_stream_and_its_end_ends_it(mcp: Running) -> None:
    """A second GET is 409; DELETE ends the stream."""
    session, _ = mcp.initialize()
    with requests.get(mcp.mcp, headers=session, stream=True, timeout=10) as stream:
        assert stream.status_code == 200
        assert requests.get(mcp.mcp, headers=session, timeout=10).status_code == 409
        assert requests.delete(mcp.mcp, headers=session, timeout=10).status_code == 200
        assert stream.raw.read() == b""


def test_other_verbs_are_refused(mcp: Running) -> None:
    """HEAD and OPTIONS too."""
    for verb in ("HEAD", "OPTIONS", "PUT"):
        answer = requests.request(verb, mcp.mcp, headers=KEY, timeout=10)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, DELETE")


def test_answers_as_events(mcp_events: Running) -> None:
    """One `message` event with the whole answer, and the session id in every answer's headers."""
    answer = mcp_events.post(body("initialize", CLIENT), KEY)
    assert answer.headers["content-type"] == "text/event-stream"
    session = {**KEY, "Mcp-Session-Id": answer.headers["mcp-session-id"]}
    listed = mcp_events.post(body("tools/list", call_id="l"), session)
    (message,) = events(listed.text)
    assert message["id"] == "l"
    assert listed.headers["mcp-session-id"] == session["Mcp-Session-Id"]


def test_a_tool_call_as_events_has_messages_of_the_servers_own_before_the_answer(mcp_events: Running) -> None:
    """A notification and a request, whose answer is accepted."""
    answer = mcp_events.post(body("initialize", CLIENT), KEY)
    session = {**KEY, "Mcp-Session-Id": answer.headers["mcp-session-id"]}
    called = mcp_events.post(body("tools/call", {"name": "exa_search_example", "arguments": {"query": "q"}}), session)
    notification, request, result = events(called.text)
    assert (notification["method"], "id" in notification) == ("notifications/message", False)
    assert (request["method"], request["id"]) == ("ping", "server-1")
    assert (result["id"], "result" in result) == (1, True)
    before = mcp_events.counts()["answered"].get("http reply", 0)
    assert mcp_events.post('{"jsonrpc":"2.0","id":"server-1","result":{}}', session).status_code == 202
    assert mcp_events.counts()["answered"]["http reply"] == before + 1


def test_the_limit_of_a_body_is_4_mebibytes(mcp: Running) -> None:
    """413 above."""
    session, _ = mcp.initialize()
    assert mcp.post(b" " * (4 * 1024 * 1024) + b"x", session).status_code == 413


def encoded(text: bytes) -> bytes:
    """The config parameter of a query."""
    return b"config=" + base64.b64encode(text)


@pytest.mark.parametrize(
    ("query", "key"),
    [
        (b"", None),
        (b"apiKey=k", "k"),
        (b"apiKey=", ""),
        (b"apiKey=a%20b&mission=m", "a b"),
        (encoded(b'{"apiKey":"c"}'), "c"),
        (encoded(b'{"apiKey":"c"}') + b"&apiKey=k", "c"),
        (encoded(b"{}") + b"&apiKey=k", None),
        (encoded(b"no JSON") + b"&apiKey=k", "k"),
        (encoded(b'{"debug":"yes"}') + b"&apiKey=k", "k"),
        (b"config=***&apiKey=k", "k"),
    ],
)
def test_the_key_of_a_query(query: bytes, key: str | None) -> None:
    """A config that parses wins, even without a key in it; one that does not counts for nothing."""
    assert query_key(query) == key


@pytest.mark.parametrize("query", [b"debug=true", b"shim_enabled=1", b"max_context_size=5", b"apiKey=a&apiKey=a"])
def test_queries_that_the_real_server_refuses(query: bytes) -> None:
    """It reads every value as a text, and a field once."""
    with pytest.raises(BadQuery):
        query_key(query)
