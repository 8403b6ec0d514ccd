"""The messages of the MCP methods: what is read, what is refused, and which tool answers are failures."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw

from mop_locust.protocol.errors import RemoteProtocolError, ToolError
from mop_locust.protocol.mcp import (
    REVISIONS,
    CallResult,
    Content,
    InitializeResult,
    PromptGet,
    PromptsList,
    ResourceContents,
    ResourceRead,
    ResourcesList,
    ServerInfo,
    ToolsList,
    check_tool_result,
    initialize_params,
    read_initialize,
    read_result,
    read_tools,
    revision,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def raw(value: object) -> Raw:
    """The value as a server would send it."""
    return Raw(json.dumps(value).encode())


def test_known_revisions() -> None:
    """Four revisions have sessions; the newer two ask for the version header."""
    assert {version: known.asks_for_version_header for version, known in REVISIONS.items()} == {
        "2024-11-05": False,
        "2025-03-26": False,
        "2025-06-18": True,
        "2025-11-25": True,
    }
    assert all(revision(version).version == version for version in REVISIONS)


def test_an_unknown_revision_is_named_with_the_known_ones() -> None:
    """A typing mistake in a setting is answered with what is possible."""
    with pytest.raises(ValueError, match="'2025-11-26'; known are 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25"):
        revision("2025-11-26")


def test_initialize_params() -> None:
    """The params of `initialize`, as the schema has them."""
    assert msgspec.json.decode(initialize_params(revision("2025-11-25"), "mop-locust", "0.1.0")) == {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "mop-locust", "version": "0.1.0"},
    }


def test_initialize_of_the_mop_server() -> None:
    """The MOP server puts the session id in the result and more fields than the schema."""
    answer = read_initialize(
        raw(
            {
                "protocolVersion": "2024-11-05",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "mop-server", "title": "MOP", "version": "0.1.4"},
                "instructions": "…",
                "sessionId": "mop-1",
            }
        )
    )
    assert (answer.protocolVersion, answer.sessionId) == ("2024-11-05", "mop-1")
    assert answer.serverInfo == ServerInfo("mop-server", "0.1.4")
    assert json.loads(bytes(answer.capabilities)) == {"tools": {}}


def test_initialize_of_a_terse_server() -> None:
    """The version is all that is needed."""
    answer = read_initialize(raw({"protocolVersion": "2025-06-18"}))
    assert (answer.protocolVersion, answer.serverInfo, answer.sessionId) == ("2025-06-18", ServerInfo(), None)
    assert bytes(answer.capabilities) == b"{}"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        {"protocolVersion": 20241105},
        {"protocolVersion": ""},
        {"protocolVersion": "2024-11-05\r\nX-Smuggled: 1"},
        {"protocolVersion": "2024-11-05", "sessionId": 5},
        {"protocolVersion": "2024-11-05", "sessionId": ""},
        {"protocolVersion": "2024-11-05", "sessionId": "mop-1\n"},
        {"protocolVersion": "2024-11-05", "sessionId": "é"},
        {"protocolVersion": "2024-11-05", "sessionId": "x" * 257},
    ],
)
def test_an_initialize_result_that_cannot_be_used(answer: object) -> None:
    """The version and the session id go into HTTP headers: nothing but visible ASCII is taken."""
    with pytest.raises(RemoteProtocolError) as caught:
        read_initialize(raw(answer))
    assert caught.value.label == "bad result"


def test_tools() -> None:
    """Tools keep their schema as raw JSON; unknown fields are ignored."""
    answer = read_tools(
        raw(
            {
                "tools": [
                    {"name": "a", "description": "A", "inputSchema": {"type": "object"}, "outputSchema": None},
                    {"name": "b"},
                ],
                "nextCursor": "2",
            }
        )
    )
    assert [(tool.name, tool.description, bytes(tool.inputSchema)) for tool in answer.tools] == [
        ("a", "A", b'{"type": "object"}'),
        ("b", None, b"{}"),
    ]
    assert answer.nextCursor == "2"


@pytest.mark.parametrize("answer", [{}, {"tools": None}, {"tools": [{}]}, {"tools": ["a"]}, "tools"])
def test_tools_of_another_shape(answer: object) -> None:
    """An answer that lists no tools is not an empty list."""
    with pytest.raises(RemoteProtocolError) as caught:
        read_tools(raw(answer))
    assert caught.value.label == "bad result"


def test_resources() -> None:
    """The list and the contents of resources."""
    resource = {"uri": "mop://a", "name": "A", "mimeType": "text/plain", "size": 1}
    listed = read_result(raw({"resources": [resource]}), ResourcesList)
    assert [(one.uri, one.name, one.mimeType) for one in listed.resources] == [("mop://a", "A", "text/plain")]
    assert listed.nextCursor is None
    read = read_result(raw({"contents": [{"uri": "a", "text": "x"}, {"uri": "b", "blob": "AA=="}]}), ResourceRead)
    assert read.contents == [ResourceContents("a", None, "x", None), ResourceContents("b", None, None, "AA==")]


def test_prompts() -> None:
    """The list and the messages of prompts."""
    listed = read_result(raw({"prompts": [{"name": "p", "arguments": []}], "nextCursor": None}), PromptsList)
    assert [(prompt.name, prompt.description) for prompt in listed.prompts] == [("p", None)]
    got = read_result(raw({"messages": [{"role": "user", "content": {"type": "text", "text": "hi"}}]}), PromptGet)
    assert [(message.role, bytes(message.content)) for message in got.messages] == [("user", b'{"type": "text", "text": "hi"}')]


READ_TYPES = [InitializeResult, ToolsList, CallResult, ResourcesList, ResourceRead, PromptsList, PromptGet]


@given(st.binary() | values.map(lambda value: json.dumps(value).encode()), st.sampled_from(READ_TYPES))
@example(b"[" * 100_000, CallResult)
def test_any_bytes_give_a_result_or_a_protocol_error(data: bytes, kind: type[Any]) -> None:
    """A reader lets no other exception out."""
    label = ""
    try:
        assert isinstance(read_result(Raw(data), kind), kind)
    except RemoteProtocolError as error:
        label = error.label
    assert label in {"", "bad result"}


def call(text: str, **more: object) -> Raw:
    """A tool's answer with one text."""
    return raw({"content": [{"type": "text", "text": text}], **more})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "done",
        "an error in prose",
        '{"error": null, "results": []}',
        '{"results": [{"error": "below the top"}]}',
        '{"errors": ["another key"]}',
        '["error"]',
        '"error"',
        '{"error": cut',
        '{"error" : null }',
        '{"text": "caf\\u00e9"}',
        '{"error":' + "[" * 50_000,
    ],
)
def test_good_tool_answers(text: str) -> None:
    """An answer that only speaks of errors is a good one."""
    assert check_tool_result(call(text, isError=False)) == CallResult([Content("text", text)], False)


