"""What a mission makes of a call: against hand-made answers, and against the reference server's engine."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.missions.expectation import (
    A_MISSION,
    MISSING_RULE,
    NO_MISSION,
    NOT_TOLD,
    RULE_ORDER,
    UNLIMITED,
    WRONG_APPLIED,
    WRONG_RULE,
    WRONG_TEMPLATES,
    WRONG_TEXT,
    Coordination,
    Mismatch,
    candidates,
    check,
    effective_limit,
    read_coordination,
)
from mop_locust.missions.reading import read
from mop_locust.missions.shape import Budgets, Mission
from mop_locust.server.missions import Engine

from .real_server import MISSION

ID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
NOW = "2026-01-01T00:00:00+00:00"
TOOLS = ("exa_search_example", "exa_research_example", "discover_mcp_tools", "x")


def made(rules: list[dict[str, Any]], templates: list[dict[str, Any]], **budgets: Any) -> Mission:
    """A mission of rules and templates, each as what it has of its own."""
    raw = yaml.safe_load(MISSION)
    rule, template = raw["rules"][0], raw["templates"][0]
    raw["rules"] = []
    for own in rules:
        conditions = {**rule["conditions"], **{name: own[name] for name in own if name in rule["conditions"]}}
        actions = {**rule["actions"], "template_ids": own.get("template_ids", [])}
        raw["rules"].append(
            {**rule, "id": own["id"], "enabled": own.get("enabled", True), "conditions": conditions, "actions": actions}
        )
    raw["templates"] = [{**template, **own} for own in templates]
    raw["budgets"] |= budgets
    reading = read(yaml.safe_dump(raw))
    assert reading.mission is not None, reading.mistakes
    return reading.mission


TWO = made(
    [
        {"id": "search", "tool_patterns": ["exa_"], "template_ids": ["a", "b"]},
        {"id": "all", "tool_patterns": [], "template_ids": ["b"]},
        {"id": "off", "tool_patterns": [], "enabled": False},
        {"id": "seen", "tool_patterns": [], "perception_states": [ID]},
        {"id": "staged", "tool_patterns": ["exa_search"], "environment_vars": {"STAGE": "test"}, "template_ids": ["c"]},
    ],
    [
        {"id": "a", "name": "A", "content": "aa", "priority": 1},
        {"id": "b", "name": "B", "content": "bb", "priority": 2},
        {"id": "c", "name": "C", "content": "cc", "priority": 2},
        {"id": "d", "name": "D", "content": "dd", "enabled": False},
    ],
)
PART = {name: f"## {name.upper()}\n\n{name * 2}\n\n" for name in "abc"}


def answer(rules: str, templates: str, **other: Any) -> Coordination:
    """What a server tells when it applied these, each named between spaces."""
    used = templates.split()
    told = {
        "applied": bool(used),
        "injected_content": "".join(PART[name] for name in used),
        "activated_rules": rules.split(),
        "used_templates": used,
        "loaded": True,
    }
    return Coordination(**{**told, **other})


def label(mission: Mission | None, tool: str, told: Coordination) -> str:
    """The class of what is wrong with an answer; "" when it is right."""
    try:
        check(mission, tool, told)
    except Mismatch as mismatch:
        return mismatch.label
    return ""


def test_which_rules_can_apply() -> None:
    """Patterns are substrings; what is not enabled or asks for perceptions never does; the environment leaves it open."""
    assert [(rule.id, sure) for rule, sure in candidates(TWO, "exa_search_example")] == [
        ("search", True),
        ("all", True),
        ("staged", False),
    ]
    assert [(rule.id, sure) for rule, sure in candidates(TWO, "an_exa_tool")] == [("search", True), ("all", True)]
    assert [(rule.id, sure) for rule, sure in candidates(TWO, "exa")] == [("all", True)]


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (answer("search all", "a b"), ""),
        (answer("search all staged", "a b c"), ""),
        (answer("search all staged", "a c b"), ""),
        (answer("search all staged", "c a b"), WRONG_TEMPLATES),
        (answer("search all", "a"), WRONG_TEMPLATES),
        (answer("search all", "a b c"), WRONG_TEMPLATES),
        (answer("search all", "a a b"), WRONG_TEMPLATES),
        (answer("search all", ""), WRONG_TEMPLATES),
        (answer("search all", "", used_templates=["unknown"]), WRONG_TEMPLATES),
        (answer("all", "b"), MISSING_RULE),
        (answer("", ""), MISSING_RULE),
        (answer("search all off", "a b"), WRONG_RULE),
        (answer("search all seen", "a b"), WRONG_RULE),
        (answer("search all other", "a b"), WRONG_RULE),
        (answer("all search", "a b"), RULE_ORDER),
        (answer("search all all", "a b"), RULE_ORDER),
        (answer("search all", "a b", injected_content=PART["a"]), WRONG_TEXT),
        (answer("search all", "a b", applied=False), WRONG_APPLIED),
        (answer("", "", loaded=False), NO_MISSION),
        (answer("search all", "a b", loaded=False), ""),
    ],
)
def test_what_is_wrong_with_an_answer(told: Coordination, wrong: str) -> None:
    """Each kind of mistake has a class of its own."""
    assert label(TWO, "exa_search_example", told) == wrong


def test_calls_that_no_rule_matches_prove_the_mission_too() -> None:
    """A server with a mission tells of each call, one without of none."""
    mission = made([{"id": "search", "tool_patterns": ["exa_"]}], [])
    assert label(mission, "other", answer("", "")) == ""
    assert label(mission, "other", answer("", "", loaded=False)) == NO_MISSION


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (answer("", "", loaded=False), ""),
        (answer("", ""), A_MISSION),
        (answer("all", "", loaded=False), A_MISSION),
        (answer("", "a", loaded=False), A_MISSION),
    ],
)
def test_a_server_that_is_to_run_without_a_mission(told: Coordination, wrong: str) -> None:
    """It tells of nothing."""
    assert label(None, "exa_search_example", told) == wrong


def test_what_a_mismatch_says() -> None:
    """What was told and what was meant."""
    with pytest.raises(Mismatch, match=r"^search is not among all$"):
        check(TWO, "exa_search_example", answer("all", "b"))
    with pytest.raises(Mismatch, match=r"^all, search, not search, all$"):
        check(TWO, "exa_search_example", answer("all search", "a b"))
    with pytest.raises(Mismatch, match=r"^none of a, b$"):
        check(TWO, "exa_search_example", answer("search all", ""))


def text(**changes: Any) -> str:
    """The text of an answer as the real server gives it."""
    told = {
        "applied": False,
        "injected_content": "",
        "activated_rules": [],
        "used_templates": [],
        "paradoxes_detected": 0,
        "metadata": {"tool_name": "x", "perception_count": 0},
    }
    return json.dumps({"tool_execution": {}, "consciousness_coordination": {**told, **changes}})


def test_the_coordination_stands_in_a_text_of_the_answer() -> None:
    """The first that tells of one."""
    assert read_coordination(["no JSON", text(activated_rules=["r"])]) == Coordination(False, "", ["r"], [], loaded=True)
    assert read_coordination([text(metadata={})]).loaded is False


@pytest.mark.parametrize("texts", [[], ["no"], ["{}"], [text(applied=None)], [text(activated_rules="r")], ["[" * 5000]])
def test_an_answer_without_one(texts: list[str]) -> None:
    """HTTP's simulated answers, forwarded ones, other servers."""
    with pytest.raises(Mismatch) as caught:
        read_coordination(texts)
    assert caught.value.label == NOT_TOLD


