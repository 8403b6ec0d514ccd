"""A session over a WebSocket: connect, upgrade, calls, pings of the server, the close handshake, and who breaks it."""

from __future__ import annotations

import json
import signal
from dataclasses import replace

import msgspec
import pytest

from mop_locust.client import WebSocketSession
from mop_locust.protocol.errors import Disconnected, HttpStatusError, MopError, RemoteProtocolError, RpcError, ToolError
from mop_locust.protocol.frames import Close, Ping, Pong, Text
from tests.contract.fleet import Fleet
from tests.contract.side import SCENARIO, Side, SideMaker
from tests.contract.tap import Tap
from tests.contract.targets import (
    MCP_SOCKET,
    MOP_SOCKET,
    REAL_SOCKET,
    SAID,
    SDK_SOCKET,
    Ending,
    Exchange,
    SocketTarget,
    rpc_error,
)

PASSING = replace(MOP_SOCKET, name="mop-passing", process="passing")
RESTART = 1012


def initialized(side: Side) -> WebSocketSession:
    """An open socket after `initialize`, which standard servers want and the MOP server allows."""
    session = side.connect()
    session.open()
    session.initialize()
    return session


def asked(method: str, ending: Ending = SAID) -> Exchange:
    """One exchange on a socket."""
    return ("websocket", method, ending)


def test_connect_and_close(socket: SideMaker, socket_target: SocketTarget) -> None:
    """Two exchanges; the upgrade's status is the first one's, and the close handshake is the server's to complete."""
    side = socket()
    with side.connect():
        pass
    assert side.exchanges() == [
        ("websocket", "connect", Ending("ok", 101)),
        ("websocket", "close", socket_target.closed),
    ]
    assert side.recording.trends == ["upgrade_latency", "session_duration"]


def test_no_key_is_asked_for(socket: SideMaker, socket_target: SocketTarget, fleet: Fleet) -> None:
    """An empty key is not sent; one that there is goes with the upgrade."""
    with Tap(fleet.address(socket_target.process)) as tap:
        for key in ("", "some-key"):
            side = socket(host=tap.address, key=key)
            with side.connect():
                pass
            assert side.exchanges() == socket_target.session()
    without, with_key = (conversation.requests()[0].headers for conversation in tap.conversations)
    assert "authorization" not in without
    assert with_key["authorization"] == "Bearer some-key"


def test_the_upgrade_request(socket: SideMaker, socket_target: SocketTarget, fleet: Fleet) -> None:
    """RFC 6455, section 4.1; without Origin and without extensions."""
    with Tap(fleet.address(socket_target.process)) as tap, socket(host=tap.address).connect():
        pass
    (request,) = tap.requests()
    headers = request.headers
    assert (request.method, request.path) == ("GET", socket_target.path)
    assert headers["host"] == tap.address
    assert headers["upgrade"].lower() == "websocket"
    assert headers["connection"].lower() == "upgrade"
    assert headers["sec-websocket-version"] == "13"
    assert len(headers["sec-websocket-key"]) == 24
    assert headers["user-agent"].startswith("mop-locust")
    assert {"origin", "sec-websocket-extensions", "sec-websocket-protocol", "cookie"}.isdisjoint(headers)


@pytest.mark.parametrize("offered", ["", "mcp"])
def test_the_subprotocol(socket: SideMaker, socket_target: SocketTarget, fleet: Fleet, offered: str) -> None:
    """It is offered when it is set, and a server that chooses none is as good."""
    with Tap(fleet.address(socket_target.process)) as tap:
        side = socket(host=tap.address, MOP_WS_SUBPROTOCOL=offered)
        session = initialized(side)
        session.list_tools()
        session.close()
    (conversation,) = tap.conversations
    assert conversation.requests()[0].headers.get("sec-websocket-protocol", "") == offered
    head = bytes(conversation.received).partition(b"\r\n\r\n")[0].lower()
    assert (b"\r\nsec-websocket-protocol: mcp" in head) == bool(offered and socket_target.subprotocol)
    assert side.exchanges() == socket_target.mcp_session(asked("tools/list"))


