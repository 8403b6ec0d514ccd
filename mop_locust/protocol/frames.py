"""The WebSocket wire format (RFC 6455): the upgrade request, frames out, frames in. No socket.

Frame header (RFC 6455, section 5.2)::

    byte 0    FIN (0x80), three reserved bits (0x70), opcode (0x0f)
    byte 1    MASK (0x80), length 0..125, or 126: 2 bytes of length follow, or 127: 8 bytes follow
    then      4 bytes of mask, if MASK is set; then the payload

The law of `FrameDecoder`: any bytes, in any pieces, give frames or a RemoteProtocolError.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from mop_locust.protocol.errors import LocalProtocolError, RemoteProtocolError

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

_OPCODES: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
_from_bytes = int.from_bytes
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Text(msgspec.Struct, frozen=True, gc=False):
    """A whole text message; ``data`` is valid UTF-8."""

    data: bytes


class Binary(msgspec.Struct, frozen=True, gc=False):
    """A whole binary message."""

    data: bytes


class Ping(msgspec.Struct, frozen=True, gc=False):
    """The peer wants a pong with the same payload."""

    data: bytes


class Pong(msgspec.Struct, frozen=True, gc=False):
    """The answer to a ping, or one that nobody asked for."""

    data: bytes


class Close(msgspec.Struct, frozen=True, gc=False):
    """The peer ends the connection; ``code`` is None when it gave none (then 1005 is what others report)."""

    code: int | None
    reason: str = ""


Frame: TypeAlias = Text | Binary | Ping | Pong | Close


def upgrade_request(
    path: str, host_header: str, key: str, headers: Mapping[str, str] | None = None, subprotocol: str = ""
) -> bytes:
    """Return the bytes of the opening handshake (RFC 6455, section 4.1); ``key`` is base64 of 16 random bytes.

    LocalProtocolError for a line break or a character outside Latin-1 in any of the texts.
    """
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host_header}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    lines.extend(f"{name}: {value}" for name, value in (headers or {}).items())
    head = "\r\n".join(lines)
    if head.count("\r") != len(lines) - 1 or head.count("\n") != len(lines) - 1 or "\0" in head:
        raise LocalProtocolError("a line break in the upgrade request")
    try:
        return head.encode("latin-1") + b"\r\n\r\n"
    except UnicodeEncodeError:
        raise LocalProtocolError("a character outside Latin-1 in the upgrade request") from None


def accept_key(key: str) -> str:
    """Return the Sec-WebSocket-Accept that belongs to a Sec-WebSocket-Key (RFC 6455, section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode("latin-1") + _GUID, usedforsecurity=False).digest()).decode("ascii")


def masked(payload: bytes, mask: bytes) -> bytes:
    """Return ``payload`` XOR the repeated four bytes of ``mask``; twice gives the payload back (RFC 6455, section 5.3)."""
    size = len(payload)
    key = (mask * ((size + 3) >> 2))[:size]
    return (_from_bytes(payload, "little") ^ _from_bytes(key, "little")).to_bytes(size, "little")


def encode_frame(opcode: int, payload: bytes, mask: bytes, fin: bool = True) -> bytes:
    """Return one frame; a client's has a ``mask`` of four bytes, a server's the empty one.

    LocalProtocolError for an unknown opcode, another mask, and a control frame that is fragmented or over 125 bytes.
    """
    size = len(payload)
    if opcode not in _OPCODES or (opcode >= CLOSE and (size > 125 or not fin)) or len(mask) not in (0, 4):
        raise LocalProtocolError(f"no such frame: opcode {opcode}, fin {fin}, {size} bytes, mask of {len(mask)}")
    first = opcode | 0x80 if fin else opcode
    flag = 0x80 if mask else 0
    if size < 126:
        head = bytes((first, flag | size))
    elif size < 65536:
        head = bytes((first, flag | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, flag | 127)) + size.to_bytes(8, "big")
    return head + mask + masked(payload, mask) if mask else head + payload


def encode_close(code: int | None, reason: str, mask: bytes) -> bytes:
    """Return a close frame; LocalProtocolError for a code that must not be sent, and for a reason over 123 bytes."""
    if code is None:
        if reason:
            raise LocalProtocolError("a close reason needs a code")
        return encode_frame(CLOSE, b"", mask)
    if not _is_close_code(code):
        raise LocalProtocolError(f"close code {code} must not be sent")
    return encode_frame(CLOSE, code.to_bytes(2, "big") + reason.encode(), mask)


