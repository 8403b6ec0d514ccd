"""Arguments for a tool, made from its `inputSchema`: the same ones for the same seed, on every machine.

Each set that is handed out was checked against the schema by `jsonschema`; what is made before that check is a good guess. A
schema that no guess fits (a `pattern`, `not`, conditions) gives no arguments, and the user must.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final, cast

import jsonschema
import msgspec
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

MOST_SETS: Final = 100
TRIES: Final = 4  # guesses for each set that is wanted
DEEPEST: Final = 5  # levels below which only what is required is made
LONGEST_TEXT: Final = 24
MOST_ITEMS: Final = 3
ENOUGH_VALUES: Final = 200  # of one set: from there on only what is required is made
MOST_VALUES: Final = 5000
LARGEST: Final = 4096  # characters or items: a schema that asks for more is not for a load test

_WORDS: Final = ("load", "test", "agent", "server", "tool", "session", "query", "context", "naïve", "日本", "a b", "x-1")
_FORMATS: Final = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "email": "someone@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "12:00:00Z",
    "uri": "https://example.org/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}
_TYPES: Final = ("string", "integer", "number", "boolean", "array", "object", "null")

Json = dict[str, Any]


class Unmakeable(Exception):
    """A schema that nothing is made for: it asks for too much, or its references have no end."""


UNUSABLE = (jsonschema.SchemaError, Unresolvable, re.error, RecursionError, OverflowError, Unmakeable)
"""What the use of a schema raises that cannot be used."""


def validator(schema: Json) -> Validator:
    """Returns a validator of the schema's own draft, which fetches nothing; raises SchemaError for no schema."""
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    kind.check_schema(schema)
    # An empty registry: a `$ref` of the server's must not make this machine fetch something from somewhere else.
    return kind(schema, registry=Registry())


def make_arguments(schema: Json, seed: str, count: int = MOST_SETS, most_bytes: int = 1 << 18) -> list[Json]:
    """Returns up to `count` different sets, of `most_bytes` of JSON together but at least one; none when no guess fits."""
    maker = _Maker(schema, Random(seed))
    wanted = schema if "type" in schema else {**schema, "type": "object"}
    found: dict[bytes, Json] = {}
    room = most_bytes
    try:
        check = validator(schema)
        for _ in range(TRIES * count):
            made = maker.make(wanted, 0)
            encoded = msgspec.json.encode(made, order="sorted")
            if not isinstance(made, dict) or encoded in found or not check.is_valid(made):
                continue
            room -= len(encoded)
            if found and room < 0:
                break
            found[encoded] = made
            if len(found) == count:
                break
    except UNUSABLE:
        return []
    return list(found.values())


def problems(schema: Json, arguments: Json) -> list[str]:
    """Returns what the schema has against the arguments; nothing when the schema itself cannot be used."""
    try:
        return [f"{place(problem)}: {problem.message}" for problem in validator(schema).iter_errors(cast(Any, arguments))]
    except UNUSABLE:
        return []  # the schema is the server's mistake, and the call itself will show what comes of it


def place(problem: jsonschema.ValidationError) -> str:
    """Returns where in the arguments a problem is."""
    return ".".join(map(str, problem.absolute_path)) or "the arguments"


