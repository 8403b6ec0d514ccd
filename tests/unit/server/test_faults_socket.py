"""Each fault of WebSockets at the wire, from a real process, and what the server counts of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import websocket

from .conftest import WAIT, body, over
from .faulty import CALL, SHORT, Start, read_to_end

ABNF = websocket.ABNF


def frame_of(socket: websocket.WebSocket) -> tuple[int, bytes]:
    """The next frame that is no ping."""
    while True:
        frame = socket.recv_frame()
        if frame.opcode != ABNF.OPCODE_PING:
            return frame.opcode, frame.data


@pytest.mark.parametrize(("fault", "status"), [("500", 500), ("401", 401)])
def test_a_handshake_that_is_refused(start: Start, fault: str, status: int) -> None:
    """No socket is counted."""
    server = start("--fault", fault)
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        server.socket()
    assert refusal.value.status_code == status
    assert server.counts()["sockets_opened"] == 0


@pytest.mark.parametrize(("fault", "wanted"), [("wrong-id", "not-yours"), ("other-id", 2)])
def test_a_message_with_another_id(start: Start, fault: str, wanted: Any) -> None:
    """Counted as answered."""
    server = start("--fault", fault)
    socket = server.socket()
    assert over(socket, "initialize")["id"] == wanted
    assert server.counts()["answered"] == {"websocket initialize": 1}
    socket.close()


@pytest.mark.parametrize("fault", ["truncated-json", "wrong-json"])
def test_a_message_that_is_no_json(start: Start, fault: str) -> None:
    """In a right text frame."""
    server = start("--fault", fault)
    socket = server.socket()
    socket.send(body("initialize"))
    with pytest.raises(ValueError):
        json.loads(socket.recv())
    socket.close()


@pytest.mark.parametrize("fault", ["is-error", "error-in-content"])
def test_a_tool_that_fails_over_a_socket(start: Start, fault: str) -> None:
    """Other answers are right."""
    server = start("--fault", fault)
    socket = server.socket()
    assert "result" in over(socket, "initialize")
    result = over(socket, "tools/call", CALL, 2)["result"]
    assert result == {
        "content": [{"type": "text", "text": '{"error": "The tool failed."}' if fault != "is-error" else "The tool failed."}],
        "isError": fault == "is-error",
    }
    socket.close()


def test_only_answers_to_the_chosen_methods_are_struck_over_a_socket(start: Start) -> None:
    """The method is that of the request with the same id."""
    server = start("--fault", "wrong-id", "--fault-on", "tools/list")
    socket = server.socket()
    assert over(socket, "ping", call_id="a")["id"] == "a"
    assert over(socket, "tools/list", call_id="b")["id"] == "not-yours"
    socket.close()


def test_a_stalled_message_and_all_after_it(start: Start) -> None:
    """Pings still come, and the close handshake is answered."""
    server = start("--fault", "stall", "--fault-on", "ping")
    socket = server.socket()
    assert "result" in over(socket, "tools/list")
    socket.send(body("ping", call_id=2))
    socket.send(body("tools/list", call_id=3))
    socket.settimeout(SHORT)
    with pytest.raises(websocket.WebSocketTimeoutException):
        socket.recv()
    assert server.counts()["answered"] == {"websocket tools/list": 1}
    socket.settimeout(WAIT)
    socket.send_close()
    assert frame_of(socket)[0] == ABNF.OPCODE_CLOSE
    socket.shutdown()


def test_a_message_cut_by_a_reset(start: Start) -> None:
    """Half a frame, then RST."""
    server = start("--fault", "reset")
    socket = server.socket()
    assert socket.recv_frame().opcode == ABNF.OPCODE_PING
    socket.send(body("tools/list"))
    data, ended = read_to_end(socket.sock)
    assert ended == "reset"
    assert data[:1] == b"\x81"
    assert len(data) < int.from_bytes(data[2:4], "big")
    assert server.settled_counts(sockets_open=0)["answered"] == {}


def test_a_close_frame_in_place_of_the_answer(start: Start) -> None:
    """The server goes away."""
    server = start("--fault", "early-end")
    socket = server.socket()
    socket.send(body("tools/list"))
    assert frame_of(socket) == (ABNF.OPCODE_CLOSE, (1001).to_bytes(2, "big"))
    assert server.settled_counts(sockets_open=0)["answered"] == {}
    socket.shutdown()


def test_a_connection_closed_without_a_close_frame(start: Start) -> None:
    """In place of the answer."""
    server = start("--fault", "close-without-handshake")
    socket = server.socket()
    assert socket.recv_frame().opcode == ABNF.OPCODE_PING
    socket.send(body("tools/list"))
    assert read_to_end(socket.sock) == (b"", "end")
    counts = server.settled_counts(sockets_open=0)
    assert (counts["answered"], counts["sockets_closed_cleanly"]) == ({}, 0)


def test_a_frame_with_a_reserved_bit(start: Start) -> None:
    """Counted as answered."""
    server = start("--fault", "bad-frame")
    socket = server.socket()
    assert socket.recv_frame().opcode == ABNF.OPCODE_PING
    socket.send(body("initialize"))
    assert socket.sock.recv(1) == b"\xc1"
    assert server.counts()["answered"] == {"websocket initialize": 1}
    socket.shutdown()


def test_a_message_that_drips(start: Start) -> None:
    """A frame for each byte, with pings between them: a client that waits gets the whole."""
    server = start("--fault", "drip", "--keep-alive-seconds", "0.1")
    socket = server.socket()
    socket.send(body("none/such"))
    assert [frame_of(socket) for _ in range(3)] == [
        (ABNF.OPCODE_TEXT, b"{"),
        (ABNF.OPCODE_CONT, b'"'),
        (ABNF.OPCODE_CONT, b"j"),
    ]
    assert server.counts()["answered"] == {}
    socket.shutdown()


def test_a_huge_message(start: Start) -> None:
    """It goes on past any cap, and counts as answered when the client has had enough."""
    server = start("--fault", "huge")
    socket = server.socket()
    socket.send(body("initialize"))
    size = 0
    while size < 2_000_000:
        size += len(frame_of(socket)[1])
    socket.shutdown()
    assert server.settled_counts(sockets_open=0)["received"] == {"websocket initialize": 1}