def _is_close_code(code: int) -> bool:
    """Say whether a close frame may carry this code (RFC 6455, section 7.4, and the IANA registry)."""
    return 3000 <= code < 5000 or (1000 <= code <= 1014 and code not in (1004, 1005, 1006))


class FrameDecoder:
    """Bytes of one direction of a connection in, whole messages and control frames out.

    ``max_message`` bounds the payload of a message, all its fragments together. ``expect_mask`` is the server's side.
    After a Close nothing more comes out. After an error every `next` raises it again.
    """

    __slots__ = ("_buffer", "_ended", "_fragments", "_mistake", "_opcode", "expect_mask", "max_message")

    def __init__(self, max_message: int, *, expect_mask: bool = False) -> None:
        self.max_message = max_message
        self.expect_mask = expect_mask
        self._buffer = bytearray()
        self._opcode = CONTINUATION
        self._fragments = bytearray()
        self._ended = False
        self._mistake: RemoteProtocolError | None = None

    def feed(self, data: bytes) -> None:
        """Add what the connection delivered; bytes after a Close are dropped (RFC 6455, section 5.5.1)."""
        if not self._ended:
            self._buffer += data

    def next(self) -> Frame | None:
        """Return the next whole message or control frame, or None when more bytes are needed.

        RemoteProtocolError "bad frame" or "reply too large".
        """
        if self._mistake is not None:
            raise RemoteProtocolError(self._mistake.label, self._mistake.detail)
        try:
            while not self._ended:
                payload = self._take()
                if payload is None:
                    return None
                frame = self._frame(*payload)
                if frame is not None:
                    return frame
            return None
        except RemoteProtocolError as mistake:
            self._mistake = mistake
            self._buffer.clear()
            self._fragments.clear()
            self._ended = True
            raise

    def _take(self) -> tuple[int, bytes] | None:
        """Cut one frame from the buffer: its first byte and its unmasked payload."""
        buffer = self._buffer
        have = len(buffer)
        if have < 2:
            return None
        first, size = buffer[0], buffer[1]
        if first & 0x70:
            raise RemoteProtocolError("bad frame", "a reserved bit is set")
        opcode = first & 0x0F
        if opcode not in _OPCODES:
            raise RemoteProtocolError("bad frame", f"unknown opcode {opcode}")
        is_masked = size >= 0x80
        if is_masked is not self.expect_mask:
            raise RemoteProtocolError("bad frame", "a masked frame" if is_masked else "a frame without a mask")
        size &= 0x7F
        start = 2
        if opcode >= CLOSE:
            if size > 125 or first < 0x80:
                raise RemoteProtocolError("bad frame", "a control frame that is fragmented or too long")
        else:
            if (opcode == CONTINUATION) is (self._opcode == CONTINUATION):
                raise RemoteProtocolError("bad frame", "a fragment out of place")
            if size > 125:
                start = 4 if size == 126 else 10
                if have < start:
                    return None
                size = int.from_bytes(buffer[2:start], "big")
                if size < (126 if start == 4 else 65536) or size >= 1 << 63:
                    raise RemoteProtocolError("bad frame", "a length in the wrong form")
            if size + len(self._fragments) > self.max_message:
                raise RemoteProtocolError("reply too large", f"over {self.max_message} bytes")
        if is_masked:
            start += 4
        end = start + size
        if have < end:
            return None
        payload = bytes(buffer[start:end])
        if is_masked:
            payload = masked(payload, bytes(buffer[start - 4 : start]))
        del buffer[:end]
        return first, payload

    def _frame(self, first: int, payload: bytes) -> Frame | None:
        """Make what the caller sees of one wire frame; None for a fragment that is not the last."""
        opcode = first & 0x0F
        if opcode >= CLOSE:
            if opcode == PING:
                return Ping(payload)
            if opcode == PONG:
                return Pong(payload)
            self._ended = True
            self._buffer.clear()
            return _read_close(payload)
        if first < 0x80 or opcode == CONTINUATION:
            if opcode != CONTINUATION:
                self._opcode = opcode
            self._fragments += payload
            if first < 0x80:
                return None
            opcode, self._opcode = self._opcode, CONTINUATION
            payload = bytes(self._fragments)
            self._fragments.clear()
        if opcode == BINARY:
            return Binary(payload)
        if not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError:
                raise RemoteProtocolError("bad frame", "a text that is not UTF-8") from None
        return Text(payload)


def _read_close(payload: bytes) -> Close:
    if not payload:
        return Close(None)
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not _is_close_code(code):
        raise RemoteProtocolError("bad frame", "a close frame with a wrong code")
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError:
        raise RemoteProtocolError("bad frame", "a close reason that is not UTF-8") from None
