"""Both ends count the same: what the client measured is what the reference server says it received and answered."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import msgspec
import pytest
import requests

from mop_locust.protocol.errors import MopError
from tests.contract.fleet import Fleet
from tests.contract.side import Side, SideMaker
from tests.contract.targets import MCP_JSON, MCP_SOCKET, MCP_SSE, MOP, MOP_SOCKET, HttpTarget, SocketTarget

# What the server calls that which is no JSON-RPC method.
SERVER_NAMES = {"http delete": "http DELETE", "sse stream": "http GET"}
FOREIGN = "unknown"
ROUNDS = 3


class Counts(msgspec.Struct):
    """What `/counts` tells."""

    received: dict[str, int]
    answered: dict[str, int]
    sessions_opened: int
    sessions_deleted: int
    sockets_opened: int
    sockets_closed_cleanly: int


def read(address: str) -> Counts:
    """Asks the server."""
    return msgspec.json.decode(requests.get(f"http://{address}/counts", timeout=10).content, type=Counts)


def grown(before: dict[str, int], after: dict[str, int]) -> Counter[str]:
    """What was added between two looks."""
    return Counter(after) - Counter(before)


def measured(side: Side) -> Counter[str]:
    """The side's exchanges that are requests, by the server's names."""
    names = [f"{sample.transport} {sample.method}" for sample in side.recording.samples]
    return Counter(SERVER_NAMES.get(name, name) for name in names if name not in ("websocket connect", "websocket close"))


@pytest.mark.parametrize("http_target", [MOP, MCP_JSON, MCP_SSE], indirect=True)
def test_http(http: SideMaker, http_target: HttpTarget, fleet: Fleet) -> None:
    """Good and bad exchanges alike: one sample each, one request each."""
    address = fleet.address(http_target.process)
    before = read(address)
    side = http()
    for _ in range(ROUNDS):
        with side.session() as session:
            own = side.transport.session_id
            session.ping()
            session.list_tools()
            session.list_tools()
            with pytest.raises(MopError):
                session.call_tool("no_such_tool")
            with pytest.raises(MopError):
                session.request("no/such/method")
            with suppress(MopError):  # the MOP server refuses it
                session.notify("notifications/initialized")
            side.transport.session_id = FOREIGN
            with pytest.raises(MopError):
                session.list_tools()
            side.transport.session_id = own
            with session.stream():
                pass
    after = read(address)
    received = grown(before.received, after.received)
    # The answers to the server's own ping in the middle of a call: they are no exchanges of ours.
    assert received.pop("http reply", 0) == (ROUNDS if http_target is MCP_SSE else 0)
    assert received == measured(side)
    answered = grown(before.answered, after.answered)
    answered.pop("http reply", 0)
    assert answered == received
    assert after.sessions_opened - before.sessions_opened == ROUNDS
    assert after.sessions_deleted - before.sessions_deleted == ROUNDS


@pytest.mark.parametrize("socket_target", [MOP_SOCKET, MCP_SOCKET], indirect=True)
def test_websocket(socket: SideMaker, socket_target: SocketTarget, fleet: Fleet) -> None:
    """Each socket is opened once and closed with a close frame."""
    address = fleet.address(socket_target.process)
    before = read(address)
    side = socket(send_initialized=True)
    for _ in range(ROUNDS):
        with side.connect() as session:
            session.initialize()
            session.probe("ping")
            session.list_tools()
            with pytest.raises(MopError):
                session.request("no/such/method")
    after = read(address)
    assert grown(before.received, after.received) == measured(side)
    assert after.sockets_opened - before.sockets_opened == ROUNDS
    assert after.sockets_closed_cleanly - before.sockets_closed_cleanly == ROUNDS
