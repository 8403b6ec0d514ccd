"""The look at the target before the load: what it finds, whose fault it is, and in which words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from msgspec import Raw

from mop_locust.config import ApiKey
from mop_locust.preflight import Findings, look, tool_mistakes
from mop_locust.protocol.mcp import Tool, ToolsList
from tests.unit.client.memory import reference, refusal, result, settings
from tests.unit.small_server import tiny
from tests.unit.transports.loopback import Behaviour, Loopback, Peer, Request, answer, text, unused_port

ALL = ("http", "sse", "websocket")
DEMO = ApiKey("DEMO_KEY_PUBLIC")


@pytest.fixture(scope="module")
def mcp() -> Iterator[dict[str, str]]:
    """The variables of a standard MCP server."""
    with reference("--dialect", "mcp") as variables:
        yield variables


Serve = Callable[[Behaviour], Loopback]


def found(server: Loopback, *transports: str, **values: str) -> Findings:
    """What the look at this server finds."""
    urls = {"MOP_HTTP_BASE": server.url("http"), "MOP_BASE_URL": server.url("ws", "/ws")}
    return look(settings(**urls, **values), DEMO, transports or ALL)


def ends(findings: Findings) -> list[tuple[str, str, str]]:
    """How the preflight's own exchanges ended."""
    return [(sample.transport, sample.method, sample.outcome) for sample in findings.exchanges]


def test_the_mop_server_is_found(mop: dict[str, str]) -> None:
    """Reachable on all transports, four tools; it does not take notifications/initialized over HTTP."""
    findings = look(settings(**mop), DEMO, ALL)
    assert (findings.state, findings.target_faults, findings.mistakes) == ("passed", [], [])
    assert findings.sentences == [
        f"{mop['MOP_HTTP_BASE']}: mop-locust-reference 0.1.4, MCP 2024-11-05",
        "4 tools",
        "an event stream opens",
        f"{mop['MOP_BASE_URL']}: answers ping",
    ]
    assert (findings.server_name, findings.server_version) == ("mop-locust-reference", "0.1.4")
    assert findings.takes_initialized is False
    assert ends(findings) == [
        ("http", "initialize", "ok"),
        ("http", "notifications/initialized", "http_status"),
        ("http", "tools/list", "ok"),
        ("sse", "stream", "ok"),
        ("http", "delete", "ok"),
        ("websocket", "connect", "ok"),
        ("websocket", "ping", "ok"),
        ("websocket", "close", "ok"),
    ]
    assert {sample.scenario for sample in findings.exchanges} == {"preflight"}


def test_a_standard_server_takes_initialized(mcp: dict[str, str]) -> None:
    """That decides whether the load sends it, where MOP_INITIALIZED is auto."""
    findings = look(settings(**mcp), DEMO, ("http",))
    assert findings.takes_initialized is True
    assert findings.sentences[0] == f"{mcp['MOP_HTTP_BASE']}: mop-locust-reference 0.1.4, MCP 2025-11-25"
    assert ends(findings)[1] == ("http", "notifications/initialized", "ok")


def test_only_the_needed_transports_are_looked_at(mop: dict[str, str]) -> None:
    """A WebSocket scenario needs no HTTP, and the other way round; a session is not even left open on purpose."""
    assert ends(look(settings(**mop), DEMO, ["websocket"])) == [
        ("websocket", "connect", "ok"),
        ("websocket", "ping", "ok"),
        ("websocket", "close", "ok"),
    ]
    http = look(settings(**mop, MOP_LEAK_SESSIONS="1"), DEMO, ["http"])
    assert [method for _, method, _ in ends(http)] == ["initialize", "notifications/initialized", "tools/list", "delete"]
    assert look(settings(**mop), DEMO, []).exchanges == []


def test_a_refused_key_is_the_users_mistake(mop: dict[str, str]) -> None:
    """The sentence names the variables and not the key; nothing else is blamed on the target."""
    findings = look(settings(**mop), ApiKey("wrong-key"), ("http",))
    assert findings.state == "failed"
    assert findings.mistakes == [
        f"401: the server refused the key at {mop['MOP_HTTP_BASE']}; set MOP_API_KEY or MOP_API_KEY_FILE",
    ]
    assert (findings.target_faults, findings.sentences) == ([], [])


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refused_key_on_the_upgrade_is_the_users_mistake_too(serve: Serve, status: str) -> None:
    """Either status says so, on the WebSocket as well."""

    def refuse(peer: Peer) -> None:
        peer.request()
        peer.write(answer(status=status, kind=""))

    server = serve(refuse)
    findings = found(server, "websocket")
    assert findings.mistakes == [
        f"{status[:3]}: the server refused the key at {server.url('ws', '/ws')}; set MOP_API_KEY or MOP_API_KEY_FILE"
    ]
    assert findings.target_faults == []


