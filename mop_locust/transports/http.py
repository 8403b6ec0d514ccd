"""MCP over Streamable HTTP (MCP 2025-03-26 and later, "Transports"), the hot path."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from mop_locust.protocol import jsonrpc
from mop_locust.protocol.errors import HttpStatusError, LocalProtocolError, MopError, RemoteProtocolError
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.dial import Dialer
from mop_locust.transports.http1 import Http1Connection
from mop_locust.transports.phases import Phases
from mop_locust.transports.sse import EVENT_STREAM, Event, EventReader, EventStream
from mop_locust.transports.target import Target

USER_AGENT: Final = "mop-locust"
ACCEPT: Final = "application/json, text/event-stream"
JSON: Final = "application/json"
DRAIN_BYTES: Final = 65536
DRAIN_SECONDS: Final = 0.25

# MCP, "Session Management": a session id holds visible ASCII characters only. The same rule fits a key and a version.
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")


def visible(value: str | None, problem: str) -> str | None:
    """Return ``value``, which a server gave, or None; RemoteProtocolError ``problem`` when it cannot stand in a header."""
    if value is not None and not _VISIBLE.fullmatch(value):
        raise RemoteProtocolError(problem, value)
    return value


def check_key(key: str) -> str:
    """Return ``key``, or the empty text for none; ValueError, without the key in it, when it cannot stand in a header."""
    if key and not _VISIBLE.fullmatch(key):
        raise ValueError("the key contains a character that cannot stand in a header")
    return key


def session_headers(*, key: str, session_id: str | None, protocol_version: str | None, accept: str) -> dict[str, str]:
    """Return the headers that every request of a session carries."""
    headers = {"User-Agent": USER_AGENT, "Accept": accept}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if session_id is not None:
        headers["Mcp-Session-Id"] = session_id
    if protocol_version is not None:
        headers["MCP-Protocol-Version"] = protocol_version
    return headers


def status_error(status: int, body: bytes) -> HttpStatusError:
    """Return the error for an answer that is no success; the detail is the JSON-RPC error in the body, if there is one."""
    detail = ""
    if b'"jsonrpc"' in body:
        try:
            message = jsonrpc.decode(body)
        except RemoteProtocolError:
            pass
        else:
            if isinstance(message, jsonrpc.Error):
                detail = f"{message.code} {message.message}"
    return HttpStatusError(f"HTTP {status}", detail, status=status, excerpt=body[:800].decode("utf-8", "replace"))


class HttpTransport:
    """One session's requests to one endpoint: a connection that is kept, a second one for answers to the server.

    After an error the connection that had it is not used again; the next `send` opens another.
    """

    name: ClassVar[str] = "http"

    __slots__ = (
        "_answered",
        "_connection",
        "_delete_head",
        "_dialer",
        "_events",
        "_idle_stream",
        "_inbox",
        "_post_head",
        "_protocol_version",
        "_session_id",
        "_session_lines",
        "_side",
        "_stream_head",
        "_target",
        "max_reply",
        "phases",
    )

    def __init__(self, target: Target, dialer: Dialer, *, key: str, max_reply: int) -> None:
        self._target = target
        self._dialer = dialer
        self.max_reply = max_reply
        self.phases = Phases()
        self._connection: Http1Connection | None = None
        self._side: Http1Connection | None = None
        self._idle_stream: Http1Connection | None = None
        self._events: EventReader | None = None
        self._inbox: list[bytes] = []
        self._answered = True
        self._session_id: str | None = None
        self._protocol_version: str | None = None
        # What is the same in every session is written once, and the two lines that differ once a session.
        self._post_head = self._head("POST", key, ACCEPT, f"Content-Type: {JSON}")
        self._delete_head = self._head("DELETE", key, ACCEPT)
        self._stream_head = self._head("GET", key, EVENT_STREAM, "Cache-Control: no-store")
        self._session_lines: bytes | None = None

    @property
    def session_id(self) -> str | None:
        """The Mcp-Session-Id that requests carry, None for none; setting it may raise RemoteProtocolError "bad session id"."""
        return self._session_id

    @session_id.setter
    def session_id(self, value: str | None) -> None:
        self._session_id = visible(value, "bad session id")
        self._session_lines = None

    @property
    def protocol_version(self) -> str | None:
        """The MCP-Protocol-Version that requests carry, None for none; setting it may raise "bad protocol version"."""
        return self._protocol_version

    @protocol_version.setter
    def protocol_version(self, value: str | None) -> None:
        self._protocol_version = visible(value, "bad protocol version")
        self._session_lines = None

    def _lines(self) -> bytes:
        if self._session_lines is None:
            session = "" if self._session_id is None else f"Mcp-Session-Id: {self._session_id}\r\n"
            version = "" if self._protocol_version is None else f"MCP-Protocol-Version: {self._protocol_version}\r\n"
            self._session_lines = (session + version).encode("latin-1")
        return self._session_lines

    def _head(self, method: str, key: str, accept: str, *more: str) -> bytes:
        headers = session_headers(key=check_key(key), session_id=None, protocol_version=None, accept=accept)
        lines = [
            f"{method} {self._target.path} HTTP/1.1",
            f"Host: {self._target.host_header}",
            *(f"{name}: {value}" for name, value in headers.items()),
            *more,
        ]
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1")

    def send(self, message: bytes, deadline: Deadline) -> None:
        """POST one message, on the kept connection if that is still good. Errors as `Dialer.dial` and `Wire.send`."""
        self._exchange(self._post(message), deadline)

    def _post(self, message: bytes) -> bytes:
        return b"%b%bContent-Length: %d\r\n\r\n%b" % (self._post_head, self._lines(), len(message), message)

    def _exchange(self, request: bytes, deadline: Deadline) -> Http1Connection:
        connection = self._connection
        if connection is None or not connection.reusable():
            if connection is not None:
                connection.close()
                self._connection = None
            wire, self.phases.connect_us = self._dialer.dial(self._target, deadline)
            self._connection = connection = Http1Connection(wire, max_reply=self.max_reply, phases=self.phases)
        self._events = None
        self._inbox.clear()
        self._answered = False
        connection.send(request, deadline)
        return connection

    def receive(self, deadline: Deadline) -> bytes | None:
        """Return the next message of the answer, or None when it has none, or no more.

        HttpStatusError, RemoteProtocolError "wrong content type", and the errors of `Http1Connection`.
        """
        if self._events is not None:
            return self._next_event(deadline)
        if self._answered:
            return None
        connection = self._connected()
        status = connection.read_head(deadline)
        if not 200 <= status < 300:
            self._answered = True
            raise status_error(status, self._excerpt(connection, deadline))
        kind = connection.content_type()
        if kind == EVENT_STREAM and status not in (204, 205):
            self._events = EventReader(self.max_reply)
            return self._next_event(deadline)
        body = connection.read_body(deadline)
        self._answered = True
        if not body:
            return None
        if kind != JSON:
            raise RemoteProtocolError("wrong content type", kind or "none")
        return body

    def _connected(self) -> Http1Connection:
        if self._connection is None:
            raise LocalProtocolError("nothing was sent")
        return self._connection

    def _excerpt(self, connection: Http1Connection, deadline: Deadline) -> bytes:
        """The status is known and is the answer; a body that fails must not hide it."""
        try:
            return connection.read_body(deadline)
        except MopError:
            return b""

    def _next_event(self, deadline: Deadline) -> bytes | None:
        connection = self._connected()
        while not self._inbox:
            if self._answered or self._events is None:
                return None
            piece = connection.read(deadline)
            if piece:
                # An event of another name is not MCP's; an empty one only tells the client where to resume.
                self._inbox += [
                    item.data for item in self._events.feed(piece) if isinstance(item, Event) and item.event == "message"
                ]
            else:
                self._answered = True
        return self._inbox.pop(0)

    def finish(self, deadline: Deadline) -> None:
        """Read the rest of an event-stream answer, at most 64 KiB in 0.25 s; past that, give up the connection."""
        if self._answered or self._events is None:
            return
        connection = self._connected()
        end = self.phases.received + DRAIN_BYTES
        limit = deadline.sooner(DRAIN_SECONDS)
        try:
            while self.phases.received < end:
                if not connection.read(limit):
                    self._answered = True
                    return
        except MopError:
            pass
        connection.close()
        self._answered = True

    def reply(self, message: bytes, deadline: Deadline) -> None:
        """POST the answer to a request of the server, on a second connection, while the first still carries its stream.

        HttpStatusError when it is not taken; other errors as `send` and `receive`.
        """
        side = self._side
        phases = Phases()
        try:
            if side is None or not side.reusable():
                if side is not None:
                    side.close()
                    self._side = None
                wire, _ = self._dialer.dial(self._target, deadline)
                self._side = side = Http1Connection(wire, max_reply=self.max_reply, phases=phases)
            side.phases = phases
            answer = side.exchange(self._post(message), deadline)
        finally:
            self.phases.sent += phases.sent
            self.phases.received += phases.received
        if not 200 <= answer.status < 300:
            raise status_error(answer.status, answer.body)

    def delete(self, deadline: Deadline) -> int:
        """DELETE the session and return the status, whatever it is; errors as `send` and `receive`."""
        connection = self._exchange(self._delete_head + self._lines() + b"\r\n", deadline)
        self._answered = True
        status = connection.read_head(deadline)
        connection.read_body(deadline)
        return status

    def open_stream(self, deadline: Deadline) -> EventStream:
        """GET the session's event stream, on a connection of its own; one whose last stream ended in good order is used again.

        HttpStatusError, RemoteProtocolError "wrong content type", and the errors of `send` and `receive`.
        """
        phases = Phases()
        connection, self._idle_stream = self._idle_stream, None
        try:
            if connection is None or not connection.reusable():
                if connection is not None:
                    connection.close()
                wire, phases.connect_us = self._dialer.dial(self._target, deadline)
                connection = Http1Connection(wire, max_reply=self.max_reply, phases=phases)
            connection.phases = phases
            connection.send(self._stream_head + self._lines() + b"\r\n", deadline)
            status = connection.read_head(deadline)
            if status != 200:
                raise status_error(status, self._excerpt(connection, deadline))
            kind = connection.content_type()
            if kind != EVENT_STREAM:
                raise RemoteProtocolError("wrong content type", kind or "none")
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        finally:
            self.phases.add(phases)
        return EventStream(_StreamSource(connection, self), max_event=self.max_reply, phases=phases)

    def keep_stream(self, connection: Http1Connection) -> None:
        """Keep the connection of a stream that the server ended in good order, for the next one; close any other."""
        if self._idle_stream is None and connection.reusable():
            self._idle_stream = connection
        else:
            connection.close()

    def last_header(self, name: str) -> str | None:
        """Return the first value of a header of the last answer, or None."""
        return None if self._connection is None else self._connection.header(name)

    def close(self) -> None:
        """Close the connections; more than once is allowed, and a later `send` opens anew."""
        for connection in (self._connection, self._side, self._idle_stream):
            if connection is not None:
                connection.close()
        self._connection = self._side = self._idle_stream = None
        self._answered = True
        self._events = None


class _StreamSource:
    """The bytes of one stream; its connection goes back to the transport when the stream is closed."""

    __slots__ = ("_connection", "_transport")

    def __init__(self, connection: Http1Connection, transport: HttpTransport) -> None:
        self._connection: Http1Connection | None = connection
        self._transport = transport

    def read(self, deadline: Deadline) -> bytes:
        """Return the next bytes, none at the end."""
        if self._connection is None:
            raise LocalProtocolError("the stream is closed")
        return self._connection.read(deadline)

    def close(self) -> None:
        """Give the connection back; more than once is allowed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._transport.keep_stream(connection)
