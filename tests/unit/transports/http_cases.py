"""What a server can do to a POST, and what must come of it: the same for every HTTP transport."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import gevent

from tests.unit.transports.loopback import Behaviour, Peer, answer, chunked

RESULT = b'{"jsonrpc":"2.0","id":1,"result":{}}'
SECOND = b'{"jsonrpc":"2.0","method":"notifications/message"}'
EVENT = b"id: 7\nevent: message\ndata: " + RESULT + b"\n\n"
MAX_REPLY = 50_000


def once(data: bytes) -> Behaviour:
    """Answer every request of a connection with these bytes."""

    def behave(peer: Peer) -> None:
        while peer.request() is not None:
            peer.write(data)

    return behave


def dripped(data: bytes) -> Behaviour:
    """Answer with these bytes, one at a time."""

    def behave(peer: Peer) -> None:
        while peer.request() is not None:
            peer.drip(data)

    return behave


def cut(data: bytes) -> Behaviour:
    """Answer with these bytes, then end the connection."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.write(data)

    return behave


def reset(data: bytes) -> Behaviour:
    """Answer with these bytes, then reset the connection."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.write(data)
        gevent.sleep(0.02)
        peer.reset()

    return behave


def silent(peer: Peer) -> None:
    """Take the request and never answer."""
    peer.request()
    peer.wait_end()


def endless(data: bytes) -> Behaviour:
    """Answer with these bytes again and again, one every 10 ms, for two seconds."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        end = time.monotonic() + 2
        while time.monotonic() < end:
            peer.write(data)
            gevent.sleep(0.01)

    return behave


@dataclass(frozen=True)
class Good:
    """A case that gives messages, then None."""

    name: str
    behave: Callable[[Peer], None]
    messages: list[bytes]


@dataclass(frozen=True)
class Bad:
    """A case that ends in a typed error within `seconds`; `kept`: the answer is whole, so its connection goes on."""

    name: str
    behave: Callable[[Peer], None]
    outcome: str
    label: str
    status: int = 0
    seconds: float = 5.0
    kept: bool = False


EVENTS = "text/event-stream"

GOOD = [
    Good("json", once(answer(RESULT)), [RESULT]),
    Good("json with parameters", once(answer(RESULT, kind="Application/JSON; charset=utf-8")), [RESULT]),
    Good("json byte by byte", dripped(answer(RESULT)), [RESULT]),
    Good("json in chunks of one byte", once(chunked(RESULT)), [RESULT]),
    Good("json in chunks byte by byte", dripped(chunked(RESULT, 3)), [RESULT]),
    Good(
        "json up to the end of the connection",
        cut(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + RESULT),
        [RESULT],
    ),
    Good("json of HTTP/1.0", cut(answer(RESULT).replace(b"HTTP/1.1", b"HTTP/1.0")), [RESULT]),
    Good("json after an interim answer", once(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(RESULT)), [RESULT]),
    Good("json of 40 KB", once(answer(b'"' + b"x" * 40_000 + b'"')), [b'"' + b"x" * 40_000 + b'"']),
    Good("202 without a body", once(answer(status="202 Accepted", kind="")), []),
    Good("204", once(b"HTTP/1.1 204 No Content\r\n\r\n"), []),
    Good("200 without a body", once(answer()), []),
    Good("an event", once(chunked(EVENT, 1000, kind=EVENTS)), [RESULT]),
    Good("an event byte by byte", dripped(chunked(EVENT, kind=EVENTS)), [RESULT]),
    Good("an event with CRLF", once(chunked(EVENT.replace(b"\n", b"\r\n"), kind=EVENTS)), [RESULT]),
    Good(
        "events among others",
        once(chunked(b": hi\n\ndata: " + SECOND + b"\n\nevent: else\ndata: x\n\n" + EVENT, 7, kind=EVENTS)),
        [SECOND, RESULT],
    ),
    Good(
        "events up to the end of the connection",
        cut(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + EVENT),
        [RESULT],
    ),
    Good("an empty event stream", once(chunked(b"", kind=EVENTS)), []),
    Good("an event stream of comments", once(chunked(b": keep-alive\n\n" * 3, 5, kind=EVENTS)), []),
    Good("an unfinished event", once(chunked(b"data: {", kind=EVENTS)), []),
]

BAD = [
    Bad("401", once(answer(b'{"error":"no key"}', status="401 Unauthorized")), "http_status", "HTTP 401", 401, kept=True),
    Bad(
        "500 without a body", once(answer(status="500 Internal Server Error", kind="")), "http_status", "HTTP 500", 500, kept=True
    ),
    Bad(
        "503 in text",
        once(answer(b"busy", status="503 Service Unavailable", kind="text/plain")),
        "http_status",
        "HTTP 503",
        503,
        kept=True,
    ),
    Bad("404 in JSON-RPC", once(answer(RESULT, status="404 Not Found")), "http_status", "HTTP 404", 404, kept=True),
    Bad("a status and a cut body", cut(answer(b"x" * 10, status="502 Bad Gateway")[:-5]), "http_status", "HTTP 502", 502),
    Bad(
        "a redirect",
        once(answer(status="307 Temporary Redirect", extra="Location: /elsewhere\r\n")),
        "http_status",
        "HTTP 307",
        307,
        kept=True,
    ),
    Bad("another content type", once(answer(b"<p>", kind="text/html")), "protocol", "wrong content type", 200, kept=True),
    Bad("no content type", once(answer(b"{}", kind="")), "protocol", "wrong content type", 200, kept=True),
    Bad("a huge answer", once(answer(b"x" * (MAX_REPLY + 1))), "protocol", "reply too large", 200),
    Bad("a huge answer in chunks", once(chunked(b"x" * (MAX_REPLY + 1), 999)), "protocol", "reply too large", 200),
    Bad(
        "a huge event",
        once(chunked(b"data: " + b"x" * 4 * MAX_REPLY + b"\n\n", 999, kind=EVENTS)),
        "protocol",
        "event too large",
        200,
    ),
    Bad("no HTTP", cut(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "protocol", "bad HTTP"),
    Bad("a bad chunk size", cut(chunked(RESULT, 10, end=False) + b"zz\r\n"), "protocol", "bad HTTP", 200),
    Bad("an end before any byte", cut(b""), "disconnected", "closed early"),
    Bad("an end in the body", cut(answer(RESULT)[:-3]), "disconnected", "closed early", 200),
    Bad("an end between chunks", cut(chunked(RESULT, 10, end=False)), "disconnected", "closed early", 200),
    Bad("an end in a chunk", cut(chunked(RESULT, 30)[:-20]), "disconnected", "closed early", 200),
    Bad("an end in an event stream", cut(chunked(b"data: {", kind=EVENTS, end=False)), "disconnected", "closed early", 200),
    Bad("a reset before any byte", reset(b""), "disconnected", "reset"),
    Bad("a reset in the body", reset(answer(RESULT)[:-3]), "disconnected", "reset", 200),
    Bad("silence", silent, "timeout", "no answer", seconds=0.2),
    Bad("a body that never ends", endless(b"x"), "timeout", "no answer", 200, seconds=0.3),
]
