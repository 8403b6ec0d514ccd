"""The server's own record of how long it held its answers."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.server.held import Held

from .conftest import WAIT, Running, over


def test_nothing_was_held() -> None:
    """No figures."""
    assert Held().figures() == {}


def test_figures_are_kept_apart_by_name() -> None:
    """The quantiles are times that occurred."""
    held = Held()
    for us in range(1, 101):
        held.add("http tools/list", us * 10)
    held.add("websocket ping", 7)
    assert held.figures() == {
        "http tools/list": {"count": 100, "p50_us": 500, "p95_us": 950, "p99_us": 990, "max_us": 1000},
        "websocket ping": {"count": 1, "p50_us": 7, "p95_us": 7, "p99_us": 7, "max_us": 7},
    }


@given(st.lists(st.integers(0, 50), min_size=1))
def test_quantiles_are_the_exact_ones(times: list[int]) -> None:
    """As a sorted list gives them."""
    held = Held()
    for us in times:
        held.add("a", us)
    ordered = sorted(times)
    exact = {f"p{p}_us": ordered[math.ceil(len(ordered) * p / 100) - 1] for p in (50, 95, 99)}
    assert held.figures()["a"] == {"count": len(times), **exact, "max_us": ordered[-1]}


def test_a_server_holds_answers_and_streams_and_tells_how_long(start: Callable[..., Running]) -> None:
    """Over each transport, as often as it answered, and not for less than the delay (its clock has whole milliseconds)."""
    server = start("--delay", "30", "--sse-ends-early")
    session, _ = server.initialize()
    for _ in range(3):
        server.call(session, "tools/list")
    requests.get(server.mcp, headers=session, timeout=WAIT)
    socket = server.socket()
    over(socket, "ping")
    socket.close()
    counts = server.counts()
    assert {name: figures["count"] for name, figures in counts["held"].items()} == counts["answered"]
    assert counts["answered"] == {"http initialize": 1, "http tools/list": 3, "http GET": 1, "websocket ping": 1}
    assert all(29_000 <= figures["p50_us"] <= figures["max_us"] for figures in counts["held"].values())


def test_a_held_stream_whose_client_leaves_is_never_opened(start: Callable[..., Running]) -> None:
    """It was received, and not answered."""
    server = start("--delay", "500")
    session, _ = server.initialize()
    with pytest.raises(requests.Timeout):
        requests.get(server.mcp, headers=session, timeout=0.1)
    counts = server.settled_counts(streams_open=0)
    assert (counts["received"]["http GET"], counts["answered"].get("http GET"), counts["streams_opened"]) == (1, None, 1)
    assert "http GET" not in counts["held"]


def test_a_held_stream_whose_session_is_deleted_is_refused(start: Callable[..., Running]) -> None:
    """With 503, as at the end of the server."""
    server = start("--dialect", "mcp", "--delay", "1500")
    session, _ = server.initialize()
    answers: list[int] = []
    headers = {**session, "Accept": "text/event-stream"}
    asking = threading.Thread(target=lambda: answers.append(requests.get(server.mcp, headers=headers, timeout=WAIT).status_code))
    asking.start()
    server.settled_counts(streams_open=1)
    assert requests.delete(server.mcp, headers=session, timeout=WAIT).status_code == 200
    asking.join(WAIT)
    assert answers == [503]
