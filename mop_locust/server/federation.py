"""Tools of downstream servers, called through this one as the real MOP server does it.

A downstream's tool takes the place of one of our own with the same name. Over the socket a call is forwarded, and answered here
when that fails. Over HTTP the failure is the answer, and the four built-in names are never forwarded. One thing differs: the real
server never connects again to a downstream that it has lost, this one does with the next call that the breaker lets through.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final
from uuid import uuid4

import msgspec

from mop_locust.server import rpc
from mop_locust.server.breaker import Breaker, backoff
from mop_locust.server.downstream import Downstream, DownstreamError
from mop_locust.server.methods import ToolCall, lenient_result, rfc3339_now
from mop_locust.server.tally import Tally
from mop_locust.server.tools import BUILT_IN, Json, Tool, violations

RETRIES: Final = 3
SIMULATED: Final = frozenset(tool.name for tool in BUILT_IN)


class Found(msgspec.Struct, frozen=True):
    """A downstream server as it was at the start: its tools, or why they are not there."""

    id: str
    url: str
    tools: list[Tool] = []
    problem: str = ""


def find(urls: Sequence[str]) -> list[Found]:
    """The downstream servers of these URLs, each asked for its tools once, before the server starts."""

    async def one(number: int, url: str) -> Found:
        downstream = Downstream(f"downstream-{number}", url)
        try:
            return Found(downstream.id, url, await downstream.tools())
        except DownstreamError as error:
            return Found(downstream.id, url, problem=str(error))
        finally:
            await downstream.close()

    async def every() -> list[Found]:
        return [await one(number, url) for number, url in enumerate(urls, 1)]

    return asyncio.run(every()) if urls else []


class _Call(ToolCall):
    mode: Any = "execute"


_calls = msgspec.json.Decoder(_Call)


class _Route:
    """The way to one downstream server, with the breaker before it."""

    def __init__(self, found: Found, tally: Tally) -> None:
        self.found = found
        self.downstream = Downstream(found.id, found.url)
        self._tally = tally
        self._random = Random(found.id)
        self._breaker = Breaker(self._random)
        self._failing = False

    async def call(self, tool: str, arguments: object, transport: str) -> msgspec.Raw:
        """The downstream's result. Raises DownstreamError with the real server's texts."""
        server = self.found.id
        left = self._breaker.left(time.monotonic())
        if left:
            self._tally.federate(server, transport, "refused")
            raise DownstreamError(f"Circuit open for server '{server}' (retry in Some({left * 1000:.3f}ms))")
        try:
            result = await self._try(tool, arguments, transport)
        except DownstreamError:
            self._failing = True
            self._tally.federate(server, transport, "failed")
            raise
        if self._failing:
            self._failing = False
            self._tally.federate(server, transport, "recovered")
        self._tally.federate(server, transport, "forwarded")
        return result

    async def _try(self, tool: str, arguments: object, transport: str) -> msgspec.Raw:
        attempt = 0
        while True:
            try:
                result = await self.downstream.call(tool, arguments)
            except DownstreamError as error:
                if error.lost:
                    self._tally.federate(self.found.id, transport, "lost")
                seconds = self._breaker.failed(time.monotonic())
                if seconds:
                    self._tally.federate(self.found.id, transport, "opened")
                    raise DownstreamError(
                        f"Circuit opened for server '{self.found.id}' ({seconds * 1000:.0f}ms) after: {error}"
                    ) from error
                if not error.connected or attempt == RETRIES:
                    raise
            else:
                self._breaker.succeeded()
                return result
            attempt += 1
            await asyncio.sleep(backoff(attempt, self._random))


class Federation:
    """The downstream servers of one server, and which of `tools` is whose; `tools` are those of all."""

    def __init__(self, found: Sequence[Found], tools: Mapping[str, Tool], tally: Tally) -> None:
        self._tools = tools
        self._routes = [_Route(one, tally) for one in found]
        self._owners = {tool.name: route for route in self._routes for tool in route.found.tools}

    def owner(self, tool: str) -> str:
        """The id of the downstream server that a tool comes from, "" for our own."""
        route = self._owners.get(tool)
        return "" if route is None else route.found.id

    def servers(self) -> list[Json]:
        """What the resource of federated servers tells."""
        return [
            {
                "id": route.found.id,
                "name": route.found.url,
                "transport": "websocket",
                "connected": route.downstream.connected,
                "enabled": True,
                "tool_count": sum(owner is route for owner in self._owners.values()),
            }
            for route in self._routes
        ]

    async def over_http(self, params: msgspec.Raw) -> bytes | None:
        """The member for a call over HTTP; None for one that is simulated here, and for params of the wrong shape."""
        try:
            asked = _calls.decode(params)
        except msgspec.MsgspecError:
            return None
        if asked.name in SIMULATED:
            return None
        try:
            content = msgspec.json.decode(await self._execute(asked, "http"), type=dict[str, object])
        except (DownstreamError, msgspec.MsgspecError) as error:
            content = {"error": f"Tool execution failed: {error}", "tool": asked.name, "augmented_arguments": asked.given()}
        return lenient_result(asked.name, content)

    async def over_socket(self, params: msgspec.Raw) -> bytes | None:
        """The member for a call over a socket; None where it is answered here: it is wrong, or the downstream fails."""
        try:
            asked = _calls.decode(params)
        except msgspec.MsgspecError:
            return None
        tool = self._tools.get(asked.name)
        if tool is None or violations(tool.input_schema, asked.given()):
            return None
        plan = self._plan(asked)
        if asked.mode == "plan":
            content: object = plan
        else:
            try:
                content = await self._execute(asked, "websocket")
            except DownstreamError:
                return None
            if asked.mode == "hybrid":
                content = {"mode": "hybrid", "plan": plan, "execution": content}
        return rpc.result_member(rpc.text_content(rpc.pretty(content), is_error=None))

    async def _execute(self, asked: _Call, transport: str) -> msgspec.Raw:
        route = self._owners.get(asked.name)
        if route is not None:
            return await route.call(asked.name, asked.given(), transport)
        if asked.name not in self._tools:
            raise DownstreamError(f"Tool '{asked.name}' not found in registry")
        done = {"status": "success", "tool": asked.name, "result": "Local execution completed", "source": "local"}
        return msgspec.Raw(msgspec.json.encode(done))

    def _plan(self, asked: _Call) -> Json:
        return {
            "plan_id": str(uuid4()),
            "tool_name": asked.name,
            "arguments": asked.given(),
            "target_server": self.owner(asked.name) or "local",
            "created_at": rfc3339_now(),
            "estimated_cost": None,
            "dependencies": [],
            "spec_ref": f"mcp://catalog/tools/{asked.name}",
        }
