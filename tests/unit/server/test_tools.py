"""The tools: catalogue, argument checks and simulated answers."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from mop_locust.server.tools import BUILT_IN, Tool, catalogue, generated, simulate, violations

TOOLS = catalogue(0, 600)
NAMES = ["orchestrate_mcp_proxy", "discover_mcp_tools", "exa_search_example", "exa_research_example"]


def test_the_catalogue_is_the_built_in_tools_then_the_generated_ones() -> None:
    """In that order, by name."""
    assert list(catalogue(2, 300)) == [*NAMES, "generated_1", "generated_2"]
    assert list(TOOLS) == NAMES


@given(number=st.integers(1, 99_999), size=st.integers(256, 5000))
def test_a_generated_tool_has_exactly_its_size(number: int, size: int) -> None:
    """In bytes of its entry in tools/list."""
    assert len(msgspec.json.encode(generated(number, size).listed())) == size


def test_a_size_that_is_too_small_is_refused() -> None:
    """The text says what is needed."""
    with pytest.raises(ValueError, match=r"needs at least [0-9]+ bytes, not 50"):
        generated(1, 50)


def test_a_catalogue_entry_tells_source_and_a_stable_hash() -> None:
    """The hash is of the listed entry alone."""
    first = BUILT_IN[0].catalogued({"type": "local"}, "2026-01-01T00:00:00Z")
    second = BUILT_IN[0].catalogued("Local", "2027-01-01T00:00:00Z")
    assert (first["source"], first["lastUpdated"]) == ({"type": "local"}, "2026-01-01T00:00:00Z")
    assert first["specHash"] == second["specHash"] != BUILT_IN[1].catalogued("Local", "")["specHash"]


@pytest.mark.parametrize(
    ("tool", "arguments", "wrong"),
    [
        ("exa_search_example", {"query": "q", "numResults": 3, "perceptionIds": ["a"], "more": 1}, []),
        ("exa_search_example", [], ['[] is not of type "object"']),
        ("exa_search_example", {"query": 3}, ['3 is not of type "string"']),
        ("exa_search_example", {"query": "q", "numResults": True}, ['true is not of type "number"']),
        ("exa_search_example", {"query": "q", "perceptionIds": ["a", 1]}, ['1 is not of type "string"']),
        ("exa_research_example", {}, ['"instructions" is a required property']),
        ("exa_research_example", {"instructions": "", "model": "m"}, ['"m" is not one of ["exa-research","exa-research-pro"]']),
        ("exa_research_example", {"instructions": "", "paradoxTolerance": -1}, ["-1 is less than the minimum of 0"]),
        ("exa_research_example", {"instructions": "", "paradoxTolerance": 1.5}, ["1.5 is greater than the maximum of 1"]),
        (
            "orchestrate_mcp_proxy",
            {"target_server": ""},
            ['"tool_name" is a required property', '"original_params" is a required property'],
        ),
        (
            "orchestrate_mcp_proxy",
            {"target_server": "", "tool_name": "", "original_params": {}, "augmentation_config": {"inject_context": 1}},
            ['1 is not of type "boolean"'],
        ),
    ],
)
def test_violations(tool: str, arguments: object, wrong: list[str]) -> None:
    """Each is one text, as the real server words it."""
    assert violations(TOOLS[tool].input_schema, arguments) == wrong


def test_words_that_a_schema_lacks_ask_for_nothing() -> None:
    """Objects and arrays without properties or items."""
    assert violations({}, {"a": [1]}) == []
    assert violations({"type": "array"}, [1]) == []


VALUES = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(0, 1) | st.sampled_from(["never", "exa-research", ""])
ARGUMENTS = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["query", "instructions", "model", "paradoxTolerance", "inject_context", "x"]), inner, max_size=4
        )
    ),
    max_leaves=6,
)


@given(tool=st.sampled_from(BUILT_IN), arguments=ARGUMENTS)
def test_our_checks_agree_with_jsonschema(tool: Tool, arguments: object) -> None:
    """Valid means the same to both."""
    schema = tool.input_schema
    assert (violations(schema, arguments) == []) is Draft7Validator(schema).is_valid(arguments)


@pytest.mark.parametrize("tool", [*BUILT_IN, generated(1, 300)], ids=lambda tool: tool.name)
def test_a_simulated_answer_fits_its_output_schema(tool: Tool) -> None:
    """It is the structured content of dialect mcp."""
    answer = simulate({tool.name: tool}, tool.name, {}, "now", "id")
    assert violations(tool.output_schema, answer) == []


def test_simulated_answers() -> None:
    """Each tool tells its name and what it was given; missing arguments are empty."""
    now = "2026-01-01T00:00:00+00:00"
    for name in NAMES:
        answer = simulate(TOOLS, name, {}, now, "id")
        assert answer is not None
        assert (answer["status"], answer["tool"]) == ("success", name)
    search = simulate(TOOLS, "exa_search_example", {"query": "q", "numResults": 2}, now, "id")
    assert search is not None
    assert (search["query"], search["metadata"]) == ("q", {"augmented": True, "timestamp": now, "num_results_requested": 2})
    research = simulate(TOOLS, "exa_research_example", {"instructions": "i"}, now, "id")
    assert research is not None
    assert (research["task_id"], research["instructions"], research["model"]) == ("id", "i", "exa-research")
    assert simulate(TOOLS, "unknown", {}, now, "id") is None


def test_discovery_lists_the_servers_own_tools() -> None:
    """Hints can be turned off."""
    for wanted in (True, False):
        answer = simulate(TOOLS, "discover_mcp_tools", {"analyze_for_orchestration": wanted}, "", "")
        assert answer is not None
        found = answer["discovered_tools"]
        assert isinstance(found, list)
        assert [tool["name"] for tool in found] == NAMES
        assert (found[0]["orchestration_hints"] is not None) is wanted


def test_the_proxy_shows_what_it_would_send() -> None:
    """Context and instructions are added when asked for; params that are no object are none."""
    config = {"inject_context": True, "add_swarm_instructions": ["s"]}
    arguments = {"target_server": "u", "tool_name": "t", "original_params": {"a": 1}, "augmentation_config": config}
    answer = simulate(TOOLS, "orchestrate_mcp_proxy", arguments, "now", "")
    assert answer is not None
    assert answer["augmented_params"] == {
        "a": 1,
        "_context": {"timestamp": "now", "orchestration_source": "mop", "consciousness_aware": True},
        "_swarm_instructions": ["s"],
    }
    result = answer["result"]
    assert isinstance(result, dict)
    assert result["would_call"] == "u/t"
    plain = simulate(TOOLS, "orchestrate_mcp_proxy", {"original_params": 1, "augmentation_config": 2}, "now", "")
    assert plain is not None
    assert (plain["augmented_params"], plain["augmentation_applied"]) == ({}, {})


def test_a_generated_tool_answers_with_its_arguments() -> None:
    """And nothing else of its own."""
    answer = simulate(catalogue(1, 300), "generated_1", {"query": "q"}, "now", "")
    assert answer is not None
    assert answer["args"] == {"query": "q"}