@pytest.mark.parametrize(
    ("limit", "overhead", "bytes_left"),
    [
        (100, 0.1, 90),
        (99, 0.1, 90),
        (100, 0.0, 100),
        (100, -1.0, 100),
        (100, float("nan"), 100),
        (100, 2.0, 0),
        (100, float("inf"), 0),
        (None, 0.0, UNLIMITED),
        (None, 1.0, 0),
    ],
)
def test_the_bytes_that_are_left_for_the_text(limit: int | None, overhead: float, bytes_left: int) -> None:
    """The share is cut to a whole number, and no more than all is kept."""
    assert effective_limit(Budgets({}, {}, overhead, limit)) == bytes_left


def test_the_budget_ends_the_templates() -> None:
    """At the first that does not fit, by bytes; of equal priority any may be that one."""
    size = len(PART["a"])
    limited = made(
        [{"id": "r", "template_ids": ["a", "b", "c"], "tool_patterns": []}],
        [{"id": name, "name": name.upper(), "content": name * 2, "priority": 1 if name == "a" else 2} for name in "abc"],
        global_char_limit=2 * size,
        paradox_overhead=0.0,
    )
    assert [label(limited, "x", answer("r", used)) for used in ("a b", "a c")] == ["", ""]
    assert [label(limited, "x", answer("r", used)) for used in ("a", "b", "b c", "a b c", "")] == [WRONG_TEMPLATES] * 5


names = st.sampled_from("abcd")
rules = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["r1", "r2", "r3"]),
            "enabled": st.booleans(),
            "tool_patterns": st.lists(st.sampled_from(["exa_", "search", "mcp", "*", ""]), max_size=2),
            "environment_vars": st.dictionaries(st.sampled_from(["A", "B"]), st.sampled_from(["", "1", "2"]), max_size=1),
            "perception_states": st.lists(st.just(ID), max_size=1),
            "template_ids": st.lists(names, max_size=3),
        }
    ),
    max_size=3,
    unique_by=lambda rule: str(rule["id"]),
)
templates = st.lists(
    st.fixed_dictionaries(
        {
            "id": names,
            "name": st.sampled_from(["N", "Ñ"]),
            "content": st.text(max_size=8),
            "priority": st.integers(0, 2),
            "enabled": st.booleans(),
        }
    ),
    max_size=4,
    unique_by=lambda template: str(template["id"]),
)


@given(
    rules,
    templates,
    st.none() | st.integers(0, 80),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from(TOOLS),
    st.dictionaries(st.sampled_from(["A", "B"]), st.sampled_from(["1", "12"])),
)
def test_what_the_reference_servers_engine_answers_is_expected(
    rules: list[dict[str, Any]],
    templates: list[dict[str, Any]],
    limit: int | None,
    overhead: float,
    tool: str,
    environment: dict[str, str],
) -> None:
    """The two share the file and no rule of what it means; and any rule or template more or less is a mismatch."""
    mission = made(rules, templates, global_char_limit=limit, paradox_overhead=overhead)
    told = msgspec.json.encode({"consciousness_coordination": Engine(mission, environment).coordinate(tool, {}, (), NOW).told()})
    read_back = read_coordination([told.decode()])
    assert label(mission, tool, read_back) == ""
    more = msgspec.structs.replace(read_back, activated_rules=[*read_back.activated_rules, "r4"])
    assert label(mission, tool, more) == WRONG_RULE
    less = msgspec.structs.replace(read_back, used_templates=read_back.used_templates[1:])
    assert label(mission, tool, less) == (WRONG_TEMPLATES if read_back.used_templates else "")
