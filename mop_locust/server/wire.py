"""The border to uvicorn: it counts connections, hands WebSockets over, tells when it listens and ends at once."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mop_locust.server.asgi import Scope
from mop_locust.server.faults import Place
from mop_locust.server.socket_wire import Socket
from mop_locust.server.spoiler import reset

if TYPE_CHECKING:
    from mop_locust.server.app import Application

IDLE_SECONDS = 86_400
"""A kept-alive connection is not closed under a client that thinks for long; the real server never does that."""

END_SECONDS = 0.4
"""How long answers in flight may take at the end before their connections are cut."""


class Connection(HttpToolsProtocol):
    """An HTTP connection that is counted, and becomes a Socket when the client asks for that."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of TCP it is this one
        """Count it."""
        super().connection_made(transport)
        self._application().tally.connections += 1

    def _application(self) -> Application:
        return cast("Application", self.app)

    def on_message_complete(self) -> None:
        """Stamp the request: from here on the server holds it."""
        self.scope["read_ns"] = time.monotonic_ns()  # type: ignore[typeddict-unknown-key]  # ours beside ASGI's
        super().on_message_complete()

    def _should_upgrade_to_ws(self) -> bool:
        return True

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, or refuse a handshake that RFC 6455 (section 4.2.1) does not allow."""
        headers = dict(self.headers)
        if self.scope["method"] != "GET" or headers.get(b"sec-websocket-version") != b"13" or b"sec-websocket-key" not in headers:
            self.send_400_response("Not a WebSocket handshake of version 13.")
            return
        path, _, query = self.url.partition(b"?")
        offered = headers.get(b"sec-websocket-protocol", b"").decode("latin-1").split(",")
        scope: Scope = {
            "type": "websocket",
            "method": "GET",
            "path": unquote(path.decode("latin-1")),
            "query_string": query,
            "headers": self.headers,
            "subprotocols": [text.strip() for text in offered if text.strip()],
            "transport": self.transport,
        }
        self.connections.discard(self)
        app = self._application()
        self.transport.set_protocol(Socket(app, app.tally, self.server_state, self.transport, scope, app.ping_seconds))


class FaultyConnection(Connection):
    """A connection of a server with faults: some are not taken, and answers can reach the transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of TCP it is this one
        """Count it; reset it when that is its fault."""
        super().connection_made(transport)
        if self._application().faults.draw({Place.CONNECTION}):
            reset(transport)

    def on_message_begin(self) -> None:
        """Give each request its transport."""
        super().on_message_begin()
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]  # ours beside ASGI's


class Server(uvicorn.Server):
    """A server that tells when it listens, and that ends well within a second at SIGTERM or SIGINT."""

    def __init__(self, config: uvicorn.Config, app: Application, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._application = app
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._on_listening()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at the first signal, without raising it again afterwards: the process ends with code 0."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Stop listening, end streams and held answers, close all connections, cut what is left."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        self._application.pauses.end()
        state = self.server_state
        for connection in tuple(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=END_SECONDS)
        for connection in tuple(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        await self.lifespan.shutdown()


def configuration(app: Application) -> uvicorn.Config:
    """The uvicorn configuration of an application, without TLS."""
    return uvicorn.Config(
        cast(Any, app),
        loop="uvloop",
        http=FaultyConnection if app.faults else Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        backlog=4096,
    )
