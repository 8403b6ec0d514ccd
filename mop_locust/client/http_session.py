"""An MCP session over HTTP: `initialize`, calls, an event stream beside them, DELETE."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mop_locust.client.calls import Calls
from mop_locust.client.exchange import Exchanges, monotonic_us
from mop_locust.client.stream import Stream
from mop_locust.protocol.errors import HttpStatusError, MopError, RpcError
from mop_locust.protocol.session import Session
from mop_locust.transports import HttpLike
from mop_locust.transports.deadline import Deadline

if TYPE_CHECKING:
    from mop_locust.client.client import Clients

# 405: the server does not let clients end sessions (MCP 2025-11-25, "Session Management").
DELETED = frozenset((200, 202, 204, 405))


class HttpSession(Calls):
    """One session over HTTP, opened by `with` and ended by a DELETE when the block is left, whatever ended it.

    With `MOP_LEAK_SESSIONS=1` the session is left open on the server, on purpose.
    """

    __slots__ = ("_began_us", "_clients", "_http", "_opened")

    def __init__(self, clients: Clients, exchanges: Exchanges, transport: HttpLike) -> None:
        super().__init__(Session(clients.revision, client_version=clients.suite_version), exchanges, transport)
        self._clients = clients
        self._http = transport
        self._began_us = 0
        self._opened = False
        transport.session_id = None
        transport.protocol_version = None

    def __enter__(self) -> HttpSession:
        try:
            self.initialize()
        except BaseException:
            self.close()  # the server may have opened the session before the rest went wrong
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def initialize(self) -> None:
        """Opens the session; sends `notifications/initialized` where the server takes it, as an exchange of its own."""
        self._began_us = monotonic_us()
        self._measure("initialize", self._initialize)
        self._opened = True
        self._exchanges.open.sessions += 1
        if self._clients.send_initialized:
            self.notify("notifications/initialized")

    def notify(self, method: str) -> None:
        """Sends a notification, which HTTP answers with a status alone."""
        message = self._core.notification(method)
        self._measure(method, lambda deadline: self._notify(message, deadline))

    def stream(self) -> Stream:
        """Returns the session's event stream, opened by `with`."""
        return Stream(self._http, self._exchanges)

    def close(self) -> None:
        """Ends the session with a DELETE; what goes wrong there is counted, and raised to nobody."""
        session_id = self._http.session_id
        if self._began_us and session_id is not None and not self._clients.settings.leak_sessions:
            with suppress(MopError):  # the sample tells it, and the session is over
                self._exchanges.measure(
                    "http", "delete", self._delete, self._http.phases, timeout=self._clients.closing_timeout()
                )
        if self._opened:
            self._opened = False
            self._exchanges.open.sessions -= 1
            self._exchanges.trend("session_duration", monotonic_us() - self._began_us)
        self._began_us = 0
        self._http.session_id = None
        self._core.close()

    def _reply(self, message: bytes, deadline: Deadline) -> None:
        self._http.reply(message, deadline)

    def _finish(self, deadline: Deadline) -> None:
        self._http.finish(deadline)

    def _initialize(self, deadline: Deadline) -> None:
        answer = self._answer(*self._core.initialize(), deadline)
        if answer.error is not None:
            raise RpcError(f"JSON-RPC {answer.error.code}", code=answer.error.code, message=answer.error.message)
        # Standard servers name the session in a header, the MOP server in the result too, stateless ones not at all.
        self._http.session_id = self._http.last_header("Mcp-Session-Id") or self._core.session_id
        self._http.protocol_version = self._core.protocol_version

    def _notify(self, message: bytes, deadline: Deadline) -> None:
        self._http.send(message, deadline)
        while self._http.receive(deadline) is not None:
            pass  # a body has no meaning here; it is read so that the connection can be used again
        self._http.finish(deadline)

    def _delete(self, deadline: Deadline) -> None:
        status = self._http.delete(deadline)
        if status not in DELETED:
            raise HttpStatusError(f"HTTP {status}", status=status)
