"""Our clients against those that we did not write: the same server and the same calls give the same outcomes and values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import msgspec
import pytest

from mop_locust.client import HttpSession, WebSocketSession
from mop_locust.config import PUBLIC_KEY
from mop_locust.protocol.errors import MopError
from tests.contract.fleet import Fleet
from tests.contract.side import Side
from tests.contract.targets import OK, UPGRADED, Ending, Exchange, HttpTarget, SocketTarget

# What differs between two calls though they are the same: times, and ids that are made anew.
_VARYING = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\"processing_time_ms\": \d+"
)

Step = tuple[str, Callable[[], object]]


class Told(NamedTuple):
    """What one step gave: its name, what was measured, and the value or the sentence of the error."""

    step: str
    exchanges: list[Exchange]
    value: str


def transcript(side: Side, steps: Iterator[Step]) -> list[Told]:
    """Takes each step and notes what came of it."""
    notes = []
    for name, step in steps:
        before = len(side.exchanges())
        try:
            value = _plain(step())
        except MopError as error:
            value = f"{type(error).__name__}: {error}"
        notes.append(Told(name, side.exchanges()[before:], _VARYING.sub("#", value)))
    return notes


def _plain(value: object) -> str:
    """The value as JSON, raw parts of it included."""
    return "" if value is None else msgspec.json.encode(value, order="sorted").decode()


def common_steps(session: HttpSession | WebSocketSession, target: HttpTarget | SocketTarget) -> Iterator[Step]:
    """What can be asked over any transport, good and bad."""
    goods = target.goods
    prompt, arguments, _ = goods.prompt
    yield "ping", session.ping
    yield "list tools", session.list_tools
    yield "a page of tools", lambda: session.list_tools("a cursor that nobody gave")
    yield "call a tool", lambda: session.call_tool(goods.echo, {"query": 'Grüße, "東京" \u2028 🚀'})
    yield "call another", lambda: session.call_tool(goods.echo, {"query": "x" * 200_000})
    yield "call without an argument", lambda: session.call_tool(goods.echo)
    yield "call nothing", lambda: session.call_tool("no_such_tool")
    yield "call what fails", lambda: session.call_tool("fails")
    yield "call what asks", lambda: session.call_tool("asks")
    yield "list prompts", session.list_prompts
    yield "get a prompt", lambda: session.get_prompt(prompt, arguments)
    yield "get no prompt", lambda: session.get_prompt("no_such_prompt")
    yield "list resources", session.list_resources
    yield "read a resource", lambda: session.read_resource(goods.resource[0])
    yield "read nothing", lambda: session.read_resource("test://nothing")
    yield "ask for nothing", lambda: session.request("no/such/method", {"a": 1})
    yield "probe", lambda: session.probe("no/such/method")


def http_steps(side: Side, target: HttpTarget) -> Iterator[Step]:
    """A session over HTTP, and what happens beside it and after it."""
    session = side.session()
    yield "initialize", session.initialize
    yield "agreed", lambda: [session.protocol_version, session.server_name, session.server_version]
    yield "notify", lambda: session.notify("notifications/initialized")
    yield from common_steps(session, target)
    own = side.transport.session_id
    side.transport.session_id = "unknown"
    yield "use an unknown session", session.ping
    yield "stream of an unknown session", lambda: _opens(session)
    side.transport.session_id = None
    yield "use no session", session.ping
    side.transport.session_id = own
    yield "stream", lambda: _opens(session)
    yield "end", session.close
    side.transport.session_id = own
    yield "stream of an ended session", lambda: _opens(session)


def _opens(session: HttpSession) -> str:
    with session.stream():
        return "opened"


def socket_steps(side: Side, target: SocketTarget) -> Iterator[Step]:
    """A session over a WebSocket."""
    session = side.connect()
    yield "open", session.open
    yield "initialize", session.initialize
    yield "agreed", lambda: [session.protocol_version, session.server_name, session.server_version]
    yield from common_steps(session, target)
    yield "hold", lambda: session.hold(0.05)
    yield "end", session.close


def both_over_http(fleet: Fleet, target: HttpTarget, key: str = PUBLIC_KEY, path: str = "", **values: str) -> list[Side]:
    """A side of each HTTP client."""
    base = f"http://{fleet.address(target.process)}{path or target.path}"
    return [
        Side({"MOP_HTTP_BASE": base, "MOP_HTTP_CLIENT": client, **values}, key=key, send_initialized=False)
        for client in ("gevent", "requests")
    ]


def both_over_sockets(fleet: Fleet, target: SocketTarget, path: str = "", **values: str) -> list[Side]:
    """A side of each WebSocket client."""
    url = f"ws://{fleet.address(target.process)}{path or target.path}"
    return [
        Side({"MOP_BASE_URL": url, "MOP_WS_CLIENT": client, **values}, key=PUBLIC_KEY, send_initialized=True)
        for client in ("gevent", "websocket-client")
    ]


def agree(transcripts: list[list[Told]]) -> None:
    """Fails at the first step in which the two clients were told different things."""
    ours, theirs = transcripts
    for our, their in zip(ours, theirs, strict=True):
        assert our == their


@pytest.fixture(params=["", "65536"], ids=["", "capped"])
def cap(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings: the usual limit of a reply, and one that the answer of 200,000 bytes is over."""
    return {"MOP_MAX_REPLY_BYTES": request.param} if request.param else {}


