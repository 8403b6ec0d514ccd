"""mop-locust: load tests for MOP and MCP servers over WebSocket, HTTP and Server-Sent Events, on Locust.

A locustfile takes what it needs from here. The first name taken joins the suite to Locust; the package alone imports neither
Locust nor anything else, so that its pure parts stay cheap to use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locust import task

    from mop_locust.client.federated import FEDERATED_METRICS, FEDERATED_TAGS
    from mop_locust.metrics.instruments import Counter, Rate, Trend
    from mop_locust.protocol.errors import CheckFailed, MopError
    from mop_locust.users import MopHttpUser, MopSseUser, MopUser, MopWebSocketUser

_HOME = {
    "task": "locust",
    "FEDERATED_METRICS": "mop_locust.client.federated",
    "FEDERATED_TAGS": "mop_locust.client.federated",
    "Counter": "mop_locust.metrics.instruments",
    "Rate": "mop_locust.metrics.instruments",
    "Trend": "mop_locust.metrics.instruments",
    "CheckFailed": "mop_locust.protocol.errors",
    "MopError": "mop_locust.protocol.errors",
    "MopUser": "mop_locust.users",
    "MopHttpUser": "mop_locust.users",
    "MopSseUser": "mop_locust.users",
    "MopWebSocketUser": "mop_locust.users",
}

__all__ = [
    "FEDERATED_METRICS",
    "FEDERATED_TAGS",
    "CheckFailed",
    "Counter",
    "MopError",
    "MopHttpUser",
    "MopSseUser",
    "MopUser",
    "MopWebSocketUser",
    "Rate",
    "Trend",
    "task",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_module("mop_locust.swarm")  # registers our listeners with Locust, once
    return getattr(import_module(_HOME[name]), name)
