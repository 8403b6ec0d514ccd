"""Certificates for servers over TLS."""

from __future__ import annotations

import pytest

from tests.unit.transports.loopback import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that signs the servers' certificates."""
    return Authority(tmp_path_factory.mktemp("tls"))
