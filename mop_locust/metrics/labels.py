"""The texts that name a series or a class of errors: cleaned, cut, and unambiguous when written out."""

from __future__ import annotations

import re
from collections.abc import Iterable

Tags = tuple[tuple[str, str], ...]
"""Pairs of tag name and value, sorted by name."""

LONGEST = 120

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}")
"""What the name of a metric or a tag looks like."""

# C0 and C1 controls, line and paragraph separators, marks that turn the direction of text, and lone surrogates (not encodable).
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_SPACES = re.compile(r" {2,}")
_VARYING = re.compile(
    r"""(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])   # a UUID
    | 0x[0-9a-f]+
    | (?<![0-9a-z])[0-9a-f]{8,}(?![0-9a-z])                                                     # a run of hex digits
    | [0-9]{6,}                                                # longer than a status or a JSON-RPC code, which stay
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SPECIAL = re.compile(r"[\\,{}]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TAG = re.compile(r"([^:\\,{}]+):((?:[^\\,{}]|\\.)*)", re.DOTALL)


def printable(text: str) -> str:
    """The text without what cannot be printed or encoded, at most 120 characters."""
    return _UNPRINTABLE.sub(" ", text[:LONGEST])


def normalise_error(text: str) -> str:
    """The class of an error text: controls removed, UUIDs, hex and long digit runs as "#", at most 120 characters."""
    # Server text can be megabytes; what is beyond 1,000 characters could not be seen in 120 anyway.
    text = _UNPRINTABLE.sub(" ", text[:1000])
    return _SPACES.sub(" ", _VARYING.sub("#", text)).strip()[:LONGEST].rstrip()


def sorted_tags(tags: Iterable[tuple[str, str]]) -> Tags:
    """The tags with printable values, in the order of their names; ValueError for a bad or doubled name."""
    result = tuple(sorted((name, printable(value)) for name, value in tags))
    for position, (name, _) in enumerate(result):
        if not NAME.fullmatch(name):
            raise ValueError(f"a tag name is a letter or _ and then up to 63 letters, digits or _, not {name!r}")
        if position and result[position - 1][0] == name:
            raise ValueError(f"tag {name} is given twice")
    return result


def series_name(name: str, tags: Tags) -> str:
    r"""`name{tag:value,…}`, or the plain name without tags; `\` stands before each of `\ , { }` in a value."""
    if not tags:
        return name
    return name + "{" + ",".join(f"{tag}:{_SPECIAL.sub(_escape, value)}" for tag, value in tags) + "}"


def split_series_name(text: str) -> tuple[str, Tags]:
    """The name and tags that `series_name` wrote; ValueError for anything it cannot have written."""
    name, brace, rest = text.partition("{")
    if not brace:
        return name, ()
    tags: list[tuple[str, str]] = []
    position = 0
    while rest[position:] != "}":
        match = _TAG.match(rest, position)
        if match is None or rest[match.end() : match.end() + 1] not in {",", "}"}:
            raise ValueError(f"not the name of a series: {text!r}")
        tags.append((match[1], _ESCAPED.sub(r"\1", match[2])))
        position = match.end() + (rest[match.end()] == ",")
    return name, tuple(tags)


def _escape(match: re.Match[str]) -> str:
    return "\\" + match[0]
