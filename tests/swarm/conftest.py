"""Swarms that are taken down with their test; without an engine nothing here runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.e2e.conservation")  # its assertions tell their values, as those of a test do

from tests.swarm.compose import Swarm, missing  # noqa: E402  # after the rewrite

SwarmWith = Callable[..., Swarm]


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Skips all of them, by name, where something is missing."""
    if what := missing():
        pytest.skip(f"{what} is not there")


@pytest.fixture
def swarm_with(tmp_path: Path) -> Iterator[SwarmWith]:
    """Makes the swarm of a test, with variables."""
    with ExitStack() as stack:
        yield lambda **variables: stack.enter_context(Swarm("mop-locust-test", tmp_path, **variables))
