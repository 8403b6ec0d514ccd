"""Places to push to that hang, refuse or are not there: the run is as exact as without them, and the summary names them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved
from tests.e2e.observers import closed_port, sink
from tests.e2e.processes import Server

LATE = r"(no answer within 3 s|there was no time left)"  # which of them depends on when the last second was merged
HANGS, BROKEN, DOWN = "hangs", "broken", "down"


@contextmanager
def place(state: str) -> Iterator[str]:
    """The address of a sink in that state."""
    if state == DOWN:
        yield closed_port()
    else:
        with sink(None if state == HANGS else 500) as (url, _):
            yield url


@pytest.mark.parametrize(
    ("influx", "otlp", "influx_says", "otlp_says"),
    [
        (HANGS, DOWN, LATE, "Connection refused"),
        (BROKEN, HANGS, "HTTP 500", LATE),
    ],
)
def test_a_sink_that_fails_neither_slows_nor_fails_the_run(
    influx: str, otlp: str, influx_says: str, otlp_says: str, server: Server, run_at: RunAt
) -> None:
    """Every exchange is measured and the run is valid; what could not be written is counted and named."""
    with place(influx) as influx_url, place(otlp) as otlp_url:
        run = run_at(server, MOP_INFLUX=f"{influx_url}/write?db=mop", MOP_OTLP=otlp_url)
        run.single("tools_call_rps", "-t", "2s", "-u", "3")
        assert run.wait() == 0, run.output
    summary = run.summary
    conserved(summary, server.counts())
    assert (summary["verdict"]["state"], summary["verdict"]["validity"]) == ("PASSED", "valid")
    seconds = len(summary["windows"])
    first, second = sorted(summary["run"]["notes"])
    all_of_them = f"{seconds + 1} of {seconds + 1} writes failed"
    assert re.fullmatch(f"InfluxDB at {influx_url}/write: {all_of_them}: {influx_says}", first)
    assert re.fullmatch(f"OTLP at {otlp_url}/v1/metrics: 1 of 1 writes failed: {otlp_says}", second)
    assert "Traceback" not in run.output
