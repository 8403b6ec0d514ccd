"""The reference MOP server as an ASGI 3 application: routes and the pages beside `/mcp` and `/ws`.

Faults wrap the `send` of those two: there every byte of an answer passes, whatever the transport. The pages have none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from mop_locust.missions.shape import Mission
from mop_locust.server import asgi
from mop_locust.server.asgi import Header, Receive, Scope, Send
from mop_locust.server.dialect import JSON, Answer, Dialect, Mcp, Mop
from mop_locust.server.endpoint import Endpoint, send_answer
from mop_locust.server.faults import Faults
from mop_locust.server.federation import Federation, Found
from mop_locust.server.methods import SERVER_VERSION, World, rfc3339_now
from mop_locust.server.missions import Engine
from mop_locust.server.options import DEMO_KEY, Options
from mop_locust.server.pauses import Pauses
from mop_locust.server.sockets import Sockets
from mop_locust.server.spoiler import SpoiledEndpoint, SpoiledSockets
from mop_locust.server.tally import Tally
from mop_locust.server.tools import catalogue

PROMETHEUS: Header = (b"content-type", b"text/plain; version=0.0.4")


class Application:
    """One server: its state lives as long as the object."""

    def __init__(
        self,
        options: Options,
        mission: Mission | None,
        environment: Mapping[str, str],
        found: Sequence[Found] = (),
    ) -> None:
        self.tally = Tally()
        self.pauses = Pauses(options.delay, options.delay_seed, options.delay_from, options.slots)
        self.ping_seconds = options.keep_alive_seconds
        self._engine = Engine(mission, environment)
        sampling = environment.get("MOP_ENABLE_SAMPLING", "").lower() in ("1", "true", "yes")
        tools = catalogue(options.tools, options.tool_bytes)
        federation = None
        if options.downstreams:
            for downstream in found:
                tools |= {tool.name: tool for tool in downstream.tools}  # in the place of our own: so does the real server
            federation = Federation(found, tools, self.tally)
        world = World(tools, self._engine, self.tally, sampling, rfc3339_now(), federation)
        dialect: Dialect
        if options.dialect == "mop":
            dialect = Mop(world, options.key)
        else:
            dialect = Mcp(world, options.key, needs_event_stream=options.answer == "sse")
        self._mcp: asgi.Application = Endpoint(options, dialect, self.tally, self.pauses)
        self._ws: asgi.Application = Sockets(dialect, self.tally, self.pauses)
        self.faults = Faults(options.faults, options.fault_on, options.fault_seed)
        if self.faults:
            self._mcp = SpoiledEndpoint(self._mcp, self.faults)
            self._ws = SpoiledSockets(self._ws, self.faults)
        config = Answer(200, msgspec.json.encode(_session_config(), order="sorted"), (JSON,))
        self._pages: dict[str, Callable[[], Answer]] = {
            "/": self._health,
            "/health": self._health,
            "/metrics": self._metrics,
            "/counts": self._counts,
            "/.well-known/mcp-config": lambda: config,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        path = scope["path"]
        if scope["type"] == "http":
            if path == "/mcp":
                await self._mcp(scope, receive, send)
            else:
                await send_answer(send, self._page(scope["method"], path))
        elif path == "/ws":
            await self._ws(scope, receive, send)
        else:
            await send(
                {
                    "type": "websocket.http.response.start",
                    "status": 404,
                    "headers": [(b"content-length", b"0"), (b"connection", b"close")],
                }
            )
            await send({"type": "websocket.http.response.body", "body": b""})

    def _page(self, verb: str, path: str) -> Answer:
        page = self._pages.get(path)
        if page is None:
            if path == "/ws":
                return Answer(400, b"Connection header did not include 'upgrade'")
            if path.startswith("/debug/"):
                return Answer(403, b'{"error":"admin_token_unset","message":"There are no /debug pages here."}', (JSON,))
            return Answer(404)
        if verb not in ("GET", "HEAD"):
            return Answer(405, headers=((b"allow", b"GET,HEAD"),))
        return page()

    def _health(self) -> Answer:
        health = {
            "status": "healthy",
            "service": "mop-locust reference server",
            "version": SERVER_VERSION,
            "active_sessions": self.tally.sockets_open,
            "coordination_events": self._engine.events,
            "timestamp": rfc3339_now(),
        }
        return Answer(200, msgspec.json.encode(health), (JSON,))

    def _metrics(self) -> Answer:
        return Answer(200, self.tally.prometheus(time.time(), self._engine.events), (PROMETHEUS,))

    def _counts(self) -> Answer:
        return Answer(200, msgspec.json.encode(self.tally.counts()), (JSON,))


def _session_config() -> dict[str, object]:
    """The description at `/.well-known/mcp-config`, with the JSON Schema of the session configuration."""
    properties: dict[str, object] = {
        "apiKey": {"type": "string", "default": DEMO_KEY},
        "debug": {"type": "boolean", "default": False},
        "consciousness_mode": {"type": "string", "enum": ["full", "partial", "disabled"], "default": "full"},
        "max_context_size": {"type": "integer", "minimum": 1000, "maximum": 1_000_000, "default": 100_000},
        "agent_role": {
            "type": "string",
            "enum": ["researcher", "analyst", "monitor", "watcher", "orchestrator"],
            "default": "orchestrator",
        },
        "mission": {"type": "string"},
        "shim_enabled": {"type": "boolean", "default": True},
    }
    return {
        "name": "meta-orchestration-protocol",
        "title": "Reference MOP server",
        "version": SERVER_VERSION,
        "transport": ["streamable-http"],
        "capabilities": {"tools": True, "prompts": True, "resources": True},
        "configSchema": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "required": ["apiKey"],
            "additionalProperties": False,
            "properties": properties,
        },
    }
