"""The MCP methods: a table of answers that never change and a table of those that are computed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from mop_locust.server import library, rpc
from mop_locust.server.missions import Engine
from mop_locust.server.sessions import Session, new_id
from mop_locust.server.tally import Tally
from mop_locust.server.tools import Json, Tool, simulate, violations

if TYPE_CHECKING:
    from mop_locust.server.federation import Federation

Computed = Callable[[msgspec.Raw, Session], bytes]
"""Params and session in, an encoded member out; a msgspec error means that the params are wrong."""

Routed = Callable[[msgspec.Raw], Awaitable[bytes | None]]
"""Params in, a member from elsewhere out; None: it is answered here. No msgspec error: what is wrong is found here too."""

SERVER_NAME = "mop-locust-reference"
SERVER_VERSION = "0.1.4"
"""The version of the real MOP server whose answers are given."""

SAMPLING_DISABLED = -32001


class World(msgspec.Struct, frozen=True):
    """What the methods read; `started` is RFC 3339."""

    tools: Mapping[str, Tool]
    engine: Engine
    tally: Tally
    sampling: bool
    started: str
    federation: Federation | None = None

    def source(self, tool: str) -> str:
        """The id of the downstream server that a tool comes from, "" for our own."""
        return "" if self.federation is None else self.federation.owner(tool)


def rfc3339_now() -> str:
    """The wall clock as RFC 3339 text."""
    return datetime.now(UTC).isoformat()


class Methods:
    """The methods of one transport in one dialect."""

    def __init__(
        self,
        fixed: Mapping[str, bytes],
        computed: Mapping[str, Computed],
        *,
        routed: Mapping[str, Routed] | None = None,
        null_id_for_bad_params: bool = False,
    ) -> None:
        self._fixed = fixed
        self._computed = computed
        self._routed = routed or {}
        self._null_id_for_bad_params = null_id_for_bad_params

    async def settle(self, call: rpc.Call, session: Session) -> bytes:
        """The whole encoded answer to a call, from a downstream server where the call is one for it."""
        routed = self._routed.get(call.method)
        member = None if routed is None else await routed(call.params)
        return self.answer(call, session) if member is None else rpc.answer(call.id, member)

    def answer(self, call: rpc.Call, session: Session) -> bytes:
        """The whole encoded answer that is made here."""
        member = self._fixed.get(call.method)
        if member is not None:
            return rpc.answer(call.id, member)
        computed = self._computed.get(call.method)
        if computed is None:
            return rpc.answer(call.id, rpc.error_member(rpc.METHOD_NOT_FOUND, "Method not found", {"method": call.method}))
        try:
            return rpc.answer(call.id, computed(call.params, session))
        except msgspec.MsgspecError as error:
            if self._null_id_for_bad_params:
                return rpc.answer(rpc.NULL_ID, rpc.error_member(rpc.INTERNAL_ERROR, "Internal error", {"error": str(error)}))
            return rpc.answer(call.id, bad_params(error))


def bad_params(error: msgspec.MsgspecError) -> bytes:
    """The error member for params of the wrong shape."""
    return rpc.error_member(rpc.INVALID_PARAMS, "Invalid params", {"error": str(error)})


class ToolCall(msgspec.Struct):
    """Params of tools/call; arguments may be anything until they are checked."""

    name: str
    arguments: Any = msgspec.UNSET

    def given(self) -> Any:
        """The arguments, an empty object when there are none."""
        return {} if self.arguments is msgspec.UNSET else self.arguments


class _Prompt(msgspec.Struct):
    name: str
    arguments: dict[str, Any] | None = None


class _Resource(msgspec.Struct):
    uri: str


class _Sampling(msgspec.Struct):
    messages: list[Any]


class _Reference(msgspec.Struct):
    type: str
    name: str = ""
    uri: str = ""


class _Argument(msgspec.Struct):
    name: str
    value: str


class _Completion(msgspec.Struct):
    ref: _Reference
    argument: _Argument


_tool_calls = msgspec.json.Decoder(ToolCall)
_prompts = msgspec.json.Decoder(_Prompt)
_resources = msgspec.json.Decoder(_Resource)
_samplings = msgspec.json.Decoder(_Sampling)
_completions = msgspec.json.Decoder(_Completion)


def read_tool_call(params: msgspec.Raw) -> ToolCall:
    """The params of tools/call."""
    return _tool_calls.decode(params)


def tools_list(world: World) -> bytes:
    """The member of tools/list, encoded once."""
    return rpc.result_member({"tools": [tool.listed() for tool in world.tools.values()]})


def mop_over_http(world: World) -> Methods:
    """The real server's HTTP methods but `initialize`; notifications/initialized with an id is answered too."""
    fixed = {**_common(world), "notifications/initialized": rpc.EMPTY_RESULT}
    computed = {**_library(world), "tools/call": _lenient_call(world), "sampling/createMessage": _sampling(world)}
    routed = {"tools/call": world.federation.over_http} if world.federation is not None else None
    return Methods(fixed, computed, routed=routed)


def standard(world: World, initialize: Computed | None = None) -> Methods:
    """The methods of a standard MCP server; `initialize` is given for the socket, where no session id is needed."""
    fixed = {**_common(world), "logging/setLevel": rpc.EMPTY_RESULT}
    computed = {**_library(world), "tools/call": _strict_call(world)}
    if initialize is not None:
        computed["initialize"] = initialize
    return Methods(fixed, computed)


