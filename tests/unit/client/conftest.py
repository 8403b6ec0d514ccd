"""Servers that live as long as their test."""

from __future__ import annotations

import pytest

from tests.unit.client.memory import Taken


@pytest.fixture
def taken() -> Taken:
    """An empty recorder."""
    return Taken()
