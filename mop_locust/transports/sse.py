"""Server-sent events (WHATWG HTML, section 9.2): an open stream, and the reader of event bytes that answers share with it."""

from __future__ import annotations

from collections import deque
from typing import Final, Literal, Protocol, TypeAlias

import msgspec
from sseclient import SSEClient

from mop_locust.protocol.errors import Disconnected, ExchangeTimeout, MopError
from mop_locust.protocol.events import EventLines
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.phases import Phases

EVENT_STREAM: Final = "text/event-stream"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event; ``data`` is UTF-8, its lines joined by LF; ``id`` is empty when the event has none."""

    data: bytes
    event: str = "message"
    id: str = ""


class KeepAlive(msgspec.Struct, frozen=True, gc=False):
    """A comment line: nothing to say, but alive."""


class End(msgspec.Struct, frozen=True):
    """The stream is over: ended in good order by the server, or by an error."""

    by: Literal["server", "error"]
    error: MopError | None = None


StreamItem: TypeAlias = Event | KeepAlive | End

_KEEP_ALIVE: Final = KeepAlive()
_CLOSED: Final = End("error", Disconnected("closed early", "by this side"))


class EventReader:
    """Bytes of an event stream in, events and comments out. RemoteProtocolError "event too large" above ``max_event`` bytes."""

    __slots__ = ("_lines",)

    def __init__(self, max_event: int) -> None:
        self._lines = EventLines(max_event)

    def feed(self, data: bytes) -> list[Event | KeepAlive]:
        """Return what ``data`` completed: its comments first, then its events, each kind in order."""
        lines = self._lines
        before = lines.comments
        whole = lines.feed(data)
        items: list[Event | KeepAlive] = [_KEEP_ALIVE] * (lines.comments - before)
        if whole:
            items += [Event(event.data.encode(), event.event, event.id or "") for event in SSEClient(iter((whole,))).events()]
        return items


class ByteSource(Protocol):
    """Where the bytes of an event stream come from."""

    def read(self, deadline: Deadline) -> bytes:
        """Return the next bytes, none at the end; a typed error, of which ExchangeTimeout does no harm."""

    def close(self) -> None:
        """Close the connection; more than once is allowed."""


class EventStream:
    """An open event stream on a connection of its own; ``phases`` keeps counting what arrives."""

    __slots__ = ("_end", "_max_event", "_pending", "_reader", "_source", "phases")

    def __init__(self, source: ByteSource, *, max_event: int, phases: Phases) -> None:
        self._source = source
        self._max_event = max_event
        self._reader: EventReader | None = None  # made when an event is asked for: many streams are opened for their first byte
        self._pending: deque[Event | KeepAlive] = deque()
        self._end: End | None = None
        self.phases = phases

    @property
    def status(self) -> int:
        """The HTTP status of the answer that opened the stream."""
        return self.phases.status

    @property
    def connect_us(self) -> int:
        """The time of name lookup, TCP and TLS."""
        return self.phases.connect_us

    @property
    def first_byte_us(self) -> int:
        """The time from just before the request was written to the first byte of the answer's head."""
        return self.phases.first_byte_us

    def next(self, deadline: Deadline) -> StreamItem:
        """Return the next event, comment or the end (again and again once it is reached).

        ExchangeTimeout "no event" at the deadline; the stream goes on.
        """
        if self._reader is None:
            self._reader = EventReader(self._max_event)
        while not self._pending:
            if self._end is not None:
                return self._end
            try:
                data = self._source.read(deadline)
                if data:
                    self._pending.extend(self._reader.feed(data))
                else:
                    self._end = End("server")
            except ExchangeTimeout:
                raise ExchangeTimeout("no event") from None
            except MopError as error:
                self._end = End("error", error)
        return self._pending.popleft()

    def close(self) -> None:
        """Close the stream and its connection; more than once is allowed. What was not read yet is dropped."""
        self._pending.clear()
        if self._end is None:
            self._end = _CLOSED
        self._source.close()
