"""What can be asked in a session over HTTP: each call is one exchange, with a typed answer or the outcome that it deserves."""

from __future__ import annotations

import json

import msgspec
import pytest

from mop_locust.protocol.errors import HttpStatusError, RpcError, ToolError
from tests.contract.fleet import Fleet
from tests.contract.side import SideMaker
from tests.contract.tap import Tap
from tests.contract.targets import (
    IS_ERROR,
    MCP_SSE,
    OK,
    SDK_JSON,
    SDK_POST_ONLY,
    SDK_SSE,
    SDK_STATELESS,
    HttpTarget,
    rpc_error,
)


def test_ping(http: SideMaker, http_target: HttpTarget) -> None:
    """All servers answer `ping` over HTTP."""
    side = http()
    with side.session() as session:
        session.ping()
    assert side.exchanges() == http_target.session(("http", "ping", OK))


def test_a_probe_is_a_ping(http: SideMaker, http_target: HttpTarget) -> None:
    """Any answer proves life, an error too."""
    side = http()
    with side.session() as session:
        session.probe("ping")
        session.probe("no/such/method")
    assert side.exchanges() == http_target.session(("http", "ping", OK), ("http", "no/such/method", OK))


def test_tools_are_listed(http: SideMaker, http_target: HttpTarget) -> None:
    """Each tool has a name, a description and a schema for its arguments; there is one page."""
    side = http()
    with side.session() as session:
        listed = session.list_tools()
    assert {tool.name for tool in listed.tools} == http_target.goods.tools
    assert listed.nextCursor is None
    for tool in listed.tools:
        assert tool.description
        assert msgspec.json.decode(tool.inputSchema)["type"] == "object"
    assert side.exchanges() == http_target.session(("http", "tools/list", OK))


def test_a_tool_is_called(http: SideMaker, http_target: HttpTarget) -> None:
    """The answer holds what the tool was given, beyond ASCII too, and the sample names the tool."""
    side, goods = http(), http_target.goods
    said = 'Grüße aus 東京, "quoted" \\ \n 🚀'
    with side.session() as session:
        answer = session.call_tool(goods.echo, {"query": said})
    assert [piece.type for piece in answer.content] == ["text"]
    assert answer.content[0].text is not None
    assert goods.echoed(answer.content[0].text) == said
    assert not answer.isError
    assert side.exchanges() == http_target.session(("http", "tools/call", OK))
    assert [sample.tool for sample in side.recording.samples][:2] == ["", goods.echo]


def test_an_unknown_tool_is_a_failure(http: SideMaker, http_target: HttpTarget) -> None:
    """Whatever the status says: the standard way is `isError`, the MOP server's an `error` in the text."""
    side = http()
    with side.session() as session:
        with pytest.raises(ToolError) as caught:
            session.call_tool("no_such_tool")
        session.ping()
    assert caught.value.text == "Unknown tool: no_such_tool"
    assert side.exchanges() == http_target.session(("http", "tools/call", http_target.unknown_tool), ("http", "ping", OK))


def test_a_missing_argument(http: SideMaker, http_target: HttpTarget) -> None:
    """Standard servers check the arguments; the MOP server does not over HTTP."""
    side = http()
    with side.session() as session:
        if http_target.missing_argument == OK:
            session.call_tool(http_target.goods.echo)
        else:
            with pytest.raises(ToolError):
                session.call_tool(http_target.goods.echo)
    assert side.exchanges() == http_target.session(("http", "tools/call", http_target.missing_argument))


@pytest.mark.parametrize("http_target", [SDK_SSE, SDK_JSON, SDK_STATELESS, SDK_POST_ONLY], indirect=True)
def test_a_tool_that_raises(http: SideMaker, http_target: HttpTarget) -> None:
    """The SDK's server answers `isError`."""
    side = http()
    with side.session() as session, pytest.raises(ToolError) as caught:
        session.call_tool("fails")
    assert caught.value.text == "Error executing tool fails"
    assert side.exchanges() == http_target.session(("http", "tools/call", IS_ERROR))
    assert side.recording.samples[1].tool == "fails"


def test_an_unknown_method(http: SideMaker, http_target: HttpTarget) -> None:
    """HTTP 200 and JSON-RPC -32601 is a failure."""
    side = http()
    with side.session() as session, pytest.raises(RpcError) as caught:
        session.request("no/such/method")
    assert caught.value.code == -32601
    assert caught.value.message == "Method not found"
    assert side.exchanges() == http_target.session(("http", "no/such/method", rpc_error(-32601)))


