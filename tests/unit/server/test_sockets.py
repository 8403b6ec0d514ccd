"""The facts of the real server's socket, and the standard methods over it in dialect mcp."""

from __future__ import annotations

import json
import socket as sockets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import websocket

from .conftest import CLIENT, Running, body, over

Start = Callable[..., Running]
ABNF = websocket.ABNF
BUSY = '"error":{"code":-32603,"message":"Server busy - send buffer full","data":{"reason":"backpressure"}}'


def coordination(answer: dict[str, Any]) -> dict[str, Any]:
    """What the mission engine says in the answer to a tool call."""
    told: dict[str, Any] = json.loads(answer["result"]["content"][0]["text"])
    return told


def test_no_key_is_asked_for_and_a_ping_frame_comes_at_once(mop: Running) -> None:
    """The first frame is a ping, before any message."""
    socket = mop.socket()
    opcode, frame = socket.recv_data_frame(control_frame=True)
    assert (opcode, frame.data) == (ABNF.OPCODE_PING, b"")
    socket.close()


def test_pings_repeat(start: Start) -> None:
    """One each interval, and counted."""
    server = start("--keep-alive-seconds", "0.05")
    socket = server.socket()
    opcodes = [socket.recv_data_frame(control_frame=True)[0] for _ in range(3)]
    assert opcodes == [ABNF.OPCODE_PING] * 3
    assert server.counts()["pings_sent"] >= 3
    socket.close()


def test_initialize_takes_any_params(mop: Running) -> None:
    """There is no session id over a socket."""
    socket = mop.socket()
    result = over(socket, "initialize")["result"]
    assert result["protocolVersion"] == "2024-11-05"
    assert "sessionId" not in result
    socket.close()


@pytest.mark.parametrize("method", ["ping", "prompts/list", "completion/complete"])
def test_methods_of_http_alone_are_not_found(mop: Running, method: str) -> None:
    """`ping` too: an answer, so the connection is alive."""
    socket = mop.socket()
    assert over(socket, method, call_id="p")["error"] == {
        "code": -32601,
        "message": "Method not found",
        "data": {"method": method},
    }
    socket.close()


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"jsonrpc":"2.0","method":"notifications/initialized"}'])
def test_a_frame_that_is_no_request_is_answered_with_a_null_id(mop: Running, text: str) -> None:
    """Notifications too."""
    socket = mop.socket()
    socket.send(text)
    answer = json.loads(socket.recv())
    assert (answer["id"], answer["error"]["code"]) == (None, -32603)
    socket.close()


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"name": "no_such_tool"}, "Tool 'no_such_tool' not found in registry"),
        ({"name": "exa_search_example"}, '"query" is a required property'),
        ({"name": "exa_search_example", "arguments": {"query": 3}}, '3 is not of type "string"'),
        ({"name": "exa_search_example", "arguments": None}, 'null is not of type "object"'),
        (
            {"name": "exa_research_example", "arguments": {"instructions": "q", "paradoxTolerance": 9}},
            "9 is greater than the maximum of 1",
        ),
    ],
)
def test_arguments_are_checked(mop: Running, params: Any, wrong: str) -> None:
    """A missing or wrong argument and an unknown tool are -32602."""
    socket = mop.socket()
    error = over(socket, "tools/call", params)["error"]
    assert (error["code"], error["data"]["validation_errors"]) == (-32602, [wrong])
    socket.close()


def test_a_call_without_a_tool_name_is_answered_with_a_null_id(mop: Running) -> None:
    """The real server loses the id there."""
    socket = mop.socket()
    answer = over(socket, "tools/call", {})
    assert (answer["id"], answer["error"]["code"]) == (None, -32603)
    socket.close()


@pytest.mark.parametrize("mode", ["execute", "plan", "hybrid"])
def test_a_tool_call_without_a_mission_changes_nothing(mop: Running, mode: str) -> None:
    """`isError` is not there at all."""
    socket = mop.socket()
    answer = over(socket, "tools/call", {"name": "exa_search_example", "arguments": {"query": "q"}, "mode": mode})
    told = coordination(answer)
    assert "isError" not in answer["result"]
    assert told["tool_execution"]["args"] == {"query": "q"}
    assert told["consciousness_coordination"] == {
        "applied": False,
        "injected_content": "",
        "activated_rules": [],
        "used_templates": [],
        "paradoxes_detected": 0,
        "paradox_handling": [],
        "metadata": {},
    }
    socket.close()


