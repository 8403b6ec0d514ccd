"""Prompts and resources."""

from __future__ import annotations

import json

import pytest

from mop_locust.server.library import PROMPTS, RESOURCES, prompt_messages

from .conftest import Running


@pytest.mark.parametrize(
    ("name", "arguments", "part"),
    [
        ("orchestrate_workflow", {"goal": "the moon"}, "the moon"),
        ("orchestrate_workflow", {}, "any goal"),
        ("analyze_mcp_server", {"server_url": "http://h"}, "http://h"),
        ("analyze_mcp_server", {}, "an unknown address"),
        ("consciousness_reflection", {}, "contradictions"),
    ],
)
def test_prompt_messages(name: str, arguments: dict[str, str], part: str) -> None:
    """One user message with the arguments in it."""
    messages = prompt_messages(name, arguments)
    assert messages is not None
    (message,) = messages
    assert message["role"] == "user"
    content = message["content"]
    assert isinstance(content, dict)
    assert content["type"] == "text"
    assert part in str(content["text"])


def test_an_unknown_prompt_has_none() -> None:
    """The method answers -32602 then."""
    assert prompt_messages("other", {}) is None


def test_prompts_over_http(mop: Running) -> None:
    """All are listed, each can be got, another cannot."""
    session, _ = mop.initialize()
    listed = mop.call(session, "prompts/list")["result"]["prompts"]
    assert [prompt["name"] for prompt in listed] == [prompt["name"] for prompt in PROMPTS]
    for prompt in listed:
        assert len(mop.call(session, "prompts/get", {"name": prompt["name"]})["result"]["messages"]) == 1
    assert mop.call(session, "prompts/get", {"name": "other"})["error"] == {"code": -32602, "message": "Unknown prompt: other"}
    assert mop.call(session, "prompts/get")["error"]["code"] == -32602


def test_resources_over_http(mop: Running) -> None:
    """All are listed and each reads as JSON text; the catalogue tells that its tools are local."""
    session, _ = mop.initialize()
    listed = mop.call(session, "resources/list")["result"]["resources"]
    assert [resource["uri"] for resource in listed] == [resource["uri"] for resource in RESOURCES]
    texts = {}
    for resource in listed:
        (content,) = mop.call(session, "resources/read", {"uri": resource["uri"]})["result"]["contents"]
        assert content["uri"] == resource["uri"]
        texts[resource["uri"]] = json.loads(content["text"])
    catalog = texts["mop://tools/catalog"]
    assert catalog["totalTools"] == len(catalog["tools"]) == 4
    assert {tool["source"]["type"] for tool in catalog["tools"]} == {"local"}
    assert texts["mop://federation/servers"] == {"federated_servers": [], "federation_enabled": False}
    assert mop.call(session, "resources/read", {"uri": "x"})["error"] == {"code": -32602, "message": "Unknown resource: x"}
