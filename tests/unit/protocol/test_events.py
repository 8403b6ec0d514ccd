"""Event streams: what reaches sseclient-py is what the standard says the stream means, however it is cut."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sseclient import SSEClient

from mop_locust.protocol.errors import RemoteProtocolError
from mop_locust.protocol.events import EventLines

CAP = 1 << 20
BOM = b"\xef\xbb\xbf"


def clean(pieces: Iterable[bytes], cap: int = CAP) -> tuple[bytes, int, int]:
    """The whole events in these pieces, and the counts of comments and events."""
    lines = EventLines(cap)
    whole = b"".join(lines.feed(piece) for piece in pieces)
    return whole, lines.comments, lines.events


def bytewise(data: bytes) -> list[bytes]:
    """The same bytes, one by one."""
    return [data[at : at + 1] for at in range(len(data))]


def by_the_standard(stream: bytes) -> tuple[list[tuple[str, str]], int]:
    """WHATWG HTML, section 9.2.6, written as it stands there: (event, data) of each event, and the comment lines."""
    found: list[tuple[str, str]] = []
    data: list[str] = []
    comments, event = 0, ""
    text = stream.removeprefix(BOM).decode("utf-8", "replace")
    *lines, _ = re.split("\r\n|\n|\r", text)
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                found.append((event or "message", "\n".join(data)))
            event, data = "", []
        elif not name:
            comments += 1
        elif name == "data":
            data.append(value)
        elif name == "event":
            event = value
    return found, comments


def by_sseclient(stream: bytes) -> list[tuple[str, str]]:
    """What sseclient-py finds in cleaned bytes."""
    return [(event.event, event.data) for event in SSEClient(iter([stream])).events()]


@pytest.mark.parametrize(
    ("stream", "events", "comments"),
    [
        (b"", b"", 0),
        (b"data: a\n\n", b"data: a\n\n", 0),
        (b"data: a\r\n\r\n", b"data: a\n\n", 0),
        (b"data: a\r\r", b"data: a\n\n", 0),
        (b"data: a\r\n\ndata: b\n\r\n", b"data: a\n\ndata: b\n\n", 0),
        (BOM + b"data: a\n\n", b"data: a\n\n", 0),
        (BOM + BOM + b"data: a\n\n", b"", 0),
        (b"event: message\nid: 1\ndata: {\ndata: }\n\n", b"event: message\nid: 1\ndata: {\ndata: }\n\n", 0),
        (b"data\n\n", b"data\n\n", 0),
        (b"data:\n\n", b"data:\n\n", 0),
        (b"database: 1\n\n", b"", 0),
        (b"id: 7\nretry: 10\n\n", b"", 0),
        (b": keep-alive\n\n: keep-alive\n\n", b"", 2),
        (b":\ndata: a\n: b\n\n", b"data: a\n\n", 2),
        (b": not ended", b"", 0),
        (b"data: a\n\ndata: not ended", b"data: a\n\n", 0),
        (b"data: a\n\ndata: not ended\n", b"data: a\n\n", 0),
        (b"\n\n\ndata: a\n\n\n\n", b"data: a\n\n", 0),
        (b"data: \xff\n\n", "data: \ufffd\n\n".encode(), 0),
        ("data: é\n\n".encode(), "data: é\n\n".encode(), 0),
        (b"\xef\xbb", b"", 0),
    ],
)
def test_streams(stream: bytes, events: bytes, comments: int) -> None:
    """Only whole events with data leave; comments are counted; whole and byte by byte it is the same."""
    expected = (events, comments, events.count(b"\n\n"))
    assert clean([stream]) == expected
    assert clean(bytewise(stream)) == expected


def test_an_event_leaves_with_the_piece_that_ends_it() -> None:
    """Neither earlier nor later; a comment counts when its line ends."""
    lines = EventLines(CAP)
    assert lines.feed(b"data: a\n: keep") == b""
    assert lines.feed(b"-alive\n") == b""
    assert (lines.comments, lines.events) == (1, 0)
    assert lines.feed(b"\n") == b"data: a\n\n"
    assert lines.feed(b"data: b\r") == b""
    assert lines.feed(b"") == b""
    assert lines.feed(b"\n\r") == b"data: b\n\n"
    assert lines.feed(b"\n") == b""
    assert (lines.comments, lines.events) == (1, 2)


@pytest.mark.parametrize(
    ("data", "most"),
    [
        (b"data: abc\n\n", 10),
        (b"data: a\r\n\r\n", 8),
        (b"id: 1\nid: 2\n\n", 12),
        (b"data: a\n:\n\n", 9),
        (b": a long one\n", 12),
        (b"data: not ended", 15),
    ],
)
def test_an_event_too_large(data: bytes, most: int) -> None:
    """The cap is reached by the lines of one event, ended or not, and by a comment for as long as its line lasts."""
    for pieces in ([data], bytewise(data)):
        assert clean(pieces, most) == clean([data])
        with pytest.raises(RemoteProtocolError) as caught:
            clean(pieces, most - 1)
        assert (caught.value.label, caught.value.detail) == ("event too large", f"over {most - 1} bytes")


def test_a_stream_that_was_too_large_stays_so() -> None:
    """Nothing after the cap is believed."""
    lines = EventLines(5)
    for data in (b"data: a", b"", b"\n\n", b"data:\n\n"):
        with pytest.raises(RemoteProtocolError, match="event too large"):
            lines.feed(data)
    assert lines.events == 0


def test_many_events_may_exceed_the_cap_together() -> None:
    """The cap is for one event."""
    assert clean([b"data: a\n\n" * 100], 8) == (b"data: a\n\n" * 100, 0, 100)


streams = st.lists(
    st.sampled_from(
        [
            b"data",
            b"data: ",
            b"event: x",
            b"id: 1",
            b":",
            b" ",
            b"\n",
            b"\n",
            b"\n\n",
            b"\r",
            b"\r\n",
            BOM,
            b"\xef",
            "é".encode(),
            b"\xff",
            b"a",
        ]
    )
).map(b"".join)


@given(streams, st.data())
@example(BOM[:2] + b"\r", None)
def test_sseclient_reads_what_the_standard_says(stream: bytes, data: st.DataObject | None) -> None:
    """Cleaned, the stream means to the library what it means to the standard, however it was cut."""
    events, comments = by_the_standard(stream)
    cut = data.draw(st.integers(0, len(stream))) if data else 1
    for pieces in ([stream], bytewise(stream), [stream[:cut], stream[cut:]]):
        whole, seen_comments, seen_events = clean(pieces)
        assert by_sseclient(whole) == events
        assert (seen_comments, seen_events) == (comments, len(events))


@given(st.binary(), st.integers(0, 40))
def test_any_bytes_give_events_or_a_protocol_error(stream: bytes, cap: int) -> None:
    """No other exception ever leaves, and the verdict is the same whole and byte by byte."""
    verdicts = []
    for pieces in ([stream], bytewise(stream)):
        try:
            verdicts.append(str(clean(pieces, cap)))
        except RemoteProtocolError as error:
            verdicts.append(error.label)
    assert verdicts[0] == verdicts[1]
