"""`/mcp`: one JSON-RPC message per POST, the GET stream, DELETE of a session, and the verbs that only probe."""

from __future__ import annotations

import asyncio
import time

import msgspec

from mop_locust.server import rpc
from mop_locust.server.asgi import Header, Message, Receive, Scope, Send
from mop_locust.server.dialect import JSON, SESSION_ID, TEXT, Answer, Asked, Dialect
from mop_locust.server.methods import bad_params
from mop_locust.server.options import Options
from mop_locust.server.pauses import Pauses, disconnected
from mop_locust.server.sessions import Session, Sessions
from mop_locust.server.tally import Tally, nameless

EVENTS: Header = (b"content-type", b"text/event-stream")
UNCACHED: Header = (b"cache-control", b"no-cache")
KEEP_ALIVE = b": keep-alive\n\n"


async def send_answer(send: Send, answer: Answer) -> None:
    """Send a whole answer with its Content-Length."""
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def as_event(message: bytes) -> bytes:
    """A JSON-RPC message as one server-sent event."""
    return b"event: message\ndata: %b\n\n" % message


class Endpoint:
    """The `/mcp` endpoint of one server."""

    def __init__(self, options: Options, dialect: Dialect, tally: Tally, pauses: Pauses) -> None:
        self._options = options
        self._dialect = dialect
        self._tally = tally
        self._pauses = pauses
        self._sessions = Sessions(tally)
        self._events = options.answer == "sse"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = dict(scope["headers"])
        asked = Asked(scope["method"], headers, scope["query_string"], self._sessions.find(headers.get(SESSION_ID)))
        if asked.verb == "POST":
            await self._post(asked, scope, receive, send)
            return
        name = self._tally.name("http", asked.verb)
        self._tally.receive(name)
        settled = self._dialect.settle(asked)
        session = asked.session
        if settled is not None or session is None:
            await send_answer(send, settled or Answer(404))
        elif asked.verb == "GET":
            await self._stream(session, name, scope, receive, send)
            return
        else:
            self._delete(session)
            await send_answer(send, Answer(200))
        self._answered(name, scope)

    async def _post(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        whole = await self._read(asked, receive)
        if not whole:
            if whole is False:
                await send_answer(send, Answer(413, b"length limit exceeded", (TEXT, (b"connection", b"close"))))
            return
        call = asked.call = rpc.read_call(asked.body)
        name = self._tally.name("http", nameless(asked.body) if call is None else call.method)
        self._tally.receive(name)
        if self._pauses.holding:
            gone = asyncio.ensure_future(disconnected(receive))
            try:
                if not await self._held(gone, send):
                    return
            finally:
                gone.cancel()
        settled = self._dialect.settle(asked)
        if settled is not None or call is None:
            await send_answer(send, settled or Answer(400))
        else:
            await self._work(call, asked.session, send)
        self._answered(name, scope)

    def _answered(self, name: str, scope: Scope) -> None:
        self._tally.answer(name)
        read_ns = scope.get("read_ns")
        if read_ns is not None:  # a GET with a body may be answered before it was read whole
            self._tally.held.add(name, (time.monotonic_ns() - read_ns) // 1000)

    async def _read(self, asked: Asked, receive: Receive) -> bool | None:
        """Read the body; False when it is too large, None when the client went away."""
        message = await receive()
        body = message.get("body", b"")
        while message.get("more_body"):
            if len(body) > self._dialect.body_limit:
                return False
            message = await receive()
            body += message.get("body", b"")
        if message["type"] == "http.disconnect":
            return None
        asked.body = body
        return len(body) <= self._dialect.body_limit

    async def _held(self, gone: asyncio.Future[Message], send: Send) -> bool:
        """Hold the answer; False when the client has gone, or when the server or the session ends, which is answered with 503."""
        if not self._pauses.holding or await self._pauses.held(gone):
            return True
        if gone.cancelled() or not gone.done():
            await send_answer(send, Answer(503, headers=((b"connection", b"close"),)))
        return False

    async def _work(self, call: rpc.Call, session: Session | None, send: Send) -> None:
        dialect = self._dialect
        headers = [*dialect.headers]
        if call.method == "initialize":
            session, body = self._initialize(call)
        else:
            body = await dialect.http.settle(call, session or Session("", ""))
        if session is not None and (dialect.session_id_on_every_answer or call.method == "initialize"):
            headers.append((SESSION_ID, session.id.encode()))
        if self._events:
            await self._send_events(call, body, headers, send)
            return
        headers.append(JSON)
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _initialize(self, call: rpc.Call) -> tuple[Session | None, bytes]:
        """The new session, if the params were right, and the encoded answer."""
        try:
            version, result = self._dialect.initialize(call.params)
        except msgspec.MsgspecError as error:
            return None, rpc.answer(call.id, bad_params(error))
        session = self._sessions.open(self._dialect.new_session_id(), version)
        if self._dialect.session_id_in_result:
            result["sessionId"] = session.id
        return session, rpc.answer(call.id, rpc.result_member(result))

    async def _send_events(self, call: rpc.Call, body: bytes, headers: list[Header], send: Send) -> None:
        """Answer with an event stream; before the answer to tools/call come a notification and a request of the server's own."""
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, EVENTS, UNCACHED]})
        if call.method == "tools/call":
            for message in _OWN_MESSAGES:
                await send({"type": "http.response.body", "body": as_event(message), "more_body": True})
        await send({"type": "http.response.body", "body": as_event(body)})

    def _delete(self, session: Session) -> None:
        self._sessions.delete(session)
        if session.stream is not None:
            session.stream.cancel()

    async def _stream(self, session: Session, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep a stream open and send comments until the client goes, the session is deleted or the server ends."""
        tally = self._tally
        tally.streams_opened += 1
        gone: asyncio.Task[Message] = asyncio.create_task(disconnected(receive))
        if self._dialect.one_stream_a_session:
            session.stream = gone
        try:
            if not await self._held(gone, send):
                return
            headers = [*self._dialect.headers, EVENTS, UNCACHED]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            self._answered(name, scope)
            if not self._options.sse_ends_early:
                while await self._pauses.elapsed(gone, self._options.keep_alive_seconds):
                    await send({"type": "http.response.body", "body": KEEP_ALIVE, "more_body": True})
                    tally.keep_alives_sent += 1
        finally:
            tally.streams_closed += 1
            session.stream = None
            gone.cancel()
        await send({"type": "http.response.body", "body": b""})


_OWN_MESSAGES = (
    b'{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"the call runs"}}',
    b'{"jsonrpc":"2.0","id":"server-1","method":"ping"}',
)
