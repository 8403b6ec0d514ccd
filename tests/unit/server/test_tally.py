"""The counts of the server."""

from __future__ import annotations

from mop_locust.server.tally import Tally, nameless


def test_counting_by_name() -> None:
    """Received and answered are apart."""
    tally = Tally()
    name = tally.name("http", "tools/list")
    tally.receive(name)
    tally.receive(name)
    tally.answer(name)
    tally.held.add(name, 1200)
    counts = tally.counts()
    assert (counts["received"], counts["answered"]) == ({"http tools/list": 2}, {"http tools/list": 1})
    assert counts["held"] == {"http tools/list": {"count": 1, "p50_us": 1200, "p95_us": 1200, "p99_us": 1200, "max_us": 1200}}


def test_messages_without_a_method() -> None:
    """An answer to the server is told apart from what is no JSON-RPC."""
    assert nameless('{"jsonrpc":"2.0","id":1,"result":{}}') == "reply"
    assert nameless(b"no JSON") == "invalid"


def test_names_are_limited() -> None:
    """Past the limit every new name is `other`; known ones stay; long ones are cut."""
    tally = Tally(max_names=2)
    assert tally.name("http", "a") == "http a"
    assert tally.name("websocket", "b" * 200) == "websocket " + "b" * 100
    assert tally.name("http", "c") == "http other"
    assert tally.name("http", "a") == "http a"


def test_what_is_open_is_what_was_opened_and_not_closed() -> None:
    """For sessions, sockets and streams."""
    tally = Tally()
    tally.sessions_opened, tally.sessions_deleted = 5, 2
    tally.sockets_opened, tally.sockets_closed, tally.sockets_closed_cleanly = 7, 3, 1
    tally.streams_opened, tally.streams_closed = 4, 4
    tally.connections = 9
    counts = tally.counts()
    assert (counts["sessions_open"], counts["sockets_open"], counts["streams_open"]) == (3, 4, 0)
    assert (counts["sockets_closed_cleanly"], counts["connections"]) == (1, 9)


def test_prometheus_text() -> None:
    """Each metric has its help and type once; label values are escaped; the text ends with a line break."""
    tally = Tally()
    tally.receive(tally.name("http", 'a"b\\c\nd'))
    tally.receive(tally.name("websocket", "a b"))
    tally.receive(tally.name("http", "\ud800"))
    text = tally.prometheus(1_700_000_000.9, 3).decode()
    lines = text.splitlines()
    assert text.endswith("\n")
    assert 'mop_server_received_total{transport="http",method="a\\"b\\\\c\\nd"} 1' in lines
    assert 'mop_server_received_total{transport="websocket",method="a b"} 1' in lines
    assert "casial_coordination_events_total 3" in lines
    assert "casial_last_updated_timestamp 1700000000" in lines
    types = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    assert all(line.startswith("#") or line.split("{")[0].split(" ")[0] in types for line in lines)
