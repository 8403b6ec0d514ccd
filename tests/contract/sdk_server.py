"""The official MCP Python SDK's server, in each of its ways to answer: a program of its own, `python sdk_server.py`.

One process, five endpoints: `/sse/mcp` (sessions, answers as event streams), `/json/mcp` (sessions, JSON answers),
`/stateless/mcp` (no sessions), `/post-only/mcp` (no sessions, neither GET nor DELETE, as behind many gateways) and `/ws`. The SDK
has no WebSocket transport: there its server speaks through Starlette's WebSocket and wsproto, two more that we did not write.
Once it listens, it prints its address; SIGTERM ends it.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp
from mcp.shared._context_streams import create_context_streams
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp_types import EmptyResult, PingRequest, jsonrpc_message_adapter
from pydantic import BaseModel, ValidationError
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

KEEP_ALIVE_SECONDS = 0.1
"""The pause between the comments of an event stream, and between the pings of a WebSocket."""

SUBPROTOCOL = "mcp"


class Wish(BaseModel):
    """What the server asks the user for."""

    name: str


def build() -> MCPServer[Any]:
    """A server with three tools, a prompt and a resource."""
    server = MCPServer[Any]("sdk", version="1.2.3", log_level="CRITICAL")

    @server.tool(structured_output=False)
    def echo(query: str) -> str:
        """Says what it was told."""
        return query

    @server.tool()
    def fails() -> str:
        """Always fails."""
        raise ValueError("never shown")

    @server.tool(structured_output=False)
    async def asks(ctx: Context) -> str:
        """Sends a log message, then asks the client twice: for a sign of life, and for what no load client can do."""
        await ctx.info("the call runs")
        return f"ping: {await _ping(ctx)}, elicitation: {await _elicit(ctx)}"

    @server.prompt()
    def greet(name: str) -> str:
        """Asks for a greeting."""
        return f"Greet {name}."

    @server.resource("test://fact", mime_type="text/plain")
    def fact() -> str:
        """A fact."""
        return "water is wet"

    return server


async def _ping(ctx: Context) -> str:
    try:
        related = ServerMessageMetadata(related_request_id=ctx.request_id)
        await ctx.session.send_request(PingRequest(), EmptyResult, 5.0, related)
    except MCPError as error:
        return str(error.error.code)
    return "answered"


async def _elicit(ctx: Context) -> str:
    try:
        return (await ctx.elicit("Who are you?", Wish)).action
    except MCPError as error:
        return str(error.error.code)


async def speak(websocket: WebSocket) -> None:
    """One MCP session over a WebSocket: each text message is one JSON-RPC message."""
    await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in websocket.scope["subprotocols"] else None)
    heard, to_server = create_context_streams[SessionMessage | Exception](0)
    from_server, said = create_context_streams[SessionMessage](0)

    async def listen() -> None:
        async with heard:
            async for text in websocket.iter_text():
                try:
                    await heard.send(SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False)))
                except ValidationError as error:
                    await heard.send(error)

    async def say() -> None:
        async with said:
            async for message in said:
                await websocket.send_text(message.message.model_dump_json(by_alias=True, exclude_unset=True))

    server = build()._lowlevel_server
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        tasks.start_soon(say)
        await server.run(to_server, from_server, server.create_initialization_options())
        tasks.cancel_scope.cancel()


def application() -> Starlette:
    """All endpoints as one application."""
    EventSourceResponse.DEFAULT_PING_INTERVAL = KEEP_ALIVE_SECONDS  # type: ignore[assignment]  # any number will do
    servers = [build() for _ in range(4)]
    sse, json, stateless, post_only = servers
    routes = [
        Mount("/sse", sse.streamable_http_app()),
        Mount("/json", json.streamable_http_app(json_response=True)),
        Mount("/stateless", stateless.streamable_http_app(stateless_http=True)),
        WebSocketRoute("/ws", speak),
    ]
    post_only.streamable_http_app(stateless_http=True, json_response=True)  # for its session manager alone
    routes.append(Mount("/post-only", routes=[Route("/mcp", StreamableHTTPASGIApp(post_only.session_manager), methods=["POST"])]))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for server in servers:
                await stack.enter_async_context(server.session_manager.run())
            yield

    return Starlette(routes=routes, lifespan=lifespan)


class Server(uvicorn.Server):
    """A server that prints its address once it listens."""

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listens, then says so."""
        await super().startup(sockets)
        print(f"sdk server: http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the SDK warns of what the newest revision no longer has: that is what we test
    Server(
        uvicorn.Config(
            application(),
            host="127.0.0.1",
            port=0,
            ws="wsproto",
            ws_ping_interval=KEEP_ALIVE_SECONDS,
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
    ).run()
