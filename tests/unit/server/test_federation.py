"""A server that federates another: what it lists, forwards, plans, simulates, and does when the other one is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mop_locust.server.downstream import Downstream, DownstreamError
from mop_locust.server.federation import find
from tests.unit.server.conftest import Running, over, running
from tests.unit.transports.loopback import Loopback, Peer

Start = Callable[..., Running]
QUERY = {"name": "exa_search_example", "arguments": {"query": "x"}}
GENERATED = {"name": "generated_1", "arguments": {"query": "x"}}
LOCAL = {"name": "generated_3", "arguments": {}}


@pytest.fixture(scope="module")
def below() -> Iterator[Running]:
    """The downstream server, with two tools that no other one has but by number."""
    with running("--tools", "2") as server:
        yield server


@pytest.fixture(scope="module")
def above(below: Running) -> Iterator[Running]:
    """The server that federates it; its third generated tool is its own."""
    with running("--tools", "3", "--downstream", below.ws) as server:
        yield server


def text(answer: dict[str, Any]) -> dict[str, Any]:
    """The JSON in the text of a tool's answer."""
    inner: dict[str, Any] = json.loads(answer["result"]["content"][0]["text"])
    return inner


def test_the_catalogues_tell_whose_each_tool_is(above: Running) -> None:
    """A downstream's tool takes the place of an own one of its name; each is listed once."""
    session, _ = above.initialize()
    listed = [tool["name"] for tool in above.call(session, "tools/list")["result"]["tools"]]
    assert sorted(listed) == sorted({*listed})
    contents = above.call(session, "resources/read", {"uri": "mop://tools/catalog"})["result"]["contents"]
    sources = {tool["name"]: tool["source"] for tool in json.loads(contents[0]["text"])["tools"]}
    assert sources.keys() == {*listed}
    assert sources["generated_3"] == {"type": "local"}
    assert {name for name, source in sources.items() if source["type"] == "federated"} == {*listed} - {"generated_3"}
    assert sources["generated_1"] == {
        "type": "federated",
        "serverId": "downstream-1",
        "serverUrl": "server://downstream-1",
    }
    socket = above.socket()
    catalogue = over(socket, "resources/read", {"uri": "mcp://catalog"})["result"]["catalog"]
    assert catalogue["summary"] == {"totalTools": 7, "localTools": 1, "federatedTools": 6, "lastFederationSync": None}
    sources = {tool["name"]: tool["source"] for tool in catalogue["tools"]}
    assert sources["generated_3"] == "Local"
    assert sources["generated_1"] == {"Federated": {"server_id": "downstream-1", "server_url": "server://downstream-1"}}


def test_over_the_socket_the_whole_result_stands_in_the_text(above: Running, below: Running) -> None:
    """One level deeper than the downstream gives it."""
    answer = text(over(above.socket(), "tools/call", QUERY))
    direct = over(below.socket(), "tools/call", QUERY)["result"]
    assert answer == direct
    assert "consciousness_coordination" in json.loads(answer["content"][0]["text"])


def test_modes(above: Running) -> None:
    """A plan asks nobody, hybrid has both; any other one executes."""
    before = above.counts()["federation"].get("downstream-1 websocket", {}).get("forwarded", 0)
    socket = above.socket()
    plan = text(over(socket, "tools/call", {**QUERY, "mode": "plan"}))
    assert (plan["tool_name"], plan["target_server"], plan["arguments"]) == ("exa_search_example", "downstream-1", {"query": "x"})
    assert text(over(socket, "tools/call", {**LOCAL, "mode": "plan"}))["target_server"] == "local"
    hybrid = text(over(socket, "tools/call", {**QUERY, "mode": "hybrid"}))
    assert (hybrid["mode"], hybrid["plan"]["tool_name"], len(hybrid["execution"]["content"])) == (
        "hybrid",
        "exa_search_example",
        1,
    )
    assert "content" in text(over(socket, "tools/call", {**QUERY, "mode": 5}))
    assert above.counts()["federation"]["downstream-1 websocket"]["forwarded"] == before + 2


