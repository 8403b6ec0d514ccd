"""Threshold texts in k6's words: parsed, and checked against the metrics and tags a run can have.

    threshold   ::= metric [ "{" tag { "," tag } "}" ] ":" expression { "," expression }
    tag         ::= name ":" value
    metric      ::= name
    name        ::= letter or "_", then up to 63 letters, digits or "_"
    value       ::= { any character but "\\" "," "{" "}", or one of these behind "\\" }
    expression  ::= aggregation operator number [ "over" duration ] [ "abort after" duration ]
    aggregation ::= "count" | "rate" | "avg" | "min" | "med" | "max" | "p(" decimal ")"
    operator    ::= "<" | "<=" | ">" | ">=" | "==" | "===" | "!="
    number      ::= decimal, with "%" behind it after "rate" if wanted
    decimal     ::= digits [ "." digits ] | "." digits
    duration    ::= [ digits "h" ] [ digits "m" ] [ digits "s" ], at least one of them

Spaces are free between any two of these. The number is milliseconds for a trend, 0 to 1 for a rate, and a count, or a count
a second, for a counter. `over 1m` asks it of each minute of the run, wherever that begins; `abort after 10s` ends the run when
it does not hold, from ten seconds on. The tag `stage` asks it of one stage, and then both durations count from its beginning.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

import msgspec

from mop_locust.metrics.instruments import Catalogue
from mop_locust.metrics.labels import NAME, Tags, series_name, sorted_tags

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "===": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}

FITTING = {
    "counter": ("count", "rate"),
    "rate": ("rate", "count"),
    "trend": ("avg", "min", "med", "max", "p(N)", "count"),
}
"""The aggregations of each kind of metric; `rate` of a counter is per second."""

_SPACE = re.compile(r"\s*")
_VALUE = re.compile(r"(?:[^\\,{}]|\\[\\,{}])*")
_ESCAPED = re.compile(r"\\([\\,{}])")
_AGGREGATION = re.compile(r"count|rate|avg|min|med|max|p(?=\s*\()")
_OPERATOR = re.compile(r"===|==|!=|<=|>=|<|>")
_DECIMAL = re.compile(r"\d+(?:\.\d+)?|\.\d+", re.ASCII)
_OVER = re.compile(r"over(?![a-z])")
_ABORT = re.compile(r"abort(?![a-z])")
_AFTER = re.compile(r"after(?![a-z])")
_DURATION = re.compile(r"(?=\d)(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?(?![0-9a-z])", re.ASCII)

WIDEST = 600
"""The widest window in seconds: its sums are kept second by second."""

STAGE = "stage"
"""The tag that chooses a stage of the run; no series carries it."""


class ThresholdError(ValueError):
    """A text that is no threshold: the text, what is wrong, at which column (from 1), and what is allowed there."""

    def __init__(self, text: str, column: int, problem: str, allowed: str) -> None:
        super().__init__(f"threshold {text!r}, column {column}: {problem}; allowed: {allowed}")
        self.text = text
        self.column = column
        self.problem = problem
        self.allowed = allowed


class Threshold(msgspec.Struct, frozen=True):
    """One condition on one metric: `percentile` is set when the aggregation is "p", a `limit` in percent is divided by 100.

    `over` is the width of its windows in seconds, 0 for none; `abort_after` the second from which on it can end the run.
    """

    metric: str
    tags: Tags
    expression: str
    aggregation: str
    percentile: float | None
    operator: str
    limit: float
    over: int = 0
    abort_after: int | None = None

    @property
    def needs_windows(self) -> bool:
        """Whether it is judged second by second."""
        return self.over > 0 or self.abort_after is not None

    @property
    def stage(self) -> str | None:
        """The stage that it speaks of; None for the whole run."""
        return dict(self.tags).get(STAGE)

    @property
    def series_tags(self) -> Tags:
        """The tags that the series carry."""
        return tuple(tag for tag in self.tags if tag[0] != STAGE)

    @property
    def name(self) -> str:
        """The metric with its tags, as a summary names the series."""
        return series_name(self.metric, self.tags)

    def holds(self, value: float) -> bool:
        """Whether the value meets the condition."""
        return OPERATORS[self.operator](value, self.limit)


def parse(text: str) -> list[Threshold]:
    """The conditions of one text, at least one; ThresholdError for the first mistake in it."""
    reader = _Reader(text)
    metric = reader.take(NAME, "the name of a metric", "letters, digits and _")
    tags = _tags(reader) if reader.skip("{") else ()
    reader.expect(":", "between the metric and its expression")
    thresholds = [_expression(reader, metric, tags)]
    while reader.skip(","):
        thresholds.append(_expression(reader, metric, tags))
    if not reader.at_end():
        raise reader.error("something is left over", "the end, or a comma and another expression")
    return thresholds


def parse_all(texts: Iterable[str]) -> tuple[list[Threshold], list[str]]:
    """The conditions of all texts, and a sentence for each text that is none."""
    thresholds: list[Threshold] = []
    mistakes: list[str] = []
    for text in texts:
        try:
            thresholds += parse(text)
        except ThresholdError as error:
            mistakes.append(str(error))
    return thresholds, mistakes


def split_list(text: str) -> list[str]:
    """The texts in a value of MOP_THRESHOLDS: one a line, or between semicolons."""
    return [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]


def check(thresholds: Sequence[Threshold], catalogue: Catalogue) -> list[str]:
    """A sentence for every condition that can never be judged in a run with these metrics and tags."""
    return [mistake for threshold in thresholds for mistake in _check_one(threshold, catalogue)]


def _check_one(threshold: Threshold, catalogue: Catalogue) -> list[str]:
    place = f"threshold '{threshold.name}: {threshold.expression}'"
    mistakes = []
    instrument = catalogue.instruments.get(threshold.metric)
    if instrument is None:
        mistakes.append(f"{place}: there is no metric {threshold.metric}; {_nearest(threshold.metric, catalogue.instruments)}")
    else:
        shown = "p(N)" if threshold.aggregation == "p" else threshold.aggregation
        if shown not in FITTING[instrument.kind]:
            allowed = ", ".join(FITTING[instrument.kind])
            mistakes.append(f"{place}: {threshold.metric} is a {instrument.kind} and has no {shown}; allowed: {allowed}")
        elif shown == "rate" and instrument.kind == "rate" and threshold.limit > 1:
            mistakes.append(f"{place}: a rate lies between 0 and 1; 5 % is written 0.05 or 5%")
        elif shown == "rate" and instrument.kind == "counter" and "%" in threshold.expression:
            mistakes.append(f"{place}: the rate of a counter is per second and takes no %")
    for tag, value in threshold.tags:
        if tag not in catalogue.tags:
            mistakes.append(f"{place}: there is no tag {tag}; {_nearest(tag, catalogue.tags)}")
            continue
        possible = catalogue.tags[tag]
        if possible is not None and value not in possible:
            mistakes.append(f"{place}: {tag} is never {value!r}; {_nearest(value, possible)}")
    return mistakes


def _nearest(name: str, known: Iterable[str]) -> str:
    candidates = sorted(known)
    near = get_close_matches(name, candidates, n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(candidates) or 'none'}"


def _tags(reader: _Reader) -> Tags:
    tags: list[tuple[str, str]] = []
    while True:
        column = reader.column
        name = reader.take(NAME, "the name of a tag", "letters, digits and _")
        reader.expect(":", "between a tag and its value")
        value = _ESCAPED.sub(r"\1", reader.take(_VALUE, "the value of a tag", "any text without \\ , { }").strip())
        if name in dict(tags):
            raise ThresholdError(reader.text, column, f"tag {name} is given twice", "each tag once")
        tags.append((name, value))
        if not reader.skip(","):
            break
    reader.expect("}", "behind the tags")
    return sorted_tags(tags)


def _expression(reader: _Reader, metric: str, tags: Tags) -> Threshold:
    allowed = "count, rate, avg, min, med, max or p(N)"
    aggregation = reader.take(_AGGREGATION, "an aggregation", allowed)
    shown = aggregation
    percentile: float | None = None
    if aggregation == "p":
        reader.expect("(", "behind p")
        column = reader.column
        number = reader.take(_DECIMAL, "a percentile", "a number from 0 to 100")
        percentile = float(number)
        if percentile > 100:
            raise ThresholdError(reader.text, column, f"there is no percentile {number}", "a number from 0 to 100")
        reader.expect(")", "behind the percentile")
        shown = f"p({number})"
    comparison = reader.take(_OPERATOR, "an operator", "< <= > >= == === !=")
    number = reader.take(_DECIMAL, "a number", "a number such as 250 or 0.05")
    limit = float(number)
    if aggregation == "rate" and reader.skip("%"):
        # Divided in decimal digits by way of the text: 7 / 100 and 0.07 must be the same limit.
        limit = float(f"{number}e-2")
        number += "%"
    expression = f"{shown}{comparison}{number}"
    over, abort_after = 0, None
    if reader.matches(_OVER):
        text, over = _duration(reader, "over", WIDEST, "1s to 10m, such as 1m or 1m30s")
        expression += f" over {text}"
    if reader.matches(_ABORT):
        reader.take(_AFTER, "after", "abort after DURATION")
        text, abort_after = _duration(reader, "abort after", 10**9, "a duration of 1s or more, such as 10s or 1m30s")
        expression += f" abort after {text}"
    return Threshold(metric, tags, expression, aggregation, percentile, comparison, limit, over, abort_after)


def _duration(reader: _Reader, behind: str, most: int, allowed: str) -> tuple[str, int]:
    """The text and the seconds of a duration."""
    column = reader.column
    text = reader.take(_DURATION, f"a duration behind {behind}", allowed).strip()
    match = _DURATION.match(text)
    assert match is not None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = (hours * 60 + minutes) * 60 + seconds
    if not 1 <= total <= most:
        raise ThresholdError(reader.text, column, f"{text} is out of range", allowed)
    return text, total


class _Reader:
    """The text and how far it is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._position = 0
        self._skip_space()

    @property
    def column(self) -> int:
        return self._position + 1

    def at_end(self) -> bool:
        return self._position == len(self.text)

    def take(self, pattern: re.Pattern[str], what: str, allowed: str) -> str:
        match = pattern.match(self.text, self._position)
        if match is None:
            raise self.error(f"{what} is missing", allowed)
        self._position = match.end()
        self._skip_space()
        return match[0]

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Reads the pattern where it stands next."""
        match = pattern.match(self.text, self._position)
        if match is not None:
            self._position = match.end()
            self._skip_space()
        return match is not None

    def skip(self, mark: str) -> bool:
        if not self.text.startswith(mark, self._position):
            return False
        self._position += len(mark)
        self._skip_space()
        return True

    def expect(self, mark: str, where: str) -> None:
        if not self.skip(mark):
            raise self.error(f"{mark!r} is missing {where}", mark)

    def error(self, problem: str, allowed: str) -> ThresholdError:
        rest = self.text[self._position :]
        found = f"found {rest[:20]!r}" if rest else "found the end"
        return ThresholdError(self.text, self.column, f"{problem}, {found}", allowed)

    def _skip_space(self) -> None:
        match = _SPACE.match(self.text, self._position)
        assert match is not None
        self._position = match.end()
