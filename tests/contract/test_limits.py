"""Answers that are big, too big, or do not come: over each transport, with the outcome that each deserves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mop_locust.protocol.errors import ConnectError, ExchangeTimeout, MopError, RemoteProtocolError
from tests.contract.fleet import BIG_TOOL_BYTES, BIG_TOOLS
from tests.contract.side import SideMaker
from tests.contract.targets import (
    MCP_SSE,
    MOP,
    MOP_SOCKET,
    OK,
    SAID,
    SDK_SSE,
    Ending,
    HttpTarget,
    SocketTarget,
)

BIG_TEXT = "0123456789abcdef" * 65536
CAP = 65536
SHORT_MS = "200"
HELD = replace(MOP, name="mop-held", process="held")
HELD_SOCKET = replace(MOP_SOCKET, name="mop-held", process="held")
BIG = replace(MOP, name="mop-big", process="big-json")
BIG_SSE = replace(MCP_SSE, name="mcp-sse-big", process="big-sse")
BIG_SOCKET = replace(MOP_SOCKET, name="mop-big", process="big-json")
STREAMED = frozenset({MCP_SSE.name, SDK_SSE.name, "sdk-stateless"})
"""The servers that answer with an event stream: there the answer is an event."""


def test_an_answer_of_a_megabyte(http: SideMaker, http_target: HttpTarget) -> None:
    """Request and answer hold a text of 1 MiB; it comes back as it went, and the connection goes on."""
    side, goods = http(), http_target.goods
    with side.session() as session:
        text = session.call_tool(goods.echo, {"query": BIG_TEXT}).content[0].text
        session.ping()
    assert text is not None
    assert goods.echoed(text) == BIG_TEXT
    call = side.recording.samples[1]
    assert call.sent > len(BIG_TEXT)
    assert call.received > len(BIG_TEXT)
    assert side.exchanges() == http_target.session(("http", "tools/call", OK), ("http", "ping", OK))


def test_a_message_of_a_megabyte(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The same over a WebSocket."""
    side, goods = socket(), socket_target.goods
    session = side.connect()
    session.open()
    session.initialize()
    text = session.call_tool(goods.echo, {"query": BIG_TEXT}).content[0].text
    session.list_tools()
    session.close()
    assert text is not None
    assert goods.echoed(text) == BIG_TEXT
    assert side.exchanges() == socket_target.mcp_session(("websocket", "tools/call", SAID), ("websocket", "tools/list", SAID))


@pytest.mark.parametrize("http_target", [BIG, BIG_SSE], indirect=True)
def test_tools_of_a_megabyte(http: SideMaker, http_target: HttpTarget) -> None:
    """A catalogue of big tools arrives whole, as JSON and as one event."""
    side = http()
    with side.session() as session:
        listed = session.list_tools()
    big = [tool for tool in listed.tools if tool.name.startswith("generated_")]
    assert len(big) == BIG_TOOLS
    for tool in big:
        assert tool.description is not None
        assert BIG_TOOL_BYTES - 256 < len(tool.description) < BIG_TOOL_BYTES
    assert side.recording.samples[1].received > BIG_TOOLS * BIG_TOOL_BYTES
    assert side.exchanges() == http_target.session(("http", "tools/list", OK))


@pytest.mark.parametrize("socket_target", [BIG_SOCKET], indirect=True)
def test_tools_of_a_megabyte_over_a_socket(socket: SideMaker, socket_target: SocketTarget) -> None:
    """One message of 2 MiB."""
    side = socket()
    with side.connect() as session:
        listed = session.list_tools()
    assert len(listed.tools) == 4 + BIG_TOOLS
    assert side.recording.samples[1].received > BIG_TOOLS * BIG_TOOL_BYTES
    assert side.exchanges() == socket_target.session(("websocket", "tools/list", SAID))


