"""`/ws`: one JSON-RPC message per text frame. No key is asked for, and binary frames are ignored."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from mop_locust.server import rpc
from mop_locust.server.asgi import Receive, Scope, Send
from mop_locust.server.dialect import Dialect
from mop_locust.server.pauses import Pauses
from mop_locust.server.sessions import Session, new_id
from mop_locust.server.tally import Tally, nameless

QUEUED = 64
"""Answers that may wait for a slow reader; further ones are dropped."""

BUSY = rpc.answer(rpc.NULL_ID, rpc.error_member(rpc.INTERNAL_ERROR, "Server busy - send buffer full", {"reason": "backpressure"}))


class Outbox:
    """The answers of one socket on their way out, at most QUEUED of them."""

    def __init__(self, send: Send, tally: Tally) -> None:
        self._send = send
        self._tally = tally
        self._waiting: asyncio.Queue[tuple[str, str, int]] = asyncio.Queue(QUEUED)
        self._dropped = False

    def put(self, name: str, text: bytes, read_ns: int) -> None:
        """Queue the answer to what was read at `read_ns`; without room it is dropped, and the client is told later."""
        try:
            self._waiting.put_nowait((name, text.decode(), read_ns))
        except asyncio.QueueFull:
            self._dropped = True

    async def run(self) -> None:
        """Send what is queued, for ever; ends without a word when the client has gone."""
        with suppress(OSError):
            while True:
                name, text, read_ns = await self._waiting.get()
                await self._send({"type": "websocket.send", "text": text})
                self._tally.answer(name)
                self._tally.held.add(name, (time.monotonic_ns() - read_ns) // 1000)
                if self._dropped:
                    self._dropped = False
                    await self._send({"type": "websocket.send", "text": BUSY.decode()})


class Sockets:
    """The `/ws` endpoint of one server."""

    def __init__(self, dialect: Dialect, tally: Tally, pauses: Pauses) -> None:
        self._dialect = dialect
        self._tally = tally
        self._pauses = pauses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it is closed."""
        await receive()
        offered = self._dialect.subprotocol
        chosen = offered if offered in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": chosen})
        outbox = Outbox(send, self._tally)
        sender = asyncio.create_task(outbox.run())
        try:
            await self._serve(Session(new_id(), ""), receive, outbox)
        finally:
            sender.cancel()

    async def _serve(self, session: Session, receive: Receive, outbox: Outbox) -> None:
        held: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                continue
            call = rpc.read_call(text)
            name = self._tally.name("websocket", nameless(text) if call is None else call.method)
            self._tally.receive(name)
            if self._pauses.holding and not await self._pauses.held(held):
                return
            session.messages += 1
            answer = await self._answer(text, call, session)
            if answer is not None:
                outbox.put(name, answer, message["read_ns"])

    async def _answer(self, text: str, call: rpc.Call | None, session: Session) -> bytes | None:
        """The answer to one frame; None for a notification or a reply that needs none."""
        if call is not None and call.id is not rpc.NO_ID:
            return await self._dialect.socket.settle(call, session)
        if self._dialect.socket_notifications_are_answered:
            reason = "not a JSON-RPC request" if call is None else "missing field `id`"
            return rpc.answer(rpc.NULL_ID, rpc.error_member(rpc.INTERNAL_ERROR, "Internal error", {"error": reason}))
        if call is not None or rpc.is_reply(text):
            return None
        return rpc.answer(rpc.NULL_ID, rpc.error_member(rpc.PARSE_ERROR, "Parse error"))
