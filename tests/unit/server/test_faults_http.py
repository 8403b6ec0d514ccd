"""Each fault of HTTP answers and event streams at the wire, from a real process, and what the server counts of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from .conftest import BOTH, CLIENT, KEY, WAIT, Running, body
from .faulty import CALL, SHORT, Start, connected, content_length, initialize, opened_with_events, read_to_end, request


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
