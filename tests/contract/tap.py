"""A listener on the wire: it passes bytes on in both directions and keeps them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

import gevent
from gevent import socket
from gevent.server import StreamServer
from httptools import HttpParserUpgrade, HttpRequestParser

from mop_locust.protocol.frames import Frame, FrameDecoder

LARGEST = 1 << 24


@dataclass
class Request:
    """One HTTP request as it stood on the wire; the names of its headers are in lower case."""

    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Reader:
    """What httptools calls; one request after the other."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.parser = HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.requests.append(Request())

    def on_url(self, url: bytes) -> None:
        self.requests[-1].path += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.requests[-1].headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self) -> None:
        self.requests[-1].method = self.parser.get_method().decode()

    def on_body(self, body: bytes) -> None:
        self.requests[-1].body += body


@dataclass
class Conversation:
    """One connection: all bytes of the client and all of the server."""

    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)

    def requests(self) -> list[Request]:
        """The HTTP requests of the client."""
        reader = _Reader()
        with suppress(HttpParserUpgrade):
            reader.parser.feed_data(bytes(self.sent))
        return reader.requests

    def client_frames(self) -> list[Frame]:
        """The WebSocket frames of the client, after its upgrade request."""
        return _frames(self.sent, expect_mask=True)

    def server_frames(self) -> list[Frame]:
        """The WebSocket frames of the server, after its answer to the upgrade."""
        return _frames(self.received, expect_mask=False)


def _frames(data: bytearray, *, expect_mask: bool) -> list[Frame]:
    _, _, after = bytes(data).partition(b"\r\n\r\n")
    decoder = FrameDecoder(LARGEST, expect_mask=expect_mask)
    decoder.feed(after)
    frames: list[Frame] = []
    while (frame := decoder.next()) is not None:
        frames.append(frame)
    return frames


class Tap:
    """A relay to `address` (host and port) with an address of its own, open inside `with`."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._target = (host, int(port))
        self._server = StreamServer(("127.0.0.1", 0), self._relay)
        self.conversations: list[Conversation] = []

    def __enter__(self) -> Tap:
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.stop(timeout=0)

    @property
    def address(self) -> str:
        """Host and port where it listens."""
        return f"127.0.0.1:{self._server.server_port}"

    def requests(self) -> list[Request]:
        """The HTTP requests of all connections, in the order of the connections."""
        return [request for conversation in self.conversations for request in conversation.requests()]

    def _relay(self, client: socket.socket, _: object) -> None:
        conversation = Conversation()
        self.conversations.append(conversation)
        with socket.create_connection(self._target) as server:
            back = gevent.spawn(_pass_on, server, client, conversation.received)
            _pass_on(client, server, conversation.sent)
            back.join(timeout=1)
            back.kill()


def _pass_on(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    with suppress(OSError):  # either end is gone, and with it the other
        while data := source.recv(65536):
            kept += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
