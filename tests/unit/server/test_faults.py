"""Each fault at the wire, from a real process, and what the server counts of it."""

from __future__ import annotations

import argparse
import json
import signal
import socket as sockets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from mop_locust.server.faults import FAULTS, Fault, Faults, Place, explain_faults, read_fault
from mop_locust.server.options import Options, add_arguments, read_options
from mop_locust.server.spoiler import next_id

from .conftest import BOTH, CLIENT, KEY, WAIT, Running, body, over

Start = Callable[..., Running]
ABNF = websocket.ABNF
CALL = {"name": "exa_search_example", "arguments": {"query": "x"}}
SHORT = 0.4
"""Seconds after which an answer that never comes is given up."""


def initialize(server: Running) -> requests.Response:
    """The answer to `initialize`, whatever it is."""
    return server.post(body("initialize", CLIENT), KEY)


def opened_with_events(server: Running) -> dict[str, str]:
    """The headers of a session whose answers are event streams."""
    return {**KEY, "Mcp-Session-Id": initialize(server).headers["mcp-session-id"]}


def connected(server: Running) -> sockets.socket:
    """A TCP connection to the server."""
    host, port = server.base.removeprefix("http://").rsplit(":", 1)
    return sockets.create_connection((host, int(port)), timeout=WAIT)


def request(verb: str, headers: dict[str, str], data: str = "") -> bytes:
    """A request to /mcp on the wire."""
    lines = [f"{verb} /mcp HTTP/1.1", "Host: x", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in {**BOTH, **headers}.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + data).encode()


def read_to_end(connection: sockets.socket) -> tuple[bytes, str]:
    """What came, and how it ended: "end", "reset" or "open"."""
    data = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return data, "reset"
        except TimeoutError:
            return data, "open"
        if not piece:
            return data, "end"
        data += piece


def content_length(head: bytes) -> int:
    """What the head of an answer says of its body."""
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


def frame_of(socket: websocket.WebSocket) -> tuple[int, bytes]:
    """The next frame that is no ping."""
    while True:
        frame = socket.recv_frame()
        if frame.opcode != ABNF.OPCODE_PING:
            return frame.opcode, frame.data


# --- what a fault is


def test_a_fault_is_a_name_and_a_rate() -> None:
    """The rate is 1 unless it is given."""
    assert read_fault("stall") == Fault("stall", 1.0)
    assert read_fault("500:0.25") == Fault("500", 0.25)


@pytest.mark.parametrize("text", ["stal", "stall:", "stall:2", "stall:-1", "stall:nan", "stall:x", ""])
def test_anything_else_is_refused(text: str) -> None:
    """With what is allowed."""
    with pytest.raises(ValueError, match=r"there are refuse, reset|allowed: a number from 0 to 1"):
        read_fault(text)


def test_every_fault_is_one_sentence_of_the_help() -> None:
    """On the command line."""
    for fault, kind in FAULTS.items():
        assert kind.sentence.endswith(".")
        assert f"  {fault}\n      {kind.sentence}" in explain_faults()
    command = [sys.executable, "-m", "mop_locust.server", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]).stdout
    assert explain_faults() in shown


def test_the_options() -> None:
    """Faults and methods add up; the rate of a fault that is given wrong is told on the command line."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    line = ["--fault", "stall", "--fault", "500:0.5", "--fault-on", "ping", "--fault-on", "GET", "--fault-seed", "7"]
    options = read_options(parser.parse_args(line), {})
    assert options == Options(faults=(Fault("stall"), Fault("500", 0.5)), fault_on=("ping", "GET"), fault_seed=7)
    with pytest.raises(argparse.ArgumentError, match="'stal' is no fault; there are refuse"):
        parser.parse_args(["--fault", "stal"])


def test_the_seed_decides_what_is_struck() -> None:
    """The same seed gives the same course; the share is about the rate; 0 is never and 1 always."""

    def course(rate: float, seed: int) -> list[bool]:
        faults = Faults([Fault("stall", rate)], (), seed)
        return [faults.draw({Place.ANSWER}) == "stall" for _ in range(1000)]

    assert course(0.3, 1) == course(0.3, 1)
    assert course(0.3, 1) != course(0.3, 2)
    assert 200 < sum(course(0.3, 1)) < 400
    assert not any(course(0.0, 1))
    assert all(course(1.0, 1))


def test_a_fault_strikes_only_where_it_can_and_what_was_chosen() -> None:
    """The first that strikes counts; a connection has no method that could have been chosen."""
    faults = Faults([Fault("bad-frame"), Fault("stall"), Fault("refuse")], ["ping"], 0)
    assert faults.draw({Place.FRAME}, "ping") == "bad-frame"
    assert faults.draw({Place.ANSWER}, "ping") == "stall"
    assert faults.draw({Place.ANSWER}, "initialize") == ""
    assert faults.draw({Place.UPGRADE}, "ping") == ""
    assert faults.draw({Place.CONNECTION}) == "refuse"
    assert not Faults([], (), 0)


@pytest.mark.parametrize(
    ("given", "wanted"), [(b"1", b"2"), (b"99", b"100"), (b'"user-9"', b'"user-10"'), (b'"a1b2c"', b'"a1b3c"'), (b"null", b"1")]
)
def test_the_next_id(given: bytes, wanted: bytes) -> None:
    """The last number in an id, and one more."""
    assert next_id(given) == wanted


# --- connections


def test_refuse_takes_no_connection(start: Start) -> None:
    """The port is the server's and nobody listens; it still ends in good order."""
    server = start("--fault", "refuse")
    with pytest.raises(ConnectionRefusedError):
        connected(server)
    assert server.end() == 0


