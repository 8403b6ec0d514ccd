"""The whole server as a process, in dialect mop: the facts of the real server over HTTP, the pages, exact counts, a clean end."""

from __future__ import annotations

import base64
import json
import re
import signal
import socket as sockets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from .conftest import CLIENT, KEY, Running, body, over

Start = Callable[..., Running]


def encoded(config: dict[str, object]) -> str:
    """The value of ?config=."""
    return base64.b64encode(json.dumps(config).encode()).decode()


def test_initialize_gives_the_session_id_in_the_header_and_in_the_result(mop: Running) -> None:
    """Whatever version is asked for, the answer is 2024-11-05."""
    for version in ("2024-11-05", "2025-11-25", "1999-01-01"):
        answer = mop.post(body("initialize", {**CLIENT, "protocolVersion": version}), KEY)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["mcp-protocol-version"] == "2024-11-05"
        result = answer.json()["result"]
        assert result["protocolVersion"] == "2024-11-05"
        assert result["sessionId"] == answer.headers["mcp-session-id"]
        assert re.fullmatch(r"mop-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", result["sessionId"])


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"Authorization": "Bearer wrong"}, "", 401),
        ({"Authorization": "Bearer"}, "", 401),
        ({"Authorization": "Basic DEMO_KEY_PUBLIC"}, "", 401),
        ({"Authorization": "bearer   DEMO_KEY_PUBLIC "}, "", 200),
        ({}, "?apiKey=DEMO_KEY_PUBLIC", 200),
        ({"Authorization": "Bearer wrong"}, "?apiKey=DEMO_KEY_PUBLIC", 200),
        (KEY, "?apiKey=wrong", 401),
        ({}, "?config=" + encoded({"apiKey": "DEMO_KEY_PUBLIC", "debug": True}), 200),
        (KEY, "?config=" + encoded({"apiKey": "wrong"}), 401),
        (KEY, "?config=" + encoded({}), 200),
        ({}, "?apiKey=DEMO_KEY_PUBLIC&config=" + encoded({}), 401),
        ({}, "?apiKey=DEMO_KEY_PUBLIC&config=!", 200),
        (KEY, "?agent_role=nobody&other=1", 200),
        (KEY, "?debug=true", 400),
        (KEY, "?max_context_size=5000", 400),
        (KEY, "?apiKey=DEMO_KEY_PUBLIC&apiKey=DEMO_KEY_PUBLIC", 400),
    ],
)
def test_the_key_is_a_bearer_token_or_a_query_parameter_and_the_query_wins(
    mop: Running, headers: dict[str, str], query: str, status: int
) -> None:
    """A refusal for the key is JSON but not JSON-RPC."""
    answer = mop.post(body("initialize", CLIENT), headers, query)
    assert answer.status_code == status
    if status == 401:
        assert answer.json().keys() == {"error", "message"}


def test_a_known_session_makes_the_key_unnecessary(mop: Running) -> None:
    """The session id alone is enough, also beside a wrong key."""
    session, _ = mop.initialize()
    session_id = session["Mcp-Session-Id"]
    for headers in ({"Mcp-Session-Id": session_id}, {"Mcp-Session-Id": session_id, "Authorization": "Bearer wrong"}):
        assert mop.post(body("ping"), headers).json() == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_another_key_can_be_given_by_the_environment(start: Start) -> None:
    """MOP_SERVER_KEY replaces the demo key."""
    server = start(environment={"MOP_SERVER_KEY": "other"})
    assert server.post(body("initialize", CLIENT), KEY).status_code == 401
    assert server.post(body("initialize", CLIENT), {"Authorization": "Bearer other"}).status_code == 200


def test_a_request_without_a_session_is_400_and_an_unknown_session_too(mop: Running) -> None:
    """With a key 400 and -32000 with the request's id, without one 401."""
    missing = mop.post(body("tools/list", call_id="a"), KEY)
    assert (missing.status_code, missing.json()) == (
        400,
        {"jsonrpc": "2.0", "id": "a", "error": {"code": -32000, "message": "Session ID required"}},
    )
    unknown = mop.post(body("tools/list", call_id=None), {**KEY, "Mcp-Session-Id": "mop-unknown"})
    assert (unknown.status_code, unknown.json()) == (
        400,
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "Invalid session ID"}},
    )
    assert mop.post(body("tools/list"), {"Mcp-Session-Id": "mop-unknown"}).status_code == 401


