"""MCP over Streamable HTTP by way of `requests`: slow, independent of our own HTTP, and with proxies.

It must agree with `mop_locust.transports.http` on every outcome; that is what it is for. Proxies are taken from the
environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY). Its figures differ in what the library hides: ``connect_us`` is never
known, ``first_byte_us`` ends with the head and has the connect in it, and only bodies count as bytes.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import ClassVar, Final

import gevent
import requests
from gevent.queue import Empty, SimpleQueue
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from mop_locust.protocol.errors import (
    ConnectError,
    Disconnected,
    ExchangeTimeout,
    MopError,
    RemoteProtocolError,
)
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.dial import Dialer
from mop_locust.transports.http import ACCEPT, DRAIN_BYTES, DRAIN_SECONDS, JSON, check_key, session_headers, status_error, visible
from mop_locust.transports.http1 import media_type
from mop_locust.transports.phases import Phases
from mop_locust.transports.sse import EVENT_STREAM, Event, EventReader, EventStream
from mop_locust.transports.target import Target
from mop_locust.transports.wire import RECEIVE_SIZE, connect_fault, exchange_fault

_SCHEMES: Final = {"ws": "http", "wss": "https"}


def as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authenticate with the headers as they are; without this, a .netrc file would replace the key."""
    return request