def test_nothing_listens() -> None:
    """Each endpoint is named once with what happened; that is the target's fault."""
    port = unused_port()
    values = {"MOP_HTTP_BASE": f"http://127.0.0.1:{port}/mcp", "MOP_BASE_URL": f"ws://127.0.0.1:{port}/ws"}
    findings = look(settings(**values), DEMO, ALL)
    assert findings.state == "failed"
    assert findings.target_faults == [
        f"nothing to test at http://127.0.0.1:{port}/mcp: connection refused",
        f"nothing to test at ws://127.0.0.1:{port}/ws: connection refused",
    ]
    assert (findings.mistakes, findings.sentences) == ([], [])


def not_found(request: Request) -> bytes:
    """Any server's answer to a path that it has not."""
    return answer(b"no such page", status="404 Not Found", kind="text/plain")


def test_a_server_without_anything_at_the_path(serve: Serve) -> None:
    """404, and no WebSocket either."""

    def behaviour(peer: Peer) -> None:
        while (asked := peer.request()) is not None:
            peer.write(not_found(asked))

    server = serve(behaviour)
    findings = found(server, "http", "sse")
    assert findings.target_faults == [f"no HTTP transport here (404 at {server.url('http')})"]


def test_a_server_with_a_websocket_alone(serve: Serve) -> None:
    """404 over HTTP; the sentence says what can be run instead."""

    def behaviour(peer: Peer) -> None:
        if peer.number == 1:
            peer.request()
            peer.write(not_found(Request("POST", "/mcp", {}, b"")))
            return
        peer.upgrade()
        frames = peer.frames()
        message = frames.next()
        peer.write(text(refusal(json.loads(message.data)["id"], -32601, "Method not found")))  # type: ignore[union-attr]
        frames.next()
        peer.write(b"\x88\x02\x03\xe8")

    server = serve(behaviour)
    findings = found(server, "http")
    assert findings.target_faults == [f"no HTTP transport here (404 at {server.url('http')}); the WebSocket scenario can run"]


def test_a_server_without_event_streams(serve: Serve) -> None:
    """405 to the GET is allowed by MCP, and means that the stream scenario has nothing to test."""
    server = serve(lambda peer: tiny(peer, GET=answer(status="405 Method Not Allowed", kind="")))
    findings = found(server, "sse")
    assert findings.target_faults == [f"no event stream here (405 at GET {server.url('http')})"]
    assert findings.sentences == [f"{server.url('http')}: tiny 1.2, MCP 2025-03-26", "1 tool on the first page"]
    assert found(server, "http").state == "passed"
    assert ends(findings)[-1] == ("http", "delete", "ok")


def test_a_stream_that_breaks_is_told_as_it_is(serve: Serve) -> None:
    """Any other status of the GET, and any other content."""
    server = serve(lambda peer: tiny(peer, GET=answer(b"<html>", kind="text/html")))
    assert found(server, "sse").target_faults == [
        f"GET {server.url('http')} does not work over event stream: the server broke the protocol: wrong content type (text/html)"
    ]


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (answer(b"down", status="503 Busy", kind="text/plain"), "the server did not accept the request: HTTP 503 (down)"),
        (answer(status="405 No", kind=""), "the server did not accept the request: HTTP 405"),
        (answer(b"nonsense"), "the server broke the protocol: not JSON"),
        (answer(refusal(1, -32000, "busy")), "the server answered with an error: JSON-RPC -32000 (busy)"),
        (b"", "the connection ended too early: closed early"),
        (b"no http\r\n\r\n", "the server broke the protocol: bad HTTP"),
    ],
    ids=["status", "no POST", "no JSON", "JSON-RPC error", "closed", "no HTTP"],
)
def test_a_server_that_does_not_speak_mcp(serve: Serve, reply: bytes, sentence: str) -> None:
    """One fault of the target with the endpoint and what went wrong; nothing is left open that was never opened."""

    def behaviour(peer: Peer) -> None:
        peer.request()
        if reply:
            peer.write(reply)

    server = serve(behaviour)
    findings = found(server, "http")
    [fault] = findings.target_faults
    assert fault.startswith(f"{server.url('http')} does not work over HTTP: {sentence}")
    assert [method for _, method, _ in ends(findings)] == ["initialize"]


def test_a_server_that_answers_nothing_on_the_websocket(serve: Serve) -> None:
    """The probe has the timeout of an exchange; the socket is closed all the same."""

    def behaviour(peer: Peer) -> None:
        peer.upgrade()
        frames = peer.frames()
        frames.next()
        frames.next()
        peer.write(b"\x88\x02\x03\xe8")

    server = serve(behaviour)
    findings = found(server, "websocket", MOP_TIMEOUT_MS="50", MOP_WS_PROBE="tools/list")
    assert findings.target_faults == [f"{server.url('ws', '/ws')} does not work over WebSocket: timed out: no answer"]
    assert [end[1:] for end in ends(findings)] == [("connect", "ok"), ("tools/list", "timeout"), ("close", "ok")]


def test_a_server_without_a_name(serve: Serve) -> None:
    """Its name is not invented."""
    nameless = {"protocolVersion": "2025-03-26", "capabilities": {}}
    server = serve(lambda peer: tiny(peer, initialize=answer(result(1, nameless))))
    findings = found(server, "http")
    assert findings.sentences[0] == f"{server.url('http')}: a server, MCP 2025-03-26"
    assert (findings.server_name, findings.server_version) == ("", "")