def test_a_mission_puts_its_guidance_before_the_query(start: Start, mission_file: Path) -> None:
    """It tells which rules and templates it used, and the pages count the event."""
    server = start("--mission", str(mission_file))
    socket = server.socket()
    told = coordination(over(socket, "tools/call", {"name": "exa_search_example", "arguments": {"query": "q"}}))
    done = told["consciousness_coordination"]
    assert (done["applied"], done["activated_rules"], done["used_templates"]) == (True, ["search-tools"], ["cite-sources"])
    assert done["injected_content"] == "## Cite sources\n\nGive the date of each source.\n\n\n"
    assert done["metadata"]["tool_name"] == "exa_search_example"
    assert told["tool_execution"]["args"]["query"] == done["injected_content"] + "\n\nq"
    other = coordination(over(socket, "tools/call", {"name": "discover_mcp_tools", "arguments": {"server_url": "u"}}))
    assert other["consciousness_coordination"]["applied"] is False
    health = server.get("/health").json()
    assert (health["active_sessions"], health["coordination_events"]) == (1, 2)
    socket.close()


def test_a_mission_that_does_not_parse_is_a_warning(start: Start, mission_file: Path, tmp_path: Path) -> None:
    """The server says so and runs on without it."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(mission_file.read_text().replace("paradox_overhead", "other"))
    server = start("--mission", str(broken))
    socket = server.socket()
    told = coordination(over(socket, "tools/call", {"name": "exa_search_example", "arguments": {"query": "q"}}))
    assert told["consciousness_coordination"]["applied"] is False
    socket.close()
    assert server.end() == 0
    assert server.process.stderr is not None
    warning = server.process.stderr.read()
    assert warning.startswith(f"mop-locust server: the mission {broken} is not active: ")
    assert "paradox_overhead" in warning


def test_resources_over_the_socket(mop: Running) -> None:
    """One catalogue under another address than over HTTP; anything else is -32601."""
    socket = mop.socket()
    uris = [resource["uri"] for resource in over(socket, "resources/list")["result"]["resources"]]
    assert uris == ["mcp://catalog"]
    catalog = over(socket, "resources/read", {"uri": "mcp://catalog"})["result"]["catalog"]
    assert catalog["summary"]["totalTools"] == 4
    assert over(socket, "resources/read", {"uri": "mop://tools/catalog"})["error"]["code"] == -32601
    socket.close()


def test_perceptions_and_debug(mop: Running) -> None:
    """A perception is added, and never removed: the real server compares with a fresh id."""
    socket = mop.socket()
    added = over(socket, "casial/perception/add", {"name": "p"})["result"]
    assert (added["name"], added["active_perceptions"]) == ("p", 1)
    removed = over(socket, "casial/perception/remove", {"perception_id": added["perception_id"]})["result"]
    assert (removed["removed"], removed["remaining_perceptions"]) == (False, 1)
    debug = over(socket, "casial/debug", {"toolName": "t"})["result"]
    assert debug["session"]["message_count"] == 3
    assert debug["debug_request"] == {"tool_name": "t", "args": {}}
    socket.close()


def test_binary_frames_are_ignored_and_pings_are_answered(mop: Running) -> None:
    """The next text frame is answered as if nothing had been."""
    socket = mop.socket()
    socket.send_binary(b"\x00\x01")
    assert over(socket, "ping", call_id=5)["id"] == 5
    socket.ping("hello")
    opcode, frame = socket.recv_data_frame(control_frame=True)
    assert (opcode, frame.data) == (ABNF.OPCODE_PONG, b"hello")
    socket.close()


def test_answers_come_in_order_and_fragments_are_joined(mop: Running) -> None:
    """Sixty calls at once, then one in three pieces."""
    socket = mop.socket()
    for number in range(60):
        socket.send(body("ping", call_id=number))
    assert [json.loads(socket.recv())["id"] for _ in range(60)] == list(range(60))
    text = body("ping", call_id="in pieces").encode()
    socket.send_frame(ABNF(0, 0, 0, 0, ABNF.OPCODE_TEXT, 1, text[:5]))
    socket.send_frame(ABNF(0, 0, 0, 0, ABNF.OPCODE_CONT, 1, text[5:9]))
    socket.send_frame(ABNF(1, 0, 0, 0, ABNF.OPCODE_CONT, 1, text[9:]))
    assert json.loads(socket.recv())["id"] == "in pieces"
    socket.close()


def test_the_close_frame_is_answered_with_its_code(mop: Running) -> None:
    """Then the server closes the connection."""
    socket = mop.socket()
    socket.send(body("ping"))
    socket.recv()
    socket.send_close(4321, b"enough")
    opcode, frame = socket.recv_data_frame(control_frame=True)
    assert (opcode, frame.data) == (ABNF.OPCODE_CLOSE, (4321).to_bytes(2, "big"))
    assert socket.sock.recv(1) == b""


@pytest.mark.parametrize(
    ("frame", "code"),
    [(b"\x81\x02hi", 1002), (b"\x83\x80aaaa", 1002), (b"\x81\xff\x00\x00\x00\x00\x7f\xff\xff\xffaaaa", 1009)],
)
def test_a_wrong_frame_is_answered_with_a_close_frame(mop: Running, frame: bytes, code: int) -> None:
    """No mask, an unknown opcode, a message of 2 GiB; none of them counts as a clean close."""
    before = mop.counts()["sockets_closed_cleanly"]
    socket = mop.socket()
    socket.recv_data_frame(control_frame=True)
    socket.sock.sendall(frame)
    opcode, closing = socket.recv_data_frame(control_frame=True)
    assert (opcode, closing.data) == (ABNF.OPCODE_CLOSE, code.to_bytes(2, "big"))
    assert mop.counts()["sockets_closed_cleanly"] == before


def test_other_paths_and_wrong_handshakes_are_refused(mop: Running) -> None:
    """404 for a path, 400 for another version of the protocol."""
    with pytest.raises(websocket.WebSocketBadStatusException, match="404"):
        websocket.create_connection(mop.ws + "x", timeout=10)
    host, port = mop.base.removeprefix("http://").split(":")
    with sockets.create_connection((host, int(port)), timeout=10) as plain:
        plain.sendall(
            b"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: x\r\n\r\n"
        )
        assert plain.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_reader_that_does_not_read_loses_answers_and_is_told(start: Start) -> None:
    """64 answers wait; more are dropped, and one error with a null id says so; dropped ones are not counted as answered."""
    server = start("--tools", "20", "--tool-bytes", "10000")
    slow = server.socket()
    sent = 300
    for number in range(sent):
        slow.send(body("tools/list", call_id=number))
    while server.counts()["received"]["websocket tools/list"] < sent:
        pass
    answered, busy = 0, 0
    slow.settimeout(0.5)
    try:
        while True:
            answer = slow.recv()
            answered += '"result":' in answer
            busy += answer == f'{{"jsonrpc":"2.0","id":null,{BUSY}}}'
    except websocket.WebSocketTimeoutException:
        pass
    assert 64 <= answered < sent
    assert busy >= 1
    assert server.counts()["answered"]["websocket tools/list"] == answered


def test_a_delay_holds_answers_over_the_socket(start: Start) -> None:
    """Each message of a socket waits for the one before, as in the real server."""
    server = start("--delay", "50")
    socket = server.socket()
    for number in range(3):
        socket.send(body("ping", call_id=number))
    assert [json.loads(socket.recv())["id"] for _ in range(3)] == [0, 1, 2]
    socket.close()


def test_dialect_mcp_speaks_the_standard_methods(mcp: Running) -> None:
    """The subprotocol is taken, ping is answered, notifications are not, wrong arguments are a result."""
    socket = mcp.socket(subprotocols=["other", "mcp"])
    assert socket.getsubprotocol() == "mcp"
    assert over(socket, "initialize", {**CLIENT, "protocolVersion": "2025-06-18"})["result"]["protocolVersion"] == "2025-06-18"
    socket.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
    socket.send('{"jsonrpc":"2.0","id":1,"result":{}}')
    assert over(socket, "ping", call_id="next") == {"jsonrpc": "2.0", "id": "next", "result": {}}
    assert over(socket, "tools/call", {"name": "exa_search_example"})["result"]["isError"] is True
    socket.send("no JSON")
    assert json.loads(socket.recv())["error"]["code"] == -32700
    socket.close()


def test_dialect_mop_takes_no_subprotocol(mop: Running) -> None:
    """The real server names none, and websocket-client refuses an answer without one."""
    with pytest.raises(websocket.WebSocketException, match="Invalid WebSocket Header"):
        mop.socket(subprotocols=["mcp"])
