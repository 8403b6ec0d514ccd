"""Stages in k6's words: how long each lasts, and what it goes to in a straight line from the target of the one before.

    stages ::= stage { "," stage }
    stage  ::= [ name "=" ] duration ":" target
    name   ::= letter or "_", then up to 63 letters, digits, "_" or "-"

Spaces are free between any two of these. A duration is of whole seconds, because a second belongs to one stage; 0s is a jump.
The first stage begins at 0. What a target looks like says the reader that is given: `read_users`, or one of rates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from mop_locust.config.kinds import COUNT_OR_NONE, Kind, parse_duration
from mop_locust.config.mistakes import quoted

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)

_ZERO: Final = re.compile(r"0+(?:ms|s|m|h)?")


class Stage(msgspec.Struct, frozen=True):
    """One stage: `seconds` long, at the end of which the target is reached; no other stage has its name."""

    name: str
    seconds: int
    target: float


def read_users(text: str) -> float:
    """A number of users; ValueError with what is wrong."""
    return int(str(COUNT_OR_NONE.read(text)))


def parse_stages(text: str, read_target: Callable[[str], float]) -> tuple[Stage, ...]:
    """The stages of a text; ValueError with all mistakes, each with its column (from 1), in words that follow the text."""
    reader = _Reader(read_target)
    column = 1
    for piece in text.split(","):
        reader.take(piece, column)
        column += len(piece) + 1
    if not reader.mistakes and not any(seconds for _, seconds, _ in reader.found):
        reader.mistakes.append("last no second altogether")
    if reader.mistakes:
        raise ValueError(", and ".join(reader.mistakes))
    return _named(reader.found)


def length(stages: Sequence[Stage]) -> int:
    """How many seconds all stages last together."""
    return sum(stage.seconds for stage in stages)


def spans(stages: Sequence[Stage]) -> Iterator[tuple[Stage, int, int]]:
    """Each stage with the second of the run that it begins with, and the one that the next begins with."""
    begin = 0
    for stage in stages:
        yield stage, begin, begin + stage.seconds
        begin += stage.seconds


def stage_at(stages: Sequence[Stage], seconds: float) -> Stage | None:
    """The stage so many seconds (0 or more) after the beginning; None after the end."""
    return next((stage for stage, _, end in spans(stages) if seconds < end), None)


def target_at(stages: Sequence[Stage], seconds: float) -> float:
    """The target so many seconds (0 or more) after the beginning; after the end it is the last stage's."""
    before = 0.0
    for stage, begin, end in spans(stages):
        if seconds < end:
            return before + (stage.target - before) * (seconds - begin) / stage.seconds
        before = stage.target
    return before


def fitted(stages: Sequence[Stage], seconds: float) -> tuple[Stage, ...]:
    """The stages of a load that goes on at the last target, in a run so long; none where there are none.

    Those that would begin after its end are none of its stages, and one that it ends in is cut. Where the run is longer, one
    more holds the last target.
    """
    until = math.ceil(seconds)
    longer = until - length(stages)
    if not stages or not longer:
        return tuple(stages)
    if longer > 0:
        last = stages[-1].target
        name = _unique(_what_it_does(longer, last, last), {stage.name for stage in stages})
        return (*stages, Stage(name, longer, last))
    return tuple(
        stage if end <= until else Stage(stage.name, until - begin, target_at(stages, until))
        for stage, begin, end in spans(stages)
        if begin < until
    )


class _Reader:
    """What was found in the pieces so far: (name or "", seconds, target), and what is wrong."""

    def __init__(self, read_target: Callable[[str], float]) -> None:
        self._read_target = read_target
        self._names: set[str] = set()
        self.found: list[tuple[str, int, float]] = []
        self.mistakes: list[str] = []

    def take(self, piece: str, column: int) -> None:
        """Reads one stage that begins at the column."""
        name, equals, rest = piece.rpartition("=")
        if equals:
            self._take_name(name, column)
        column += len(name) + len(equals)
        duration, colon, target = rest.partition(":")
        if not colon:
            self._mistake(rest, column, "is not DURATION:TARGET")
            return
        seconds = self._read(_read_seconds, duration, column)
        reached = self._read(self._read_target, target, column + len(duration) + 1)
        if seconds is not None and reached is not None:
            self.found.append((name.strip(), int(seconds), reached))

    def _take_name(self, text: str, column: int) -> None:
        name = text.strip()
        if not NAME.fullmatch(name):
            self._mistake(text, column, "is not a name")
        elif name in self._names:
            self._mistake(text, column, "is the name of an earlier stage")
        self._names.add(name)

    def _read(self, read: Callable[[str], float], text: str, column: int) -> float | None:
        try:
            return read(text.strip())
        except ValueError as error:
            self._mistake(text, column, str(error))
            return None

    def _mistake(self, text: str, column: int, problem: str) -> None:
        column += len(text) - len(text.lstrip())
        self.mistakes.append(f"has {quoted(text.strip())} at column {column}, which {problem}")


def _read_seconds(text: str) -> float:
    seconds = 0.0 if _ZERO.fullmatch(text) else parse_duration(text)
    if seconds % 1:
        raise ValueError("is not of whole seconds")
    return seconds


def _named(found: Sequence[tuple[str, int, float]]) -> tuple[Stage, ...]:
    """Names each stage that has no name by what it does."""
    taken = {name for name, _, _ in found}
    stages: list[Stage] = []
    before = 0.0
    for name, seconds, target in found:
        if not name:
            name = _unique(_what_it_does(seconds, before, target), taken)
            taken.add(name)
        stages.append(Stage(name, seconds, target))
        before = target
    return tuple(stages)


def _what_it_does(seconds: int, before: float, target: float) -> str:
    if not seconds:
        return "jump"
    return "ramp" if target > before else "recovery" if target < before else "steady"


def _unique(word: str, taken: set[str]) -> str:
    name, number = word, 1
    while name in taken:
        number += 1
        name = f"{word}_{number}"
    return name


USER_STAGES: Final = Kind(
    "stages",
    "DURATION:USERS of whole seconds between commas, each with a name if wanted, "
    "such as 30s:10,5m:200,30s:0 or ramp=30s:200,steady=5m:200, or nothing",
    lambda text: parse_stages(text, read_users) if text.strip() else (),
)