def test_over_http_the_built_in_names_are_simulated_and_others_forwarded(above: Running) -> None:
    """As the real server does."""
    session, _ = above.initialize()
    assert "results" in text(above.call(session, "tools/call", QUERY))
    forwarded = text(above.call(session, "tools/call", GENERATED))
    assert {*forwarded} == {"content", "_response_metadata"}
    assert text(above.call(session, "tools/call", LOCAL))["source"] == "local"
    unknown = text(above.call(session, "tools/call", {"name": "gone"}))
    assert unknown["error"] == "Tool execution failed: Tool 'gone' not found in registry"
    assert above.call(session, "tools/call", {"name": 5})["error"]["code"] == -32602


def test_mistakes_over_the_socket_are_found_before_the_hop(above: Running) -> None:
    """Wrong arguments, an unknown tool, params of another shape."""
    socket = above.socket()
    assert over(socket, "tools/call", {"name": "exa_search_example"})["error"]["code"] == -32602
    assert over(socket, "tools/call", {"name": "gone"})["error"]["code"] == -32602
    assert over(socket, "tools/call", {"name": 5})["error"]["code"] == -32603
    assert text(over(socket, "tools/call", LOCAL)) == {
        "status": "success",
        "tool": "generated_3",
        "result": "Local execution completed",
        "source": "local",
    }


def test_the_resource_of_servers(above: Running) -> None:
    """One downstream with the tools that are called through it."""
    session, _ = above.initialize()
    above.call(session, "tools/call", GENERATED)
    told = json.loads(above.call(session, "resources/read", {"uri": "mop://federation/servers"})["result"]["contents"][0]["text"])
    (server,) = told["federated_servers"]
    assert (server["id"], server["connected"], server["tool_count"], told["total_tools"]) == ("downstream-1", True, 6, 7)


def test_a_downstream_that_is_gone(start: Start) -> None:
    """Over HTTP each failure is told, then the breaker; over the socket the server answers itself. All of it is counted."""
    below = start("--tools", "1")
    above = start("--downstream", below.ws)
    session, _ = above.initialize()
    socket = above.socket()
    assert "content" in text(over(socket, "tools/call", GENERATED))
    below.end()
    errors = [text(above.call(session, "tools/call", GENERATED))["error"] for _ in range(3)]
    assert errors[0] == errors[1] == "Tool execution failed: Server 'downstream-1' is not connected"
    assert errors[2].startswith("Tool execution failed: Circuit opened for server 'downstream-1' (")
    fallback = text(over(socket, "tools/call", GENERATED))
    assert {*fallback} == {"consciousness_coordination", "tool_execution"}
    counted = above.counts()["federation"]
    assert counted["downstream-1 http"] == {"failed": 3, "opened": 1}
    over_socket = counted["downstream-1 websocket"]
    assert (over_socket["forwarded"], over_socket.get("refused", 0) + over_socket.get("failed", 0)) == (1, 1)


def test_a_downstream_that_is_not_there_at_the_start_is_named(start: Start) -> None:
    """The server runs without its tools."""
    server = start("--downstream", "ws://127.0.0.1:9/ws")
    session, _ = server.initialize()
    assert len(server.call(session, "tools/list")["result"]["tools"]) == 4
    server.end()
    assert server.process.stderr is not None
    assert server.process.stderr.read() == (
        "mop-locust server: ws://127.0.0.1:9/ws is not federated: Server 'downstream-1' is not connected\n"
    )


def test_no_upgrade_is_no_connection() -> None:
    """An answer that is none of a WebSocket."""

    def refuse(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    server = Loopback(refuse)
    try:
        (found,) = find([f"ws://127.0.0.1:{server.port}/ws"])
    finally:
        server.stop()
    assert (found.tools, found.problem) == ([], "Server 'downstream-1' is not connected")


def test_an_error_answer_is_a_failure(below: Running) -> None:
    """Its text is the downstream's; an answer did come."""

    async def ask() -> DownstreamError:
        downstream = Downstream("d", below.ws)
        try:
            with pytest.raises(DownstreamError, match="Downstream error: Invalid parameters") as caught:
                await downstream.call("exa_search_example", {})
            return caught.value
        finally:
            await downstream.close()

    error = asyncio.run(ask())
    assert (error.connected, error.lost) == (True, False)
