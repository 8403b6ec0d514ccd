"""Servers that live as long as their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.unit.client.memory import Taken
from tests.unit.transports.loopback import Behaviour, Loopback


@pytest.fixture
def taken() -> Taken:
    """An empty recorder."""
    return Taken()


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Loopback]]:
    """Starts servers that do exactly what a function says: `serve(behaviour)`."""
    with ExitStack() as running:

        def start(behaviour: Behaviour) -> Loopback:
            server = Loopback(behaviour)
            running.callback(server.stop)
            return server

        yield start
