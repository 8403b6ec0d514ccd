"""Mission files: what is taken, what is not, and in which line; the real server's own verdicts are the measure."""

from __future__ import annotations

import math
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.missions.reading import MOST_NODES, Mistake, read, where
from mop_locust.missions.shape import FileSignal, Mission

from .real_server import MISSION, ONLY_WE_REFUSE, VERDICTS

NUMBER = f"allowed: a whole number from 0 to {2**64 - 1}, without quotes"
ID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


def changed(old: str, new: str) -> Mission:
    """The mission with one text replaced; AssertionError when it cannot be read."""
    assert old in MISSION
    reading = read(MISSION.replace(old, new, 1))
    assert reading.mission is not None, reading.mistakes
    return reading.mission


def mistakes(old: str, new: str) -> list[str]:
    """What is wrong with the mission when one text is replaced."""
    assert old in MISSION
    return [str(mistake) for mistake in read(MISSION.replace(old, new, 1)).mistakes]


@pytest.mark.parametrize(("old", "new", "taken"), VERDICTS, ids=[new for _, new, _ in VERDICTS])
def test_what_the_real_server_takes_is_taken(old: str, new: str, taken: bool) -> None:
    """Never more than that, and less only where it is said: a mission that passes here is loaded there."""
    reading = read(MISSION.replace(old, new, 1))
    assert (reading.mission is not None) == (taken and new not in ONLY_WE_REFUSE)
    assert (reading.mission is None) == bool(reading.mistakes)


def test_the_verdicts_are_those_of_the_real_server(tmp_path: Path) -> None:
    """Asked again, each of them."""
    binary = os.environ.get("MOP_SERVER_BIN")
    if not binary:
        pytest.skip("MOP_SERVER_BIN names no MOP server")
    file = tmp_path / "mission.yaml"
    wrong = []
    for old, new, taken in VERDICTS:
        file.write_text(MISSION.replace(old, new, 1))
        code = subprocess.run([binary, "validate", str(file)], capture_output=True, timeout=30, check=False).returncode
        if (code == 0) != taken:
            wrong.append((old, new))
    assert wrong == []


def test_a_mission_that_is_right() -> None:
    """Every value where it belongs, and its line."""
    reading = read(MISSION)
    assert reading.mission is not None
    assert (reading.mistakes, reading.unknown) == ((), ())
    template, rule = reading.mission.templates[0], reading.mission.rules[0]
    assert (template.priority, template.enabled, template.paradox_resistance) == (100, True, 0.8)
    assert template.part.startswith("## Cite sources\n\nPrefer primary sources")
    assert (rule.conditions.tool_patterns, rule.actions.template_ids) == (["exa_"], ["cite-sources"])
    assert reading.mission.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    line = reading.lines["rules", 0, "actions", "template_ids", 0]
    assert "template_ids: [cite-sources]" in MISSION.splitlines()[line - 1]


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("+7", 7), ("0x1F", 31), ("0o17", 15), ("0b101", 5), ("4294967295", 4294967295)],
)
def test_whole_numbers(text: str, number: int) -> None:
    """In four bases."""
    assert changed("priority: 100", f"priority: {text}").templates[0].priority == number


def test_numbers() -> None:
    """Whole ones, powers, and those that are none."""
    old = "paradox_overhead: 0.1"
    found = [changed(old, f"paradox_overhead: {text}").budgets.paradox_overhead for text in ("2", "-1.5e2", ".inf", "-.INF")]
    assert found == [2.0, -150.0, math.inf, -math.inf]
    assert math.isnan(changed(old, "paradox_overhead: .NaN").budgets.paradox_overhead)


def test_texts_are_texts_whatever_they_look_like() -> None:
    """Null, numbers and dates among them."""
    old = "name: Search guidance"
    for text in ("~", "12", "true", "", "2026-01-01"):
        assert changed(old, f"name: {text}").name == text


def test_the_largest_limit_is_that_of_the_real_server() -> None:
    """64 bits."""
    assert changed("global_char_limit: null", f"global_char_limit: {2**64 - 1}").budgets.global_char_limit == 2**64 - 1
    assert mistakes("global_char_limit: null", f"global_char_limit: {2**64}") == [
        f"line {line_of('global_char_limit')}: budgets.global_char_limit: is '{2**64}'; {NUMBER}"
    ]


def test_what_is_optional() -> None:
    """A missing field of these is null, and signals and quotas are read."""
    mission = changed("file_signals: []", "file_signals: [{path: a, must_exist: true}]")
    assert mission.rules[0].conditions.file_signals == [FileSignal("a", must_exist=True)]
    assert changed("      min_confidence: null\n", "").rules[0].conditions.min_confidence is None
    assert changed("perception_quotas: {}", f"perception_quotas: {{{ID}: 3}}").budgets.perception_quotas == {UUID(ID): 3}


def line_of(field: str) -> int:
    """The line in which a field stands first."""
    return next(number for number, line in enumerate(MISSION.splitlines(), 1) if f"{field}:" in line)


