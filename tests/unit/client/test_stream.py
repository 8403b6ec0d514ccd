"""An event stream as it is watched: first byte, keep-alives, lifetime, and who ended it."""

from __future__ import annotations

import pytest

from mop_locust.client.exchange import Exchanges
from mop_locust.client.open_counts import OpenCounts
from mop_locust.client.stream import Stream, StreamReport
from mop_locust.protocol.errors import Disconnected, ExchangeTimeout, HttpStatusError, MopError
from mop_locust.transports import Phases
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.sse import EventStream
from tests.unit.client.memory import TAGS, Taken


class Source:
    """A transport whose stream gives these bytes or errors, then nothing until the deadline."""

    def __init__(self, *items: bytes | MopError, refused: MopError | None = None) -> None:
        self.phases = Phases()
        self.closed = 0
        self._items = list(items)
        self._refused = refused

    def open_stream(self, deadline: Deadline) -> EventStream:
        """Opens the stream; its first byte came after 7 ms."""
        if self._refused is not None:
            raise self._refused
        self.phases.first_byte_us, self.phases.status = 7000, 200
        return EventStream(self, max_event=1000, phases=self.phases)

    def read(self, deadline: Deadline) -> bytes:
        """The next bytes."""
        if not self._items:
            raise ExchangeTimeout("no answer")
        item = self._items.pop(0)
        if isinstance(item, MopError):
            raise item
        return item

    def close(self) -> None:
        """Ends the stream."""
        self.closed += 1


def exchanges(taken: Taken, open: OpenCounts | None = None) -> Exchanges:
    """The exchanges of one user."""
    return Exchanges("tests", taken, 5.0, {}, open)


def stream(taken: Taken, source: Source) -> Stream:
    """A stream over this source."""
    return Stream(source, exchanges(taken))  # type: ignore[arg-type]  # no more of a transport is needed


def watched(taken: Taken, *items: bytes | MopError) -> StreamReport:
    """What is seen of a stream that gives these."""
    with stream(taken, Source(*items)) as opened:
        return opened.watch(60)


def test_a_stream_that_stays_open_is_as_wanted(taken: Taken) -> None:
    """The window ends with the stream open: nothing ended early; opening was one exchange of transport sse."""
    source = Source()
    with stream(taken, source) as opened:
        report = opened.watch(60)
        assert (report.events, report.keepalives, report.ended_by, report.ended_early) == (0, 0, "client", False)
        assert report.lifetime_us >= 0
        opened.require_keepalive(report)
        assert source.closed == 0
    assert source.closed == 1
    [sample] = taken.samples
    assert (sample.transport, sample.method, sample.outcome, sample.first_byte_us, sample.status) == (
        "sse",
        "stream",
        "ok",
        7000,
        200,
    )
    assert taken.trends[0] == ("sse_first_byte_latency", TAGS, 7000)
    assert taken.trend_names == ["sse_first_byte_latency", "sse_stream_lifetime"]
    assert taken.counts == []


def test_events_and_keep_alives_are_counted_and_their_gaps_are_trends(taken: Taken) -> None:
    """The first sign of life is the first event; each further one has a gap before it."""
    report = watched(taken, b": keep-alive\n\n", b"data: 1\n\ndata: 2\n\n", b": keep-alive\n\n")
    assert (report.events, report.keepalives, report.ended_early) == (2, 2, False)
    assert taken.counts == [("sse_keepalives", TAGS, 1)] * 2
    assert taken.trend_names == [
        "sse_first_byte_latency",
        "sse_first_event_latency",
        *["sse_keepalive_gap"] * 3,
        "sse_stream_lifetime",
    ]
    assert min(value for _, _, value in taken.trends) >= 0


@pytest.mark.parametrize(("end", "by"), [(b"", "server"), (Disconnected("reset"), "error")])
def test_a_stream_that_ends_early_says_so(taken: Taken, end: bytes | MopError, by: str) -> None:
    """Ended by the server in good order, or by an error: counted once, and a failure only when keep-alive is required."""
    source = Source(b"data: 1\n\n", end)
    with stream(taken, source) as opened:
        report = opened.watch(60)
        assert (report.events, report.ended_by, report.ended_early) == (1, by, True)
        with pytest.raises(Disconnected, match="stream ended early") as caught:
            opened.require_keepalive(report)
    assert (caught.value.outcome, caught.value.label) == ("disconnected", "stream ended early")
    assert caught.value.detail == f"after {report.lifetime_us / 1000:.0f} ms"
    assert taken.counts == [("sse_early_ends", TAGS, 1)]
    assert [sample.outcome for sample in taken.samples] == ["ok"]


def test_a_stream_can_be_watched_again(taken: Taken) -> None:
    """A window that is over does the stream no harm: the next one sees what came since."""
    source = Source(b"data: 1\n\n", ExchangeTimeout("no answer"), b": ping\n\n")
    with stream(taken, source) as opened:
        first, second = opened.watch(60), opened.watch(60)
    assert (first.events, first.keepalives, second.events, second.keepalives) == (1, 0, 0, 1)
    assert second.lifetime_us >= first.lifetime_us


def test_a_stream_that_does_not_open_is_one_failure(taken: Taken) -> None:
    """No trend, nothing to close; the error goes on."""
    source = Source(refused=HttpStatusError("HTTP 405", status=405))
    opened = stream(taken, source)
    with pytest.raises(HttpStatusError), opened:
        pytest.fail("the block was entered")
    opened.close()
    assert taken.ends == [("stream", "http_status", "HTTP 405")]
    assert (taken.trends, source.closed) == ([], 0)


def test_closing_twice_counts_one_lifetime(taken: Taken) -> None:
    """A stream has one lifetime."""
    source = Source()
    opened = stream(taken, source)
    opened.open()
    opened.close()
    opened.close()
    assert taken.trend_names == ["sse_first_byte_latency", "sse_stream_lifetime"]
    assert source.closed == 1


def test_a_stream_that_is_not_open_cannot_be_watched(taken: Taken) -> None:
    """That is a mistake of the scenario, and loud."""
    with pytest.raises(AssertionError, match="not open"):
        stream(taken, Source()).watch(1)


def test_an_open_stream_is_counted_as_open(taken: Taken) -> None:
    """From its first byte until it is closed; one that was refused never."""
    counts = OpenCounts()
    watched = Stream(Source(), exchanges(taken, counts))  # type: ignore[arg-type]  # no more of a transport is needed
    with watched:
        assert counts.streams == 1
    watched.close()
    assert counts.streams == 0
    refused = Stream(Source(refused=HttpStatusError("HTTP 500", status=500)), exchanges(taken, counts))  # type: ignore[arg-type]
    with pytest.raises(HttpStatusError):
        refused.open()
    assert counts.streams == 0
