"""A user's client: which transports it takes, and `attempt`."""

from __future__ import annotations

import pytest
from gevent import GreenletExit

from mop_locust.client import Clients
from mop_locust.client.ceiling import CappedExchanges, Ceiling
from mop_locust.client.exchange import Exchanges
from mop_locust.config import PUBLIC_KEY, ApiKey
from mop_locust.protocol.errors import CheckFailed, ClientFault, Disconnected, MopError
from mop_locust.transports.http import HttpTransport
from mop_locust.transports.requests_http import RequestsTransport
from mop_locust.transports.websocket import WebSocketTransport
from mop_locust.transports.websocket_client import WebSocketClientTransport
from tests.unit.client.memory import TAGS, Taken, client, clients, settings


def test_an_attempt_that_went_well_feeds_a_success(taken: Taken) -> None:
    """One value for the whole block, whatever was done in it."""
    with client(clients(taken)).attempt("ws_failures"):
        pass
    assert taken.rates == [("ws_failures", TAGS, False)]


@pytest.mark.parametrize("error", [Disconnected("reset"), CheckFailed("short")])
def test_an_attempt_that_failed_feeds_a_failure_and_raises(taken: Taken, error: MopError) -> None:
    """The error goes on to the caller."""
    with pytest.raises(type(error)) as caught, client(clients(taken)).attempt("ws_failures"):
        raise error
    assert caught.value is error
    assert taken.rates == [("ws_failures", TAGS, True)]


@pytest.mark.parametrize("error", [ClientFault("no free port"), GreenletExit(), KeyError("x")])
def test_what_says_nothing_about_the_target_feeds_nothing(taken: Taken, error: BaseException) -> None:
    """Our own limits, the end of the run and a fault of the scenario leave the rate alone."""
    with pytest.raises(type(error)), client(clients(taken)).attempt("ws_failures"):
        raise error
    assert taken.rates == []


@pytest.mark.parametrize(("name", "kind"), [("gevent", HttpTransport), ("requests", RequestsTransport)])
def test_the_http_client_is_the_one_that_is_set(taken: Taken, name: str, kind: type) -> None:
    """MOP_HTTP_CLIENT names who speaks HTTP."""
    assert type(clients(taken, MOP_HTTP_CLIENT=name).http()) is kind


@pytest.mark.parametrize(("name", "kind"), [("gevent", WebSocketTransport), ("websocket-client", WebSocketClientTransport)])
def test_the_websocket_client_is_the_one_that_is_set(taken: Taken, name: str, kind: type) -> None:
    """MOP_WS_CLIENT names who speaks WebSocket."""
    assert type(clients(taken, MOP_WS_CLIENT=name).websocket()) is kind


def test_the_limit_of_a_reply_reaches_the_transports(taken: Taken) -> None:
    """MOP_MAX_REPLY_BYTES holds over both."""
    shared = clients(taken, MOP_MAX_REPLY_BYTES="1234")
    assert isinstance(http := shared.http(), HttpTransport)
    assert isinstance(websocket := shared.websocket(), WebSocketTransport)
    assert (http.max_reply, websocket.max_reply) == (1234, 1234)


def test_without_a_ceiling_nothing_is_asked(taken: Taken) -> None:
    """The plain class measures; with one, its own does."""
    shared = clients(taken)
    assert type(client(shared)._exchanges) is Exchanges
    shared.ceiling = Ceiling(10, None)
    capped = client(shared)._exchanges
    assert type(capped) is CappedExchanges
    assert capped.ceiling is shared.ceiling


ELSEWHERE = "203.0.113.7"  # RFC 5737: nobody's; nothing is sent


@pytest.mark.parametrize(
    ("values", "transports", "told"),
    [
        ({}, ["http", "sse", "websocket"], []),
        ({"MOP_HTTP_BASE": f"https://{ELSEWHERE}/mcp"}, ["websocket"], []),
        ({"MOP_HTTP_BASE": f"https://{ELSEWHERE}/mcp"}, ["http", "sse"], ["is neither this machine"]),
        ({"MOP_HTTP_BASE": f"https://{ELSEWHERE}/mcp", "MOP_ALLOW_TARGETS": ELSEWHERE}, ["http"], []),
        (
            {"MOP_HTTP_BASE": f"http://{ELSEWHERE}/mcp", "MOP_ALLOW_TARGETS": ELSEWHERE},
            ["http"],
            ["is reached without encryption"],
        ),
        ({"MOP_BASE_URL": f"ws://{ELSEWHERE}/ws"}, ["websocket"], ["is neither this machine", "is reached without encryption"]),
        (
            {"MOP_BASE_URL": f"ws://{ELSEWHERE}/ws", "MOP_ALLOW_TARGETS": f"{ELSEWHERE}/24", "MOP_ALLOW_CLEARTEXT_KEY": "1"},
            ["websocket"],
            [],
        ),
    ],
)
def test_why_a_target_may_not_be_loaded(taken: Taken, values: dict[str, str], transports: list[str], told: list[str]) -> None:
    """Of the transports that are needed, by the settings and by where the key would go."""
    reasons = clients(taken, **values).refusals(transports)
    assert len(reasons) == len(told)
    assert all(text in reason for text, reason in zip(told, reasons, strict=True)), reasons


@pytest.mark.parametrize("secret", ["", PUBLIC_KEY])
def test_no_key_and_the_public_one_may_go_in_the_clear(taken: Taken, secret: str) -> None:
    """The public demo key is no secret."""
    given = settings(MOP_HTTP_BASE=f"http://{ELSEWHERE}/mcp", MOP_ALLOW_TARGETS=ELSEWHERE)
    assert Clients(given, ApiKey(secret), taken, send_initialized=False).refusals(["http"]) == []


def test_the_last_exchange_is_the_sample_that_was_recorded(taken: Taken) -> None:
    """Before the first there is none."""
    user = client(clients(taken))
    with pytest.raises(LookupError, match="no exchange has ended yet"):
        _ = user.last
    with pytest.raises(MopError), user.connect():
        pass
    assert user.last is taken.samples[-1]
    assert user.last.method == "connect"
