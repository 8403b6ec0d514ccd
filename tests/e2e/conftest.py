"""A server for each test, and runs that are ended with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.e2e.conservation")  # its assertions tell their values, as those of a test do

from tests.e2e.processes import LocustRun, Server  # noqa: E402  # after the rewrite

# Short pauses, so that a run of two seconds has something to count.
BRISK = {"MOP_WS_SLEEP_MS": "100", "MOP_RPS_THINK_MS": "50", "MOP_SSE_WINDOW_MS": "500", "MOP_SSE_ITERATIONS": "6"}

# How busy the machine is must not decide a test.
PATIENT = {"MOP_MAX_LOOP_LAG_MS": "60000", "MOP_MAX_CPU_PERCENT": "1000"}

RunAt = Callable[..., LocustRun]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A reference server whose streams have a keep-alive each 200 ms."""
    with Server(tmp_path, "--keep-alive-seconds", "0.2") as started:
        yield started


@pytest.fixture
def run_at(tmp_path: Path) -> Iterator[RunAt]:
    """Makes runs against a server, or a URL; what they start ends with the test. `brisk=False` keeps the seed's pauses."""
    runs: list[LocustRun] = []

    def make(target: Server | str, *, brisk: bool = True, **variables: str) -> LocustRun:
        url = target if isinstance(target, str) else target.url
        given = {**PATIENT, **(BRISK if brisk else {}), **variables}
        runs.append(LocustRun(tmp_path / f"run-{len(runs)}", url, **given))
        return runs[-1]

    yield make
    for run in runs:
        run.close()
