"""What is held open, by the names of its gauges."""

from __future__ import annotations

from mop_locust.client.open_counts import OpenCounts


def test_the_gauges_have_names() -> None:
    """They stand under these in every output."""
    counts = OpenCounts()
    counts.sessions, counts.sockets, counts.streams = 3, 2, 1
    assert counts.gauges() == {"open_sessions": 3.0, "open_sockets": 2.0, "open_streams": 1.0}