def fault(error: Exception) -> MopError:
    """Return the typed error for one of `requests` or `urllib3`, by the cause that they wrap.

    A chunk with a wrong size is "closed early" here, since `http.client` does not tell it from an end.
    """
    causes = list(_causes(error))
    for kinds, label in (((requests.exceptions.ProxyError,), "proxy"), ((socket.gaierror,), "name not found")):
        if any(isinstance(cause, kinds) for cause in causes):
            return ConnectError(label, str(error))
    connecting = any(isinstance(cause, NewConnectionError) for cause in causes)
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return connect_fault(cause)
        if isinstance(cause, (http.client.RemoteDisconnected, http.client.IncompleteRead)):
            return Disconnected("closed early")
        if isinstance(cause, OSError) and cause.errno:
            return connect_fault(cause) if connecting else exchange_fault(cause)
    return RemoteProtocolError("bad HTTP", str(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions inside one, the deepest first: both libraries put them in arguments, reasons and causes."""
    inner = [*error.args, getattr(error, "reason", None), error.__cause__]
    for other in inner:
        if isinstance(other, BaseException) and other is not error:
            yield from _causes(other)
    yield error


@contextmanager
def _typed(deadline: Deadline) -> Iterator[None]:
    try:
        with deadline.enforced():
            yield
    except (requests.RequestException, HTTPError, http.client.HTTPException, OSError) as error:
        raise fault(error) from error


class _Judging(HTTPAdapter):
    """Has each connection's address judged before anything is sent: the library looks names up anew, by itself.

    A connection to a proxy is not judged; the user's environment names that one.
    """

    def __init__(self, judge: Callable[[str], None]) -> None:
        def judged(kind: type[HTTPConnection]) -> type[HTTPConnection]:
            class Judged(kind):  # type: ignore[valid-type, misc]  # one of the two classes below
                def _new_conn(self) -> socket.socket:
                    connected: socket.socket = super()._new_conn()
                    try:
                        judge(connected.getpeername()[0])
                    except MopError:
                        connected.close()
                        raise
                    return connected

            return Judged

        super().__init__()
        plain = type("Plain", (HTTPConnectionPool,), {"ConnectionCls": judged(HTTPConnection)})
        secure = type("Secure", (HTTPSConnectionPool,), {"ConnectionCls": judged(HTTPSConnection)})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secure}


class _Pump:
    """Reads a response in a greenlet of its own, since to interrupt a read of urllib3 closes its connection."""

    def __init__(self, session: requests.Session, response: requests.Response) -> None:
        self._session = session
        self._response = response
        self._queue: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._greenlet = gevent.spawn(self._run)

    def _run(self) -> None:
        try:
            while True:
                piece = self._response.raw.read1(RECEIVE_SIZE)
                self._queue.put(piece)
                if not piece:
                    return
        except (HTTPError, http.client.HTTPException, OSError) as error:
            self._queue.put(fault(error))

    def read(self, deadline: Deadline) -> bytes:
        """Return the next bytes, none at the end; after the end it must not be asked again."""
        try:
            item: bytes | Exception = self._queue.get(timeout=deadline.remaining())
        except Empty:
            raise ExchangeTimeout("no answer") from None
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        self._greenlet.kill()
        self._response.close()
        self._session.close()


class RequestsTransport:
    """The same as `HttpTransport`, method by method, errors included."""

    name: ClassVar[str] = "http"

    def __init__(self, target: Target, dialer: Dialer, *, key: str, max_reply: int) -> None:
        scheme = _SCHEMES.get(target.scheme, target.scheme)
        self._target = target
        self._dialer = dialer
        self._url = f"{scheme}://{target.host_header}{target.path}"
        self._key = check_key(key)
        self._verify: bool | str = False if dialer.tls.insecure else dialer.tls.ca_file or True
        self.max_reply = max_reply
        self.phases = Phases()
        self._session = self._new_session()
        self._session_id: str | None = None
        self._protocol_version: str | None = None
        self._response: requests.Response | None = None
        self._last: requests.Response | None = None
        self._events: EventReader | None = None
        self._inbox: list[bytes] = []

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.auth = as_given
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.clear()
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Judging(lambda address: self._dialer.judge(self._target, address)))
        return session

    @property
    def session_id(self) -> str | None:
        """The Mcp-Session-Id that requests carry; as `HttpTransport.session_id`."""
        return self._session_id

    @session_id.setter
    def session_id(self, value: str | None) -> None:
        self._session_id = visible(value, "bad session id")

    @property
    def protocol_version(self) -> str | None:
        """The MCP-Protocol-Version that requests carry; as `HttpTransport.protocol_version`."""
        return self._protocol_version

    @protocol_version.setter
    def protocol_version(self, value: str | None) -> None:
        self._protocol_version = visible(value, "bad protocol version")

    def _request(
        self,
        method: str,
        deadline: Deadline,
        phases: Phases,
        *,
        session: requests.Session | None = None,
        message: bytes | None = None,
        accept: str = ACCEPT,
    ) -> requests.Response:
        headers = session_headers(
            key=self._key, session_id=self._session_id, protocol_version=self._protocol_version, accept=accept
        )
        headers["Accept-Encoding"] = "identity"
        if message is not None:
            headers["Content-Type"] = JSON
            phases.sent += len(message)
        self._dialer.check(self._target, deadline)
        started = time.monotonic_ns()
        with _typed(deadline):
            response = (session or self._session).request(
                method,
                self._url,
                data=message,
                headers=headers,
                stream=True,
                allow_redirects=False,
                # Here and not on the session, whose choice the environment (REQUESTS_CA_BUNDLE) would replace.
                verify=self._verify,
            )
        phases.first_byte_us = (time.monotonic_ns() - started) // 1000
        phases.status = response.status_code
        return response

    def _body(self, response: requests.Response, deadline: Deadline, phases: Phases) -> bytes:
        pieces: list[bytes] = []
        size = 0
        with _typed(deadline):
            while piece := response.raw.read1(RECEIVE_SIZE):
                pieces.append(piece)
                phases.received += len(piece)
                size += len(piece)
                if size > self.max_reply:
                    response.close()
                    raise RemoteProtocolError("reply too large", f"a body over {self.max_reply} bytes")
        return b"".join(pieces)

    def _excerpt(self, response: requests.Response, deadline: Deadline, phases: Phases) -> bytes:
        try:
            return self._body(response, deadline, phases)
        except MopError:
            response.close()
            return b""

    def _drop(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None
        self._events = None
        self._inbox.clear()

    def send(self, message: bytes, deadline: Deadline) -> None:
        """POST one message and wait for the head of its answer."""
        self._drop()
        self._last = self._response = self._request("POST", deadline, self.phases, message=message)

    def receive(self, deadline: Deadline) -> bytes | None:
        """Return the next message of the answer, or None; as `HttpTransport.receive`."""
        response = self._response
        if response is None:
            return None
        if self._events is not None:
            return self._next_event(self._events, response, deadline)
        status = response.status_code
        if not 200 <= status < 300:
            self._response = None
            raise status_error(status, self._excerpt(response, deadline, self.phases))
        kind = media_type(response.headers.get("Content-Type"))
        if kind == EVENT_STREAM and status not in (204, 205):
            self._events = EventReader(self.max_reply)
            return self._next_event(self._events, response, deadline)
        self._response = None
        body = self._body(response, deadline, self.phases)
        if not body:
            return None
        if kind != JSON:
            raise RemoteProtocolError("wrong content type", kind or "none")
        return body

    def _next_event(self, events: EventReader, response: requests.Response, deadline: Deadline) -> bytes | None:
        while not self._inbox:
            with _typed(deadline):
                piece = response.raw.read1(RECEIVE_SIZE)
            if not piece:
                self._drop()
                return None
            self.phases.received += len(piece)
            self._inbox += [item.data for item in events.feed(piece) if isinstance(item, Event) and item.event == "message"]
        return self._inbox.pop(0)

    def finish(self, deadline: Deadline) -> None:
        """Read the rest of an event-stream answer, within bounds, or give up its connection; as `HttpTransport.finish`."""
        response = self._response
        if response is None:
            return
        end = self.phases.received + DRAIN_BYTES
        limit = deadline.sooner(DRAIN_SECONDS)
        try:
            while self.phases.received < end:
                with _typed(limit):
                    piece = response.raw.read1(RECEIVE_SIZE)
                if not piece:
                    break
                self.phases.received += len(piece)
        except MopError:
            pass
        self._drop()

    def reply(self, message: bytes, deadline: Deadline) -> None:
        """POST the answer to a request of the server; as `HttpTransport.reply`."""
        phases = Phases()
        try:
            response = self._request("POST", deadline, phases, message=message)
            body = self._body(response, deadline, phases)
        finally:
            self.phases.sent += phases.sent
            self.phases.received += phases.received
        if not 200 <= response.status_code < 300:
            raise status_error(response.status_code, body)

    def delete(self, deadline: Deadline) -> int:
        """DELETE the session and return the status, whatever it is."""
        self._drop()
        self._last = response = self._request("DELETE", deadline, self.phases)
        self._body(response, deadline, self.phases)
        return response.status_code

    def open_stream(self, deadline: Deadline) -> EventStream:
        """GET the session's event stream, on a connection of its own; as `HttpTransport.open_stream`."""
        phases = Phases()
        session = self._new_session()
        try:
            response = self._request("GET", deadline, phases, session=session, accept=EVENT_STREAM)
            if response.status_code != 200:
                raise status_error(response.status_code, self._excerpt(response, deadline, phases))
            kind = media_type(response.headers.get("Content-Type"))
            if kind != EVENT_STREAM:
                raise RemoteProtocolError("wrong content type", kind or "none")
        except BaseException:
            session.close()
            raise
        finally:
            self.phases.add(phases)
        return EventStream(_Pump(session, response), max_event=self.max_reply, phases=phases)

    def last_header(self, name: str) -> str | None:
        """Return the first value of a header of the last answer, or None."""
        return None if self._last is None else self._last.headers.get(name)

    def close(self) -> None:
        """Close the connections; more than once is allowed."""
        self._drop()
        self._session.close()