def test_prompts(http: SideMaker, http_target: HttpTarget) -> None:
    """A listed prompt can be had, with its argument in it."""
    side = http()
    name, arguments, text = http_target.goods.prompt
    with side.session() as session:
        listed = session.list_prompts()
        message = session.get_prompt(name, arguments).messages[0]
    assert {prompt.name for prompt in listed.prompts} == http_target.goods.prompts
    assert message.role == "user"
    content = msgspec.json.decode(message.content)
    assert content["type"] == "text"
    assert text in content["text"]
    assert side.exchanges() == http_target.session(("http", "prompts/list", OK), ("http", "prompts/get", OK))


def test_an_unknown_prompt(http: SideMaker, http_target: HttpTarget) -> None:
    """A JSON-RPC error; the SDK's server has no code for it."""
    side = http()
    with side.session() as session, pytest.raises(RpcError) as caught:
        session.get_prompt("no_such_prompt")
    assert caught.value.message == "Unknown prompt: no_such_prompt"
    assert side.exchanges() == http_target.session(("http", "prompts/get", rpc_error(http_target.goods.unknown_prompt)))


def test_resources(http: SideMaker, http_target: HttpTarget) -> None:
    """A listed resource can be read."""
    side = http()
    uri, kind, text = http_target.goods.resource
    with side.session() as session:
        listed = session.list_resources()
        (content,) = session.read_resource(uri).contents
    assert {resource.uri for resource in listed.resources} == http_target.goods.resources
    assert (content.uri, content.mimeType, content.text, content.blob) == (uri, kind, text, None)
    assert side.exchanges() == http_target.session(("http", "resources/list", OK), ("http", "resources/read", OK))


def test_an_unknown_resource(http: SideMaker, http_target: HttpTarget) -> None:
    """JSON-RPC -32602, everywhere."""
    side = http()
    with side.session() as session, pytest.raises(RpcError) as caught:
        session.read_resource("test://nothing")
    assert caught.value.message == "Unknown resource: test://nothing"
    assert side.exchanges() == http_target.session(("http", "resources/read", rpc_error(-32602)))


@pytest.mark.parametrize("http_target", [SDK_SSE, SDK_JSON, SDK_STATELESS, SDK_POST_ONLY], indirect=True)
def test_the_server_asks_in_the_middle_of_a_call(http: SideMaker, http_target: HttpTarget) -> None:
    """A ping is answered, a request that we cannot serve refused, a notification passed over, and it all is one exchange.

    The tool's text tells what the SDK's server got. The session is good for the next call.
    """
    side = http()
    with side.session() as session:
        answer = session.call_tool("asks")
        session.ping()
    assert answer.content[0].text == http_target.asks
    assert side.exchanges() == http_target.session(("http", "tools/call", OK), ("http", "ping", OK))


@pytest.mark.parametrize("http_target", [MCP_SSE], indirect=True)
def test_the_answer_to_the_server_is_a_post_of_its_own(http: SideMaker, http_target: HttpTarget, fleet: Fleet) -> None:
    """It goes out on a second connection while the first still carries the stream, with the headers of the session."""
    with Tap(fleet.address(http_target.process)) as tap:
        side = http(host=tap.address)
        with side.session() as session:
            session_id = side.transport.session_id
            session.call_tool(http_target.goods.echo, {"query": "x"})
    first, second = tap.conversations
    assert [json.loads(request.body or b"{}").get("method") for request in first.requests()] == ["initialize", "tools/call", None]
    (reply,) = second.requests()
    assert json.loads(reply.body) == {"jsonrpc": "2.0", "id": "server-1", "result": {}}
    assert reply.method == "POST"
    assert reply.headers["mcp-session-id"] == session_id
    assert reply.headers["mcp-protocol-version"] == http_target.version
    assert reply.headers["authorization"] == "Bearer DEMO_KEY_PUBLIC"
    assert second.received.startswith(b"HTTP/1.1 202 ")
    assert side.exchanges() == http_target.session(("http", "tools/call", OK))


def test_many_calls_in_one_session(http: SideMaker, http_target: HttpTarget) -> None:
    """Ids count up, answers match, nothing is left over between calls."""
    side, goods = http(), http_target.goods
    with side.session() as session:
        for number in range(20):
            text = session.call_tool(goods.echo, {"query": f"call {number}"}).content[0].text
            assert text is not None
            assert goods.echoed(text) == f"call {number}"
    assert side.exchanges() == http_target.session(*[("http", "tools/call", OK)] * 20)


def test_bad_params_are_the_servers_to_refuse(http: SideMaker, http_target: HttpTarget) -> None:
    """`tools/call` without a name: JSON-RPC -32602."""
    side = http()
    with side.session() as session, pytest.raises((RpcError, HttpStatusError)):
        session.request("tools/call", {})
    assert side.exchanges() == http_target.session(("http", "tools/call", rpc_error(-32602)))