def test_all_mistakes_at_once_in_the_order_of_their_lines() -> None:
    """Each with its line, its place, its value and what is allowed."""
    text = MISSION
    for old, new in (
        ("priority: 100", 'priority: "100"'),
        ("enabled: true", "enabled: yes"),
        ("transform_type: Prepend", "transform_type: prepend"),
        ("      perception_lock: false\n", ""),
        ("  paradox_overhead: 0.1\n", ""),
        ("perceptions: []", "perceptions: none"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    lines = [line.strip() for line in text.splitlines()]
    expected = [
        ('priority: "100"', "templates[0].priority: is '100'; allowed: a whole number from 0 to 4294967295, without quotes"),
        ("enabled: yes", "templates[0].enabled: is 'yes'; allowed: true or false"),
        ("template_ids: [cite-sources]", "rules[0].actions: mandatory and missing: `perception_lock`"),
        (
            "transform_type: prepend",
            (
                "rules[0].actions.transform_type: is 'prepend'; "
                "allowed: Append, InjectField, PerceptionLayer, Prepend, SystemInstruction"
            ),
        ),
        ("perceptions: none", "perceptions: is 'none'; allowed: a list"),
        ("global_char_limit: null", "budgets: mandatory and missing: `paradox_overhead`"),
    ]
    assert read(text).mistakes == tuple(Mistake(lines.index(line) + 1, told) for line, told in expected)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("name: Search guidance", "name: [a]", "name: is a list; allowed: a text"),
        ("name: Search guidance", "name: {a: b}", "name: is a group of fields; allowed: a text"),
        ("name: Search guidance", "name: !x a", "name: has the tag !x; allowed: a plain value"),
        ("categories: [search]", "categories: ~", "templates[0].categories: is null; allowed: a list"),
        ("categories: [search]", "categories: {a: b}", "templates[0].categories: is a group of fields; allowed: a list"),
        ("metadata: {}", "metadata: []", "templates[0].metadata: is a list; allowed: names with values"),
        ("metadata: {}", "metadata: {[1]: 2}", "templates[0].metadata: has a name that is no plain text"),
        ("enabled: true", "enabled:", "templates[0].enabled: is empty; allowed: true or false"),
        (
            "paradox_resistance: 0.8",
            "paradox_resistance: high",
            "templates[0].paradox_resistance: is 'high'; allowed: a number, without quotes",
        ),
        ("perception_affinity: []", "perception_affinity: [x]", "templates[0].perception_affinity[0]: is 'x'; allowed: a UUID"),
        ("per_tool_limits: {}", "per_tool_limits: {x: -3}", f"budgets.per_tool_limits.x: is '-3'; {NUMBER}"),
        (
            "perception_quotas: {}",
            "perception_quotas: {x: 3}",
            "budgets.perception_quotas.x: is no name that can stand here; allowed: a UUID",
        ),
        (
            'created_at: "2026-01-01T00:00:00Z"',
            "created_at: " + "y" * 50,
            f"created_at: is '{'y' * 37}...'; allowed: a time such as 2026-01-01T00:00:00Z",
        ),
        ("id: search-guidance", "id: search-guidance\nid: b", "id: the field `id` stands here twice"),
        ("id: search-guidance", "id: search-guidance\n? [a]\n: b", "has a name that is no plain text"),
        ("rules:", "rules: []\nother:", ""),
    ],
)
def test_each_kind_of_mistake(old: str, new: str, told: str) -> None:
    """What it is, and what is allowed."""
    assert [text.partition(": ")[2] for text in mistakes(old, new)] == ([told] if told else [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: the file is empty"),
        ("# nothing\n", "line 1: the file is empty"),
        ("- a list", "line 1: is a list; allowed: fields"),
        ("a text", "line 1: is 'a text'; allowed: fields"),
        ("id: x\nname: [", "line 2: this is not YAML: expected the node content, but found '<stream end>'"),
        ("id: *x\n", "line 1: this is not YAML: found undefined alias 'x'"),
        ("id: a\n---\nid: b\n", "line 2: this is not YAML: but found another document"),
        (
            "id: \x00",
            (
                "line 1: this is not YAML: unacceptable character #x0000: special characters are not allowed in "
                '"<unicode string>", position 4'
            ),
        ),
        ("\ufeffid: a", "line 1: the file begins with a byte order mark, which is read as a part of its first field"),
    ],
)
def test_what_is_no_mission_at_all(text: str, told: str) -> None:
    """One mistake, with a line."""
    assert [str(mistake) for mistake in read(text).mistakes] == [told]


def test_the_fields_that_no_server_knows_are_named_and_passed_over() -> None:
    """A misspelt optional field among them."""
    text = MISSION.replace("  global_char_limit: null", "  global_char_limt: 10")
    reading = read(text)
    line = text.splitlines().index("  global_char_limt: 10") + 1
    assert reading.mission is not None
    assert reading.unknown == (Mistake(line, "budgets.global_char_limt: no server knows this field"),)


@pytest.mark.parametrize(
    "value",
    [
        "&a {x: *a}",
        "{a: " * 150 + "1" + "}" * 150,
        (
            "{a: &a [1,1,1,1,1,1,1,1,1,1], b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a], c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b], "
            "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c], e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d], f: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]}"
        ),
    ],
)
def test_what_repeats_without_end_is_refused(value: str) -> None:
    """A value within itself, one that is too deep, one that multiplies."""
    assert MOST_NODES == 100_000
    (mistake,) = read(MISSION.replace("metadata: {}", f"metadata: {value}", 1)).mistakes
    assert mistake.text == "more than a mission can hold: it repeats or contains itself"


def test_what_nests_too_deep_for_the_parser() -> None:
    """That too is a mistake with a line."""
    (mistake,) = read("a: " + "[" * 3000).mistakes
    assert (mistake.line, mistake.text[:17]) == (1, "this is not YAML:")


def test_places_are_written_as_one_would() -> None:
    """With dots and brackets."""
    assert where(("rules", 0, "actions", "template_ids", 2)) == "rules[0].actions.template_ids[2]"


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    max_leaves=8,
)


@given(st.text() | JSON.map(str))
def test_nothing_is_raised_whatever_the_text(text: str) -> None:
    """A mission, or mistakes with lines that exist."""
    reading = read(text)
    assert reading.mission is None
    assert reading.mistakes
    breaks = sum(text.count(mark) for mark in "\n\r\x85\u2028\u2029")
    assert all(1 <= mistake.line <= breaks + 2 for mistake in reading.mistakes)
