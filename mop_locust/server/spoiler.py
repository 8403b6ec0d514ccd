"""Answers spoiled on their way out: what a fault does to the bytes that the server would have sent.

The work is done and counted as received; a fault spoils the answer alone, as a broken proxy between would.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from mop_locust.protocol import frames
from mop_locust.server import rpc
from mop_locust.server.asgi import Application, Header, Message, Receive, Scope, Send
from mop_locust.server.dialect import JSON, SESSION_ID, TEXT, Answer
from mop_locust.server.endpoint import as_event, send_answer
from mop_locust.server.faults import UPGRADE, Faults, Place
from mop_locust.server.pauses import disconnected
from mop_locust.server.socket_wire import response_head

DRIP_SECONDS = 0.2
HUGE = 100_000_000
PIECE = 65_536
UNSENT = 1_048_576
"""Bytes of a huge answer that may wait for a slow reader."""

HTML: Header = (b"content-type", b"text/html")
NOT_JSON = b"<html><body>It works!</body></html>"
GOING_AWAY = 1001
RESERVED_BIT = 0x40

_REFUSALS = {
    "500": Answer(500, b"Internal Server Error", (TEXT,)),
    "401": Answer(401, b'{"error":"Invalid API key","message":"The key is not valid."}', (JSON,)),
    "session-404": Answer(404, b"Session not found", (TEXT,)),
}
_EVENT = as_event(b"\0").partition(b"\0")[0]
_LAST_DIGITS = re.compile(rb"\d+(?!.*\d)")
_replies = msgspec.json.Decoder(rpc.Reply)


class Withheld(OSError):
    """The whole answer did not leave, so nobody must count it; whoever sends ends as if the client had gone."""


def reset(transport: asyncio.Transport) -> None:
    """Close a connection with RST, at once."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def spoil(fault: str, message: bytes) -> bytes:
    """A JSON-RPC answer with what `fault` does to its text."""
    match fault:
        case "truncated-json":
            return message[: len(message) // 2]
        case "wrong-json":
            return NOT_JSON
    reply = _replies.decode(message)
    match fault:
        case "wrong-id":
            return _answer(b'"not-yours"', reply)
        case "other-id":
            return _answer(next_id(bytes(reply.id)), reply)
        case "is-error":
            return rpc.answer(reply.id, rpc.result_member(rpc.text_content("The tool failed.", is_error=True)))
        case _:
            text = '{"error": "The tool failed."}'
            return rpc.answer(reply.id, rpc.result_member(rpc.text_content(text, is_error=False)))


def next_id(call_id: bytes) -> bytes:
    """The encoded id that a client which counts would give its next request."""
    if _LAST_DIGITS.search(call_id):
        return _LAST_DIGITS.sub(lambda digits: b"%d" % (int(digits[0]) + 1), call_id)
    return b"1"


def _answer(call_id: bytes, reply: rpc.Reply) -> bytes:
    member = b'"result":' + bytes(reply.result) if bytes(reply.result) else b'"error":' + bytes(reply.error)
    return rpc.answer(msgspec.Raw(call_id), member)


def _huge(call_id: bytes) -> Iterator[bytes]:
    """The pieces of a right answer of HUGE bytes."""
    head, tail = b'{"jsonrpc":"2.0","id":%b,"result":{"filler":"' % call_id, b'"}}'
    left = HUGE - len(head) - len(tail)
    filler = b"x" * PIECE
    yield head
    for _ in range(left // PIECE):
        yield filler
    yield filler[: left % PIECE]
    yield tail


async def _drip(transport: asyncio.Transport, pieces: Iterable[bytes]) -> None:
    """Write a piece at a time; Withheld when the client does not wait for the last."""
    for piece in pieces:
        await asyncio.sleep(DRIP_SECONDS)
        if transport.is_closing():
            raise Withheld
        transport.write(piece)


def _fragments(message: Iterable[bytes]) -> Iterator[bytes]:
    """A text message in many frames (RFC 6455, section 5.4): a ping may come between two of them."""
    opcode = frames.TEXT
    for piece in message:
        yield frames.encode_frame(opcode, piece, b"", fin=False)
        opcode = frames.CONTINUATION
    yield frames.encode_frame(opcode, b"", b"")


def _bytes_of(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


class SpoiledEndpoint:
    """An HTTP endpoint whose answers are struck by faults."""

    def __init__(self, endpoint: Application, faults: Faults) -> None:
        self._endpoint = endpoint
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] not in ("POST", "GET", "DELETE"):
            await self._endpoint(scope, receive, send)
            return
        answer = _HttpAnswer(self._faults, scope, receive, send)
        with suppress(Withheld):
            await self._endpoint(scope, answer.receive, answer.send)
        if answer.past_uvicorn:
            await disconnected(receive)  # until then uvicorn would answer what it takes for unanswered


class _HttpAnswer:
    """One answer: held back until it is whole, then struck or let go; an event stream is struck at its start."""

    def __init__(self, faults: Faults, scope: Scope, receive: Receive, send: Send) -> None:
        self._faults = faults
        self._scope = scope
        self._receive = receive
        self._send = send
        self._asked = b""
        self._start: Message = {}
        self._body = b""
        self._streaming = False
        self._over = False
        self.past_uvicorn = False

    async def receive(self) -> Message:
        """Hand the request on, and keep its body."""
        message = await self._receive()
        self._asked += message.get("body", b"")
        return message

    async def send(self, message: Message) -> None:
        """Take a piece of the answer."""
        if self._over:
            return
        if self._streaming:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start = message
            if self._scope["method"] == "GET" and message["status"] == 200:
                self._streaming = True
                await self._begin_stream()
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish()

    async def _finish(self) -> None:
        method = self._scope["method"]
        call = rpc.read_call(self._asked) if method == "POST" else None
        if call is not None:
            method = call.method
        before, mark, event = self._body.rpartition(_EVENT)
        message = event.rstrip() if mark else self._body
        places = self._session_places(method)
        if rpc.is_reply(message):
            places |= {Place.ANSWER}
            if method == "tools/call" and bytes(_replies.decode(message).result):
                places |= {Place.TOOL}
        else:
            places |= {Place.RECEIPT}
        fault = self._faults.draw(places, method)
        if await self._struck(fault, self._head(self._start["headers"], len(self._body)) + self._body):
            return
        if fault == "huge":
            await self._send_huge(bytes(_replies.decode(message).id), mark)
            return
        headers, body = self._start["headers"], self._body
        if fault == "wrong-content-type":
            headers = [HTML, *_without(headers, b"content-type")]
        elif fault:
            message = spoil(fault, message)
            body = before + as_event(message) if mark else message
            if not mark:
                headers = [*_without(headers, b"content-length"), (b"content-length", b"%d" % len(body))]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def _begin_stream(self) -> None:
        fault = self._faults.draw({Place.STREAM, *self._session_places("GET")}, "GET")
        head = response_head(self._start["status"], [*self._start["headers"], (b"transfer-encoding", b"chunked")])
        if fault != "early-end" and await self._struck(fault, head):
            return
        if fault == "wrong-content-type":
            self._start["headers"] = [HTML, *_without(self._start["headers"], b"content-type")]
        await self._send(self._start)
        if fault == "early-end":
            await self._send({"type": "http.response.body", "body": b""})
            self._over = True
        elif fault == "huge":
            await self._send_body(_huge(b"1"), _EVENT)
            self._over = True

    def _session_places(self, method: str) -> set[Place]:
        named = any(name == SESSION_ID for name, _ in self._scope["headers"])
        return {Place.SESSION} if named and method != "initialize" else set()

    def _head(self, headers: list[Header], size: int) -> bytes:
        """The head of an answer that is written past uvicorn, whose connection must end after it."""
        length = (b"content-length", b"%d" % size)
        return response_head(self._start["status"], [*_without(headers, b"content-length"), length, (b"connection", b"close")])

    async def _struck(self, fault: str, raw: bytes) -> bool:
        """Do what a fault does to the whole answer, whatever is in it; False when it is none of those.

        `raw` is the answer on the wire. Withheld when not all of an answer left.
        """
        refusal = _REFUSALS.get(fault)
        if refusal is not None:
            await send_answer(self._send, refusal)
            self._over = True
            return True
        transport = self._scope["transport"]
        match fault:
            case "stall":
                await disconnected(self._receive)
                raise Withheld
            case "reset" | "early-end":
                transport.write(raw[: len(raw) // 2])
                if fault == "reset":
                    reset(transport)
                transport.close()
                self.past_uvicorn = True
                raise Withheld
            case "drip":
                await _drip(transport, _bytes_of(raw))
                transport.close()
                self.past_uvicorn = self._over = True
                return True
        return False

    async def _send_huge(self, call_id: bytes, mark: bytes) -> None:
        headers = self._start["headers"]
        if not mark:
            headers = [*_without(headers, b"content-length"), (b"content-length", b"%d" % HUGE)]
        await self._send({**self._start, "headers": headers})
        await self._send_body(_huge(call_id), mark)

    async def _send_body(self, pieces: Iterator[bytes], mark: bytes) -> None:
        """Send a long body, as an event when `mark` is not empty; it counts as sent when the client had enough of it."""
        if mark:
            await self._send({"type": "http.response.body", "body": mark, "more_body": True})
        for piece in pieces:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b"\n\n" if mark else b""})


def _without(headers: list[Header], name: bytes) -> list[Header]:
    return [header for header in headers if header[0] != name]


class SpoiledSockets:
    """A WebSocket endpoint whose answers are struck by faults."""

    def __init__(self, sockets: Application, faults: Faults) -> None:
        self._sockets = sockets
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        answers = _SocketAnswers(self._faults, scope["transport"], receive, send)
        with suppress(Withheld):
            await self._sockets(scope, answers.receive, answers.send)


class _SocketAnswers:
    """The answers of one socket, its handshake first."""

    def __init__(self, faults: Faults, transport: asyncio.Transport, receive: Receive, send: Send) -> None:
        self._faults = faults
        self._transport = transport
        self._receive = receive
        self._send = send
        self._methods: dict[bytes, str] = {}

    async def receive(self) -> Message:
        """Hand a message on, and keep the method by its id."""
        message = await self._receive()
        call = rpc.read_call(message.get("text") or "")
        if call is not None and call.id is not rpc.NO_ID:
            self._methods[bytes(call.id)] = call.method
        return message

    async def send(self, message: Message) -> None:
        """Take the handshake's answer or a whole message."""
        if message["type"] == "websocket.accept":
            await self._shake_hands(message)
            return
        answer = (message["text"] or "").encode()
        reply = _replies.decode(answer)
        method = self._methods.pop(bytes(reply.id), "")
        places = {Place.FRAME}
        if method == "tools/call" and bytes(reply.result):
            places |= {Place.TOOL}
        fault = self._faults.draw(places, method)
        if not fault:
            await self._send(message)
        elif not await self._struck(fault, answer, bytes(reply.id)):
            await self._send({**message, "text": spoil(fault, answer).decode(errors="ignore")})

    async def _shake_hands(self, accept: Message) -> None:
        refusal = _REFUSALS.get(self._faults.draw({Place.UPGRADE}, UPGRADE))
        if refusal is None:
            await self._send(accept)
            return
        headers = [*refusal.headers, (b"content-length", b"%d" % len(refusal.body)), (b"connection", b"close")]
        await self._send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
        await self._send({"type": "websocket.http.response.body", "body": refusal.body})
        raise Withheld

    async def _struck(self, fault: str, answer: bytes, call_id: bytes) -> bool:
        """Do what a fault does to the frame or the connection; False when it is none of those. Withheld as over HTTP."""
        transport = self._transport
        frame = frames.encode_frame(frames.TEXT, answer, b"")
        match fault:
            case "stall":
                await asyncio.get_running_loop().create_future()
            case "reset":
                transport.write(frame[: len(frame) // 2])
                reset(transport)
                raise Withheld
            case "early-end":
                transport.write(frames.encode_close(GOING_AWAY, "", b""))
                transport.close()
                raise Withheld
            case "close-without-handshake":
                transport.close()
                raise Withheld
            case "drip":
                await _drip(transport, _fragments(_bytes_of(answer)))
            case "bad-frame":
                transport.write(bytes([frame[0] | RESERVED_BIT]) + frame[1:])
            case "huge":
                await self._write_huge(call_id)
            case _:
                return False
        return True

    async def _write_huge(self, call_id: bytes) -> None:
        """Write a huge message; it counts as sent when the client had enough of it."""
        transport = self._transport
        for piece in _fragments(_huge(call_id)):
            while transport.get_write_buffer_size() > UNSENT and not transport.is_closing():
                await asyncio.sleep(0.005)
            if transport.is_closing():
                return
            transport.write(piece)
