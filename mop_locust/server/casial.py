"""The methods of the real MOP server's socket, where tool calls run through the mission engine."""

from __future__ import annotations

from typing import Any

import msgspec

from mop_locust.server import library, rpc
from mop_locust.server.methods import (
    SERVER_NAME,
    SERVER_VERSION,
    Computed,
    Methods,
    World,
    read_tool_call,
    rfc3339_now,
    tools_list,
)
from mop_locust.server.sessions import Session, new_id
from mop_locust.server.tools import violations


class _Uri(msgspec.Struct):
    uri: str


class _Debug(msgspec.Struct):
    tool: str = msgspec.field(name="toolName")
    args: Any = msgspec.field(default_factory=dict)


class _Added(msgspec.Struct):
    name: str


class _Removed(msgspec.Struct):
    perception_id: str


_uris = msgspec.json.Decoder(_Uri)
_debugs = msgspec.json.Decoder(_Debug)
_additions = msgspec.json.Decoder(_Added)
_removals = msgspec.json.Decoder(_Removed)


def mop_over_socket(world: World) -> Methods:
    """The real server's socket methods; params that lack a member are answered with a null id and -32603."""
    fixed = {
        "initialize": rpc.result_member(
            {
                "protocolVersion": "2024-11-05",
                "capabilities": {
                    "tools": {"listChanged": True},
                    "casial": {
                        "consciousness_aware": True,
                        "paradox_handling": True,
                        "perception_coordination": True,
                        "substrate_integration": True,
                    },
                },
                "serverInfo": {"name": SERVER_NAME, "version": SERVER_VERSION},
            }
        ),
        "tools/list": tools_list(world),
        "resources/list": rpc.result_member({"resources": library.SOCKET_RESOURCES}),
    }
    computed: dict[str, Computed] = {
        "tools/call": _call(world),
        "resources/read": _resource(world),
        "casial/debug": _debug(world),
        "casial/perception/add": _add_perception,
        "casial/perception/remove": _remove_perception,
    }
    routed = {"tools/call": world.federation.over_socket} if world.federation is not None else None
    return Methods(fixed, computed, routed=routed, null_id_for_bad_params=True)


def _call(world: World) -> Computed:
    def call(params: msgspec.Raw, session: Session) -> bytes:
        asked = read_tool_call(params)
        tool = world.tools.get(asked.name)
        arguments = asked.given()
        if isinstance(arguments, dict):
            arguments.pop("mode", None)
        wrong = [f"Tool '{asked.name}' not found in registry"] if tool is None else violations(tool.input_schema, arguments)
        if wrong:
            return rpc.error_member(rpc.INVALID_PARAMS, "Invalid parameters", {"validation_errors": wrong})
        coordination = world.engine.coordinate(asked.name, arguments, session.perceptions, rfc3339_now())
        content = {
            "tool_execution": {
                "status": "success",
                "tool": asked.name,
                "args": coordination.arguments,
                "consciousness_coordinated": True,
                "simulation": True,
            },
            "consciousness_coordination": coordination.told(),
        }
        return rpc.result_member(rpc.text_content(rpc.pretty(content), is_error=None))

    return call


def _resource(world: World) -> Computed:
    def resource(params: msgspec.Raw, _session: Session) -> bytes:
        uri = _uris.decode(params).uri
        if uri != library.SOCKET_CATALOGUE:
            return rpc.error_member(rpc.METHOD_NOT_FOUND, "Resource not found", {"uri": uri})
        tools = [tool.catalogued(_source(world.source(tool.name)), world.started) for tool in world.tools.values()]
        local = sum(not world.source(name) for name in world.tools)
        summary = {
            "totalTools": len(tools),
            "localTools": local,
            "federatedTools": len(tools) - local,
            "lastFederationSync": None,
        }
        return rpc.result_member(
            {"catalog": {"version": "1.0", "generatedAt": rfc3339_now(), "tools": tools, "summary": summary}}
        )

    return resource


def _source(downstream: str) -> object:
    return {"Federated": {"server_id": downstream, "server_url": f"server://{downstream}"}} if downstream else "Local"


def _debug(world: World) -> Computed:
    def debug(params: msgspec.Raw, session: Session) -> bytes:
        asked = _debugs.decode(params)
        return rpc.result_member(
            {
                "debug_request": {"tool_name": asked.tool, "args": asked.args},
                "session": {
                    "session_id": session.id,
                    "message_count": session.messages,
                    "active_perceptions": len(session.perceptions),
                },
                "casial_engine": {"total_coordinations": world.engine.events, "total_paradoxes": 0, "paradoxes": []},
                "consciousness_substrate": {"active": True},
            }
        )

    return debug


def _add_perception(params: msgspec.Raw, session: Session) -> bytes:
    name = _additions.decode(params).name
    perception = new_id()
    session.perceptions += (perception,)
    return rpc.result_member(
        {"perception_id": perception, "name": name, "session_id": session.id, "active_perceptions": len(session.perceptions)}
    )


def _remove_perception(params: msgspec.Raw, session: Session) -> bytes:
    """The real server compares with a fresh id, so it never removes one."""
    asked = _removals.decode(params).perception_id
    return rpc.result_member(
        {"removed": False, "perception_id": asked, "session_id": session.id, "remaining_perceptions": len(session.perceptions)}
    )
