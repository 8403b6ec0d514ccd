"""Missions: what parses, which rules apply, and what they do to a call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mop_locust.missions.shape import Mission
from mop_locust.server.missions import Engine, MissionError, load, parse

from .conftest import MISSION

NOW = "2026-01-01T00:00:00+00:00"
NULLABLE = {"min_confidence", "target_field", "char_limit", "global_char_limit"}


def changed(**paths: Any) -> Mission:
    """The example mission with some values set: `rules__0__enabled=False`."""
    mission = yaml.safe_load(MISSION)
    for path, value in paths.items():
        *way, last = path.split("__")
        place = mission
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value
    return parse(yaml.safe_dump(mission))


def done(mission: Mission | None, tool: str = "exa_search_example", **arguments: Any) -> dict[str, Any]:
    """The arguments that the tool gets and what the engine tells."""
    coordination = Engine(mission, {"STAGE": "test-1"}).coordinate(tool, arguments or {"query": "q"}, ("p",), NOW)
    return {"arguments": coordination.arguments, **coordination.told()}


def leaves(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every member of every object in the mission."""
    if isinstance(value, dict):
        return [found for key, part in value.items() for found in [(*way, key), *leaves(part, (*way, key))]]
    if isinstance(value, list):
        return [found for index, part in enumerate(value) for found in leaves(part, (*way, index))]
    return []


@pytest.mark.parametrize("way", leaves(yaml.safe_load(MISSION)), ids=lambda way: "/".join(map(str, way)))
def test_every_field_is_mandatory_but_those_that_may_be_null(way: tuple[Any, ...]) -> None:
    """The real server reads a missing field of those as null."""
    mission = yaml.safe_load(MISSION)
    place = mission
    for step in way[:-1]:
        place = place[step]
    del place[way[-1]]
    text = yaml.safe_dump(mission)
    if way[-1] in NULLABLE:
        assert parse(text).id == "search-guidance"
    else:
        with pytest.raises(MissionError, match=f"`{way[-1]}`"):
            parse(text)


