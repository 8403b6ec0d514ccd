"""A downstream server as the federating one sees it: one WebSocket, on which calls are matched to answers by their ids."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from mop_locust.protocol import frames
from mop_locust.protocol.errors import RemoteProtocolError
from mop_locust.server.tools import Tool

MAX_MESSAGE: Final = 64 * 1024 * 1024
CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 5.0
HEAD_BYTES: Final = 16_384


class DownstreamError(Exception):
    """A call without a result; `connected`: there was a connection to make it on; `lost`: it was made, and no answer came."""

    def __init__(self, text: str, *, connected: bool = True, lost: bool = False) -> None:
        super().__init__(text)
        self.connected = connected
        self.lost = lost


class _Answer(msgspec.Struct):
    id: Any = None
    result: msgspec.Raw = msgspec.Raw(b"")
    error: Any = None


class _Listed(msgspec.Struct):
    name: str
    description: str = ""
    inputSchema: dict[str, object] | None = None  # noqa: N815 - MCP's own names
    outputSchema: dict[str, object] | None = None  # noqa: N815 - as above


class _Tools(msgspec.Struct):
    tools: list[_Listed]


_answers = msgspec.json.Decoder(_Answer)


class Downstream:
    """One downstream server; it is connected when it is first asked, and again when the connection was lost."""

    def __init__(self, server_id: str, url: str) -> None:
        self.id = server_id
        self._url = url
        self._link: _Link | None = None
        self._connecting = asyncio.Lock()

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._link is not None and self._link.open

    async def call(self, name: str, arguments: object) -> msgspec.Raw:
        """The result of a tool call. Raises DownstreamError."""
        return _result(await (await self._linked()).ask("tools/call", {"name": name, "arguments": arguments}))

    async def tools(self) -> list[Tool]:
        """Its tools. Raises DownstreamError."""
        answer = await (await self._linked()).ask("tools/list", {})
        try:
            listed = msgspec.json.decode(_result(answer), type=_Tools).tools
        except msgspec.MsgspecError as error:
            raise DownstreamError(f"Invalid tools format from server {self.id}: {error}") from error
        return [
            Tool(tool.name, tool.description, tool.inputSchema or {"type": "object"}, tool.outputSchema or {}, "federated")
            for tool in listed
        ]

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._link is not None:
            await self._link.close()

    async def _linked(self) -> _Link:
        async with self._connecting:
            if self._link is None or not self._link.open:
                try:
                    self._link = await asyncio.wait_for(_connect(self._url), CONNECT_SECONDS)
                except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
                    raise DownstreamError(f"Server '{self.id}' is not connected", connected=False) from error
                with suppress(DownstreamError):  # a server that wants no initialize goes on without
                    await self._link.ask("initialize", _INITIALIZE)
            return self._link


_INITIALIZE: Final = {
    "protocolVersion": "2024-11-05",
    "capabilities": {},
    "clientInfo": {"name": "mop-locust-reference", "version": "0"},
}


def _result(answer: _Answer) -> msgspec.Raw:
    if answer.error is not None:
        message = answer.error.get("message", "") if isinstance(answer.error, dict) else ""
        raise DownstreamError(f"Downstream error: {message}")
    return answer.result if bytes(answer.result) else msgspec.Raw(b'{"status":"success"}')


class _Link:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = count(1)
        self._waiting: dict[str, asyncio.Future[_Answer]] = {}
        self._reading = asyncio.get_running_loop().create_task(self._read())
        self.open = True

    async def ask(self, method: str, params: Mapping[str, object]) -> _Answer:
        """The answer to one request. Raises DownstreamError when none comes."""
        number = f"federation-{next(self._ids)}"
        message = msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(frames.encode_frame(frames.TEXT, message, os.urandom(4)))
            return await asyncio.wait_for(waiting, ANSWER_SECONDS)
        except TimeoutError as error:
            raise DownstreamError("Request timeout", lost=True) from error
        except OSError as error:
            raise DownstreamError("Connection closed", lost=True) from error
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """Say goodbye and close."""
        with suppress(OSError):
            self._writer.write(frames.encode_close(1000, "", os.urandom(4)))
            await self._writer.drain()
        self._reading.cancel()
        self._writer.close()

    async def _read(self) -> None:
        """Read until the connection ends; whoever still waits then is told."""
        decoder = frames.FrameDecoder(MAX_MESSAGE)
        try:
            while data := await self._reader.read(65_536):
                decoder.feed(data)
                while (frame := decoder.next()) is not None:
                    if isinstance(frame, frames.Close):
                        return
                    self._take(frame)
        except (OSError, RemoteProtocolError):
            pass
        finally:
            self.open = False
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(DownstreamError("Connection closed", lost=True))
            self._writer.close()

    def _take(self, frame: frames.Frame) -> None:
        if isinstance(frame, frames.Ping):
            self._writer.write(frames.encode_frame(frames.PONG, frame.data, os.urandom(4)))
        if not isinstance(frame, frames.Text):
            return
        try:
            answer = _answers.decode(frame.data)
        except (msgspec.MsgspecError, UnicodeError):
            return
        waiting = self._waiting.get(answer.id) if isinstance(answer.id, str) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


async def _connect(url: str) -> _Link:
    """Open a WebSocket. Raises OSError, EOFError, or ValueError for an answer that is no upgrade."""
    parts = urlsplit(url)
    secure = ssl.create_default_context() if parts.scheme == "wss" else None
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure, limit=HEAD_BYTES)
    try:
        key = base64.b64encode(os.urandom(16)).decode()
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        writer.write(frames.upgrade_request(path, f"{parts.hostname}:{port}", key))
        head = await reader.readuntil(b"\r\n\r\n")
        if head.split(b" ", 2)[1:2] != [b"101"] or frames.accept_key(key).encode() not in head:
            raise ValueError("no upgrade")
    except BaseException:
        writer.close()
        raise
    return _Link(reader, writer)
