"""Where an answer came from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from mop_locust.federation.answer import Circuit, Origin, circuit, is_plan, origin
from mop_locust.protocol.errors import RemoteProtocolError, ToolError
from mop_locust.protocol.mcp import CallResult, Content

OWN = {"consciousness_coordination": {"applied": False}, "tool_execution": {"status": "success"}}


def answer(*values: Any) -> CallResult:
    """An answer whose texts are these values as JSON."""
    return CallResult([Content("text", json.dumps(value)) for value in values])


def result(value: Any, **more: Any) -> dict[str, Any]:
    """A downstream's whole result."""
    return {"content": [{"type": "text", "text": json.dumps(value)}], **more}


@pytest.mark.parametrize(
    ("given_answer", "who"),
    [
        (answer(result(OWN)), Origin.DOWNSTREAM),
        (answer({**result("done"), "_response_metadata": {"tool_name": "x"}, "isError": False}), Origin.DOWNSTREAM),
        (answer(OWN), Origin.FALLBACK),
        (answer({"status": "success", "_response_metadata": {}}), Origin.OWN),
        (answer({"status": "success", "source": "local"}), Origin.OWN),
        (answer({"content": "no list"}), Origin.OWN),
        (answer([1], "text", 5), Origin.OWN),
        (answer([1], result(1)), Origin.DOWNSTREAM),
        (CallResult([Content("text", "no JSON"), Content("text"), Content("image")]), Origin.OWN),
        (CallResult([]), Origin.OWN),
    ],
)
def test_origin(given_answer: CallResult, who: Origin) -> None:
    """By what stands in the text."""
    assert origin(given_answer) is who


@pytest.mark.parametrize("nested", [result("x", isError=True), result({"error": "unknown tool"})])
def test_a_failure_of_the_downstream_is_one(nested: dict[str, Any]) -> None:
    """`isError`, and an error in its text."""
    with pytest.raises(ToolError):
        origin(answer(nested))


def test_a_nested_result_of_another_shape_breaks_the_protocol() -> None:
    """It has content that is no content."""
    with pytest.raises(RemoteProtocolError, match="bad result"):
        origin(answer({"content": [1]}))


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_a_downstream_answers_never_hides_that_it_did(value: Any) -> None:
    """Whatever JSON stands in its text, but an `error`: a fallback's marks one level down make no fallback."""
    nested = {"tool_execution": value, "value": value}
    assert origin(answer(result(nested))) is Origin.DOWNSTREAM
    assert origin(answer(nested)) is Origin.FALLBACK


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Tool execution failed: Circuit open for server 'downstream-1' (retry in Some(312ms))", Circuit.REFUSED),
        ("Tool execution failed: Circuit opened for server 'd' (250ms) after transport error", Circuit.OPENED),
        ("Tool execution failed: Server 'd' is not connected", Circuit.UNKNOWN),
        ("", Circuit.UNKNOWN),
    ],
)
def test_circuit(text: str, said: Circuit) -> None:
    """By the server's words."""
    assert circuit(text) is said


@pytest.mark.parametrize(
    ("value", "it_is"),
    [
        ({"content": [{"type": "text", "text": '{"plan_id": "p"}'}]}, True),
        ({"content": [{"type": "text", "text": '{"plan_id": ""}'}]}, False),
        ({"content": [{"type": "text", "text": '{"status": "success"}'}]}, False),
        ({"content": [{"type": "text", "text": "no JSON"}]}, False),
        ({"content": []}, False),
        ({}, False),
    ],
)
def test_is_plan(value: dict[str, Any], it_is: bool) -> None:
    """A text with the id of a plan."""
    assert is_plan(Raw(json.dumps(value).encode())) is it_is