@pytest.mark.parametrize(
    "data", ["", "no JSON", "[]", "7", '{"jsonrpc":"2.0","id":1}', b"\xff", '{"jsonrpc":"2.0","method":"ping"}']
)
def test_a_body_that_is_no_request_is_400_and_empty(mop: Running, data: str | bytes) -> None:
    """That is also what a notification gets."""
    session, _ = mop.initialize()
    answer = mop.post(data, session)
    assert (answer.status_code, answer.content) == (400, b"")


def test_notifications_initialized_is_answered_only_with_an_id(mop: Running) -> None:
    """With an id it even needs no session."""
    session, _ = mop.initialize()
    assert mop.post('{"jsonrpc":"2.0","method":"notifications/initialized"}', session).status_code == 400
    assert mop.call(session, "notifications/initialized") == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert mop.call(KEY, "notifications/initialized")["result"] == {}


def test_an_unknown_method_is_200_and_method_not_found(mop: Running) -> None:
    """The error is in the body alone."""
    session, _ = mop.initialize()
    answer = mop.post(body("no/such"), session)
    assert answer.status_code == 200
    assert answer.json()["error"] == {"code": -32601, "message": "Method not found", "data": {"method": "no/such"}}


def test_the_id_comes_back_as_it_was(mop: Running) -> None:
    """Numbers, texts with non-ASCII letters, null and even an array."""
    session, _ = mop.initialize()
    for call_id in (7, "grün", None, 1.5, [1]):
        assert mop.post(body("ping", call_id=call_id), session).json()["id"] == call_id


def test_tools_list_has_the_four_tools_and_about_4_2_kilobytes(mop: Running) -> None:
    """Names and schemas are the real server's."""
    session, _ = mop.initialize()
    answer = mop.post(body("tools/list"), session)
    tools = {tool["name"]: tool for tool in answer.json()["result"]["tools"]}
    assert set(tools) == {"orchestrate_mcp_proxy", "discover_mcp_tools", "exa_search_example", "exa_research_example"}
    assert 4100 <= len(answer.content) <= 4400
    assert tools["discover_mcp_tools"]["inputSchema"]["required"] == ["server_url"]
    assert tools["exa_search_example"]["inputSchema"]["required"] == ["query"]


def test_an_unknown_tool_is_an_error_in_the_text_alone(mop: Running) -> None:
    """HTTP 200, no JSON-RPC error, isError false."""
    session, _ = mop.initialize()
    result = mop.call(session, "tools/call", {"name": "no_such_tool"})["result"]
    assert result["isError"] is False
    assert json.loads(result["content"][0]["text"])["error"] == "Unknown tool: no_such_tool"


def test_a_tool_call_without_its_arguments_succeeds_over_http(mop: Running) -> None:
    """Nothing is checked, and nothing outside is called."""
    session, _ = mop.initialize()
    text = mop.call(session, "tools/call", {"name": "exa_search_example"})["result"]["content"][0]["text"]
    told = json.loads(text)
    assert (told["status"], told["query"], told["_response_metadata"]["tool_name"]) == ("success", "", "exa_search_example")


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        ("ping", None, {}),
        ("resources/subscribe", {"uri": "x"}, {}),
        ("resources/unsubscribe", {"uri": "x"}, {}),
        (
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "a", "value": "b"}},
            {"completion": {"values": [], "hasMore": False, "total": 0}},
        ),
    ],
)
def test_the_small_methods(mop: Running, method: str, params: Any, result: Any) -> None:
    """Each has one fixed result."""
    session, _ = mop.initialize()
    assert mop.call(session, method, params)["result"] == result


def test_sampling_is_disabled_unless_the_environment_says_otherwise(mop: Running, start: Start) -> None:
    """-32001, and with MOP_ENABLE_SAMPLING -32601."""
    session, _ = mop.initialize()
    assert mop.call(session, "sampling/createMessage", {"messages": []})["error"]["code"] == -32001
    server = start(environment={"MOP_ENABLE_SAMPLING": "1"})
    session, _ = server.initialize()
    assert server.call(session, "sampling/createMessage", {"messages": []})["error"]["code"] == -32601


