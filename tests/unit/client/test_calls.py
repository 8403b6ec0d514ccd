"""Calls of a session over a transport without a network: matched by id, answered, checked, measured once each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from mop_locust.client.calls import Calls
from mop_locust.client.exchange import Exchanges
from mop_locust.protocol.errors import (
    CheckFailed,
    Disconnected,
    ExchangeTimeout,
    MopError,
    RemoteProtocolError,
    RpcError,
    ToolError,
)
from mop_locust.protocol.mcp import CallResult, revision
from mop_locust.protocol.session import Session, State
from tests.unit.client.memory import Link, Said, Script, Taken, notification, refusal, request, result

Built = tuple[Calls, Link, Taken]


def calls(script: Script) -> Built:
    """A session that takes calls at once, its peer and its recorder."""
    taken, link = Taken(), Link(script)
    return Calls(Session(revision("2025-11-25"), handshake=False), Exchanges("tests", taken, 5.0, {}), link), link, taken


def answering(*items: bytes | BaseException | None) -> Built:
    """A session whose peer says these, once, when the first message has come."""
    once = list(items)

    def script(_: dict[str, Any]) -> Said:
        said, once[:] = list(once), []
        return said

    return calls(script)


def test_a_request_gives_the_raw_result_of_its_id() -> None:
    """The message is JSON-RPC with its params; the result comes back as it was written."""
    user, link, taken = calls(lambda message: [result(message["id"], {"a": [1, 2]})])
    assert bytes(user.request("x/y", {"k": "v"})) == b'{"a": [1, 2]}'
    assert bytes(user.request("x/z")) == b'{"a": [1, 2]}'
    assert link.sent == [
        {"jsonrpc": "2.0", "id": 1, "method": "x/y", "params": {"k": "v"}},
        {"jsonrpc": "2.0", "id": 2, "method": "x/z"},
    ]
    assert taken.ends == [("x/y", "ok", ""), ("x/z", "ok", "")]


def test_notifications_are_passed_over() -> None:
    """Any number of them may come before the answer."""
    user, _, taken = answering(notification("a"), notification("notifications/progress"), result(1, "it"))
    assert user.request("m") == Raw(b'"it"')
    assert taken.ends == [("m", "ok", "")]


def test_an_error_without_an_id_is_never_taken_for_the_answer() -> None:
    """The MOP server sends such errors for notifications; the answer with the id still counts."""
    user, _, taken = answering(refusal(None, -32603, "no"), result(1, "it"))
    assert user.request("m") == Raw(b'"it"')
    assert taken.ends == [("m", "ok", "")]


def test_an_error_without_an_id_alone_ends_at_the_deadline() -> None:
    """Nobody answered the request, so the exchange is a timeout and no JSON-RPC error."""
    user, _, taken = answering(refusal(None, -32603, "no"))
    with pytest.raises(ExchangeTimeout):
        user.request("m")
    assert taken.ends == [("m", "timeout", "no answer")]


def test_an_answer_to_nobody_and_a_duplicate_are_passed_over() -> None:
    """Only an answer with the id of a pending request is an answer; the second one with it is none."""
    user, link, taken = answering(
        result(77, "foreign"), result("1", "a text is another id"), result(1, "first"), result(1, "again")
    )
    assert user.request("m") == Raw(b'"first"')
    link.coming.append(result(2, "second"))
    assert user.request("n") == Raw(b'"second"')
    assert taken.ends == [("m", "ok", ""), ("n", "ok", "")]


def test_a_late_answer_is_nobodys() -> None:
    """After a timeout the request is given up: what comes later must not answer the next request."""
    user, link, taken = answering()
    with pytest.raises(ExchangeTimeout):
        user.request("slow")
    link.coming += [result(1, "late"), result(2, "in time")]
    assert user.request("next") == Raw(b'"in time"')
    assert taken.ends == [("slow", "timeout", "no answer"), ("next", "ok", "")]


@pytest.mark.parametrize(
    ("said", "label"),
    [([None], "no answer"), ([result(9, 0), None], "wrong id"), ([notification("a"), None], "no answer")],
    ids=["nothing", "another id", "a notification"],
)
def test_an_answer_that_ends_without_ours_breaks_the_protocol(said: Said, label: str) -> None:
    """HTTP answers end: one without our id is a fault of the server, and told from one with nothing in it."""
    user, _, taken = answering(*said)
    with pytest.raises(RemoteProtocolError):
        user.request("m")
    assert taken.ends == [("m", "protocol", label)]


@pytest.mark.parametrize(
    ("said", "label"),
    [(b"nonsense", "not JSON"), (b'{"jsonrpc":"1.0"}', "not JSON-RPC"), (b"[]", "batch"), (b"", "not JSON")],
)
def test_what_is_no_json_rpc_breaks_the_protocol(said: bytes, label: str) -> None:
    """One sample, with the class of the mistake."""
    user, _, taken = answering(said)
    with pytest.raises(RemoteProtocolError):
        user.request("m")
    assert taken.ends == [("m", "protocol", label)]


def test_nonsense_for_initialize_is_the_servers_fault() -> None:
    """It puts the session into ERROR; giving the request up must not be tried then, which would look like a fault of ours."""
    core, link, taken = Session(revision("2025-11-25")), Link(lambda _: [b"nonsense"]), Taken()
    user = Calls(core, Exchanges("tests", taken, 5.0, {}), link)
    with pytest.raises(RemoteProtocolError, match="not JSON"):
        user._measure("initialize", lambda deadline: user._answer(*core.initialize(), deadline))
    assert (taken.ends, core.state) == ([("initialize", "protocol", "not JSON")], State.ERROR)


def test_the_servers_requests_are_answered_while_we_wait() -> None:
    """A ping gets its empty result, anything else "method not found", under the server's own id; then the answer counts."""
    user, link, taken = answering(request("s-1", "ping"), request(7, "sampling/createMessage"), result(1, "it"))
    assert user.request("m") == Raw(b'"it"')
    assert link.sent[1:] == [
        {"jsonrpc": "2.0", "id": "s-1", "result": {}},
        {"jsonrpc": "2.0", "id": 7, "error": {"code": -32601, "message": "Method not found"}},
    ]
    assert taken.ends == [("m", "ok", "")]


