"""Which tools are called, and with which arguments."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.missions.plan import NO_RULE, Call, least_arguments, plan
from mop_locust.missions.reading import read
from mop_locust.server.tools import BUILT_IN

from .real_server import MISSION

ANY = b"{}"


def test_the_tools_of_the_mop_server() -> None:
    """Two that the rule matches and two that it does not, with the least arguments that their schemas take."""
    mission = read(MISSION).mission
    assert mission is not None
    made = plan(mission, [(tool.name, json.dumps(tool.input_schema).encode()) for tool in BUILT_IN])
    text = "load test"
    assert made.calls == [
        Call("orchestrate_mcp_proxy", {"target_server": text, "tool_name": text, "original_params": {}}, ()),
        Call("discover_mcp_tools", {"server_url": text}, ()),
        Call("exa_search_example", {"query": text}, ("search-tools",)),
        Call("exa_research_example", {"instructions": text}, ("search-tools",)),
    ]
    assert (made.calls[0].tags, made.calls[2].tags) == ((NO_RULE,), ("search-tools",))
    assert (made.idle_rules, made.left_out) == ([], [])


def test_of_many_tools_two_for_each_set_of_rules() -> None:
    """In their order; one without arguments that can be made gives way to the next."""
    mission = read(MISSION).mission
    assert mission is not None
    impossible = b'{"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "pattern": "^[0-9]+$"}}}'
    tools = [(f"other_{n}", ANY) for n in range(5)] + [("exa_0", impossible)] + [(f"exa_{n}", ANY) for n in range(1, 5)]
    made = plan(mission, tools)
    assert [call.tool for call in made.calls] == ["other_0", "other_1", "exa_1", "exa_2"]
    assert made.left_out == ["exa_0"]


def test_a_rule_that_no_tool_shows() -> None:
    """It is named; one that is not enabled is not."""
    mission = read(MISSION).mission
    assert mission is not None
    assert plan(mission, [("other", ANY)]).idle_rules == ["search-tools"]
    off = read(MISSION.replace("    enabled: true\n    conditions", "    enabled: false\n    conditions")).mission
    assert off is not None
    assert plan(off, [("other", ANY)]).idle_rules == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "load test"),
        ({"type": "string", "minLength": 12}, "load test..."),
        ({"type": "string", "maxLength": 4}, "load"),
        ({"type": ["string", "null"]}, "load test"),
        ({"const": 7}, 7),
        ({"default": "x", "type": "string"}, "x"),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "string", "examples": ["e"]}, "e"),
        ({"type": "integer"}, 1),
        ({"type": "number", "minimum": 3}, 3),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": "array"}, []),
        ({"type": "array", "minItems": 2, "items": {"type": "integer"}}, [1, 1]),
        ({"type": "array", "minItems": 1}, ["load test"]),
        ({"properties": {"b": {"type": "boolean"}}, "required": ["b", "c"]}, {"b": False, "c": "load test"}),
        (True, "load test"),
    ],
)
def test_the_simplest_value_of_a_schema(schema: Any, value: Any) -> None:
    """As the mandatory argument `a`."""
    whole = {"type": "object", "properties": {"a": schema, "b": {"type": "string"}}, "required": ["a"]}
    assert least_arguments(json.dumps(whole).encode()) == {"a": value}


@pytest.mark.parametrize(
    "schema",
    [
        b"no JSON",
        b"[]",
        b'{"type": "string"}',
        b'{"type": 3}',
        b'{"required": ["a"], "properties": {"a": {"pattern": "("}}}',
        b'{"required": ["a"], "properties": {"a": {"$ref": "http://example.invalid/x"}}}',
        b'{"required": ["a"], "properties": {"a": {"type": "array", "minItems": 1000000000}}}',
        b'{"required": ["a"], "properties": {"a": {"type": "string", "minLength": 1000000000}}}',
    ],
)
def test_schemas_without_arguments(schema: bytes) -> None:
    """Broken, impossible or dangerous: nothing is fetched, and nothing large is made."""
    assert least_arguments(schema) is None


KINDS = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
SCHEMAS = st.fixed_dictionaries(
    {"type": KINDS}, optional={"minLength": st.integers(0, 20), "minimum": st.integers(-5, 5), "minItems": st.integers(0, 3)}
)


@given(st.dictionaries(st.text(max_size=5), SCHEMAS, max_size=4))
def test_what_is_made_is_valid_and_nothing_more_than_mandatory(properties: dict[str, Any]) -> None:
    """By the schema itself."""
    schema = {"type": "object", "properties": properties, "required": sorted(properties)[:2]}
    made = least_arguments(json.dumps(schema).encode())
    assert made is not None
    jsonschema.validate(made, schema)
    assert sorted(made) == sorted(properties)[:2]
