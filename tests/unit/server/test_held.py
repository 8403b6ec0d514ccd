"""The server's own record of how long it held its answers."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from mop_locust.server.held import Held


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