def test_a_request_of_the_server_with_our_id_is_no_answer() -> None:
    """Ids of the two directions are counted apart (JSON-RPC 2.0, section 4)."""
    user, link, _ = answering(request(1, "ping"), result(1, "it"))
    assert user.request("m") == Raw(b'"it"')
    assert link.sent[1] == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_a_json_rpc_error_is_raised_with_its_code() -> None:
    """The label is the code, the message stays in the error."""
    user, _, taken = calls(lambda message: [refusal(message["id"], -32000, "busy")])
    with pytest.raises(RpcError) as caught:
        user.ping()
    assert (caught.value.code, caught.value.message) == (-32000, "busy")
    assert taken.ends == [("ping", "rpc_error", "JSON-RPC -32000")]


def test_a_probe_takes_an_error_for_a_sign_of_life() -> None:
    """The MOP server's socket knows no ping: it answers with an error, and lives."""
    user, _, taken = calls(lambda message: [refusal(message["id"], -32601, "Method not found")])
    user.probe("ping")
    assert taken.ends == [("ping", "ok", "")]


def test_a_lost_connection_is_told_as_it_is() -> None:
    """The transport's error goes on, one sample."""
    user, _, taken = answering(Disconnected("closed 1001", code=1001))
    with pytest.raises(Disconnected):
        user.probe("ping")
    assert taken.ends == [("ping", "disconnected", "closed 1001")]


Reader = tuple[str, dict[str, object], Callable[[Calls], object], object, object]

READERS: list[Reader] = [
    ("tools/list", {}, lambda c: [t.name for t in c.list_tools().tools], {"tools": [{"name": "a"}, {"name": "b"}]}, ["a", "b"]),
    ("tools/list", {"cursor": "2"}, lambda c: c.list_tools("2").nextCursor, {"tools": [], "nextCursor": "3"}, "3"),
    ("resources/list", {}, lambda c: c.list_resources().resources[0].uri, {"resources": [{"uri": "u:1"}]}, "u:1"),
    ("resources/list", {"cursor": "c"}, lambda c: c.list_resources("c").resources, {"resources": []}, []),
    (
        "resources/read",
        {"uri": "u"},
        lambda c: c.read_resource("u").contents[0].text,
        {"contents": [{"uri": "u", "text": "t"}]},
        "t",
    ),
    ("prompts/list", {}, lambda c: c.list_prompts().prompts[0].name, {"prompts": [{"name": "p"}]}, "p"),
    ("prompts/list", {"cursor": "c"}, lambda c: c.list_prompts("c").nextCursor, {"prompts": []}, None),
    ("prompts/get", {"name": "p", "arguments": {}}, lambda c: c.get_prompt("p").messages, {"messages": []}, []),
    (
        "prompts/get",
        {"name": "p", "arguments": {"a": "1"}},
        lambda c: c.get_prompt("p", {"a": "1"}).description,
        {"messages": [], "description": "d"},
        "d",
    ),
]


@pytest.mark.parametrize(("method", "params", "call", "value", "read"), READERS)
def test_each_method_sends_its_params_and_reads_its_result(
    method: str, params: dict[str, object], call: Callable[[Calls], object], value: object, read: object
) -> None:
    """The names and shapes are those of the MCP schema 2025-11-25."""
    user, link, taken = calls(lambda message: [result(message["id"], value)])
    assert call(user) == read
    assert (link.sent[0]["method"], link.sent[0].get("params", {})) == (method, params)
    assert taken.ends == [(method, "ok", "")]