@pytest.mark.parametrize("is_error", [None, False])
def test_a_good_answer_need_not_say_so(is_error: bool | None) -> None:
    """`isError` may be null, false or absent."""
    assert check_tool_result(call("ok", isError=is_error)).isError is is_error
    assert check_tool_result(call("ok")).isError is None


def test_only_texts_are_looked_into() -> None:
    """Images, and texts of other kinds of content, do not tell of failures."""
    content = [{"type": "image", "data": "error", "mimeType": "image/png"}, {"type": "other", "text": '{"error": 1}'}]
    assert [piece.type for piece in check_tool_result(raw({"content": content})).content] == ["image", "other"]


def test_a_tool_that_says_it_failed() -> None:
    """`isError` wins, and the texts say why."""
    content = [{"type": "text", "text": "no"}, {"type": "image"}, {"type": "text", "text": '{"error":"query"}'}]
    with pytest.raises(ToolError) as caught:
        check_tool_result(raw({"content": content, "isError": True}))
    assert (caught.value.label, caught.value.text) == ("isError", 'no {"error":"query"}')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"error": "Unknown tool: x"}', "Unknown tool: x"),
        (' \n{"tool": "x", "error": {"code": 1}}', '{"code": 1}'),
        ('{"error": false}', "false"),
        ('{"\\u0065rror": "hidden"}', "hidden"),
        ('{"error": ""}', ""),
        ('{"error": 1e999}', "1e999"),
    ],
)
def test_an_error_in_the_content(text: str, said: str) -> None:
    """The MOP server's way over HTTP: status 200, no `isError`, and a text whose JSON has an `error`."""
    with pytest.raises(ToolError) as caught:
        check_tool_result(raw({"content": [{"type": "text", "text": "first"}, {"type": "text", "text": text}]}))
    assert (caught.value.label, caught.value.text) == ("error in content", said)


@pytest.mark.parametrize("answer", [{}, {"content": None}, {"content": [{}]}, {"content": [], "isError": "yes"}, []])
def test_a_tool_answer_of_another_shape(answer: object) -> None:
    """An answer without content is not a success."""
    with pytest.raises(RemoteProtocolError) as caught:
        check_tool_result(raw(answer))
    assert caught.value.label == "bad result"


@given(st.text() | st.dictionaries(st.sampled_from(["error", "a"]), values).map(json.dumps))
def test_the_cheap_look_never_changes_the_outcome(text: str) -> None:
    """A text is an error exactly when the standard library reads an object with an `error` that is not null."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    fails = isinstance(told, dict) and told.get("error") is not None
    label = ""
    try:
        check_tool_result(call(text))
    except ToolError as error:
        label = error.label
    assert label == ("error in content" if fails else "")