def test_a_tool_that_is_not_there_is_the_users_mistake(mop: dict[str, str]) -> None:
    """The sentence has the tools that are there; nothing is blamed on the target."""
    findings = look(settings(**mop, MOP_RPS_TOOL="serach"), DEMO, ("http",))
    [mistake] = findings.mistakes
    assert mistake.startswith("MOP_RPS_TOOL (--mop-rps-tool): the server has no tool 'serach'; it has ")
    assert "exa_search_example" in mistake
    assert (findings.state, findings.target_faults) == ("failed", [])


def test_arguments_that_the_tool_does_not_take_are_all_told(mop: dict[str, str]) -> None:
    """By the tool's own inputSchema, each with its place."""
    arguments = '{"query": 5, "num_results": "many"}'
    findings = look(settings(**mop, MOP_RPS_TOOL="exa_search_example", MOP_RPS_TOOL_ARGS=arguments), DEMO, ("http",))
    assert "MOP_RPS_TOOL_ARGS (--mop-rps-tool-args): query: 5 is not of type 'string'" in findings.mistakes
    missing = look(settings(**mop, MOP_RPS_TOOL="exa_search_example"), DEMO, ("http",))
    assert missing.mistakes == ["MOP_RPS_TOOL_ARGS (--mop-rps-tool-args): the arguments: 'query' is a required property"]
    good = look(settings(**mop, MOP_RPS_TOOL="exa_search_example", MOP_RPS_TOOL_ARGS='{"query": "load"}'), DEMO, ("http",))
    assert (good.state, good.mistakes) == ("passed", [])


def mistakes(schema: bytes, **arguments: object) -> list[str]:
    """What is wrong with these arguments by this schema."""
    return tool_mistakes(ToolsList([Tool("search", None, Raw(schema))]), "search", arguments)


def test_each_mistake_in_the_arguments_has_its_place() -> None:
    """A path of names and numbers."""
    schema = b'{"properties":{"a":{"items":{"type":"string"}},"b":{"type":"integer"}},"required":["c"]}'
    assert sorted(mistakes(schema, a=["x", 1], b="2")) == [
        "MOP_RPS_TOOL_ARGS (--mop-rps-tool-args): a.1: 1 is not of type 'string'",
        "MOP_RPS_TOOL_ARGS (--mop-rps-tool-args): b: '2' is not of type 'integer'",
        "MOP_RPS_TOOL_ARGS (--mop-rps-tool-args): the arguments: 'c' is a required property",
    ]
    assert mistakes(schema, a=[], b=2, c=None) == []


def test_the_draft_that_the_schema_names_counts() -> None:
    """`exclusiveMinimum: true` is a rule in draft 4, and no schema in the newer ones."""
    rule = b'{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"n":{"minimum":1,"exclusiveMinimum":true}}}'
    assert len(mistakes(rule, n=1)) == 1
    assert mistakes(rule, n=2) == []


@pytest.mark.parametrize(
    "schema",
    [
        b"null",
        b"[]",
        b"3",
        b'{"type":"nonsense"}',
        b'{"$ref":"#/nowhere"}',
        b'{"$ref":"http://127.0.0.1:9/schema"}',
        b'{"$ref":"#"}',
        b'{"properties":{"q":{"pattern":"("}}}',
        b'{"title":"\\ud800","type":"array"}',
    ],
)
def test_a_schema_that_cannot_be_used_is_no_mistake_of_the_user(schema: bytes) -> None:
    """The call itself will show what comes of it; nothing is fetched to understand the schema."""
    assert mistakes(schema, q="x") == []


def test_a_server_without_tools_says_so() -> None:
    """The list of what there is is not empty then."""
    assert tool_mistakes(ToolsList([]), "search", {}) == [
        "MOP_RPS_TOOL (--mop-rps-tool): the server has no tool 'search'; it has none"
    ]


def test_a_scenarios_own_look_comes_last(mop: dict[str, str]) -> None:
    """It knows the transports and adds to the findings; what voids the run fails the preflight, and is not the target's fault."""
    seen: list[tuple[int, set[str]]] = []

    def own(_client: object, _settings: object, transports: set[str], findings: Findings) -> None:
        seen.append((len(findings.sentences), transports))
        findings.voids.append("the wrong server")

    findings = look(settings(**mop), DEMO, {"websocket"}, [own])
    assert (seen, findings.voids, findings.target_faults, findings.state) == (
        [(1, {"websocket"})],
        ["the wrong server"],
        [],
        "failed",
    )


def test_a_scenario_does_not_look_at_what_does_not_work() -> None:
    """Its look would only say the same again."""
    nobody = f"ws://127.0.0.1:{unused_port()}/ws"
    findings = look(settings(MOP_BASE_URL=nobody), DEMO, {"websocket"}, [lambda *_: pytest.fail("it looked")])
    assert len(findings.target_faults) == 1