def test_delete_ends_a_session(mop: Running) -> None:
    """200 once, then 404 with a key and 401 without; 400 without a session header."""
    session, _ = mop.initialize()

    def delete(headers: dict[str, str]) -> tuple[int, str]:
        answer = requests.delete(mop.mcp, headers=headers, timeout=10)
        return answer.status_code, answer.text

    assert delete(KEY) == (400, "Session ID required")
    assert delete({"Mcp-Session-Id": session["Mcp-Session-Id"]}) == (200, "")
    assert delete(session) == (404, "Session not found")
    assert delete({"Mcp-Session-Id": session["Mcp-Session-Id"]})[0] == 401
    assert mop.post(body("ping"), session).status_code == 400


def test_the_stream_needs_a_session(mop: Running) -> None:
    """400 and plain text with a key, 401 without."""
    for headers, status, text in ((KEY, 400, "Session ID required"), ({**KEY, "Mcp-Session-Id": "x"}, 400, "Invalid session ID")):
        answer = requests.get(mop.mcp, headers=headers, timeout=10)
        assert (answer.status_code, answer.text) == (status, text)
        assert answer.headers["content-type"].startswith("text/plain")
    assert requests.get(mop.mcp, timeout=10).status_code == 401


def test_the_stream_stays_open_and_sends_keep_alives(start: Start) -> None:
    """Comments only, one each interval; the server counts them."""
    server = start("--keep-alive-seconds", "0.05")
    session, _ = server.initialize()
    with requests.get(server.mcp, headers=session, stream=True, timeout=10) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["transfer-encoding"] == "chunked"
        assert answer.raw.read1(1000) == b": keep-alive\n\n"
        assert answer.raw.read1(1000) == b": keep-alive\n\n"
        assert server.counts()["streams_open"] == 1
    counts = server.settled_counts(streams_closed=1)
    assert (counts["streams_opened"], counts["streams_closed"], counts["streams_open"]) == (1, 1, 0)
    assert counts["keep_alives_sent"] >= 2
    assert counts["answered"]["http GET"] == 1


def test_the_stream_ends_early_when_asked_to(start: Start) -> None:
    """The headers and nothing else, as the real server does."""
    server = start("--sse-ends-early", "--keep-alive-seconds", "0.01")
    session, _ = server.initialize()
    answer = requests.get(server.mcp, headers=session, timeout=10)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"", "text/event-stream")
    assert server.counts()["keep_alives_sent"] == 0


def test_probes(mop: Running) -> None:
    """HEAD needs the key, OPTIONS does not; other verbs are refused."""
    assert requests.head(mop.mcp, timeout=10).status_code == 401
    assert requests.head(mop.mcp, headers=KEY, timeout=10).status_code == 200
    options = requests.options(mop.mcp, timeout=10)
    assert (options.status_code, options.headers["access-control-allow-origin"]) == (200, "*")
    assert requests.put(mop.mcp, headers=KEY, timeout=10).status_code == 405


def test_the_pages(mop: Running) -> None:
    """Health on two paths, the configuration's schema, refusals for the rest."""
    for path in ("/", "/health"):
        health = mop.get(path).json()
        assert (health["status"], health["version"], health["coordination_events"]) == ("healthy", "0.1.4", 0)
    schema = mop.get("/.well-known/mcp-config").json()["configSchema"]
    assert set(schema["properties"]) == {
        "apiKey",
        "debug",
        "consciousness_mode",
        "max_context_size",
        "agent_role",
        "mission",
        "shim_enabled",
    }
    assert mop.get("/debug/status").status_code == 403
    assert mop.get("/nowhere").status_code == 404
    assert mop.get("/ws").status_code == 400
    assert requests.post(f"{mop.base}/health", timeout=10).status_code == 405
    assert requests.head(f"{mop.base}/health", timeout=10).status_code == 200


def test_metrics_tell_what_was_served(start: Start) -> None:
    """The real server's names with live values, and our own by transport and method."""
    server = start()
    session, _ = server.initialize()
    server.call(session, "tools/list")
    server.post('{"jsonrpc":"2.0","id":1,"method":"a\\"b"}', session)
    socket = server.socket()
    over(socket, "ping")
    answer = server.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4"
    lines = answer.text.splitlines()
    for line in (
        "casial_active_sessions 1",
        "casial_coordination_events_total 0",
        'mop_server_answered_total{transport="http",method="tools/list"} 1',
        'mop_server_received_total{transport="http",method="a\\"b"} 1',
        'mop_server_answered_total{transport="websocket",method="ping"} 1',
        "mop_server_sessions_open 1",
        "mop_server_sockets_open 1",
    ):
        assert line in lines
    socket.close()