@pytest.mark.parametrize(
    "text",
    [
        MISSION.replace("description: Adds guidance to search tools.", "description: 12"),
        MISSION.replace('"2026-01-01T00:00:00Z"', "2026-01-01T00:00:00+02:00"),
        MISSION.replace("priority: 100", "priority: +100"),
        MISSION.replace("name: Search guidance", "name: null"),
        MISSION.replace("paradox_resistance: 0.8", "paradox_resistance: 1"),
        MISSION.replace("global_char_limit: null", "global_char_limit: ~"),
        MISSION.replace("global_char_limit: null", "global_char_limit:"),
        MISSION.replace("id: search-guidance", "id: search-guidance\nunknown: field"),
    ],
)
def test_scalars_are_read_by_the_type_of_their_field(text: str) -> None:
    """A plain 12 is a text where a text belongs; unknown fields do not matter."""
    assert parse(text).id == "search-guidance"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a list",
        "a: [",
        MISSION.replace("priority: 100", "priority: -1"),
        MISSION.replace("transform_type: Prepend", "transform_type: prepend"),
        MISSION.replace("enabled: true", "enabled: perhaps"),
        MISSION.replace("2026-01-01T00:00:00Z", "yesterday"),
        MISSION.replace("2026-01-01T00:00:00Z", "2026-01-01T00:00:00"),
        MISSION.replace("perception_affinity: []", "perception_affinity: [not-a-uuid]"),
        MISSION.replace("priority: 100", 'priority: "100"'),
    ],
)
def test_what_does_not_parse(text: str) -> None:
    """One kind of error, whose text is one line."""
    with pytest.raises(MissionError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """The same kind of error."""
    with pytest.raises(MissionError, match="No such file"):
        load(tmp_path / "missing.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff")
    with pytest.raises(MissionError, match="decode"):
        load(tmp_path / "bytes.yaml")


def test_a_file_that_parses(mission_file: Path) -> None:
    """Its templates and rules are there."""
    mission = load(mission_file)
    assert ([rule.id for rule in mission.rules], mission.templates[0].priority) == (["search-tools"], 100)


def test_without_a_mission_nothing_is_told_or_remembered() -> None:
    """Not even metadata."""
    engine = Engine(None, {})
    coordination = engine.coordinate("exa_search_example", {"query": "q"}, (), NOW)
    assert (coordination.arguments, coordination.applied, coordination.metadata, engine.events) == ({"query": "q"}, False, {}, 0)


def test_a_rule_that_matches_prepends_its_template() -> None:
    """To the query, or to the instructions where there is no query."""
    guidance = "## Cite sources\n\nGive the date of each source.\n\n\n"
    told = done(parse(MISSION))
    assert told["arguments"] == {"query": guidance + "\n\nq"}
    assert (told["applied"], told["activated_rules"], told["used_templates"]) == (True, ("search-tools",), ("cite-sources",))
    assert told["metadata"] == {
        "timestamp": NOW,
        "tool_name": "exa_search_example",
        "perception_count": 1,
        "paradox_tolerance": 0.5,
    }
    told = done(parse(MISSION), "exa_research_example", instructions="i", paradoxTolerance=0.9)
    assert told["arguments"]["instructions"] == guidance + "\n\ni"
    assert told["metadata"]["paradox_tolerance"] == 0.9


def test_a_rule_that_does_not_match_still_transforms_with_nothing() -> None:
    """The real server puts an empty guidance before the query then."""
    told = done(parse(MISSION), "another_tool")
    assert (told["applied"], told["injected_content"], told["arguments"]) == (False, "", {"query": "\n\nq"})


@pytest.mark.parametrize(
    ("path", "value", "applied"),
    [
        ("rules__0__conditions__tool_patterns", [], True),
        ("rules__0__conditions__tool_patterns", ["search"], True),
        ("rules__0__conditions__tool_patterns", ["exa_*"], False),
        ("rules__0__conditions__tool_patterns", ["no", "exa"], True),
        ("rules__0__conditions__environment_vars", {"STAGE": "test"}, True),
        ("rules__0__conditions__environment_vars", {"STAGE": "live"}, False),
        ("rules__0__conditions__environment_vars", {"OTHER": ""}, False),
        ("rules__0__conditions__perception_states", ["00000000-0000-4000-8000-000000000000"], False),
        ("rules__0__enabled", False, False),
        ("rules__0__actions__template_ids", ["other"], False),
        ("templates__0__enabled", False, False),
        ("budgets__global_char_limit", 10, False),
        ("budgets__global_char_limit", 1000, True),
        ("budgets__global_char_limit", 52, False),
    ],
)
def test_when_a_mission_applies(path: str, value: Any, applied: bool) -> None:
    """Patterns are substrings, not globs; a tenth of the budget is kept for paradoxes."""
    assert done(changed(**{path: value}))["applied"] is applied


def test_a_perception_of_the_session_can_be_a_condition() -> None:
    """Any one of the listed states is enough."""
    wanted = "00000000-0000-4000-8000-000000000000"
    mission = changed(rules__0__conditions__perception_states=[wanted])
    assert Engine(mission, {}).coordinate("exa_search_example", {}, (wanted,), NOW).applied is True


@pytest.mark.parametrize(
    ("transform", "arguments"),
    [
        ("Append", {"query": "q\n\nC"}),
        ("InjectField", {"query": "q", "casial_context": "C"}),
        ("SystemInstruction", {"query": "q", "system_context": "C"}),
        ("PerceptionLayer", {"query": "q", "perception_context": "C"}),
    ],
)
def test_the_other_transforms(transform: str, arguments: dict[str, str]) -> None:
    """C stands for the guidance."""
    told = done(changed(rules__0__actions__transform_type=transform))
    assert {name: text.replace(told["injected_content"], "C") for name, text in told["arguments"].items()} == arguments


@pytest.mark.parametrize(
    ("transform", "arguments"), [("Prepend", {"url": "u"}), ("Prepend", {"query": 1}), ("Append", {"instructions": "i"})]
)
def test_arguments_without_a_text_to_change_stay(transform: str, arguments: dict[str, Any]) -> None:
    """The mission counts as applied all the same."""
    told = done(changed(rules__0__actions__transform_type=transform), **arguments)
    assert (told["arguments"], told["applied"]) == (arguments, True)


def test_a_mission_without_an_enabled_rule_prepends() -> None:
    """That is the real server's default."""
    assert done(changed(rules=[]))["arguments"] == {"query": "\n\nq"}


def test_templates_come_by_priority_and_stop_at_the_budget() -> None:
    """The first that does not fit ends it."""
    template = yaml.safe_load(MISSION)["templates"][0]
    templates = [
        {**template, "id": name, "name": name, "content": "x" * size, "priority": p}
        for name, size, p in (("b", 10, 2), ("a", 10, 1))
    ]
    rules = {"rules__0__actions__template_ids": ["a", "b"], "budgets__paradox_overhead": 0.0}
    both = done(changed(templates=templates, **rules))
    assert both["used_templates"] == ("a", "b")
    assert both["injected_content"] == "## a\n\nxxxxxxxxxx\n\n## b\n\nxxxxxxxxxx\n\n"
    assert done(changed(templates=templates, budgets__global_char_limit=36, **rules))["used_templates"] == ("a", "b")
    assert done(changed(templates=templates, budgets__global_char_limit=35, **rules))["used_templates"] == ("a",)


def test_the_engine_counts_and_keeps_the_newest_ten() -> None:
    """Applied ones apart."""
    engine = Engine(parse(MISSION), {})
    for number in range(12):
        engine.coordinate("exa_search_example" if number % 2 else "other", {"query": str(number)}, (), NOW)
    assert (engine.events, engine.applied, len(engine.history)) == (12, 6, 10)
    assert engine.history[0].arguments["query"].endswith("11")
