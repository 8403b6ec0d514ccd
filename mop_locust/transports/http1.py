"""HTTP/1.1 on one connection (RFC 9112): a request out, an answer in, whole or piece by piece.

llhttp does the parsing. Of its callbacks only five are defined, and none for headers: most answers are asked for one or
two, which are looked up in the head when asked for. llhttp refuses bare line feeds, folded lines and blanks before a
colon, so the look-up in a head it accepted is exact.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Final

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from mop_locust.protocol.errors import Disconnected, LocalProtocolError, RemoteProtocolError
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.phases import Phases
from mop_locust.transports.wire import TlsWire, Wire

MAX_HEAD: Final = 65536


@lru_cache(64)
def media_type(value: str | None) -> str:
    """Return the media type of a Content-Type value, in lower case and without parameters; empty for None."""
    return (value or "").partition(";")[0].strip().lower()


def header_of(head: bytes, name: str) -> str | None:
    """Return the first value of a header in a response head that a parser has accepted, or None."""
    start = head.lower().find(_line_start(name))
    if start < 0:
        return None
    start += len(name) + 3
    return head[start : head.index(b"\r\n", start)].strip(b" \t").decode("latin-1")


@lru_cache(64)
def _line_start(name: str) -> bytes:
    return b"\r\n%b:" % name.lower().encode("latin-1")


class ResponseHead(msgspec.Struct, gc=False):
    """The status and the headers of an answer; ``first_byte_us`` counts from just before the request was written."""

    status: int
    head: bytes
    first_byte_us: int

    @property
    def content_type(self) -> str:
        """The media type, in lower case and without parameters; empty when there is none."""
        return media_type(self.header("content-type"))

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        return header_of(self.head, name)


class Response(ResponseHead, gc=False):
    """A whole answer; ``received`` is its bytes on the wire."""

    body: bytes = b""
    received: int = 0


class Http1Connection:
    """One connection, one request at a time.

    ``max_reply`` bounds a body in bytes. What happens is added to ``phases``. After an answer that did not end, or after
    one that ended the connection, the object can only be closed (`reusable` says so).
    """

    __slots__ = (
        "_answers",
        "_body",
        "_complete",
        "_head",
        "_head_done",
        "_head_only",
        "_interim",
        "_kept",
        "_parser",
        "_parts",
        "_reusable",
        "_sent_ns",
        "_size",
        "_wire",
        "max_reply",
        "phases",
        "status",
    )

    def __init__(self, wire: Wire | TlsWire, *, max_reply: int, phases: Phases) -> None:
        self._wire = wire
        self.max_reply = max_reply
        self.phases = phases
        self.status = 0
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._reusable = True
        self._head_only = False
        self._kept = 0
        self._sent_ns = 0
        self._parts: list[bytes] = []
        self._head: list[bytes] = []
        self._begin()

    def _begin(self) -> None:
        # Emptied, not made anew: what lives as long as its connection is no work for the garbage collector.
        self._parts.clear()
        self._head.clear()
        self._head_done = self._complete = False
        self._interim = self._answers = self._size = 0

    # --- what llhttp calls; nothing here may raise -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._answers += 1
        if self._complete:
            # A second answer to one request: whatever it says belongs to nothing, and nothing after it can be trusted.
            self._reusable = False

    def on_headers_complete(self) -> None:
        if not self._complete and self._parser is not None:
            self.status = self._parser.get_status_code()
            if self.status >= 200:
                self._head_done = True
                self.phases.status = self.status

    def on_body(self, data: bytes) -> None:
        if not self._complete:
            self._size += len(data)
            self._parts.append(data)

    def on_message_complete(self) -> None:
        if self.status < 200:
            self._interim += 1
        elif not self._complete:
            self._complete = True
            self._reusable = self._parser is not None and self._parser.should_keep_alive()

    # --- one exchange ------------------------------------------------------------------------------------------------

    def reusable(self) -> bool:
        """Say whether the last answer is complete and the connection is open and silent.

        Some servers close after an answer without a word, and their end may not have reached the loop: so the first time the
        connection itself is looked at. One that was kept open once is kept, and its end will be seen by the loop.
        """
        if not self._reusable:
            return False
        self._kept += 1
        return self._wire.undisturbed() if self._kept > 1 else self._wire.quiet()

    def send(self, request: bytes, deadline: Deadline) -> None:
        """Write a whole request, head and body. Errors as `Wire.send`; LocalProtocolError when it can carry none."""
        if not self._reusable:
            raise LocalProtocolError("this connection can carry no further request")
        self._begin()
        # From here on, only a whole answer makes the connection good again.
        self._reusable = False
        self._head_only = request.startswith(b"HEAD ")
        self.phases.sent += len(request)
        self._sent_ns = time.monotonic_ns()
        self._wire.send(request, deadline)

    def read_head(self, deadline: Deadline) -> int:
        """Read until the head of the answer is whole, past interim ones (1xx), and return the status.

        Errors as `Wire.receive`, Disconnected "closed early", RemoteProtocolError "bad HTTP" or "reply too large".
        """
        self._parse(self._wire.receive(deadline))
        phases = self.phases
        phases.first_byte_us = (time.monotonic_ns() - self._sent_ns) // 1000
        while not self._head_done:
            if sum(map(len, self._head)) > MAX_HEAD:
                raise RemoteProtocolError("reply too large", f"a head over {MAX_HEAD} bytes")
            self._parse(self._wire.receive(deadline))
        if self._head_only and not self._complete:
            # The parser does not know what was asked for and would wait for the body that the headers describe.
            self._complete = True
        return self.status

    def read(self, deadline: Deadline) -> bytes:
        """Return the next piece of the body, or none at its end; errors as `read_head`. A timeout does no harm."""
        while not self._parts and not self._complete:
            self._parse(self._wire.receive(deadline))
        self._size = 0
        return self._take()

    def read_body(self, deadline: Deadline) -> bytes:
        """Return the whole rest of the body; errors as `read_head`, and "reply too large"."""
        while True:
            if self._size > self.max_reply:
                self._reusable = False
                raise RemoteProtocolError("reply too large", f"a body over {self.max_reply} bytes")
            if self._complete:
                break
            self._parse(self._wire.receive(deadline))
        return self._take()

    def head(self) -> ResponseHead:
        """Return the head of the answer that was read last."""
        return ResponseHead(self.status, self._last_head(), self.phases.first_byte_us)

    def header(self, name: str) -> str | None:
        """Return the first value of a header of the answer that was read last, or None."""
        return header_of(self._last_head(), name)

    def content_type(self) -> str:
        """Return the media type of the answer that was read last; empty when it names none."""
        return media_type(self.header("content-type"))

    def exchange(self, request: bytes, deadline: Deadline) -> Response:
        """Send a request and return its whole answer, whatever the status; errors as `send` and `read_body`."""
        self.send(request, deadline)
        before = self.phases.received
        status = self.read_head(deadline)
        body = self.read_body(deadline)
        return Response(status, self._last_head(), self.phases.first_byte_us, body, self.phases.received - before)

    def stream(self, request: bytes, deadline: Deadline) -> ResponseHead:
        """Send a request and return the head of its answer; `read` gives the body. Errors as `send` and `read_head`."""
        self.send(request, deadline)
        self.read_head(deadline)
        return self.head()

    def close(self) -> None:
        """Close the connection; the last answer's headers stay readable. More than once is allowed."""
        self._reusable = False
        # The parser refers to this object and this object to it: without the cut only the garbage collector ends both.
        self._parser = None
        self._wire.close()

    def _take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken

    def _parse(self, data: bytes) -> None:
        if not data:
            self._ended()
            return
        self.phases.received += len(data)
        if not self._head_done:
            self._head.append(data)
        assert self._parser is not None, "a closed wire gives no bytes"
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._reusable = False
            raise RemoteProtocolError("bad HTTP", "the server switched protocols without being asked") from None
        except HttpParserError as error:
            self._reusable = False
            if not self._complete:
                raise RemoteProtocolError("bad HTTP", str(error)) from None

    def _ended(self) -> None:
        """The server ended the connection: the end of a body without a length, and of any other a cut."""
        if self._head_done:
            head = self._last_head()
            if header_of(head, "content-length") is None and header_of(head, "transfer-encoding") is None:
                self._complete = True
                return
            raise Disconnected("closed early", "in the middle of the answer")
        if self._answers:
            raise Disconnected("closed early", "in the head of the answer")
        raise Disconnected("closed early", "before any byte of the answer")

    def _last_head(self) -> bytes:
        if not self._head_done:
            return b""
        raw = self._head[0] if len(self._head) == 1 else b"".join(self._head)
        start = 0
        for _ in range(self._interim):
            start = raw.index(b"\r\n\r\n", start) + 4
        return raw[start : raw.find(b"\r\n\r\n", start) + 2]