def test_counts_are_exact(start: Start, tmp_path: Path) -> None:
    """Each exchange counts once on both sides, refused ones too; the file at the end tells the same."""
    file = tmp_path / "counts.json"
    server = start("--counts", str(file))
    session, _ = server.initialize()
    for _ in range(3):
        server.call(session, "tools/list")
    server.post(body("tools/list"), {})
    server.post("no JSON", session)
    server.post('{"jsonrpc":"2.0","method":"notifications/initialized"}', session)
    socket = server.socket()
    over(socket, "ping")
    over(socket, "tools/list")
    socket.send("no JSON")
    socket.recv()
    socket.close()
    dropped = server.socket()
    dropped.shutdown()
    requests.delete(server.mcp, headers=session, timeout=10)
    counts = server.settled_counts(sockets_closed=2)
    exchanges = {
        "http initialize": 1,
        "http tools/list": 4,
        "http invalid": 1,
        "http notifications/initialized": 1,
        "http DELETE": 1,
        "websocket ping": 1,
        "websocket tools/list": 1,
        "websocket invalid": 1,
    }
    assert counts["received"] == exchanges
    assert counts["answered"] == exchanges
    assert (counts["sessions_opened"], counts["sessions_deleted"], counts["sessions_open"]) == (1, 1, 0)
    assert (counts["sockets_opened"], counts["sockets_closed"], counts["sockets_closed_cleanly"]) == (2, 2, 1)
    assert server.end() == 0
    written = json.loads(file.read_text())
    assert {**written, "connections": 0} == {**counts, "connections": 0}


def test_a_delay_holds_answers_and_a_client_that_left_is_not_answered(start: Start) -> None:
    """The held exchange was received; it is not counted as answered."""
    server = start("--delay", "300")
    began = time.monotonic()
    session, _ = server.initialize()
    assert time.monotonic() - began >= 0.3
    with pytest.raises(requests.Timeout):
        requests.post(server.mcp, data=body("ping"), headers=session, timeout=0.05)
    time.sleep(0.4)
    counts = server.counts()
    assert counts["received"]["http ping"] == 1
    assert "http ping" not in counts["answered"]


def test_a_body_over_the_limit_is_refused(mop: Running) -> None:
    """413 above 2 MiB."""
    assert mop.post(b" " * (2 * 1024 * 1024 + 1), KEY).status_code == 413


def test_generated_tools_have_the_asked_number_and_size(start: Start) -> None:
    """They come after the built-in ones and can be called."""
    server = start("--tools", "3", "--tool-bytes", "1000")
    session, _ = server.initialize()
    tools = server.call(session, "tools/list")["result"]["tools"]
    assert [tool["name"] for tool in tools[4:]] == ["generated_1", "generated_2", "generated_3"]
    assert {len(json.dumps(tool, separators=(",", ":"))) for tool in tools[4:]} == {1000}
    called = server.call(session, "tools/call", {"name": "generated_2", "arguments": {"query": "q"}})
    assert json.loads(called["result"]["content"][0]["text"])["args"] == {"query": "q"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_with_a_stream_and_a_socket_open(start: Start, number: int) -> None:
    """The stream ends as a stream should, the socket gets a close frame; exit code 0, nothing on stderr."""
    server = start()
    session, _ = server.initialize()
    stream = requests.get(server.mcp, headers=session, stream=True, timeout=10)
    socket = server.socket()
    assert socket.recv_data_frame(control_frame=True)[0] == websocket.ABNF.OPCODE_PING
    assert server.end(number) == 0
    assert stream.raw.read() == b""
    assert socket.sock.recv(100) == b"\x88\x02" + (1012).to_bytes(2, "big")
    assert server.process.stderr is not None
    assert server.process.stderr.read() == ""


def test_the_server_does_not_wait_for_held_answers(start: Start) -> None:
    """They are held for a minute; the held POST is answered with 503."""
    server = start("--delay", "60000")
    host, port = server.base.removeprefix("http://").split(":")
    data = body("initialize", CLIENT)
    held = sockets.create_connection((host, int(port)), timeout=10)
    held.sendall(f"POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: {len(data)}\r\n\r\n{data}".encode())
    socket = server.socket()
    socket.send(body("ping"))
    while len(server.counts()["received"]) < 2:
        pass
    assert server.end() == 0
    assert held.recv(1000).startswith(b"HTTP/1.1 503 ")
    held.close()
    assert server.process.stderr is not None
    assert server.process.stderr.read() == ""
