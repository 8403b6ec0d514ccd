"""Arguments from schemas: valid, different, and the same ones for the same seed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.federation.arguments import MOST_SETS, make_arguments, problems, validator
from mop_locust.server.tools import BUILT_IN

names = st.sampled_from(["a", "b", "c", "d"])
bounds = st.integers(-50, 50)


def ranged(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of numbers in a range."""
    return st.tuples(bounds, st.integers(0, 40)).map(lambda pair: {"type": kind, "minimum": pair[0], "maximum": sum(pair)})


leaves = (
    st.sampled_from([{"type": "string"}, {"type": "boolean"}, {"type": "null"}, {"const": 3}, {"enum": ["x", 1]}, {}, True])
    | st.tuples(st.integers(0, 9), st.integers(0, 30)).map(
        lambda pair: {"type": "string", "minLength": pair[0], "maxLength": sum(pair)}
    )
    | ranged("integer")
    | ranged("number")
    | st.just({"type": "integer", "multipleOf": 3, "exclusiveMinimum": 2, "exclusiveMaximum": 40})
    | st.just({"type": ["string", "null"]})
    | st.sampled_from([{"type": "string", "format": name} for name in ("date", "uri", "uuid", "unknown")])
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of objects of such members, some of them required."""
    return st.dictionaries(names, inner, max_size=4).flatmap(
        lambda properties: st.lists(st.sampled_from([*properties, "z"]), unique=True, max_size=3).map(
            lambda required: {"type": "object", "properties": properties, "required": required}
        )
    )


schemas = objects(
    st.recursive(
        leaves,
        lambda inner: (
            objects(inner)
            | st.builds(lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 3))
            | st.builds(lambda one, other: {"anyOf": [one, other]}, inner, inner)
        ),
        max_leaves=8,
    )
)


@given(schemas, st.text(max_size=3))
def test_each_set_is_valid_and_no_two_are_the_same(schema: dict[str, Any], seed: str) -> None:
    """And there is one, for every schema of the common kinds."""
    made = make_arguments(schema, seed, count=5)
    encoded = [msgspec.json.encode(one, order="sorted") for one in made]
    assert 1 <= len(made) == len(set(encoded)) <= 5
    assert [problem for one in made for problem in validator(schema).iter_errors(one)] == []
    assert make_arguments(schema, seed, count=5) == made


@given(schemas, st.integers(1, 2000))
def test_a_pool_keeps_to_its_bytes(schema: dict[str, Any], most_bytes: int) -> None:
    """But for its first set."""
    made = make_arguments(schema, "s", count=20, most_bytes=most_bytes)
    assert len(made) == 1 or sum(len(msgspec.json.encode(one)) for one in made) <= most_bytes


@pytest.mark.parametrize("tool", BUILT_IN, ids=[tool.name for tool in BUILT_IN])
def test_the_mop_servers_tools_get_full_pools(tool: Any) -> None:
    """A hundred sets, and other ones for another seed."""
    made = make_arguments(tool.input_schema, "0")
    assert len(made) == MOST_SETS
    assert make_arguments(tool.input_schema, "1") != made


def test_every_process_makes_the_same() -> None:
    """Whatever the seed of Python's own hashes is."""
    program = (
        "import json; from mop_locust.federation.arguments import make_arguments; from mop_locust.server.tools import BUILT_IN; "
        "print(json.dumps([make_arguments(tool.input_schema, '7', 5) for tool in BUILT_IN]))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True, timeout=60
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert json.loads(told[0]) == [make_arguments(tool.input_schema, "7", 5) for tool in BUILT_IN]


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ({"$ref": "#/$defs/a~1b"}, {3}),
        ({"allOf": [{"type": "integer"}, {"minimum": 5}, {"maximum": 5}]}, {5}),
        ({"oneOf": [{"const": 1}, {"const": "x"}]}, {1, "x"}),
        ({"minimum": 7, "maximum": 7}, {7}),
        ({"maximum": -3, "minimum": -3, "type": "integer"}, {-3}),
        ({"type": "number", "minimum": 0.25, "maximum": 0.25}, {0.25}),
        ({"type": "number", "multipleOf": 5, "minimum": 5, "maximum": 9}, {5}),
        ({"type": "integer", "minimum": 4, "exclusiveMinimum": 4, "maximum": 9, "exclusiveMaximum": 6}, {5}),
        ({"type": "string", "format": "ipv4"}, {"192.0.2.1"}),
    ],
)
def test_the_words_of_schemas(member: dict[str, Any], expected: set[Any]) -> None:
    """All that a member can be, from a hundred tries."""
    schema = {"$defs": {"a/b": {"const": 3}}, "properties": {"m": member}, "required": ["m"]}
    assert {one["m"] for one in make_arguments(schema, "s")} == expected


