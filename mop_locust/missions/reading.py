"""A YAML text as a mission: every mistake of its form at once, with its line, by the rules of the real server's parser.

That parser takes a scalar by the type of its field: a plain 12 is a text where a text belongs, and "12" is no number. It is
strict about numbers, true and false, and about null; it passes over fields that it does not know.
Where this reader differs it takes less: tags (`!x`), leap seconds and exotic forms of ids and timestamps are mistakes here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import msgspec
import yaml
from msgspec import inspect

from mop_locust.missions.shape import Mission, Timestamp

Way = tuple[str | int, ...]
"""How to get to a value: `("rules", 0, "actions")`."""

MOST_NODES: Final = 100_000
LARGEST: Final = 2**64 - 1

_NULL: Final = frozenset(("", "~", "null", "Null", "NULL"))
_YES, _NO = frozenset(("true", "True", "TRUE")), frozenset(("false", "False", "FALSE"))
_WHOLE: Final = re.compile(r"\+?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+")
_FLOAT: Final = re.compile(r"[+-]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][+-]?[0-9]+)?")
_SPECIAL: Final = {
    f"{sign}.{word}": float(sign + "inf") for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")
} | dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
_PLAIN_TAGS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))
_ROOT: Final = inspect.type_info(Mission)

T = TypeVar("T")


class Mistake(NamedTuple):
    """What is wrong, and in which line of the file, counted from 1."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


class Reading(NamedTuple):
    """What was read: a mission unless there are mistakes; the fields that no server knows; the line of each value by its way."""

    mission: Mission | None
    mistakes: tuple[Mistake, ...] = ()
    unknown: tuple[Mistake, ...] = ()
    lines: Mapping[Way, int] = {}