def _common(world: World) -> dict[str, bytes]:
    return {
        "ping": rpc.EMPTY_RESULT,
        "tools/list": tools_list(world),
        "prompts/list": rpc.result_member({"prompts": library.PROMPTS}),
        "resources/list": rpc.result_member({"resources": library.RESOURCES}),
        "resources/subscribe": rpc.EMPTY_RESULT,
        "resources/unsubscribe": rpc.EMPTY_RESULT,
    }


def _library(world: World) -> dict[str, Computed]:
    def prompt(params: msgspec.Raw, _session: Session) -> bytes:
        asked = _prompts.decode(params)
        messages = library.prompt_messages(asked.name, asked.arguments or {})
        if messages is None:
            return rpc.error_member(rpc.INVALID_PARAMS, f"Unknown prompt: {asked.name}")
        return rpc.result_member({"messages": messages})

    def resource(params: msgspec.Raw, _session: Session) -> bytes:
        uri = _resources.decode(params).uri
        content = _resource_content(world, uri, rfc3339_now())
        if content is None:
            return rpc.error_member(rpc.INVALID_PARAMS, f"Unknown resource: {uri}")
        kind = "application/json" if uri in (library.CATALOGUE, library.HISTORY) else "text/plain"
        return rpc.result_member({"contents": [{"uri": uri, "mimeType": kind, "text": rpc.pretty(content)}]})

    def completion(params: msgspec.Raw, _session: Session) -> bytes:
        _completions.decode(params)
        return rpc.result_member({"completion": {"values": [], "hasMore": False, "total": 0}})

    return {"prompts/get": prompt, "resources/read": resource, "completion/complete": completion}


def _resource_content(world: World, uri: str, now: str) -> Json | None:
    engine = world.engine
    if uri == library.CATALOGUE:
        tools = [tool.catalogued(_source(world.source(tool.name)), world.started) for tool in world.tools.values()]
        return {"generatedAt": now, "totalTools": len(tools), "tools": tools}
    if uri == library.CONTEXT:
        return {
            "timestamp": now,
            "active_sessions": world.tally.sockets_open,
            "coordination_events": engine.events,
            "paradoxes_resolved": 0,
        }
    if uri == library.HISTORY:
        return {
            "generatedAt": now,
            "totalEvents": engine.events,
            "appliedEvents": engine.applied,
            "recentSample": list(engine.history),
        }
    if uri == library.STATE:
        return {"consciousness_metrics": {"paradox_resolution_rate": 0, "perception_locks": 0, "substrate_operations": 0}}
    if uri == library.SERVERS:
        if world.federation is not None:
            return {"federated_servers": world.federation.servers(), "total_tools": len(world.tools)}
        return {"federated_servers": [], "federation_enabled": False}
    return None


def _source(downstream: str) -> Json:
    if not downstream:
        return {"type": "local"}
    return {"type": "federated", "serverId": downstream, "serverUrl": f"server://{downstream}"}


def lenient_result(tool: str, content: Json) -> bytes:
    """The member with a tool's answer over HTTP: the content with what the real server adds to each."""
    metadata = {"processed_at": rfc3339_now(), "processing_time_ms": 0, "tool_name": tool, "shim_applied": True}
    return rpc.result_member(rpc.text_content(rpc.pretty({**content, "_response_metadata": metadata}), is_error=False))


def _lenient_call(world: World) -> Computed:
    """Arguments are not checked, and an unknown tool is a text content with an `error` key, `isError` false."""

    def call(params: msgspec.Raw, _session: Session) -> bytes:
        asked = _tool_calls.decode(params)
        now = rfc3339_now()
        arguments = asked.given()
        content = simulate(world.tools, asked.name, arguments if isinstance(arguments, dict) else {}, now, new_id())
        if content is None:
            content = {"error": f"Unknown tool: {asked.name}", "available_tools": list(world.tools)}
        return lenient_result(asked.name, content)

    return call


def _strict_call(world: World) -> Computed:
    """An unknown tool and wrong arguments are results with `isError` true.

    The tools have output schemas, so a result has structured content too (MCP 2025-06-18, server/tools).
    """

    def call(params: msgspec.Raw, _session: Session) -> bytes:
        asked = _tool_calls.decode(params)
        tool = world.tools.get(asked.name)
        if tool is None:
            return rpc.result_member(rpc.text_content(f"Unknown tool: {asked.name}", is_error=True))
        arguments = asked.given()
        wrong = violations(tool.input_schema, arguments)
        if wrong:
            return rpc.result_member(rpc.text_content("; ".join(wrong), is_error=True))
        content = simulate(world.tools, asked.name, arguments, rfc3339_now(), new_id())
        return rpc.result_member({**rpc.text_content(rpc.pretty(content), is_error=False), "structuredContent": content})

    return call


def _sampling(world: World) -> Computed:
    disabled = rpc.error_member(
        SAMPLING_DISABLED, "Sampling disabled by server configuration", {"featureFlag": "MOP_ENABLE_SAMPLING", "enabled": False}
    )
    enabled = rpc.error_member(rpc.METHOD_NOT_FOUND, "Sampling requires client-side LLM integration", {"samplingEnabled": True})

    def sampling(params: msgspec.Raw, _session: Session) -> bytes:
        _samplings.decode(params)
        return enabled if world.sampling else disabled

    return sampling
