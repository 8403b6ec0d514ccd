"""What a server can do to a WebSocket, and what must come of it: the same for every WebSocket transport."""

from __future__ import annotations

from dataclasses import dataclass

import gevent

from mop_locust.protocol import frames
from tests.unit.transports.loopback import Behaviour, Peer, answer, text

RESULT = b'{"jsonrpc":"2.0","id":1,"result":{}}'
MAX_REPLY = 50_000


def after_upgrade(*data: bytes, pause: float = 0.0, drip: bool = False) -> Behaviour:
    """Upgrade, take a message, then send these bytes and wait for the client to go."""

    def behave(peer: Peer) -> None:
        peer.upgrade()
        peer.frames().next()
        for piece in data:
            if drip:
                peer.drip(piece)
            else:
                peer.write(piece)
            gevent.sleep(pause)
        peer.wait_end()

    return behave


def refusing(data: bytes) -> Behaviour:
    """Answer the handshake with these bytes, then end the connection."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.write(data)

    return behave


def upgrading(extra: str = "", *, without: str = "", accept: str = "") -> Behaviour:
    """Answer the handshake with a 101 that is wrong in one way."""

    def behave(peer: Peer) -> None:
        request = peer.request()
        assert request is not None
        lines = {
            "Upgrade": "websocket",
            "Connection": "keep-alive, Upgrade",
            "Sec-WebSocket-Accept": accept or frames.accept_key(request.headers["sec-websocket-key"]),
        }
        lines.pop(without, None)
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        peer.write(f"HTTP/1.1 101 Switching Protocols\r\n{head}{extra}\r\n".encode())
        peer.wait_end()

    return behave


def ending(data: bytes = b"", *, reset: bool = False) -> Behaviour:
    """Upgrade, take a message, send these bytes and end the connection."""

    def behave(peer: Peer) -> None:
        peer.upgrade()
        peer.frames().next()
        peer.write(data)
        gevent.sleep(0.02)
        if reset:
            peer.reset()

    return behave


def frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    """A server's frame."""
    return frames.encode_frame(opcode, payload, b"", fin)


@dataclass(frozen=True)
class Good:
    """A case in which the message is answered with these messages."""

    name: str
    behave: Behaviour
    messages: list[bytes]


@dataclass(frozen=True)
class Bad:
    """A case that ends in a typed error within `seconds`; `code` is a close code."""

    name: str
    behave: Behaviour
    outcome: str
    label: str
    code: int | None = None
    seconds: float = 5.0


BIG = b'"' + b"x" * 40_000 + b'"'
FRAGMENTS = frame(frames.TEXT, RESULT[:9], False) + frame(frames.PING, b"p") + frame(frames.CONTINUATION, RESULT[9:])

GOOD = [
    Good("a message", after_upgrade(text(RESULT)), [RESULT]),
    Good("a message byte by byte", after_upgrade(text(RESULT), drip=True), [RESULT]),
    Good("two in one", after_upgrade(text(RESULT) + text(b"2")), [RESULT, b"2"]),
    Good("fragments with a ping between", after_upgrade(FRAGMENTS), [RESULT]),
    Good("pings and pongs before it", after_upgrade(frame(frames.PING, b""), frame(frames.PONG, b"x"), text(RESULT)), [RESULT]),
    Good("40 KB", after_upgrade(text(BIG)), [BIG]),
    Good("an empty message", after_upgrade(text(b"")), [b""]),
    Good("UTF-8", after_upgrade(text("ä€😀".encode())), ["ä€😀".encode()]),
]

BAD = [
    Bad("silence", after_upgrade(), "timeout", "no answer", seconds=0.2),
    Bad("a close with a code", after_upgrade(frames.encode_close(1001, "going", b"")), "disconnected", "closed 1001", 1001),
    Bad("a close without a code", after_upgrade(frames.encode_close(None, "", b"")), "disconnected", "closed 1005", 1005),
    Bad("an end without a close", ending(), "disconnected", "closed 1006", 1006),
    Bad("an end in a frame", ending(text(RESULT)[:-1]), "disconnected", "closed 1006", 1006),
    Bad("a reset", ending(reset=True), "disconnected", "reset"),
    Bad("a masked frame", after_upgrade(frames.encode_frame(frames.TEXT, RESULT, b"abcd")), "protocol", "bad frame"),
    Bad("a reserved bit", after_upgrade(b"\xf1" + text(RESULT)[1:]), "protocol", "bad frame"),
    Bad("an unknown opcode", after_upgrade(b"\x83\x00"), "protocol", "bad frame"),
    Bad("bytes that are no text", after_upgrade(text(b"\xff\xfe")), "protocol", "bad frame"),
    Bad("a close code that is none", after_upgrade(b"\x88\x02\x03\xed"), "protocol", "bad frame"),
    Bad("a ping that is too long", after_upgrade(b"\x89\x7e\x00\x80" + b"x" * 128), "protocol", "bad frame"),
    Bad("a continuation of nothing", after_upgrade(frame(frames.CONTINUATION, b"x")), "protocol", "bad frame"),
    Bad("a binary message", after_upgrade(frame(frames.BINARY, b"x")), "protocol", "binary message"),
    Bad("a huge message", after_upgrade(text(b"x" * (MAX_REPLY + 1))), "protocol", "reply too large"),
    Bad(
        "a huge message whose end never comes",
        after_upgrade(frame(frames.TEXT, b"x" * MAX_REPLY, fin=False) + frame(frames.CONTINUATION, b"x", fin=False)),
        "protocol",
        "reply too large",
    ),
]

REFUSED = [
    Bad("401", refusing(answer(b"no key", status="401 Unauthorized")), "http_status", "upgrade refused: HTTP 401"),
    Bad("404", refusing(answer(b"", status="404 Not Found", kind="")), "http_status", "upgrade refused: HTTP 404"),
    Bad("200", refusing(answer(b"hello")), "http_status", "upgrade refused: HTTP 200"),
    Bad("a redirect", refusing(answer(status="302 Found", extra="Location: /x\r\n")), "http_status", "upgrade refused: HTTP 302"),
    Bad("a wrong accept", upgrading(accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "protocol", "bad upgrade"),
    Bad("no accept", upgrading(without="Sec-WebSocket-Accept"), "protocol", "bad upgrade"),
    Bad("no Upgrade", upgrading(without="Upgrade"), "protocol", "bad upgrade"),
    Bad("no Connection", upgrading(without="Connection"), "protocol", "bad upgrade"),
    Bad("no HTTP", refusing(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "protocol", "bad upgrade"),
    Bad("another subprotocol", upgrading("Sec-WebSocket-Protocol: other\r\n"), "protocol", "bad upgrade"),
    Bad("an end before the answer", refusing(b""), "disconnected", "closed early"),
    Bad("an end in the answer", refusing(b"HTTP/1.1 101 Switching"), "disconnected", "closed early"),
    Bad("silence", lambda peer: peer.wait_end(), "timeout", "no upgrade", seconds=0.2),
]