def test_the_http_clients_agree(fleet: Fleet, http_target: HttpTarget, cap: dict[str, str]) -> None:
    """Step by step: one exchange each, its ending, the value or the sentence of the error."""
    sides = both_over_http(fleet, http_target, **cap)
    told = [transcript(side, http_steps(side, http_target)) for side in sides]
    agree(told)
    measured = {note.step: note.exchanges for note in told[0]}
    assert measured["initialize"] == [("http", "initialize", OK)]
    assert [len(exchanges) for step, exchanges in measured.items() if step not in ("agreed", "end")] == [1] * (len(measured) - 2)
    assert measured["call another"][0][2].outcome == ("protocol" if cap else "ok")
    for side in sides:
        side.client.close()


@pytest.mark.parametrize("key", ["", "wrong"])
def test_the_http_clients_agree_on_keys(fleet: Fleet, http_target: HttpTarget, key: str) -> None:
    """What a refused key says, and what is left to be done then."""
    told = []
    for side in both_over_http(fleet, http_target, key):
        session = side.session()
        told.append(transcript(side, iter([("initialize", session.initialize), ("end", session.close)])))
        side.client.close()
    agree(told)


@pytest.mark.parametrize("path", ["/nowhere", "/health", "/ws", "/"])
def test_the_http_clients_agree_on_other_pages(fleet: Fleet, http_target: HttpTarget, path: str) -> None:
    """A wrong URL gets the same sentence."""
    told = []
    for side in both_over_http(fleet, http_target, path=path):
        session = side.session()
        told.append(transcript(side, iter([("initialize", session.initialize), ("stream", partial(_opens, session))])))
        side.client.close()
    agree(told)
    assert all(note.exchanges[0][2].outcome != "ok" for note in told[0])


def test_the_websocket_clients_agree(fleet: Fleet, socket_target: SocketTarget, cap: dict[str, str]) -> None:
    """Step by step, until one answer is over the cap: then the socket is gone."""
    told = [
        transcript(side, up_to("call another" if cap else "end", socket_steps(side, socket_target)))
        for side in both_over_sockets(fleet, socket_target, **cap)
    ]
    agree(told)
    assert told[0][-1].step == ("call another" if cap else "end")
    assert told[0][-1].exchanges[0][2] == (Ending("protocol", 0, "reply too large") if cap else socket_target.closed)
    assert told[0][0].exchanges == [("websocket", "connect", UPGRADED)]


def up_to(last: str, steps: Iterator[Step]) -> Iterator[Step]:
    """The steps to the last one."""
    for step in steps:
        yield step
        if step[0] == last:
            return


@pytest.mark.parametrize("path", ["/nowhere", "/health", "/mcp", "/"])
def test_the_websocket_clients_agree_on_other_pages(fleet: Fleet, socket_target: SocketTarget, path: str) -> None:
    """A wrong URL gets the same sentence."""
    told = [transcript(side, iter([("open", side.connect().open)])) for side in both_over_sockets(fleet, socket_target, path)]
    agree(told)
    assert told[0][0].exchanges[0][2].outcome == "http_status"
