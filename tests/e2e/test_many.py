"""More users than `select` can watch sockets: nothing changes above 1,023."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import every_output_agrees
from tests.e2e.processes import Server

USERS = 2000
FILE = Path(__file__).parent / "locustfiles" / "kept_session.py"


def test_two_thousand_users_keep_their_connections(server: Server, run_at: RunAt) -> None:
    """Each has one connection from its first request to its last, as the server counts them."""
    run = run_at(server)
    process = run.single(FILE, "-u", str(USERS), "-r", "500", "-t", "9s", "--mop-preflight", "off", "--allow-degraded")
    assert process.wait(120) == 0, run.output
    counts = server.counts_now()
    side = run.summary["server_side"]
    pages = len(("/health", "/metrics"))
    looks = len(side["samples"]) * pages
    in_vain = sum(int(times) for note in side["notes"] for times in re.findall(r" failed (\d+) of \d+ times", note))
    others = counts["connections"] - looks - 1  # this reading of the counts is one too
    # A look that nobody answered may have had its connection, and need not be a sample; one that the end cut short only adds.
    assert -in_vain <= others - USERS <= in_vain + pages
    assert counts["answered"]["http initialize"] == counts["answered"]["http DELETE"] == USERS
    metrics = run.summary["metrics"]
    assert metrics["connect_latency"]["count"] == USERS
    assert metrics["iterations"]["count"] == counts["answered"]["http tools/list"] > 2 * USERS
    every_output_agrees(run.summary)
