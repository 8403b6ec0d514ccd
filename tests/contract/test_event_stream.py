"""The event stream of a session (GET): it opens, shows that it is alive, and is ended by the one side or the other."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from mop_locust.protocol.errors import Disconnected, HttpStatusError, RemoteProtocolError
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.sse import End, KeepAlive
from tests.contract.fleet import Fleet
from tests.contract.side import Side, SideMaker
from tests.contract.targets import (
    MCP_JSON,
    MCP_SSE,
    MOP,
    OK,
    REAL,
    SDK_JSON,
    SDK_SSE,
    SDK_STATELESS,
    Ending,
    Exchange,
    HttpTarget,
)

EARLY = replace(MOP, name="mop-early", process="early", stream_ended_by="server")
PASSING = replace(MOP, name="mop-passing", process="passing")
WINDOW_SECONDS = 0.15

lively = pytest.mark.parametrize("http_target", [MOP, MCP_JSON, MCP_SSE, SDK_SSE, SDK_JSON, SDK_STATELESS], indirect=True)
early = pytest.mark.parametrize("http_target", [EARLY, REAL], indirect=True)


def opened(ending: Ending = OK) -> Exchange:
    """The one exchange of a stream: its opening."""
    return ("sse", "stream", ending)


def ask(side: Side, session_id: str | None, expected: Ending) -> None:
    """Asks for a stream with this session id; it ends as expected, and is not left open."""
    session = side.session()
    side.transport.session_id = session_id
    before = len(side.exchanges())
    if expected == OK:
        with session.stream():
            pass
    else:
        with pytest.raises(HttpStatusError) as caught:
            session.stream().open()
        assert caught.value.status == expected.status
    assert side.exchanges()[before:] == [opened(expected)]


@lively
def test_a_stream_shows_that_it_is_alive(http: SideMaker) -> None:
    """Its comments are keep-alives, and no events."""
    side = http()
    with side.session():
        stream = side.transport.open_stream(Deadline.after(10))
        assert [stream.next(Deadline.after(10)) for _ in range(2)] == [KeepAlive(), KeepAlive()]
        assert stream.status == 200
        assert stream.first_byte_us >= 0
        stream.close()


@lively
def test_a_stream_is_watched_for_a_window(http: SideMaker, http_target: HttpTarget) -> None:
    """Its opening is one exchange, what is seen on it goes into counters and trends, and the session goes on beside it."""
    side = http()
    with side.session() as session, session.stream() as stream:
        report = stream.watch(WINDOW_SECONDS)
        session.ping()
    assert (report.ended_by, report.ended_early, report.events) == ("client", False, 0)
    counted = side.recording.counted
    assert counted == ({"sse_keepalives": report.keepalives} if report.keepalives else {})
    trends = side.recording.trends
    assert trends.count("sse_first_byte_latency") == 1
    assert trends.count("sse_first_event_latency") == min(1, report.keepalives)
    assert trends.count("sse_keepalive_gap") == max(0, report.keepalives - 1)
    assert trends.count("sse_stream_lifetime") == 1
    stream.require_keepalive(report)
    assert side.exchanges() == http_target.session(opened(), ("http", "ping", OK))


@early
def test_a_stream_that_the_server_ends_early(http: SideMaker, http_target: HttpTarget) -> None:
    """It is no failure of its own: the report names who ended it, and a counter counts it."""
    side = http()
    with side.session() as session, session.stream() as stream:
        report = stream.watch(10)
        session.ping()
    assert (report.ended_by, report.ended_early, report.keepalives, report.events) == ("server", True, 0, 0)
    assert side.recording.counted == {"sse_early_ends": 1}
    trends = side.recording.trends
    assert trends.count("sse_first_byte_latency") == trends.count("sse_stream_lifetime") == 1
    assert "sse_first_event_latency" not in trends
    with pytest.raises(Disconnected, match="stream ended early"):
        stream.require_keepalive(report)
    assert side.exchanges() == http_target.session(opened(), ("http", "ping", OK))


@early
def test_the_end_of_a_stream_stays_its_end(http: SideMaker) -> None:
    """Whoever asks again gets the same end."""
    side = http()
    with side.session():
        stream = side.transport.open_stream(Deadline.after(10))
        assert [stream.next(Deadline.after(10)) for _ in range(2)] == [End("server"), End("server")]
        stream.close()


@pytest.mark.parametrize(
    ("number", "who", "label"), [(signal.SIGTERM, "server", ""), (signal.SIGKILL, "error", "closed early")], ids=["term", "kill"]
)
@pytest.mark.parametrize("http_target", [PASSING], indirect=True)
def test_a_server_that_goes_away_ends_its_streams(
    http: SideMaker, fleet: Fleet, number: signal.Signals, who: str, label: str
) -> None:
    """In good order when it is told to end, as an error when it is killed."""
    side = http(MOP_LEAK_SESSIONS="1")
    with side.session() as session, session.stream() as stream:
        fleet.end(PASSING.process, number)
        report = stream.watch(10)
        assert report.ended_by == who
        assert stream._events is not None
        end = stream._events.next(Deadline.after(10))
    assert isinstance(end, End)
    assert (end.error.label if end.error else "") == label
    assert side.recording.counted["sse_early_ends"] == 1


def test_a_stream_of_a_session(http: SideMaker, http_target: HttpTarget) -> None:
    """200, or 405 where the server offers none."""
    side = http()
    with side.session():
        ask(side, side.transport.session_id, http_target.stream)


def test_a_stream_of_an_unknown_session(http: SideMaker, http_target: HttpTarget) -> None:
    """Refused as a deleted one."""
    side = http()
    side.session()
    ask(side, "unknown", http_target.stream_after_delete)


def test_a_stream_of_a_deleted_session(http: SideMaker, http_target: HttpTarget) -> None:
    """Refused, where there are sessions."""
    side = http()
    with side.session():
        gone = side.transport.session_id
    ask(side, gone, http_target.stream_after_delete)


def test_a_second_stream_of_a_session(http: SideMaker, http_target: HttpTarget) -> None:
    """Standard servers allow one."""
    side = http()
    with side.session():
        if http_target.stream == OK:
            first = side.transport.open_stream(Deadline.after(10))
            ask(side, side.transport.session_id, http_target.second_stream)
            first.close()
        else:
            ask(side, side.transport.session_id, http_target.second_stream)


@lively
def test_deleting_a_session_ends_its_stream(http: SideMaker, http_target: HttpTarget) -> None:
    """At a standard server; the MOP server's stream stays."""
    side = http()
    with side.session():
        stream = side.transport.open_stream(Deadline.after(10))
        assert side.transport.delete(Deadline.after(10)) == http_target.deleted
        items = [stream.next(Deadline.after(10)) for _ in range(4)]
        stream.close()
    assert (items[-1] == End("server")) == http_target.deleted_ends_stream
    assert (items[-1] == KeepAlive()) == (not http_target.deleted_ends_stream)


@pytest.mark.parametrize("http_target", [MOP, REAL], indirect=True)
def test_a_page_is_no_stream(http: SideMaker) -> None:
    """200 with another content type breaks the protocol."""
    side = http(path="/health")
    with pytest.raises(RemoteProtocolError, match="wrong content type"), side.session().stream():
        pass
    assert side.exchanges() == [opened(Ending("protocol", 200, "wrong content type"))]


@pytest.mark.parametrize("http_target", [MOP, REAL, MCP_JSON], indirect=True)
def test_a_stream_without_a_key_and_a_session(http: SideMaker) -> None:
    """401, as everything else."""
    side = http(key="")
    with pytest.raises(HttpStatusError), side.session().stream():
        pass
    assert side.exchanges() == [opened(Ending("http_status", 401, "HTTP 401"))]
