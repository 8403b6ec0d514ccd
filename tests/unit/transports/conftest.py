"""Servers that live as long as their test, and one certificate authority for all."""

from __future__ import annotations

import pytest

from mop_locust.transports.dial import Dialer, Resolver, TlsOptions
from tests.unit.transports.loopback import Authority


@pytest.fixture
def dialer() -> Dialer:
    """A dialer with nothing in its memory."""
    return Dialer(Resolver(), TlsOptions())


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that signs the servers' certificates."""
    return Authority(tmp_path_factory.mktemp("tls"))
