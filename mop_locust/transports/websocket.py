"""MCP over a WebSocket, each text message one JSON-RPC message (RFC 6455), the hot path."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from contextlib import suppress
from functools import lru_cache
from random import getrandbits
from typing import ClassVar, Final

from mop_locust.protocol import frames
from mop_locust.protocol.errors import (
    Disconnected,
    ExchangeTimeout,
    HttpStatusError,
    LocalProtocolError,
    MopError,
    RemoteProtocolError,
)
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.dial import Dialer
from mop_locust.transports.http import USER_AGENT, check_key
from mop_locust.transports.http1 import MAX_HEAD, header_of
from mop_locust.transports.phases import Phases
from mop_locust.transports.target import Target
from mop_locust.transports.wire import TlsWire, Wire

# The server is to end the TCP connection (RFC 6455, section 7.1.1), since whoever ends it keeps the port busy for a minute.
# Its FIN follows its close frame at once, whatever the distance; one that does not come is not worth waiting for.
_LINGER_SECONDS: Final = 0.005
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 (\d{3})[ \r]")
_KEY_PLACE: Final = "the-key-goes-here"


class WebSocketTransport:
    """One connection at a time: `open`, then `send` and `receive`, then `close`; it can be opened again."""

    name: ClassVar[str] = "websocket"

    __slots__ = (
        "_decoder",
        "_dialer",
        "_pongs",
        "_request",
        "_sent_ns",
        "_subprotocol",
        "_target",
        "_wire",
        "max_reply",
        "phases",
    )

    def __init__(self, target: Target, dialer: Dialer, *, key: str, max_reply: int, subprotocol: str = "") -> None:
        self._target = target
        self._dialer = dialer
        self._subprotocol = subprotocol
        self.max_reply = max_reply
        self.phases = Phases()
        self._wire: Wire | TlsWire | None = None
        self._decoder = frames.FrameDecoder(max_reply)
        self._pongs = b""
        self._sent_ns = 0
        self._request = _request_around_key(target, key, subprotocol)

    def open(self, deadline: Deadline) -> None:
        """Connect and upgrade. Fills ``connect_us``, ``upgrade_us`` and ``first_byte_us``.

        HttpStatusError "upgrade refused: HTTP 403", RemoteProtocolError "bad upgrade" or "reply too large", the errors of
        `Dialer.dial`; LocalProtocolError when it is open.
        """
        if self._wire is not None:
            raise LocalProtocolError("the WebSocket is open already")
        phases = self.phases
        wire, phases.connect_us = self._dialer.dial(self._target, deadline)
        try:
            rest = self._upgrade(wire, deadline)
        except BaseException:
            wire.close()
            raise
        self._decoder = frames.FrameDecoder(self.max_reply)
        self._pongs = b""
        if rest:
            self._decoder.feed(rest)
        self._wire = wire

    def _upgrade(self, wire: Wire | TlsWire, deadline: Deadline) -> bytes:
        """Do the opening handshake (RFC 6455, section 4.1); return what came after it."""
        phases = self.phases
        key = b64encode(getrandbits(128).to_bytes(16, "little"))
        before_key, after_key = self._request
        request = before_key + key + after_key
        started = time.monotonic_ns()
        phases.sent += len(request)
        wire.send(request, deadline)
        answer = wire.receive(deadline, "no upgrade")
        phases.first_byte_us = (time.monotonic_ns() - started) // 1000
        phases.received += len(answer)
        if not answer:
            raise Disconnected("closed early", "before any byte of the answer")
        while (end := answer.find(b"\r\n\r\n")) < 0:
            if len(answer) > MAX_HEAD:
                raise RemoteProtocolError("reply too large", f"a head over {MAX_HEAD} bytes")
            piece = wire.receive(deadline, "no upgrade")
            if not piece:
                raise Disconnected("closed early", "in the head of the answer")
            phases.received += len(piece)
            answer += piece
        self._check_upgrade(answer[: end + 2], answer[end + 4 :], key.decode("ascii"))
        phases.upgrade_us = (time.monotonic_ns() - started) // 1000
        return answer[end + 4 :]

    def _check_upgrade(self, head: bytes, rest: bytes, key: str) -> None:
        line = _STATUS_LINE.match(head)
        if line is None:
            raise RemoteProtocolError("bad upgrade", "the answer is not HTTP/1.1")
        self.phases.status = status = int(line[1])
        if status != 101:
            excerpt = rest[:800].decode("utf-8", "replace")
            raise HttpStatusError(f"upgrade refused: HTTP {status}", status=status, excerpt=excerpt)
        if header_of(head, "sec-websocket-accept") != frames.accept_key(key):
            raise RemoteProtocolError("bad upgrade", "a wrong Sec-WebSocket-Accept")
        lower = head.lower()
        # What nearly every server writes is told by three searches; the look-ups below cost ten times as much.
        if not (
            b"\r\nupgrade: websocket\r\n" in lower
            and b"\r\nconnection: upgrade\r\n" in lower
            and lower.count(b"\r\nsec-websocket-") == 1
        ):
            self._check_headers(head)

    def _check_headers(self, head: bytes) -> None:
        if (header_of(head, "upgrade") or "").lower() != "websocket":
            raise RemoteProtocolError("bad upgrade", "no Upgrade: websocket in the answer")
        if "upgrade" not in [option.strip() for option in (header_of(head, "connection") or "").lower().split(",")]:
            raise RemoteProtocolError("bad upgrade", "no Connection: Upgrade in the answer")
        if header_of(head, "sec-websocket-extensions"):
            raise RemoteProtocolError("bad upgrade", "an extension that was not asked for")
        chosen = header_of(head, "sec-websocket-protocol") or ""
        if chosen and chosen != self._subprotocol:
            raise RemoteProtocolError("bad upgrade", "a subprotocol that was not asked for")

    @property
    def is_open(self) -> bool:
        """Whether the socket was opened and not closed since, by either side."""
        return self._wire is not None

    def send(self, message: bytes, deadline: Deadline) -> None:
        """Send one text message; errors as `Wire.send`, after which the connection is closed."""
        self._sent_ns = time.monotonic_ns()
        self._write(frames.encode_frame(frames.TEXT, message, _mask()), deadline)

    def _write(self, frame: bytes, deadline: Deadline) -> None:
        wire = self._opened()
        if self._pongs:
            frame, self._pongs = self._pongs + frame, b""
        self.phases.sent += len(frame)
        try:
            wire.send(frame, deadline)
        except MopError:
            # Half a frame may be out, and nothing that follows would be understood.
            self.abort()
            raise

    def _opened(self) -> Wire | TlsWire:
        if self._wire is None:
            raise LocalProtocolError("the WebSocket is not open")
        return self._wire

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next text message; the server's pings are answered before the next wait, or with the next message.

        Disconnected "closed CODE" (with ``code``; 1005 for a close frame without one, 1006 for none) and
        RemoteProtocolError end the connection; ExchangeTimeout does not.
        """
        frame = self._next(deadline, "no answer")
        if isinstance(frame, frames.Text):
            return frame.data
        code = 1005 if frame.code is None else frame.code
        with suppress(MopError):
            self._write(frames.encode_close(frame.code, "", _mask()), deadline)
            self._leave(deadline)
        self.abort()
        raise Disconnected(f"closed {code}", frame.reason, code=code)

    def _next(self, deadline: Deadline, waiting_for: str) -> frames.Text | frames.Close:
        wire, decoder, phases = self._opened(), self._decoder, self.phases
        while True:
            try:
                frame = decoder.next()
            except RemoteProtocolError as error:
                self._refuse(1009 if error.label == "reply too large" else 1002, deadline)
                raise
            if type(frame) is frames.Text or type(frame) is frames.Close:
                return frame
            if frame is None:
                if self._pongs:
                    self._send_pongs(wire, deadline)
                try:
                    data = wire.receive(deadline, waiting_for)
                except ExchangeTimeout:
                    raise
                except MopError:
                    self.abort()
                    raise
                if not data:
                    self.abort()
                    raise Disconnected("closed 1006", "no close frame", code=1006)
                if phases.first_byte_us < 0:
                    phases.first_byte_us = (time.monotonic_ns() - self._sent_ns) // 1000
                phases.received += len(data)
                decoder.feed(data)
            elif type(frame) is frames.Ping:
                # It leaves before the next wait, or with the next message: most often that is a system call less.
                self._pongs += frames.encode_frame(frames.PONG, frame.data, _mask())
            elif type(frame) is frames.Binary:
                self._refuse(1003, deadline)
                raise RemoteProtocolError("binary message", "JSON-RPC goes in text messages")

    def _send_pongs(self, wire: Wire | TlsWire, deadline: Deadline) -> None:
        pongs, self._pongs = self._pongs, b""
        self.phases.sent += len(pongs)
        try:
            wire.send(pongs, deadline)
        except Disconnected:
            pass  # their receiver is gone; what came after its ping, a close code above all, counts all the same
        except MopError:
            self.abort()
            raise

    def _refuse(self, code: int, deadline: Deadline) -> None:
        """Tell the server why the connection ends (RFC 6455, section 7.1.7), if it listens, and end it."""
        with suppress(MopError):
            self._write(frames.encode_close(code, "", _mask()), deadline)
        self.abort()

    def close(self, deadline: Deadline, code: int = 1000) -> None:
        """Close in good order: our close frame, the server's, then TCP; nothing happens when it is not open.

        ExchangeTimeout "close frame" when the server's does not come, Disconnected "closed without handshake" when the
        connection ends instead. Whatever happens, the connection is closed after it.
        """
        if self._wire is None:
            return
        self._sent_ns = time.monotonic_ns()
        try:
            self._write(frames.encode_close(code, "", _mask()), deadline)
            while not isinstance(self._next(deadline, "close frame"), frames.Close):
                pass
            self._leave(deadline)
        except Disconnected as error:
            raise Disconnected("closed without handshake", error.detail, code=error.code) from None
        finally:
            self.abort()

    def _leave(self, deadline: Deadline) -> None:
        """Let the server end the TCP connection, for a moment."""
        if self._wire is not None and self._wire.quiet():
            with suppress(MopError):
                self._wire.receive(deadline.sooner(_LINGER_SECONDS))

    def abort(self) -> None:
        """Close the socket without a word; more than once is allowed."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None


@lru_cache(maxsize=16)
def _request_around_key(target: Target, key: str, subprotocol: str) -> tuple[bytes, bytes]:
    """Return what stands before and after the handshake's key: only that differs between the connections to a target."""
    headers = {"User-Agent": USER_AGENT}
    if key:
        headers["Authorization"] = f"Bearer {check_key(key)}"
    request = frames.upgrade_request(target.path, target.host_header, _KEY_PLACE, headers, subprotocol)
    before, _, after = request.partition(_KEY_PLACE.encode())
    return before, after


def _mask() -> bytes:
    """A mask protects proxies from what a browser's page makes it send; nothing here is secret, so any random bits do."""
    return getrandbits(32).to_bytes(4, "little")