@pytest.mark.parametrize(("method", "params", "call", "value", "read"), READERS)
def test_a_result_of_another_shape_breaks_the_protocol(
    method: str, params: dict[str, object], call: Callable[[Calls], object], value: object, read: object
) -> None:
    """A reader takes no half of a result, and the mistake is in the exchange's own sample."""
    user, _, taken = calls(lambda message: [result(message["id"], {"unlike": []})])
    with pytest.raises(RemoteProtocolError):
        call(user)
    assert taken.ends == [(method, "protocol", "bad result")]


def text(*pieces: str, **more: object) -> dict[str, object]:
    """A tool's result of texts."""
    return {"content": [{"type": "text", "text": piece} for piece in pieces], **more}


def test_a_tool_call_names_its_tool_in_the_sample() -> None:
    """Arguments are an object also when none are given; the sample is of the tool."""
    user, link, taken = calls(lambda message: [result(message["id"], text("found"))])
    assert user.call_tool("search", {"query": "load"}).content[0].text == "found"
    user.call_tool("other")
    assert [message["params"] for message in link.sent] == [
        {"name": "search", "arguments": {"query": "load"}},
        {"name": "other", "arguments": {}},
    ]
    assert [(sample.method, sample.tool, sample.outcome) for sample in taken.samples] == [
        ("tools/call", "search", "ok"),
        ("tools/call", "other", "ok"),
    ]


@pytest.mark.parametrize(
    ("answer", "label", "said"),
    [
        (text("went wrong", isError=True), "isError", "went wrong"),
        (text('{"error": "Unknown tool: x"}'), "error in content", "Unknown tool: x"),
        (text("fine", '{"error": {"code": 1}}'), "error in content", '{"code": 1}'),
    ],
)
def test_a_tool_that_failed_is_no_success(answer: dict[str, object], label: str, said: str) -> None:
    """Both ways to say it count: `isError`, and the MOP server's text with an `error` in it."""
    user, _, taken = calls(lambda message: [result(message["id"], answer)])
    with pytest.raises(ToolError) as caught:
        user.call_tool("search")
    assert caught.value.text == said
    assert taken.ends == [("tools/call", "tool_error", label)]


@pytest.mark.parametrize("said", ['{"error": null}', "error: none", '["error"]', '{"result": {"error": 1}}'])
def test_a_text_about_errors_is_a_success(said: str) -> None:
    """Only a top-level `error` that is not null tells a failure."""
    user, _, taken = calls(lambda message: [result(message["id"], text(said))])
    assert user.call_tool("search").content[0].text == said
    assert taken.ends == [("tools/call", "ok", "")]


def test_a_check_that_fails_makes_the_exchange_fail() -> None:
    """The check sees the answer before the sample leaves; without one every answer is taken."""

    def check(answer: CallResult) -> None:
        if answer.content[0].text != "good":
            raise CheckFailed("not good")

    said = iter(("good", "bad"))
    user, _, taken = calls(lambda message: [result(message["id"], text(next(said)))])
    assert user.call_tool("search", check=check).content[0].text == "good"
    with pytest.raises(CheckFailed):
        user.call_tool("search", check=check)
    assert taken.ends == [("tools/call", "ok", ""), ("tools/call", "check", "not good")]


def test_the_check_sees_no_answer_of_a_failed_tool() -> None:
    """A tool error is told as that, whatever the check would say."""
    user, _, taken = calls(lambda message: [result(message["id"], text("no", isError=True))])
    with pytest.raises(ToolError):
        user.call_tool("search", check=lambda _: pytest.fail("the check was asked"))
    assert taken.ends == [("tools/call", "tool_error", "isError")]


def test_a_session_without_initialize_knows_no_server() -> None:
    """The names are empty rather than None, so that they can be shown."""
    user, _, _ = calls(lambda _: [])
    assert (user.server_name, user.server_version, user.protocol_version) == ("", "", "")


noise = st.sampled_from(
    [notification("n"), request(1, "ping"), refusal(None, 1, "x"), result(99, 1), result("1", 1), refusal(98, -1, "x")]
)


@given(st.lists(noise, max_size=6), st.booleans())
def test_whatever_comes_before_it_the_answer_counts(before: list[bytes], good: bool) -> None:
    """Any mixture of other messages before the answer changes neither the result nor the number of samples."""
    user, _, taken = answering(*before, result(1, "it") if good else refusal(1, -5, "no"))
    if good:
        assert user.request("m") == Raw(b'"it"')
    else:
        with pytest.raises(RpcError):
            user.request("m")
    assert len(taken.samples) == 1


@given(st.lists(st.one_of(st.binary(max_size=40), noise, st.just(None)), max_size=6))
def test_whatever_else_comes_is_one_sample_of_a_typed_error(said: Said) -> None:
    """Bytes of any kind, none of them the answer, end in one sample that is never a fault of ours."""
    user, _, taken = answering(*said)
    with pytest.raises(MopError) as caught:
        user.request("m")
    assert taken.errors == [caught.value]
    [(_, outcome, _)] = taken.ends
    assert outcome in ("timeout", "protocol")