def test_refuse_of_a_share_resets_connections(start: Start) -> None:
    """Some are taken and reset, the others are served."""
    server = start("--fault", "refuse:0.5", "--fault-seed", "3")
    ends = []
    for _ in range(20):
        try:
            with connected(server) as connection:
                connection.sendall(request("OPTIONS", {"Connection": "close"}))
                ends.append(read_to_end(connection)[1])
        except (ConnectionResetError, BrokenPipeError):
            ends.append("reset")
    assert set(ends) == {"reset", "end"}


# --- HTTP answers


@pytest.mark.parametrize(("fault", "end"), [("reset", "reset"), ("early-end", "end")])
def test_an_answer_that_is_cut(start: Start, fault: str, end: str) -> None:
    """Half of the bytes, then RST or FIN; it is received and not answered."""
    server = start("--fault", fault, "--fault-on", "tools/list")
    session, _ = server.initialize()
    with connected(server) as connection:
        connection.sendall(request("POST", session, body("tools/list")))
        data, ended = read_to_end(connection)
    head, _, rest = data.partition(b"\r\n\r\n")
    assert ended == end
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert 0 < len(rest) < content_length(head)
    counts = server.counts()
    assert counts["received"] == {"http initialize": 1, "http tools/list": 1}
    assert counts["answered"] == {"http initialize": 1}


@pytest.mark.parametrize(("fault", "end"), [("reset", "reset"), ("early-end", "end")])
def test_an_answer_without_a_body_is_cut_in_its_head(start: Start, fault: str, end: str) -> None:
    """There is nothing else to cut."""
    server = start("--fault", fault, "--fault-on", "DELETE")
    session, _ = server.initialize()
    with connected(server) as connection:
        connection.sendall(request("DELETE", session))
        data, ended = read_to_end(connection)
    assert ended == end
    assert data.startswith(b"HTTP/1.1 2")
    assert b"\r\n\r\n" not in data
    assert "http DELETE" not in server.counts()["answered"]


def test_a_stalled_answer_never_comes(start: Start) -> None:
    """The connection stays open; the server ends in good order all the same."""
    server = start("--fault", "stall")
    with connected(server) as connection:
        connection.sendall(request("POST", KEY, body("initialize", CLIENT)))
        connection.settimeout(SHORT)
        assert read_to_end(connection) == (b"", "open")
        counts = server.counts()
        assert (counts["received"], counts["answered"]) == ({"http initialize": 1}, {})
        assert server.end() == 0


def test_a_dripping_answer_comes_byte_by_byte(start: Start) -> None:
    """Each of the first bytes comes alone."""
    server = start("--fault", "drip")
    with connected(server) as connection:
        connection.sendall(request("POST", KEY, body("initialize", CLIENT)))
        assert b"".join(connection.recv(100) for _ in range(4)).startswith(b"HTTP")
        connection.settimeout(SHORT)
        assert len(connection.recv(1000)) < 20
    assert server.counts()["answered"] == {}


def test_a_dripping_answer_can_be_waited_for(start: Start) -> None:
    """Then it is whole, and counted; that to a DELETE is the shortest there is."""
    server = start("--fault", "drip", "--fault-on", "DELETE")
    session, _ = server.initialize()
    answer = requests.delete(server.mcp, headers=session, timeout=60)
    assert (answer.status_code, answer.content) == (200, b"")
    assert server.counts()["answered"]["http DELETE"] == 1


