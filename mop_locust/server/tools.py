"""The tools that the server lists and simulates: the four of the real MOP server and any number of generated ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

import msgspec

Json = dict[str, object]


class Tool(msgspec.Struct, frozen=True):
    """A tool as the catalogue knows it; schemas are JSON Schema objects."""

    name: str
    description: str
    input_schema: Json
    output_schema: Json
    category: str
    spec_version: str = "1.0.0"

    def listed(self) -> Json:
        """The entry of `tools/list`."""
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.input_schema,
            "outputSchema": self.output_schema,
        }

    def catalogued(self, source: object, updated: str) -> Json:
        """The entry of the catalogue resource; `updated` is RFC 3339."""
        return {
            **self.listed(),
            "source": source,
            "specVersion": self.spec_version,
            "specHash": sha256(msgspec.json.encode(self.listed(), order="sorted")).hexdigest(),
            "lastUpdated": updated,
            "metadata": {"category": self.category, "consciousness_aware": True},
        }


def _object(properties: Json, *required: str) -> Json:
    schema: Json = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return schema


def _a(kind: str, description: str = "", **rules: object) -> Json:
    schema: Json = {"type": kind, **rules}
    if description:
        schema["description"] = description
    return schema


_TEXTS = _a("array", items=_a("string"))

BUILT_IN: tuple[Tool, ...] = (
    Tool(
        "orchestrate_mcp_proxy",
        "Sends a tool call on to another MCP server and enriches it on the way. The call can be given context, instructions "
        "for a group of agents, and filters for its sources. This reference server simulates it and opens no connection.",
        _object(
            {
                "target_server": _a("string", "Address of the MCP server that the call is meant for"),
                "tool_name": _a("string", "Name of the tool on that server"),
                "original_params": _a("object", "Arguments for that tool, as the caller gave them"),
                "augmentation_config": _object(
                    {
                        "inject_context": _a("boolean", "Add the time and the origin of the call to its arguments"),
                        "add_swarm_instructions": {
                            **_TEXTS,
                            "description": "Instructions that every agent of the group receives",
                        },
                        "paradox_tolerance": _a(
                            "number",
                            "How much contradiction between sources is accepted, from 0 (none) to 1 (any)",
                            minimum=0,
                            maximum=1,
                        ),
                        "perception_ids": {**_TEXTS, "description": "Ids of the perceptions that apply to this call"},
                        "domain_filters": _object(
                            {
                                "include_domains": {
                                    **_TEXTS,
                                    "description": "Only sources that match one of these patterns are used",
                                },
                                "exclude_domains": {
                                    **_TEXTS,
                                    "description": "Sources that match one of these patterns are left out",
                                },
                            }
                        ),
                        "livecrawl_mode": _a(
                            "string", "When fresh pages are fetched", enum=["never", "fallback", "preferred", "always"]
                        ),
                    }
                ),
            },
            "target_server",
            "tool_name",
            "original_params",
        ),
        _object(
            {
                "original_result": _a("object"),
                "augmented_result": _a("object"),
                "consciousness_coordination": _a("object"),
                "paradoxes_detected": _a("array"),
                "swarm_responses": _a("array"),
            }
        ),
        "orchestration",
        "2.0.0",
    ),
    Tool(
        "discover_mcp_tools",
        "Lists the tools of an MCP server and says for each of them how well it fits into an orchestration. This reference "
        "server answers with its own tools, whatever address is given.",
        _object(
            {
                "server_url": _a("string", "Address of the MCP server to look at"),
                "analyze_for_orchestration": _a("boolean", "Add hints for orchestration to each tool", default=True),
                "perception_mapping": _a("boolean", "Say which perceptions each tool belongs to", default=True),
            },
            "server_url",
        ),
        _object(
            {
                "tools": _a("array"),
                "orchestration_strategies": _a("array"),
                "perception_mappings": _a("object"),
                "compatibility_report": _a("object"),
            }
        ),
        "discovery",
        "2.0.0",
    ),
    Tool(
        "exa_search_example",
        "An example of a search tool: it takes a query and answers with two fixed results. A mission whose patterns match its "
        "name puts guidance before the query, and the answer then tells which rules and templates were used.",
        _object(
            {
                "query": _a("string"),
                "numResults": _a("number"),
                "projectPath": _a("string", "Folder of the project that the search belongs to"),
                "perceptionIds": _TEXTS,
            },
            "query",
        ),
        _object(
            {
                "status": _a("string"),
                "results": _a("array"),
                "context_enhanced": _a("boolean"),
                "consciousness_coordination": _a("object"),
            }
        ),
        "search",
    ),
    Tool(
        "exa_research_example",
        "An example of a tool that starts a longer task: it takes instructions and answers at once with the id of a research "
        "task. A mission can put guidance before the instructions. The task is never carried out, its id is good for nothing.",
        _object(
            {
                "instructions": _a("string"),
                "model": _a("string", enum=["exa-research", "exa-research-pro"]),
                "projectPath": _a("string"),
                "paradoxTolerance": _a("number", minimum=0, maximum=1),
            },
            "instructions",
        ),
        _object({"task_id": _a("string"), "status": _a("string"), "consciousness_enhanced": _a("boolean")}),
        "research",
    ),
)


def generated(number: int, size: int) -> Tool:
    """The generated tool of that number; its entry in `tools/list` has exactly `size` bytes of JSON.

    Raises ValueError when `size` is too small for a tool at all.
    """
    name = f"generated_{number}"
    schema = _object({"query": _a("string")})
    output = _object({"status": _a("string")})
    bare = Tool(name, "", schema, output, "generated")
    room = size - len(msgspec.json.encode(bare.listed()))
    if room < 1:
        raise ValueError(f"a generated tool needs at least {size - room + 1} bytes, not {size}")
    text = "Generated to give the catalogue its size. "
    return Tool(name, (text * (room // len(text) + 1))[:room], schema, output, "generated")


def catalogue(count: int, size: int) -> dict[str, Tool]:
    """The built-in tools, then `count` generated ones of `size` bytes each, by name."""
    tools = [*BUILT_IN, *(generated(number, size) for number in range(1, count + 1))]
    return {tool.name: tool for tool in tools}


def violations(schema: Mapping[str, object], value: object) -> list[str]:
    """What is wrong with `value` by the few words of JSON Schema that our tools use."""
    kind = schema.get("type")
    if isinstance(kind, str) and not _is_a(kind, value):
        return [f'{_shown(value)} is not of type "{kind}"']
    found: list[str] = []
    allowed = schema.get("enum")
    if isinstance(allowed, list) and value not in allowed:
        found.append(f"{_shown(value)} is not one of {_shown(allowed)}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if isinstance(low, int | float) and value < low:
            found.append(f"{_shown(value)} is less than the minimum of {low}")
        if isinstance(high, int | float) and value > high:
            found.append(f"{_shown(value)} is greater than the maximum of {high}")
    if isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, dict):
            found.extend(text for item in value for text in violations(items, item))
    if isinstance(value, dict):
        properties, required = schema.get("properties"), schema.get("required")
        if isinstance(properties, dict):
            found.extend(text for key, part in properties.items() if key in value for text in violations(part, value[key]))
        if isinstance(required, list):
            found.extend(f"{_shown(key)} is a required property" for key in required if key not in value)
    return found


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _is_a(kind: str, value: object) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    types: dict[str, type] = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    return isinstance(value, types.get(kind, object))


def simulate(tools: Mapping[str, Tool], name: str, arguments: Mapping[str, object], now: str, fresh_id: str) -> Json | None:
    """The simulated answer of a tool over HTTP, as the real server shapes it; None for an unknown tool.

    `now` is RFC 3339, `fresh_id` names the research task. Missing arguments are empty, never an error.
    """
    if name not in tools:
        return None
    metadata: Json = {"augmented": True, "timestamp": now}
    answer: Json = {"status": "success", "tool": name, "metadata": metadata}
    if name == "exa_search_example":
        metadata["num_results_requested"] = arguments.get("numResults", 5)
        return {**answer, "query": arguments.get("query", ""), "results": list(_RESULTS)}
    if name == "exa_research_example":
        return {
            **answer,
            "task_id": fresh_id,
            "instructions": arguments.get("instructions", ""),
            "model": arguments.get("model", "exa-research"),
            "result": {"summary": "The task is simulated.", "next_step": "There is none: the task is never carried out."},
        }
    if name == "discover_mcp_tools":
        return {**answer, **_discovered(tools.values(), arguments)}
    if name == "orchestrate_mcp_proxy":
        return {**answer, **_forwarded(arguments, now)}
    return {**answer, "args": dict(arguments)}


_RESULTS: Sequence[Json] = (
    {"title": "First example result", "url": "https://example.com/first", "snippet": "A fixed text.", "score": 0.95},
    {"title": "Second example result", "url": "https://example.com/second", "snippet": "Another fixed text.", "score": 0.92},
)


def _discovered(tools: Iterable[Tool], arguments: Mapping[str, object]) -> Json:
    hints = {"supports_consciousness": True, "paradox_tolerant": True, "federation_ready": True}
    wanted = arguments.get("analyze_for_orchestration", True) is not False
    found: list[Json] = [
        {
            "name": tool.name,
            "description": tool.description,
            "source": "local",
            "input_schema": tool.input_schema,
            "orchestration_hints": hints if wanted else None,
        }
        for tool in tools
    ]
    return {
        "server_url": arguments.get("server_url", ""),
        "discovered_tools": found,
        "total_tools": len(found),
        "analysis": {"orchestration_compatible": True},
    }


def _forwarded(arguments: Mapping[str, object], now: str) -> Json:
    target, called = arguments.get("target_server", ""), arguments.get("tool_name", "")
    given, config = arguments.get("original_params"), arguments.get("augmentation_config")
    params: Json = dict(given) if isinstance(given, dict) else {}
    wishes: Json = config if isinstance(config, dict) else {}
    if wishes.get("inject_context") is True:
        params["_context"] = {"timestamp": now, "orchestration_source": "mop", "consciousness_aware": True}
    if isinstance(wishes.get("add_swarm_instructions"), list):
        params["_swarm_instructions"] = wishes["add_swarm_instructions"]
    return {
        "forwarded_to": target,
        "tool_called": called,
        "augmented_params": params,
        "augmentation_applied": wishes,
        "result": {"message": "Simulated: nothing was forwarded.", "would_call": f"{target}/{called}"},
    }
