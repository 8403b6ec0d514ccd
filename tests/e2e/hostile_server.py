"""An MCP server that means harm: it puts hostile texts into every field that it controls.

    python hostile_server.py TEXTS.json [--refuse]

Each text of the JSON list is the name of a tool; what a call of it comes to (a JSON-RPC error, a failed tool, a content type,
a reason phrase, a body, all with the text in them) goes round. With --refuse, `initialize` is answered by a 500 with the texts.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

TEXTS: list[str] = json.loads(Path(sys.argv[1]).read_bytes())
REFUSE = "--refuse" in sys.argv
NAME = "=1+1<img src=x onerror=alert(1)>|\x1b[31m\u202e`x` @everyone #1\n"


def header_text(text: str) -> bytes:
    """As much of a text as a header can carry."""
    return text.encode("utf-8", "replace").translate(None, b"\r\n\0")[:200]


def answer(status: bytes, body: bytes, kind: bytes = b"application/json", more: bytes = b"") -> bytes:
    """A whole HTTP answer."""
    return b"HTTP/1.1 %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n%s\r\n%s" % (status, kind, len(body), more, body)


def result(id: object, value: object) -> bytes:
    """A JSON-RPC answer."""
    return answer(b"200 OK", json.dumps({"jsonrpc": "2.0", "id": id, "result": value}).encode(), more=b"mcp-session-id: s\r\n")


def post(message: dict[str, Any]) -> bytes:
    """What a POST is answered."""
    id, method = message.get("id"), message.get("method")
    if id is None:
        return answer(b"202 Accepted", b"")
    if method == "initialize":
        if REFUSE:
            return answer(b"500 " + header_text(NAME), "".join(TEXTS[:6]).encode("utf-8", "replace"), header_text(NAME))
        info = {"name": NAME, "version": "@" + NAME, "title": NAME}
        return result(id, {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": info, "instructions": NAME})
    if method == "tools/list":
        tools = [{"name": text, "description": text, "inputSchema": {"type": "object"}} for text in TEXTS]
        return result(id, {"tools": tools})
    if method != "tools/call":
        return result(id, {})
    name = message["params"]["name"]
    match TEXTS.index(name) % 6 if name in TEXTS else 0:
        case 0:
            error = {"code": -32000, "message": name, "data": name}
            return answer(b"200 OK", json.dumps({"jsonrpc": "2.0", "id": id, "error": error}).encode())
        case 1:
            return result(id, {"content": [{"type": "text", "text": name}], "isError": True})
        case 2:
            return answer(b"200 OK", b"{}", header_text(name))
        case 3:
            return answer(b"503 " + header_text(name), name.encode("utf-8", "replace"))
        case 4:
            return answer(b"200 OK", name.encode("utf-8", "replace"))
    return result(id, {"content": [{"type": "text", "text": name}]})


def stream() -> bytes:
    """An event stream that names the texts and ends."""
    lines = [f": {text}\nid: {text}\nevent: {text}\ndata: {text}\n\n" for text in TEXTS]
    body = "".join(lines).encode("utf-8", "replace")
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" + body


def upgraded(key: bytes) -> bytes:
    """The answer that opens a WebSocket."""
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: "
    return head + accept + b"\r\n\r\n"


async def socket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A WebSocket that answers one short message with an error, and is closed with a text as the reason."""
    try:
        async with asyncio.timeout(0.1):
            _, length = await reader.readexactly(2)
            mask = await reader.readexactly(4)
            masked = await reader.readexactly(length & 127)
            message = json.loads(bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked)))
            error = {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": TEXTS[0]}}
            text = json.dumps(error).encode()
            writer.write(bytes([0x81, len(text)]) + text)
    except TimeoutError:
        reason = NAME.encode()[:100]
        writer.write(bytes([0x88, 2 + len(reason)]) + (4000).to_bytes(2, "big") + reason)
    await writer.drain()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.split(b"\r\n")
            headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
            body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
            verb, path = first.split()[:2]
            if path.startswith(b"/ws"):
                writer.write(upgraded(headers[b"sec-websocket-key"]))
                await socket(reader, writer)
                break
            if path == b"/health":
                writer.write(answer(b"200 OK", json.dumps({"commit": NAME, "version": NAME}).encode()))
            elif verb == b"GET":
                writer.write(stream())
                await writer.drain()
                break
            else:
                writer.write(post(json.loads(body)) if verb == b"POST" else answer(b"200 OK", b""))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Listens on a free port, and says which."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"hostile server: http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp ws", flush=True)
    await server.serve_forever()


asyncio.run(main())