@pytest.mark.parametrize(
    ("fault", "call_id", "wanted"), [("wrong-id", 7, "not-yours"), ("other-id", 7, 8), ("other-id", "u-7", "u-8")]
)
def test_an_answer_with_another_id(start: Start, fault: str, call_id: Any, wanted: Any) -> None:
    """The rest of it is right."""
    server = start("--fault", fault, "--fault-on", "ping")
    session, _ = server.initialize()
    answer = server.post(body("ping", call_id=call_id), session)
    assert answer.json() == {"jsonrpc": "2.0", "id": wanted, "result": {}}
    assert server.counts()["answered"]["http ping"] == 1


def test_an_error_answer_has_another_id_too(start: Start) -> None:
    """It keeps its error."""
    server = start("--fault", "other-id", "--fault-on", "none/such")
    session, _ = server.initialize()
    answer = server.call(session, "none/such")
    assert (answer["id"], answer["error"]["code"]) == (2, -32601)


@pytest.mark.parametrize("fault", ["truncated-json", "wrong-json"])
def test_an_answer_that_is_no_json(start: Start, fault: str) -> None:
    """Whole over HTTP, with the right Content-Type."""
    server = start("--fault", fault)
    answer = initialize(server)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(ValueError):
        answer.json()
    assert answer.text.startswith('{"jsonrpc"' if fault == "truncated-json" else "<html>")
    assert server.counts()["answered"] == {"http initialize": 1}


def test_an_answer_with_a_wrong_content_type(start: Start) -> None:
    """Nothing else is wrong with it."""
    server = start("--fault", "wrong-content-type")
    answer = initialize(server)
    assert answer.headers["content-type"] == "text/html"
    assert answer.json()["result"]["protocolVersion"] == "2024-11-05"


@pytest.mark.parametrize(("fault", "status"), [("500", 500), ("401", 401)])
def test_a_status_in_place_of_the_answer(start: Start, fault: str, status: int) -> None:
    """To whatever verb, and counted as answered; pages beside /mcp are spared."""
    server = start("--fault", fault)
    assert initialize(server).status_code == status
    assert requests.delete(server.mcp, headers=KEY, timeout=WAIT).status_code == status
    assert requests.get(server.mcp, headers=KEY, timeout=WAIT).status_code == status
    assert server.get("/health").status_code == 200
    assert server.counts()["answered"] == {"http initialize": 1, "http DELETE": 1, "http GET": 1}


def test_a_session_that_is_not_found(start: Start) -> None:
    """Only requests that name one are struck, so `initialize` is not."""
    server = start("--fault", "session-404")
    session, _ = server.initialize()
    assert server.post(body("tools/list"), session).status_code == 404
    assert requests.get(server.mcp, headers=session, timeout=WAIT).status_code == 404
    assert requests.delete(server.mcp, headers=session, timeout=WAIT).status_code == 404


def test_a_tool_that_says_is_error(start: Start) -> None:
    """Only the results of tools/call are struck."""
    server = start("--fault", "is-error")
    session, _ = server.initialize()
    assert len(server.call(session, "tools/list")["result"]["tools"]) == 4
    assert server.call(session, "tools/call", CALL)["result"]["isError"] is True
    assert server.call(session, "tools/call", {})["error"]["code"] == -32602


def test_a_tool_with_an_error_in_its_text(start: Start) -> None:
    """As the MOP server tells it."""
    server = start("--fault", "error-in-content")
    session, _ = server.initialize()
    result = server.call(session, "tools/call", CALL)["result"]
    assert result["isError"] is False
    assert json.loads(result["content"][0]["text"]) == {"error": "The tool failed."}


def test_a_huge_answer(start: Start) -> None:
    """It is right JSON-RPC and of 100 MB; it counts as answered when the client cuts it too."""
    server = start("--fault", "huge")
    with requests.post(server.mcp, body("initialize", CLIENT), headers={**BOTH, **KEY}, timeout=WAIT, stream=True) as answer:
        assert answer.headers["content-length"] == "100000000"
        size, last = 0, b""
        for piece in answer.iter_content(1_000_000):
            size, last = size + len(piece), piece
    assert size == 100_000_000
    assert last.endswith(b'xx"}}')
    with connected(server) as connection:
        connection.sendall(request("POST", KEY, body("initialize", CLIENT)))
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert server.settled_counts()["received"] == {"http initialize": 2}