def test_ping(socket: SideMaker, socket_target: SocketTarget) -> None:
    """A standard server answers; the MOP server does not know the method, and that is an answer too."""
    side = socket()
    session = initialized(side)
    if socket_target.ping == SAID:
        session.ping()
    else:
        with pytest.raises(RpcError, match="Method not found"):
            session.ping()
    session.close()
    assert side.exchanges() == socket_target.mcp_session(asked("ping", socket_target.ping))


def test_a_probe_takes_any_answer(socket: SideMaker, socket_target: SocketTarget) -> None:
    """An error proves life: what the storm asks for, without `initialize`."""
    side = socket()
    with side.connect() as session:
        session.probe("ping")
        session.probe("no/such/method")
    assert side.exchanges() == socket_target.session(asked("ping"), asked("no/such/method"))


def test_initialize(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The version is the server's choice."""
    side = socket()
    session = initialized(side)
    assert session.protocol_version == socket_target.version
    assert session.server_name == socket_target.server
    session.close()
    assert side.exchanges() == socket_target.mcp_session()


def test_calls_before_initialize(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The MOP server takes them, the SDK's does not."""
    side = socket()
    with side.connect() as session:
        if socket_target.before_initialize == SAID:
            session.list_tools()
        else:
            with pytest.raises(RpcError):
                session.list_tools()
    assert side.exchanges() == socket_target.session(asked("tools/list", socket_target.before_initialize))


def test_tools_are_listed(socket: SideMaker, socket_target: SocketTarget) -> None:
    """As over HTTP."""
    side = socket()
    session = initialized(side)
    listed = session.list_tools()
    session.close()
    assert {tool.name for tool in listed.tools} == socket_target.goods.tools
    assert all(msgspec.json.decode(tool.inputSchema)["type"] == "object" for tool in listed.tools)
    assert side.exchanges() == socket_target.mcp_session(asked("tools/list"))


def test_a_tool_is_called(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The answer holds what the tool was given, beyond ASCII too."""
    side, goods = socket(), socket_target.goods
    said = 'Grüße aus 東京, "quoted" \\ \n 🚀'
    session = initialized(side)
    text = session.call_tool(goods.echo, {"query": said}).content[0].text
    session.close()
    assert text is not None
    assert goods.echoed(text) == said
    assert side.exchanges() == socket_target.mcp_session(asked("tools/call"))
    assert side.recording.samples[2].tool == goods.echo


@pytest.mark.parametrize("tool", ["no_such_tool", ""])
def test_a_bad_call(socket: SideMaker, socket_target: SocketTarget, tool: str) -> None:
    """An unknown tool, or a missing argument of a known one: over the socket the MOP server answers both with -32602."""
    side = socket()
    session = initialized(side)
    with pytest.raises((RpcError, ToolError)):
        session.call_tool(tool or socket_target.goods.echo)
    session.close()
    expected = socket_target.unknown_tool if tool else socket_target.missing_argument
    assert side.exchanges() == socket_target.mcp_session(asked("tools/call", expected))


def test_an_unknown_method(socket: SideMaker, socket_target: SocketTarget) -> None:
    """-32601 is a failure where the method was meant."""
    side = socket()
    session = initialized(side)
    with pytest.raises(RpcError) as caught:
        session.request("no/such/method")
    session.close()
    assert (caught.value.code, caught.value.message) == (-32601, "Method not found")
    assert side.exchanges() == socket_target.mcp_session(asked("no/such/method", rpc_error(-32601, 0)))


def test_resources(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The MOP server answers `resources/read` in a shape that is not MCP's: the exchange fails, the socket stays."""
    side, goods = socket(), socket_target.goods
    session = initialized(side)
    assert {resource.uri for resource in session.list_resources().resources} == goods.resources
    uri, _, text = goods.resource
    if socket_target.resource == SAID:
        assert [content.text for content in session.read_resource(uri).contents] == [text]
    else:
        with pytest.raises(RemoteProtocolError, match="bad result"):
            session.read_resource("mcp://catalog")
    session.list_tools()
    session.close()
    assert side.exchanges() == socket_target.mcp_session(
        asked("resources/list"), asked("resources/read", socket_target.resource), asked("tools/list")
    )


def test_an_error_without_an_id_is_nobodys_answer(socket: SideMaker, socket_target: SocketTarget, fleet: Fleet) -> None:
    """A notification draws one from the MOP server; it arrives while the next request waits, and is passed over."""
    with Tap(fleet.address(socket_target.process)) as tap:
        side = socket(host=tap.address, send_initialized=True)
        session = initialized(side)
        assert {tool.name for tool in session.list_tools().tools} == socket_target.goods.tools
        session.probe("no/such/method")
        session.close()
    messages = [json.loads(frame.data) for frame in tap.conversations[0].server_frames() if isinstance(frame, Text)]
    assert [message["id"] for message in messages] == ([1, None, 2, 3] if socket_target.null_id_errors else [1, 2, 3])
    sent = [json.loads(frame.data) for frame in tap.conversations[0].client_frames() if isinstance(frame, Text)]
    assert [(message.get("id"), message["method"]) for message in sent] == [
        (1, "initialize"),
        (None, "notifications/initialized"),
        (2, "tools/list"),
        (3, "no/such/method"),
    ]
    assert side.exchanges() == socket_target.mcp_session(
        asked("notifications/initialized"), asked("tools/list"), asked("no/such/method")
    )


def test_a_request_that_draws_an_error_without_an_id(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The MOP server answers wrong params so: nobody can tell that this is the answer, and the request times out."""
    side = socket(MOP_TIMEOUT_MS="500")
    session = initialized(side)
    with pytest.raises(MopError):
        session.request("tools/call")
    session.probe("no/such/method")
    session.close()
    assert side.exchanges() == socket_target.mcp_session(asked("tools/call", socket_target.no_params), asked("no/such/method"))


@pytest.mark.parametrize("socket_target", [SDK_SOCKET], indirect=True)
def test_the_server_asks_in_the_middle_of_a_call(socket: SideMaker, socket_target: SocketTarget) -> None:
    """A ping is answered, a request that we cannot serve refused, a notification passed over; it all is one exchange."""
    side = socket()
    session = initialized(side)
    text = session.call_tool("asks").content[0].text
    session.ping()
    session.close()
    assert text == socket_target.asks
    assert side.exchanges() == socket_target.mcp_session(asked("tools/call"), asked("ping"))


def test_pings_of_the_server_are_answered(socket: SideMaker, socket_target: SocketTarget, fleet: Fleet) -> None:
    """Each pong has its ping's payload, in order, and the socket lives on."""
    with Tap(fleet.address(socket_target.process)) as tap:
        side = socket(host=tap.address)
        session = initialized(side)
        session.hold(0.25)
        session.list_tools()
        session.close()
    (conversation,) = tap.conversations
    frames = conversation.server_frames()
    last_answer = max(at for at, frame in enumerate(frames) if isinstance(frame, Text))
    # Only what came before the last answer has surely been read before the socket was closed.
    pings = [frame.data for frame in frames[:last_answer] if isinstance(frame, Ping)]
    pongs = [frame.data for frame in conversation.client_frames() if isinstance(frame, Pong)]
    assert pings
    assert pongs[: len(pings)] == pings
    assert side.exchanges() == socket_target.mcp_session(asked("tools/list"))


def test_the_close_handshake(socket: SideMaker, socket_target: SocketTarget, fleet: Fleet) -> None:
    """Our close frame says 1000, is the last of ours, and is answered with the same code by a server that keeps RFC 6455."""
    with Tap(fleet.address(socket_target.process)) as tap:
        side = socket(host=tap.address)
        initialized(side).close()
    (conversation,) = tap.conversations
    assert conversation.client_frames()[-1] == Close(1000)
    answers = [frame for frame in conversation.server_frames() if isinstance(frame, Close)]
    assert answers == ([Close(1000)] if socket_target.closed == SAID else [])
    assert side.exchanges() == socket_target.mcp_session()


def test_sockets_are_left_open_on_purpose(socket: SideMaker, socket_target: SocketTarget, fleet: Fleet) -> None:
    """With MOP_LEAK_SESSIONS=1 the socket is dropped without a close frame and without a `close` exchange."""
    with Tap(fleet.address(socket_target.process)) as tap:
        side = socket(host=tap.address, MOP_LEAK_SESSIONS="1")
        initialized(side).close()
    frames = tap.conversations[0].client_frames()
    assert not [frame for frame in frames if isinstance(frame, Close)]
    assert side.exchanges() == socket_target.mcp_session()[:-1]


def test_many_calls_on_one_socket(socket: SideMaker, socket_target: SocketTarget) -> None:
    """Ids count up and answers match, with the server's pings in between."""
    side, goods = socket(), socket_target.goods
    session = initialized(side)
    for number in range(20):
        text = session.call_tool(goods.echo, {"query": f"call {number}"}).content[0].text
        assert text is not None
        assert goods.echoed(text) == f"call {number}"
    session.close()
    assert side.exchanges() == socket_target.mcp_session(*[asked("tools/call")] * 20)


def test_a_sample_tells_the_phases_of_its_exchange(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The connect is the first exchange's, the bytes are everyone's own."""
    side = socket()
    session = initialized(side)
    session.list_tools()
    session.close()
    connect, *calls, close = side.recording.samples
    assert 0 <= connect.connect_us <= connect.duration_us
    for sample in (connect, *calls):
        assert sample.scenario == SCENARIO
        assert 0 <= sample.first_byte_us <= sample.duration_us
    assert [sample.connect_us for sample in (*calls, close)] == [-1, -1, -1]
    for sample in calls:
        assert sample.sent > 40
        assert sample.received > 100


def test_an_upgrade_where_no_socket_is(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The status is kept, and nothing is closed that was never open."""
    side = socket(path="/nowhere")
    with pytest.raises(HttpStatusError) as caught, side.connect():
        pass
    label = f"upgrade refused: HTTP {socket_target.nowhere}"
    assert (caught.value.status, caught.value.label) == (socket_target.nowhere, label)
    assert side.exchanges() == [("websocket", "connect", Ending("http_status", socket_target.nowhere, label))]


@pytest.mark.parametrize(
    ("socket_target", "path", "status"),
    [(MOP_SOCKET, "/health", 404), (REAL_SOCKET, "/health", 200), (REAL_SOCKET, "/mcp", 400), (MCP_SOCKET, "/mcp", 404)],
    indirect=["socket_target"],
)
def test_an_upgrade_where_a_page_is(socket: SideMaker, path: str, status: int) -> None:
    """An answer of 200 is a refusal too."""
    side = socket(path=path)
    with pytest.raises(MopError), side.connect():
        pass
    refusal = Ending("http_status", status, f"upgrade refused: HTTP {status}")
    assert side.exchanges() == [("websocket", "connect", refusal)]


@pytest.mark.parametrize(
    ("number", "label", "code"),
    [(signal.SIGTERM, f"closed {RESTART}", RESTART), (signal.SIGKILL, "closed 1006", 1006)],
    ids=["term", "kill"],
)
@pytest.mark.parametrize("socket_target", [PASSING], indirect=True)
def test_a_server_that_goes_away_closes_its_sockets(
    socket: SideMaker, fleet: Fleet, number: signal.Signals, label: str, code: int
) -> None:
    """With its close code, or with none: the session's one `close` has it, and none of our own follows."""
    side = socket()
    with side.connect() as session:
        session.probe("ping")
        session.probe("ping")  # the server has read our pong by now: what is unread when it is killed becomes a reset
        fleet.end(PASSING.process, number)
        with pytest.raises(Disconnected) as caught:
            session.hold(10)
    assert (caught.value.label, caught.value.code) == (label, code)
    assert side.exchanges() == [
        ("websocket", "connect", Ending("ok", 101)),
        asked("ping"),
        asked("ping"),
        ("websocket", "close", Ending("disconnected", 0, label)),
    ]


@pytest.mark.parametrize("probed", [True, False])
@pytest.mark.parametrize("socket_target", [PASSING], indirect=True)
def test_a_call_to_a_server_that_went_away(socket: SideMaker, fleet: Fleet, probed: bool) -> None:
    """The call is the exchange that failed, with the server's close code; nothing is left to be closed.

    Without the probe the server's ping is still unread: it can no longer be answered, and does not hide the close frame.
    """
    side = socket()
    with side.connect() as session:
        if probed:
            session.probe("ping")
        fleet.end(PASSING.process, signal.SIGTERM)
        with pytest.raises(Disconnected) as caught:
            session.list_tools()
    assert caught.value.code == RESTART
    assert side.exchanges() == [
        ("websocket", "connect", Ending("ok", 101)),
        *([asked("ping")] if probed else []),
        asked("tools/list", Ending("disconnected", 0, f"closed {RESTART}")),
    ]