def test_an_answer_over_the_cap(http: SideMaker, http_target: HttpTarget) -> None:
    """It is given up with the outcome `protocol`; the next call has a good connection."""
    side, goods = http(MOP_MAX_REPLY_BYTES=str(CAP)), http_target.goods
    label = "event too large" if http_target.name in STREAMED else "reply too large"
    with side.session() as session:
        with pytest.raises(RemoteProtocolError) as caught:
            session.call_tool(goods.echo, {"query": BIG_TEXT})
        session.ping()
        text = session.call_tool(goods.echo, {"query": "small"}).content[0].text
    assert text is not None
    assert goods.echoed(text) == "small"
    assert caught.value.label == label
    # Near the cap reading ends: at most a few reads of 64 KiB and the head are over it.
    assert side.recording.samples[1].received < 8 * CAP
    assert side.exchanges() == http_target.session(
        ("http", "tools/call", Ending("protocol", 200, label)), ("http", "ping", OK), ("http", "tools/call", OK)
    )


@pytest.mark.parametrize("http_target", [MOP, MCP_SSE], indirect=True)
def test_an_answer_under_the_cap(http: SideMaker, http_target: HttpTarget) -> None:
    """The cap does not bound what lies under it."""
    side, goods = http(MOP_MAX_REPLY_BYTES=str(CAP)), http_target.goods
    said = "x" * (CAP // 2 - 4096)  # standard servers say it twice: as text and as structured content
    with side.session() as session:
        text = session.call_tool(goods.echo, {"query": said}).content[0].text
    assert text is not None
    assert goods.echoed(text) == said
    assert side.exchanges() == http_target.session(("http", "tools/call", OK))


def test_a_message_over_the_cap(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The socket cannot go on after it: it is given up, and there is nothing left to be closed."""
    side = socket(MOP_MAX_REPLY_BYTES=str(CAP))
    session = side.connect()
    session.open()
    session.initialize()
    with pytest.raises(RemoteProtocolError) as caught:
        session.call_tool(socket_target.goods.echo, {"query": BIG_TEXT})
    session.close()
    assert caught.value.label == "reply too large"
    assert side.exchanges() == [
        ("websocket", "connect", Ending("ok", 101)),
        ("websocket", "initialize", SAID),
        ("websocket", "tools/call", Ending("protocol", 0, "reply too large")),
    ]


@pytest.mark.parametrize("http_target", [HELD], indirect=True)
def test_an_answer_that_does_not_come(http: SideMaker) -> None:
    """The deadline ends the exchange; there is no session to delete, and the next try is as good as the first."""
    side = http(MOP_TIMEOUT_MS=SHORT_MS)
    for _ in range(2):
        session = side.session()
        with pytest.raises(ExchangeTimeout) as caught:
            session.initialize()
        session.close()
        assert caught.value.label == "no answer"
    assert side.exchanges() == [("http", "initialize", Ending("timeout", 0, "no answer"))] * 2


@pytest.mark.parametrize("socket_target", [HELD_SOCKET], indirect=True)
def test_a_message_that_does_not_come(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The exchange has timed out, the socket has not: it is closed in good order."""
    side = socket(MOP_TIMEOUT_MS=SHORT_MS)
    with side.connect() as session, pytest.raises(ExchangeTimeout):
        session.probe("ping")
    assert side.exchanges() == socket_target.session(("websocket", "ping", Ending("timeout", 0, "no answer")))


@pytest.mark.parametrize("http_target", [MOP], indirect=True)
def test_nobody_listens(http: SideMaker, free_address: str) -> None:
    """A refused connection is no answer of a server, over HTTP,"""
    side = http(host=free_address)
    session = side.session()
    with pytest.raises(ConnectError):
        session.initialize()
    with pytest.raises(ConnectError), session.stream():
        pass
    session.close()
    refused = Ending("connect", 0, "refused")
    assert side.exchanges() == [("http", "initialize", refused), ("sse", "stream", refused)]


@pytest.mark.parametrize("socket_target", [MOP_SOCKET], indirect=True)
def test_nobody_listens_for_sockets(socket: SideMaker, free_address: str) -> None:
    """and for WebSockets."""
    side = socket(host=free_address)
    with pytest.raises(MopError), side.connect():
        pass
    assert side.exchanges() == [("websocket", "connect", Ending("connect", 0, "refused"))]