def test_containers() -> None:
    """Tuples, arrays without a type, merged objects; a tuple goes on with what `items` says."""
    schema = {
        "allOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"properties": {"b": {"const": 2}}, "required": ["b"]}],
        "properties": {"t": {"prefixItems": [{"const": 1}], "items": {"const": 2}, "minItems": 3, "maxItems": 3}},
        "required": ["t"],
    }
    assert make_arguments(schema, "s") == [{"t": [1, 2, 2], "a": 1, "b": 2}]


def test_a_schema_that_refers_to_itself_ends() -> None:
    """As far as it can: below the deepest level only what is required is made."""
    tree = {"properties": {"child": {"$ref": "#"}, "leaf": {"type": "boolean"}}, "required": ["leaf"]}
    assert len(make_arguments(tree, "s", 20)) > 10
    assert make_arguments({"properties": {"child": {"$ref": "#"}}, "required": ["child"]}, "s") == []
    assert make_arguments({"$ref": "#"}, "s") == []


def test_a_schema_that_grows_without_end_takes_no_time() -> None:
    """A hundred optional branches at each level make a small set, and required ones none."""
    branches = {f"b{number}": {"$ref": "#"} for number in range(100)}
    for one in make_arguments({"properties": branches}, "s", 5):
        assert len(msgspec.json.encode(one)) < 20_000
    flat = {"type": "array", "minItems": 100, "items": {"type": "array", "minItems": 100, "items": {"const": 1}}}
    assert make_arguments({"properties": {"m": flat}, "required": ["m"]}, "s", 5) == []


@pytest.mark.parametrize(
    "member",
    [
        {"type": "string", "pattern": "^[0-9]{3}$"},
        {"not": {}},
        False,
        {"type": "string", "minLength": 10_000_000},
        {"type": "array", "minItems": 10_000_000},
        {"type": "nonsuch"},
        {"$ref": "https://example.org/schema"},
        {"$ref": "#/nowhere"},
        {"type": "integer", "minimum": 10, "maximum": 5},
        {"type": "string", "pattern": "("},
        {"type": "integer", "maximum": 1e999},
    ],
)
def test_what_nothing_is_made_for(member: Any) -> None:
    """Nothing, in no time, and no error: the user is told."""
    assert make_arguments({"type": "object", "properties": {"m": member}, "required": ["m"]}, "s") == []


def test_arguments_are_an_object() -> None:
    """A schema of anything else has none."""
    assert make_arguments({"type": "string"}, "s") == []
    assert make_arguments({"type": "object"}, "s") == [{}]


def test_problems() -> None:
    """Each with its place; none where the schema cannot be used."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["q"]}
    assert problems(schema, {"q": 1, "n": 2}) == []
    assert sorted(problems(schema, {"n": "x"})) == [
        "n: 'x' is not of type 'integer'",
        "the arguments: 'q' is a required property",
    ]
    assert problems({"type": 5}, {}) == []


def test_a_validator_of_no_schema() -> None:
    """SchemaError says so."""
    with pytest.raises(jsonschema.SchemaError):
        validator({"type": "nonsuch"})