@pytest.mark.parametrize(
    ("fault", "ends"),
    [
        ("wrong-id", b'"id":"not-yours","result":{}}\n\n'),
        ("truncated-json", b'{"jsonrpc":"2.0","\n\n'),
        ("wrong-json", b"</html>\n\n"),
    ],
)
def test_answers_as_events_are_struck_inside(start: Start, fault: str, ends: bytes) -> None:
    """The event around the message stays whole."""
    server = start("--dialect", "mcp", "--answer", "sse", "--fault", fault, "--fault-on", "ping")
    session = opened_with_events(server)
    answer = server.post(body("ping"), session)
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.content.startswith(b"event: message\ndata: ")
    assert answer.content.endswith(ends)


def test_a_huge_event(start: Start) -> None:
    """One event with the whole message."""
    server = start("--dialect", "mcp", "--answer", "sse", "--fault", "huge")
    with requests.post(server.mcp, body("initialize", CLIENT), headers={**BOTH, **KEY}, timeout=WAIT, stream=True) as answer:
        head = b"event: message\ndata: "
        assert sum(map(len, answer.iter_content(1_000_000))) == len(head) + 100_000_000 + 2


# --- event streams


def stream(server: Running) -> requests.Response:
    """An open event stream."""
    session, _ = server.initialize()
    headers = {**session, "Accept": "text/event-stream"}
    return requests.get(server.mcp, headers=headers, timeout=WAIT, stream=True)


def test_a_stream_that_ends_after_its_headers(start: Start) -> None:
    """In good order, as the real server does."""
    server = start("--fault", "early-end", "--fault-on", "GET")
    with stream(server) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.content == b""
    counts = server.settled_counts(streams_open=0)
    assert (counts["answered"]["http GET"], counts["streams_open"]) == (1, 0)


def test_a_stream_with_a_wrong_content_type(start: Start) -> None:
    """It goes on."""
    server = start("--fault", "wrong-content-type", "--fault-on", "GET", "--keep-alive-seconds", "0.05")
    with stream(server) as answer:
        assert answer.headers["content-type"] == "text/html"
        assert answer.raw.read(15) == b": keep-alive\n\n:"


@pytest.mark.parametrize(("fault", "status"), [("500", 500), ("401", 401), ("session-404", 404)])
def test_a_stream_that_is_refused(start: Start, fault: str, status: int) -> None:
    """Counted as answered, and closed."""
    server = start("--fault", fault, "--fault-on", "GET")
    with stream(server) as answer:
        assert (answer.status_code, len(answer.content) > 0) == (status, True)
    counts = server.settled_counts(streams_open=0)
    assert (counts["answered"]["http GET"], counts["streams_open"]) == (1, 0)


@pytest.mark.parametrize(("fault", "end"), [("reset", "reset"), ("stall", "open"), ("drip", "open")])
def test_a_stream_that_does_not_open(start: Start, fault: str, end: str) -> None:
    """Its headers are cut, held back, or come too slowly; nothing is counted as answered."""
    server = start("--fault", fault, "--fault-on", "GET")
    session, _ = server.initialize()
    with connected(server) as connection:
        connection.sendall(request("GET", session))
        first = connection.recv(1) if fault == "drip" else b""
        connection.settimeout(0.1 if fault == "drip" else SHORT)
        data, ended = read_to_end(connection)
        assert ended == end
        assert b"\r\n\r\n" not in data
        assert bool(first + data) == (fault != "stall")
    counts = server.settled_counts(streams_open=0)
    assert (counts["answered"], counts["streams_open"]) == ({"http initialize": 1}, 0)


def test_a_huge_event_of_a_stream(start: Start) -> None:
    """One event that does not end before 100 MB."""
    server = start("--fault", "huge", "--fault-on", "GET")
    with stream(server) as answer:
        assert answer.raw.read(80).startswith(b'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{"filler"')
        assert answer.raw.read(2_000_000).count(b"\n") == 0


# --- WebSockets


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


def test_the_same_seed_gives_the_same_faults_at_the_wire(start: Start) -> None:
    """Two servers, the same course of answers."""

    def course() -> list[int]:
        server = start("--fault", "500:0.5", "--fault-seed", "9")
        return [initialize(server).status_code for _ in range(12)]

    first = course()
    assert set(first) == {200, 500}
    assert course() == first


def test_a_server_with_stalled_answers_ends_at_once(start: Start) -> None:
    """Streams and sockets that wait do not hold it."""
    server = start("--fault", "stall", "--fault-on", "GET", "--fault-on", "ping")
    session, _ = server.initialize()
    socket = server.socket()
    socket.send(body("ping"))
    with connected(server) as connection:
        connection.sendall(request("GET", session))
        connection.settimeout(SHORT)
        assert read_to_end(connection)[1] == "open"
        assert server.end(signal.SIGINT) == 0
