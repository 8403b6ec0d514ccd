"""The prompts and resources that the server offers beside its tools."""

from __future__ import annotations

from collections.abc import Mapping

Json = dict[str, object]

PROMPTS: tuple[Json, ...] = (
    {
        "name": "orchestrate_workflow",
        "title": "Plan a workflow of several agents",
        "description": "Asks for a plan in which several agents reach one goal",
        "arguments": [
            {"name": "goal", "description": "What is to be reached", "required": True},
            {"name": "agents", "description": "Kinds of agents that are there", "required": False},
        ],
    },
    {
        "name": "analyze_mcp_server",
        "title": "Look at an MCP server",
        "description": "Asks what an MCP server offers and how to use it in a workflow",
        "arguments": [{"name": "server_url", "description": "Address of the MCP server", "required": True}],
    },
    {
        "name": "consciousness_reflection",
        "title": "Reflect on the context",
        "description": "Asks for contradictions in the present context",
        "arguments": [],
    },
)


def prompt_messages(name: str, arguments: Mapping[str, object]) -> list[Json] | None:
    """The messages of a prompt; None for an unknown one. Missing arguments have a default."""
    if name == "orchestrate_workflow":
        text = f"Plan a workflow of several agents that reaches this goal: {arguments.get('goal', 'any goal')}"
    elif name == "analyze_mcp_server":
        text = f"Say what the MCP server at {arguments.get('server_url', 'an unknown address')} offers, and for what."
    elif name == "consciousness_reflection":
        text = "Name the contradictions in the present context and say what can be learned from them."
    else:
        return None
    return [{"role": "user", "content": {"type": "text", "text": text}}]


CATALOGUE = "mop://tools/catalog"
CONTEXT = "mop://orchestration/context"
HISTORY = "mop://orchestration/history"
STATE = "mop://consciousness/state"
SERVERS = "mop://federation/servers"

SOCKET_CATALOGUE = "mcp://catalog"
"""The one resource that the real server offers over its socket."""


def _resource(uri: str, name: str, title: str, description: str) -> Json:
    return {"uri": uri, "name": name, "title": title, "description": description, "mimeType": "application/json"}


RESOURCES: tuple[Json, ...] = (
    _resource(CATALOGUE, "Tool Catalog", "Tools", "All tools of this server and where each comes from"),
    _resource(CONTEXT, "Current Orchestration Context", "Context", "Open sessions and tool calls so far"),
    _resource(HISTORY, "Orchestration History", "History", "The newest tool calls that a mission has seen"),
    _resource(STATE, "Consciousness State", "State", "Counters of the mission engine"),
    _resource(SERVERS, "Federated Servers", "Servers", "Servers that this one federates: none"),
)

SOCKET_RESOURCES: tuple[Json, ...] = (
    {"uri": SOCKET_CATALOGUE, "name": "Tool Catalog", "description": "All tools of this server", "mimeType": "application/json"},
)
