"""Which tools a mission benchmark calls, and with which arguments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import jsonschema
import msgspec
from referencing import Registry
from referencing.exceptions import Unresolvable

from mop_locust.missions.expectation import candidates
from mop_locust.missions.shape import Json, Mission

PER_RULES: Final = 2
"""So many tools are called of those to which the same rules apply: more of them would tell the same again."""

NO_RULE: Final = "(none)"
"""The tag of calls to which no rule applies."""

TEXT: Final = "load test"
LONGEST: Final = 10_000  # of a list or a text that a server's schema can make us make


class Call(msgspec.Struct, frozen=True):
    """One call of an iteration; `rules` are those that apply, or may, where the server's environment decides."""

    tool: str
    arguments: Json
    rules: tuple[str, ...]

    @property
    def tags(self) -> tuple[str, ...]:
        """The values of the tag `rule` under which the call counts."""
        return self.rules or (NO_RULE,)


class Plan(msgspec.Struct, frozen=True):
    """The calls of an iteration, in the order of the tools; the rules that no call can show; tools without fit arguments."""

    calls: list[Call]
    idle_rules: list[str]
    left_out: list[str]


def plan(mission: Mission, tools: Iterable[tuple[str, bytes]]) -> Plan:
    """Chooses from the tools, each a name and its `inputSchema` as JSON: at most PER_RULES for each set of rules.

    The same mission and tools give the same calls, so that a server with the mission and one without do the same work.
    """
    calls: list[Call] = []
    left_out: list[str] = []
    for name, schema in tools:
        rules = tuple(rule.id for rule, _ in candidates(mission, name))
        if sum(call.rules == rules for call in calls) >= PER_RULES:
            continue
        arguments = least_arguments(schema)
        if arguments is None:
            left_out.append(name)
        else:
            calls.append(Call(name, arguments, rules))
    shown = {rule for call in calls for rule in call.rules}
    return Plan(calls, [rule.id for rule in mission.rules if rule.enabled and rule.id not in shown], left_out)


def least_arguments(schema: bytes) -> Json | None:
    """The mandatory arguments alone, made from the schema, checked by it; None when that does not come out right."""
    try:
        read = msgspec.json.decode(schema, type=dict[str, Any])
        kind = jsonschema.validators.validator_for(read, default=jsonschema.Draft202012Validator)
        kind.check_schema(read)
        made = _made({"type": "object", **read})
        valid = kind(read, registry=Registry()).is_valid(made)  # an empty registry: a `$ref` fetches nothing
    except (msgspec.MsgspecError, jsonschema.SchemaError, Unresolvable, RecursionError, re.error):
        return None
    return made if valid and isinstance(made, dict) else None


def _made(schema: Any) -> Any:
    """The simplest value of the usual forms of a schema; whether it is one, the caller finds out."""
    if not isinstance(schema, dict):
        return TEXT
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    for name in ("enum", "examples"):
        if schema.get(name):
            return schema[name][0]
    match _type(schema):
        case "object":
            properties = schema.get("properties", {})
            return {name: _made(properties.get(name)) for name in schema.get("required", ())}
        case "array":
            return [_made(schema.get("items"))] * min(LONGEST, schema.get("minItems", 0))
        case "boolean":
            return False
        case "null":
            return None
        case "integer" | "number":
            return max(1, schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
    return TEXT.ljust(min(LONGEST, schema.get("minLength", 0)), ".")[: schema.get("maxLength")]


def _type(schema: Mapping[str, Any]) -> object:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return kind[0] if isinstance(kind, list) else kind
