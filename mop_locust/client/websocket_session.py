"""A session over a WebSocket of its own: TCP connect, upgrade, calls, a time of silence, the close handshake."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from mop_locust.client.calls import Calls
from mop_locust.client.exchange import Exchanges, monotonic_us
from mop_locust.protocol.errors import ExchangeTimeout, MopError, RemoteProtocolError, RpcError
from mop_locust.protocol.session import Answer, Session
from mop_locust.transports import WebSocketLike
from mop_locust.transports.deadline import Deadline

if TYPE_CHECKING:
    from mop_locust.client.client import Clients


class WebSocketSession(Calls):
    """One session over a WebSocket, opened by `with` and closed by a close handshake when the block is left.

    The MOP server takes calls on `/ws` without `initialize`; SDK servers want it: call `initialize()` first.
    """

    __slots__ = ("_began_us", "_clients", "_open", "_socket")

    def __init__(self, clients: Clients, exchanges: Exchanges, socket: WebSocketLike) -> None:
        super().__init__(Session(clients.revision, handshake=False, client_version=clients.suite_version), exchanges, socket)
        self._clients = clients
        self._socket = socket
        self._began_us = 0
        self._open = False

    def __enter__(self) -> WebSocketSession:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Connects and upgrades: one exchange, `connect`, with the TCP connect and the upgrade as trends."""
        self._began_us = monotonic_us()
        self._exchanges.measure("websocket", "connect", self._socket.open, self._socket.phases)
        self._open = True
        self._exchanges.open.sockets += 1
        self._exchanges.trend("upgrade_latency", self._socket.phases.upgrade_us)

    def initialize(self) -> None:
        """Opens an MCP session on the socket, then says `notifications/initialized` where the server takes it."""
        self._core = Session(self._clients.revision, client_version=self._clients.suite_version)
        self._measure("initialize", self._initialize)
        if self._clients.send_initialized:
            message = self._core.notification("notifications/initialized")
            self._measure("notifications/initialized", lambda deadline: self._notify(message, deadline))

    def hold(self, seconds: float) -> None:
        """Keeps the socket open for `seconds`, answering the server; raises Disconnected when it closes the socket early."""
        until = Deadline.after(seconds)
        try:
            while True:
                for event in self._core.receive(self._socket.receive(until)):
                    self._answer_server(event, until)
        except ExchangeTimeout:
            return
        except MopError as error:
            self._ended_by_peer(error)
            raise

    def close(self) -> None:
        """Closes the socket: one exchange, `close`; what goes wrong there is counted, and raised to nobody.

        With `MOP_LEAK_SESSIONS=1` the socket is dropped without a word, on purpose.
        """
        if not self._open:
            return
        if not self._clients.settings.leak_sessions:
            with suppress(MopError):  # the sample tells it, and the session is over
                self._measure_close(self._socket.close)
        self._drop()

    def _initialize(self, deadline: Deadline) -> None:
        answer = self._answer(*self._core.initialize(), deadline)
        if answer.error is not None:
            raise RpcError(f"JSON-RPC {answer.error.code}", code=answer.error.code, message=answer.error.message)

    def _answer(self, id: int | str, message: bytes, deadline: Deadline) -> Answer:
        try:
            return super()._answer(id, message, deadline)
        except MopError as error:
            if isinstance(error, RemoteProtocolError) or not self._socket.is_open:
                self._drop()  # nothing is left to be closed, or nothing that follows could be understood
            raise

    def _notify(self, message: bytes, deadline: Deadline) -> None:
        try:
            self._socket.send(message, deadline)
        except MopError:
            self._drop()  # half a message may be out
            raise

    def _ended_by_peer(self, error: MopError) -> None:
        """Counts a close that we did not ask for as the session's one `close`, with the error as its outcome."""

        def ended(_: Deadline) -> None:
            raise error

        with suppress(MopError):
            self._measure_close(ended)
        self._drop()

    def _measure_close(self, operation: Callable[[Deadline], None]) -> None:
        self._exchanges.measure("websocket", "close", operation, self._socket.phases, timeout=self._clients.closing_timeout())

    def _drop(self) -> None:
        if self._open:
            self._open = False
            self._exchanges.open.sockets -= 1
            self._socket.abort()
            self._core.close()
            self._exchanges.trend("session_duration", monotonic_us() - self._began_us)