class _Maker:
    """Guesses values of a schema; `root` is where its local references lead."""

    def __init__(self, root: Json, random: Random) -> None:
        self._root = root
        self._random = random
        self._made = 0

    def make(self, schema: Any, depth: int) -> Any:
        """Returns a value that the schema probably allows; raises Unmakeable."""
        self._made = self._made + 1 if depth else 1
        if depth > 4 * DEEPEST or self._made > MOST_VALUES:
            raise Unmakeable
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        if isinstance(options := schema.get("enum"), list) and options:
            return self._random.choice(options)
        kind = schema.get("type") or _kind_by_words(schema)
        if isinstance(kind, list):
            kind = self._random.choice(kind)
        return _MAKERS[kind](self, schema, depth) if kind in _TYPES else None

    def _resolved(self, schema: Any, depth: int) -> Json:
        """The schema with its reference, its `allOf` and one of its alternatives taken in."""
        if not isinstance(schema, dict):
            return {"type": "string"}  # `true`: anything goes
        if isinstance(reference := schema.get("$ref"), str):
            return self._merged(schema, [self._target(reference)], depth)
        parts = [*schema.get("allOf", ())]
        parts += [self._random.choice(schema[word]) for word in ("anyOf", "oneOf") if schema.get(word)]
        return self._merged(schema, parts, depth) if parts else schema

    def _merged(self, schema: Json, parts: Sequence[Any], depth: int) -> Json:
        if depth > 4 * DEEPEST:
            raise Unmakeable
        merged = {word: value for word, value in schema.items() if word not in ("$ref", "allOf", "anyOf", "oneOf")}
        for part in parts:
            for word, value in self._resolved(part, depth + 1).items():
                if word == "properties":
                    merged[word] = {**value, **merged.get(word, {})}
                elif word == "required":
                    merged[word] = [*merged.get(word, ()), *value]
                else:
                    merged.setdefault(word, value)
        return merged

    def _target(self, reference: str) -> Any:
        place: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            place = place.get(name) if isinstance(place, dict) else None
        return place

    def _is_enough(self, depth: int) -> bool:
        return depth >= DEEPEST or self._made >= ENOUGH_VALUES

    def _string(self, schema: Json, _depth: int) -> str:
        known = _FORMATS.get(schema.get("format", ""))
        if known is not None:
            return known
        least = _least(schema, "minLength")
        most = int(schema.get("maxLength", max(LONGEST_TEXT, least)))
        text = " ".join(self._random.choices(_WORDS, k=self._random.randint(1, 4)))
        while len(text) < least:
            text += self._random.choice(_WORDS)
        return text[: max(most, 0)]

    def _integer(self, schema: Json, _depth: int) -> int:
        step = int(schema.get("multipleOf", 1)) or 1
        low, high = _range(schema)
        return self._random.randint(-(-int(low) // step), int(high) // step) * step if high >= low else int(low)

    def _number(self, schema: Json, depth: int) -> float | int:
        low, high = _range(schema)
        if "multipleOf" in schema or self._random.random() < 0.25:
            return self._integer({**schema, "minimum": low, "maximum": high}, depth) if high - low >= 1 else low
        return round(self._random.uniform(low, high), 3)

    def _boolean(self, _schema: Json, _depth: int) -> bool:
        return self._random.random() < 0.5

    def _null(self, _schema: Json, _depth: int) -> None:
        return None

    def _array(self, schema: Json, depth: int) -> list[Any]:
        first = list(schema.get("prefixItems", ()))
        least = _least(schema, "minItems")
        most = int(schema.get("maxItems", max(MOST_ITEMS, least)))
        size = least if self._is_enough(depth) else self._random.randint(least, max(least, min(most, least + MOST_ITEMS)))
        rest = schema.get("items", True)
        return [self.make(first[at] if at < len(first) else rest, depth + 1) for at in range(size)]

    def _object(self, schema: Json, depth: int) -> Json:
        properties: Mapping[str, Any] = schema.get("properties", {})
        required = schema.get("required", [])
        made = {}
        for name in dict.fromkeys([*required, *properties]):
            if name in required or (not self._is_enough(depth) and self._random.random() < 0.5):
                made[name] = self.make(properties.get(name, True), depth + 1)
        return made


_MAKERS: Final[Mapping[str, Any]] = {
    "string": _Maker._string,
    "integer": _Maker._integer,
    "number": _Maker._number,
    "boolean": _Maker._boolean,
    "null": _Maker._null,
    "array": _Maker._array,
    "object": _Maker._object,
}


def _kind_by_words(schema: Json) -> str:
    """The type of a schema that names none."""
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "number" if "minimum" in schema or "maximum" in schema else "string"


def _least(schema: Json, word: str) -> int:
    least = int(schema.get(word, 0))
    if least > LARGEST:
        raise Unmakeable
    return least


def _range(schema: Json) -> tuple[float, float]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if not isinstance(above := schema.get("exclusiveMinimum"), bool) and above is not None:
        low = above + 1 if low is None else max(low, above + 1)
    if not isinstance(below := schema.get("exclusiveMaximum"), bool) and below is not None:
        high = below - 1 if high is None else min(high, below - 1)
    if low is None:
        low = 0 if high is None or high >= 0 else high - 100
    return low, low + 100 if high is None else high
