"""The event stream of an HTTP session (GET): first byte, keep-alives, lifetime, and who ended it."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from mop_locust.client.exchange import Exchanges, monotonic_us
from mop_locust.protocol.errors import Disconnected, ExchangeTimeout
from mop_locust.transports import HttpLike
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.sse import End, Event, EventStream


@dataclass
class StreamReport:
    """What was seen on a stream while it was watched."""

    events: int = 0
    keepalives: int = 0
    ended_by: str = "client"
    lifetime_us: int = 0

    @property
    def ended_early(self) -> bool:
        """Whether the stream ended before the client wanted it to."""
        return self.ended_by != "client"


class Stream:
    """One event stream. Opening it is one exchange, ended by the first byte of the response; the rest are trends."""

    def __init__(self, transport: HttpLike, exchanges: Exchanges) -> None:
        self._transport = transport
        self._exchanges = exchanges
        self._events: EventStream | None = None
        self._asked_us = 0
        self._opened_us = 0

    def __enter__(self) -> Stream:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def open(self) -> None:
        """Opens the stream; `sse_first_byte_latency` is the time to the first byte of the response."""
        self._asked_us = monotonic_us()
        self._events = self._exchanges.measure("sse", "stream", self._transport.open_stream, self._transport.phases)
        self._opened_us = monotonic_us()
        self._exchanges.open.streams += 1
        self._exchanges.trend("sse_first_byte_latency", self._events.first_byte_us)

    def watch(self, seconds: float) -> StreamReport:
        """Reads the stream for `seconds`, or until the server ends it, and reports what came."""
        assert self._events is not None, "the stream is not open"
        report = StreamReport()
        until = Deadline.after(seconds)
        last_sign_us = 0
        try:
            while True:
                item = self._events.next(until)
                now_us = monotonic_us()
                if isinstance(item, End):
                    report.ended_by = item.by
                    break
                if isinstance(item, Event):
                    report.events += 1
                else:
                    report.keepalives += 1
                    self._exchanges.count("sse_keepalives")
                if last_sign_us:
                    self._exchanges.trend("sse_keepalive_gap", now_us - last_sign_us)
                else:
                    self._exchanges.trend("sse_first_event_latency", now_us - self._asked_us)
                last_sign_us = now_us
        except ExchangeTimeout:
            pass  # the window is over, and the stream still open: as wanted
        report.lifetime_us = monotonic_us() - self._opened_us
        if report.ended_early:
            self._exchanges.count("sse_early_ends")
        return report

    def require_keepalive(self, report: StreamReport) -> None:
        """Raises Disconnected when the server ended the stream before the window was over."""
        if report.ended_early:
            raise Disconnected("stream ended early", f"after {report.lifetime_us / 1000:.0f} ms")

    def close(self) -> None:
        """Closes the stream."""
        if self._events is not None:
            self._exchanges.open.streams -= 1
            self._exchanges.trend("sse_stream_lifetime", monotonic_us() - self._opened_us)
            self._events.close()
            self._events = None