def read(text: str) -> Reading:
    """Reads the text of a mission file; whatever it holds, nothing is raised."""
    if text.startswith("\ufeff"):
        return Reading(None, (Mistake(1, "the file begins with a byte order mark, which is read as a part of its first field"),))
    try:
        node = yaml.compose(text, yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return Reading(None, (Mistake(mark.line + 1 if mark else 1, f"this is not YAML: {error.problem or error.context}"),))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return Reading(None, (Mistake(1, f"this is not YAML: {' '.join(str(error).split()) or type(error).__name__}"),))
    if node is None:
        return Reading(None, (Mistake(1, "the file is empty"),))
    reader = _Reader()
    try:
        value = reader.value(node, _ROOT, ())
    except _TooMuch as error:
        return Reading(None, (Mistake(error.line, "more than a mission can hold: it repeats or contains itself"),))
    mistakes = tuple(sorted(reader.mistakes))
    mission = None if mistakes else msgspec.convert(value, Mission)
    return Reading(mission, mistakes, tuple(reader.unknown), reader.lines)


def where(way: Way) -> str:
    """A way as a person writes it: `rules[0].actions.template_ids`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way).removeprefix(".")


class _TooMuch(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _Reader:
    """Walks the nodes along the fields of a mission; a value with a mistake in it is None."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.unknown: list[Mistake] = []
        self.lines: dict[Way, int] = {}
        self._nodes = 0

    def value(self, node: yaml.Node, kind: inspect.Type, way: Way) -> object:
        self._nodes += 1
        line = node.start_mark.line + 1
        if self._nodes > MOST_NODES or len(way) > 100:
            raise _TooMuch(line)
        self.lines[way] = line
        if node.tag not in _PLAIN_TAGS:
            return self._wrong(node, way, f"has the tag {node.tag}; allowed: a plain value")
        match kind:
            case inspect.StructType():
                return self._struct(node, kind, way)
            case inspect.ListType():
                return self._list(node, kind, way)
            case inspect.DictType():
                return self._dict(node, kind, way)
            case inspect.UnionType():
                if isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NULL:
                    return None
                return self.value(node, next(part for part in kind.types if not isinstance(part, inspect.NoneType)), way)
            case inspect.AnyType():
                return self._anything(node, way)
        if not isinstance(node, yaml.ScalarNode):
            return self._wrong(node, way, f"is a {_form(node)}; allowed: {_allowed(kind)}")
        try:
            return _scalar(kind, node.value, plain=node.style is None)
        except ValueError:
            return self._wrong(node, way, f"is {_shown(node)}; allowed: {_allowed(kind)}")

    def _struct(self, node: yaml.Node, kind: inspect.StructType, way: Way) -> object:
        if not isinstance(node, yaml.MappingNode):
            return self._wrong(node, way, f"is {_shown(node)}; allowed: fields")
        fields = {field.name: field for field in kind.fields}
        found: dict[str, object] = {}
        for key, member in node.value:
            name = self._key(key, way)
            if name is None:
                continue
            line = key.start_mark.line + 1
            if name not in fields:
                self.unknown.append(Mistake(line, f"{where((*way, name))}: no server knows this field"))
            elif name in found:
                self.mistakes.append(Mistake(line, f"{where((*way, name))}: the field `{name}` stands here twice"))
            else:
                found[name] = self.value(member, fields[name].type, (*way, name))
        missing = [f"`{name}`" for name, field in fields.items() if field.required and name not in found]
        if missing:
            self._wrong(node, way, f"mandatory and missing: {', '.join(missing)}")
        return found

    def _list(self, node: yaml.Node, kind: inspect.ListType, way: Way) -> object:
        if _is_blank(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            return self._wrong(node, way, f"is {_shown(node)}; allowed: a list")
        return [self.value(member, kind.item_type, (*way, index)) for index, member in enumerate(node.value)]

    def _dict(self, node: yaml.Node, kind: inspect.DictType, way: Way) -> object:
        if _is_blank(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            return self._wrong(node, way, f"is {_shown(node)}; allowed: names with values")
        found: dict[object, object] = {}
        for key, member in node.value:
            name = self._key(key, way)
            if name is None:
                continue
            try:
                read_name = _scalar(kind.key_type, name, plain=True)
            except ValueError:
                self._wrong(key, (*way, name), f"is no name that can stand here; allowed: {_allowed(kind.key_type)}")
                continue
            found[read_name] = self.value(member, kind.value_type, (*way, name))
        return found

    def _anything(self, node: yaml.Node, way: Way) -> object:
        """Whatever JSON can hold; nothing reads it, so that texts stay texts."""
        anything = inspect.AnyType()
        if isinstance(node, yaml.MappingNode):
            return self._dict(node, inspect.DictType(inspect.StrType(), anything), way)
        if isinstance(node, yaml.SequenceNode):
            return self._list(node, inspect.ListType(anything), way)
        return node.value

    def _key(self, key: yaml.Node, way: Way) -> str | None:
        if isinstance(key, yaml.ScalarNode) and key.tag in _PLAIN_TAGS:
            return str(key.value)
        self._wrong(key, way, "has a name that is no plain text")
        return None

    def _wrong(self, node: yaml.Node, way: Way, text: str) -> object:
        self.mistakes.append(Mistake(node.start_mark.line + 1, f"{where(way)}: {text}" if way else text))
        return None


def _scalar(kind: inspect.Type, text: str, *, plain: bool) -> object:
    """The value of a scalar by the type of its field; ValueError when it is none."""
    match kind:
        case inspect.StrType():
            return text
        case inspect.LiteralType():
            return _one_of(text, kind.values)
        case inspect.UUIDType():
            return _converted(text, UUID)
        case inspect.DateTimeType():
            return _converted(text, Timestamp)
        case inspect.IntType() if plain and _WHOLE.fullmatch(text):
            number = int(text, 0) if text[:1] == "0" and len(text) > 1 else int(text[:30])
            return _in_range(number, LARGEST if kind.le is None else kind.le)
        case inspect.FloatType() if plain and text in _SPECIAL:
            return _SPECIAL[text]
        case inspect.FloatType() if plain and _FLOAT.fullmatch(text):
            return float(text)
        case inspect.BoolType() if plain and text in _YES | _NO:
            return text in _YES
    raise ValueError(text)


def _one_of(text: str, values: tuple[object, ...]) -> str:
    if text not in values:
        raise ValueError(text)
    return text


def _in_range(number: int, largest: int) -> int:
    if number > largest:
        raise ValueError(number)
    return number


def _converted(text: str, kind: type[T]) -> T:
    return msgspec.convert(text, kind)  # a ValidationError is a ValueError


def _allowed(kind: inspect.Type) -> str:
    match kind:
        case inspect.StrType():
            return "a text"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return f"a whole number from 0 to {LARGEST if kind.le is None else kind.le}, without quotes"
        case inspect.FloatType():
            return "a number, without quotes"
        case inspect.UUIDType():
            return "a UUID"
        case inspect.DateTimeType():
            return "a time such as 2026-01-01T00:00:00Z"
        case inspect.LiteralType():
            return ", ".join(map(str, kind.values))
    raise AssertionError("unreachable: no other type is a scalar")


def _form(node: yaml.Node) -> str:
    return "list" if isinstance(node, yaml.SequenceNode) else "group of fields"


def _shown(node: yaml.Node) -> str:
    """A value in a message: what it is, or its text, cut."""
    if not isinstance(node, yaml.ScalarNode):
        return f"a {_form(node)}"
    text = str(node.value)
    if node.style is None and text in _NULL:
        return "null" if text else "empty"
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _is_blank(node: yaml.Node) -> bool:
    """Nothing behind the colon is an empty list or group; `~` and `null` are not."""
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value == ""
