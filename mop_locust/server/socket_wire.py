"""A WebSocket connection under uvicorn: the frames of `protocol.frames` on one side, ASGI messages on the other.

Why not uvicorn's own: a session over its wsproto connection costs several times the CPU, and a connect storm would measure that.
This one speaks as much of ASGI's WebSocket messages as our application uses: accept, send, receive, disconnect and a plain HTTP
refusal. There is no extension, as in the real server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from http import HTTPStatus

from uvicorn.server import ServerState

from mop_locust.protocol import frames
from mop_locust.protocol.errors import RemoteProtocolError
from mop_locust.server.asgi import Application, Header, Message, Scope
from mop_locust.server.tally import Tally

MAX_MESSAGE = 64 * 1024 * 1024
"""Bytes of one message, as in the real server."""

UNREAD = 64
"""Messages that may wait for the application before the connection is read no further."""

TOO_LARGE = 1009
PROTOCOL_ERROR = 1002
SERVICE_RESTART = 1012


class ClientGone(OSError):
    """The application sends on a socket that is closed."""


class Socket(asyncio.Protocol):
    """One WebSocket: counted, and pinged as soon as it is open and each `ping_seconds` from then on."""

    def __init__(
        self, app: Application, tally: Tally, state: ServerState, transport: asyncio.Transport, scope: Scope, ping_seconds: float
    ) -> None:
        self.transport = transport
        self._tally = tally
        self._connections: set[object] = state.connections  # type: ignore[assignment]  # uvicorn's own protocols
        self._scope = scope
        self._ping_seconds = ping_seconds
        self._decoder = frames.FrameDecoder(MAX_MESSAGE, expect_mask=True)
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._inbox.put_nowait({"type": "websocket.connect"})
        self._writable = asyncio.Event()
        self._writable.set()
        self._open = False
        self._paused = False
        self._loop = asyncio.get_running_loop()
        self._next_ping: asyncio.TimerHandle | None = None
        self._connections.add(self)
        task = self._loop.create_task(self._run(app))
        state.tasks.add(task)
        task.add_done_callback(state.tasks.discard)

    async def _run(self, app: Application) -> None:
        try:
            await app(self._scope, self._receive, self._send)
        except ClientGone:
            pass
        finally:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take frames from the client."""
        self._decoder.feed(data)
        try:
            while (frame := self._decoder.next()) is not None:
                self._take(frame)
        except RemoteProtocolError as error:
            self._end(TOO_LARGE if error.label == "reply too large" else PROTOCOL_ERROR)

    def _take(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Text(data):
                self._deliver({"type": "websocket.receive", "text": data.decode(), "read_ns": time.monotonic_ns()})
            case frames.Binary(data):
                self._deliver({"type": "websocket.receive", "text": None, "bytes": data})
            case frames.Ping(data):
                self.transport.write(frames.encode_frame(frames.PONG, data, b""))
            case frames.Close(code):
                self._tally.sockets_closed_cleanly += self._open
                self._end(code)

    def _deliver(self, message: Message) -> None:
        self._inbox.put_nowait(message)
        if self._inbox.qsize() >= UNREAD and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def _end(self, code: int | None) -> None:
        """Send a close frame, with no code if it is None, and close the connection."""
        if self._open:
            self.transport.write(frames.encode_close(code, "", b""))
        self._closed(code)
        self.transport.close()

    def _closed(self, code: int | None) -> None:
        self._tally.sockets_closed += self._open
        self._open = False
        if self._next_ping is not None:
            self._next_ping.cancel()
        self._writable.set()
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1005 if code is None else code})

    def connection_lost(self, _: Exception | None) -> None:
        """The connection is gone, with or without a close frame."""
        self._connections.discard(self)
        self._closed(1006)

    def shutdown(self) -> None:
        """The server ends."""
        self._end(SERVICE_RESTART)

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable.set()

    async def _receive(self) -> Message:
        message = await self._inbox.get()
        if self._paused and self._inbox.empty():
            self._paused = False
            self.transport.resume_reading()
        return message

    async def _send(self, message: Message) -> None:
        """Send what the application gives; raises ClientGone on a closed socket."""
        kind = message["type"]
        if kind == "websocket.accept":
            self._accept(message.get("subprotocol"))
        elif kind == "websocket.http.response.start":
            self.transport.write(response_head(message["status"], message["headers"]))
        elif kind == "websocket.http.response.body":
            self.transport.write(message["body"])
        else:
            await self._writable.wait()
            if not self._open:
                raise ClientGone
            self.transport.write(frames.encode_frame(frames.TEXT, (message["text"] or "").encode(), b""))

    def _accept(self, subprotocol: str | None) -> None:
        if self.transport.is_closing():
            raise ClientGone
        key = dict(self._scope["headers"])[b"sec-websocket-key"].decode("latin-1")
        headers = [(b"upgrade", b"websocket"), (b"connection", b"Upgrade")]
        headers.append((b"sec-websocket-accept", frames.accept_key(key).encode()))
        if subprotocol is not None:
            headers.append((b"sec-websocket-protocol", subprotocol.encode()))
        self._open = True
        self._tally.sockets_opened += 1
        self.transport.write(response_head(HTTPStatus.SWITCHING_PROTOCOLS, headers))
        self._ping()

    def _ping(self) -> None:
        self.transport.write(frames.encode_frame(frames.PING, b"", b""))
        self._tally.pings_sent += 1
        self._next_ping = self._loop.call_later(self._ping_seconds, self._ping)


def response_head(status: int, headers: Iterable[Header]) -> bytes:
    """The head of an HTTP/1.1 answer on the wire."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(), *(b"%b: %b" % header for header in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n"
