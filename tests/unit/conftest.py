"""Servers that unit tests of several packages talk to."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.unit.client.memory import reference
from tests.unit.transports.loopback import Behaviour, Loopback


@pytest.fixture(scope="module")
def mop() -> Iterator[dict[str, str]]:
    """The variables of a server that answers as the MOP server."""
    with reference() as variables:
        yield variables


@pytest.fixture
def serve() -> Iterator[Callable[..., Loopback]]:
    """Starts servers: `serve(behaviour)`, `serve(behaviour, tls=context)`."""
    with ExitStack() as running:

        def start(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> Loopback:
            server = Loopback(behaviour, tls)
            running.callback(server.stop)
            return server

        yield start
