"""Event-stream bytes made fit for ``sseclient-py`` (WHATWG HTML, section 9.2 "Server-sent events").

The library takes neither a byte order mark nor lines of mixed ends cut in the middle, has no limit, and takes an
unfinished last event for a whole one. So it gets only what leaves `EventLines`: whole events, valid UTF-8, LF ends.
"""

from __future__ import annotations

from typing import Final

from mop_locust.protocol.errors import RemoteProtocolError

_BOM: Final = b"\xef\xbb\xbf"


class EventLines:
    """Pieces of an event stream in, whole events out.

    ``max_event`` bounds the lines of one event in bytes, their ends included. ``comments`` counts the comment lines seen so
    far, keep-alives among them; ``events`` counts the events that carry data. An event that the stream does not finish is
    dropped, as the standard asks.
    """

    __slots__ = ("_after_cr", "_event", "_has_data", "_line", "_start", "comments", "events", "max_event")

    def __init__(self, max_event: int) -> None:
        self.max_event = max_event
        self.comments = 0
        self.events = 0
        self._start: bytes | None = b""
        self._after_cr = False
        self._line = bytearray()
        self._event = bytearray()
        self._has_data = False

    def feed(self, data: bytes) -> bytes:
        """Return the events that ``data`` completes, each ended by an empty line; comments are counted and left out.

        RemoteProtocolError "event too large"; the stream is lost then, and every later call raises it again.
        """
        if self._start is not None:
            data = self._start + data
            if len(data) < 3 and _BOM.startswith(data):
                self._start = data
                return b""
            self._start = None
            data = data.removeprefix(_BOM)
        *ends, rest = self._with_lf(data).split(b"\n")
        whole = b""
        for end in ends:
            self._line += end
            whole += self._end_line()
        self._line += rest
        self._limit()
        return whole

    def _with_lf(self, data: bytes) -> bytes:
        """Turn CR LF and CR into LF; a CR at the end of one piece may have its LF in the next."""
        if not data:
            return data
        if self._after_cr:
            data = data.removeprefix(b"\n")
        self._after_cr = data.endswith(b"\r")
        # A search for one byte is several times faster than one for CR LF.
        first, *others = data.split(b"\r")
        return b"\n".join([first, *(part.removeprefix(b"\n") for part in others)]) if others else data

    def _end_line(self) -> bytes:
        """Take the whole line; return the event that it completes, or nothing."""
        self._limit()
        line = bytes(self._line)
        self._line.clear()
        if line.startswith(b":"):
            self.comments += 1
        elif line:
            self._event += line + b"\n"
            self._has_data = self._has_data or line == b"data" or line.startswith(b"data:")
        elif self._has_data:
            whole = bytes(self._event) + b"\n"
            self._event.clear()
            self._has_data = False
            self.events += 1
            return whole if whole.isascii() else whole.decode("utf-8", "replace").encode()
        else:
            # Without data nothing is dispatched, so nothing needs to leave.
            self._event.clear()
        return b""

    def _limit(self) -> None:
        if len(self._event) + len(self._line) > self.max_event:
            raise RemoteProtocolError("event too large", f"over {self.max_event} bytes")
