"""MCP over a WebSocket by way of `websocket-client`: slow, independent of our own frames, and with proxies.

It must agree with `mop_locust.transports.websocket` on every outcome. Proxies are taken from the environment
(HTTP_PROXY, HTTPS_PROXY, NO_PROXY); behind one the library connects, and ``connect_us`` is not known. ``received`` counts
payloads only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import websocket
from websocket._abnf import frame_buffer
from websocket._handshake import CookieJar

from mop_locust.protocol.errors import (
    ConnectError,
    Disconnected,
    HttpStatusError,
    LocalProtocolError,
    MopError,
    RemoteProtocolError,
)
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.dial import Dialer, behind_proxy
from mop_locust.transports.http import USER_AGENT, check_key
from mop_locust.transports.phases import Phases
from mop_locust.transports.target import Target
from mop_locust.transports.wire import connect_fault, exchange_fault

_SCHEMES = {"http": "ws", "https": "wss"}


@contextmanager
def _typed(deadline: Deadline, waiting_for: str, *, connecting: bool = False) -> Iterator[None]:
    try:
        with deadline.enforced(waiting_for):
            yield
    except websocket.WebSocketConnectionClosedException as error:
        if connecting:
            raise Disconnected("closed early", "in the opening handshake") from error
        raise Disconnected("closed 1006", "no close frame", code=1006) from error
    except websocket.WebSocketBadStatusException as error:
        body = (error.resp_body or b"")[:800].decode("utf-8", "replace")
        raise HttpStatusError(f"upgrade refused: HTTP {error.status_code}", status=error.status_code, excerpt=body) from error
    except websocket.WebSocketAddressException as error:
        raise ConnectError("name not found", str(error)) from error
    except websocket.WebSocketProxyException as error:
        raise ConnectError("proxy", str(error)) from error
    except _TooLarge as error:
        raise RemoteProtocolError("reply too large", str(error)) from error
    except (websocket.WebSocketException, ValueError) as error:
        raise RemoteProtocolError("bad upgrade" if connecting else "bad frame", str(error)) from error
    except OSError as error:
        raise (connect_fault(error) if connecting else exchange_fault(error)) from error


class _TooLarge(websocket.WebSocketException):
    """A message over the limit."""


class _Frames(frame_buffer):
    """The library's reader of frames, with a limit for a message.

    The library has none, and puts fragments together in a time that grows with the square of their number: a server that
    sends without end would hold up the whole process, deadlines included.
    """

    def __init__(self, receive: Callable[[int], bytes], max_message: int) -> None:
        super().__init__(receive, skip_utf8_validation=False)
        self._max_message = max_message
        self._size = 0

    def recv_length(self) -> None:
        """Take the length of a frame; _TooLarge when its message is over the limit."""
        super().recv_length()
        assert self.header is not None
        assert self.length is not None
        opcode = self.header[4]
        if opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
            self._size = self.length
        elif opcode == websocket.ABNF.OPCODE_CONT:
            self._size += self.length
        if self._size > self._max_message:
            raise _TooLarge(f"over {self._max_message} bytes")


class _Socket(websocket.WebSocket):
    """The library's socket, with a limit, and for which an answer to a frame that cannot be sent does not hide the frame.

    Whoever sent a ping or a close frame may be gone already; what it sent, a close code above all, counts all the same.
    """

    def __init__(self, sslopt: dict[str, Any], max_message: int) -> None:
        super().__init__(sslopt=sslopt)
        self.frame_buffer = _Frames(self._recv, max_message)

    def pong(self, payload: str | bytes = "") -> None:
        """Answer a ping."""
        with suppress(OSError):
            super().pong(payload)

    def send_close(self, status: int = websocket.STATUS_NORMAL, reason: str | bytes = b"") -> None:
        """Answer a close frame."""
        with suppress(OSError):
            super().send_close(status, reason)

    def begin_close(self, status: int) -> None:
        """Send the first close frame of the connection."""
        super().send_close(status)


class WebSocketClientTransport:
    """The same as `WebSocketTransport`, method by method, errors included."""

    name: ClassVar[str] = "websocket"

    def __init__(self, target: Target, dialer: Dialer, *, key: str, max_reply: int, subprotocol: str = "") -> None:
        self._target = target
        self._dialer = dialer
        self._key = check_key(key)
        self._subprotocol = subprotocol
        self.max_reply = max_reply
        self.phases = Phases()
        self._socket: Any = None
        self._sent_ns = 0

    def open(self, deadline: Deadline) -> None:
        """Connect and upgrade; as `WebSocketTransport.open`."""
        if self._socket is not None:
            raise LocalProtocolError("the WebSocket is open already")
        target, phases = self._target, self.phases
        headers = [f"User-Agent: {USER_AGENT}"]
        if self._key:
            headers.append(f"Authorization: Bearer {self._key}")
        if self._subprotocol:
            # As a header: named to the library, a server that chooses none would be refused, which RFC 6455 does not ask for.
            headers.append(f"Sec-WebSocket-Protocol: {self._subprotocol}")
        options: dict[str, Any] = {
            "host": target.host_header,
            "header": headers,
            "suppress_origin": True,
            "redirect_limit": 0,
        }
        sslopt: dict[str, Any] = {}
        connected = None
        if behind_proxy(target):
            self._dialer.check(target, deadline)
            if target.tls:
                sslopt["context"] = self._dialer.context()
        else:
            wire, phases.connect_us = self._dialer.dial(target, deadline)
            options["socket"] = connected = wire.release()
        fresh: Any = _Socket(sslopt, self.max_reply)
        scheme = _SCHEMES.get(target.scheme, target.scheme)
        started = time.monotonic_ns()
        try:
            with _typed(deadline, "no upgrade", connecting=True):
                fresh.connect(f"{scheme}://{target.host_header}{target.path}", **options)
        except BaseException as error:
            if connected is not None:
                connected.close()
            response = fresh.handshake_response
            if isinstance(error, HttpStatusError):
                phases.status = error.status
            elif response is not None and response.status != 101:
                phases.status = response.status
                raise HttpStatusError(f"upgrade refused: HTTP {response.status}", status=response.status) from error
            raise
        if fresh.handshake_response.headers.get("sec-websocket-protocol", self._subprotocol) != self._subprotocol:
            fresh.shutdown()
            raise RemoteProtocolError("bad upgrade", "a subprotocol that was not asked for")
        # The library shares the cookies of a server between all sockets of a process; users must not share theirs.
        CookieJar.jar.clear()
        phases.status = 101
        phases.upgrade_us = phases.first_byte_us = (time.monotonic_ns() - started) // 1000
        self._socket = fresh

    def _opened(self) -> Any:
        if self._socket is None:
            raise LocalProtocolError("the WebSocket is not open")
        return self._socket

    @property
    def is_open(self) -> bool:
        """Whether the socket was opened and not closed since."""
        return self._socket is not None

    def send(self, message: bytes, deadline: Deadline) -> None:
        """Send one text message; as `WebSocketTransport.send`."""
        opened = self._opened()
        self._sent_ns = time.monotonic_ns()
        try:
            with _typed(deadline, "request not taken"):
                self.phases.sent += opened.send(message, websocket.ABNF.OPCODE_TEXT)
        except MopError:
            self.abort()
            raise

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next text message; as `WebSocketTransport.receive`."""
        opened, phases = self._opened(), self.phases
        try:
            with _typed(deadline, "no answer"):
                opcode, content = opened.recv_data_frame()
        except RemoteProtocolError as error:
            self._refuse(1009 if error.label == "reply too large" else 1002, deadline)
            raise
        except Disconnected:
            self.abort()
            raise
        if phases.first_byte_us < 0:
            phases.first_byte_us = (time.monotonic_ns() - self._sent_ns) // 1000
        data: bytes = content.data
        phases.received += len(data)
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.abort()
            code = int.from_bytes(data[:2], "big") if data else 1005
            raise Disconnected(f"closed {code}", data[2:].decode("utf-8", "replace"), code=code)
        if opcode != websocket.ABNF.OPCODE_TEXT:
            self._refuse(1003, deadline)
            raise RemoteProtocolError("binary message", "JSON-RPC goes in text messages")
        return data

    def _refuse(self, code: int, deadline: Deadline) -> None:
        with suppress(MopError), _typed(deadline, "request not taken"):
            self._socket.send_close(code)
        self.abort()

    def close(self, deadline: Deadline, code: int = 1000) -> None:
        """Close in good order; as `WebSocketTransport.close`."""
        opened = self._socket
        if opened is None:
            return
        try:
            with _typed(deadline, "close frame"):
                opened.begin_close(code)
                # Not the library's close: that one waits its own time and tells nobody what came.
                while opened.recv_frame().opcode != websocket.ABNF.OPCODE_CLOSE:
                    pass
        except Disconnected as error:
            raise Disconnected("closed without handshake", error.detail, code=error.code) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the socket without a word; more than once is allowed."""
        if self._socket is not None:
            self._socket.shutdown()
            self._socket = None
