"""What Locust's statistics hold after a hand-over is what an event for each exchange would have left there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locust import stats as locust_stats
from locust.stats import RequestStats

from mop_locust.metrics.sample import Sample
from mop_locust.swarm.generating.batched_statistics import BatchedStatistics, request_name
from tests.unit.swarm.runs import exchange

KEPT = (
    "num_requests",
    "num_failures",
    "min_response_time",
    "max_response_time",
    "total_content_length",
    "response_times",
)
calls = st.builds(
    exchange,
    method=st.sampled_from(["ping", "tools/call"]),
    tool=st.sampled_from(["", "search"]),
    duration_us=st.integers(0, 90_000_000),
    received=st.integers(0, 1 << 20),
)


def figures(stats: RequestStats) -> dict[Any, Any]:
    """Every row, and the total under its own name."""
    rows = {("total", ""): stats.total, **stats.entries}
    return {
        key: ({name: getattr(row, name) for name in KEPT}, pytest.approx(row.total_response_time)) for key, row in rows.items()
    }


def one_by_one(samples: list[Sample]) -> RequestStats:
    """What Locust's own listener makes of them."""
    stats = RequestStats()
    for sample in samples:
        stats.log_request(sample.transport, request_name(sample), sample.duration_us / 1000, sample.received)  # type: ignore[arg-type]  # it takes parts of milliseconds
    return stats


@given(st.lists(calls), st.lists(calls))
def test_every_figure_is_that_of_one_event_each(before: list[Sample], after: list[Sample]) -> None:
    """In one hand-over or in two; what was handed over is not handed over again."""
    stats = RequestStats()
    batched = BatchedStatistics(stats)
    for samples in (before, after):
        for sample in samples:
            batched.add(sample)
        batched.hand_over()
        batched.hand_over()
    assert figures(stats) == figures(one_by_one([*before, *after]))


def test_they_count_in_the_second_of_the_hand_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is where Locust looks for the rate of now."""
    monkeypatch.setattr("time.time", lambda: 1000.5)
    stats = RequestStats()
    batched = BatchedStatistics(stats)
    for _ in range(3):
        batched.add(exchange())
    batched.hand_over()
    row = stats.entries[("tools/list", "http")]
    assert (row.num_reqs_per_sec, row.last_request_timestamp) == ({1000: 3}, 1000.5)
    assert stats.total.num_reqs_per_sec == {1000: 3}


def test_a_rounding_of_ones_own_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locust lets people replace it while it runs."""
    stats = RequestStats()
    batched = BatchedStatistics(stats)
    batched.add(exchange(duration_us=1_234_000))
    monkeypatch.setattr(locust_stats, "bucket_response_time", lambda milliseconds: int(milliseconds))
    batched.hand_over()
    assert stats.total.response_times == {1234: 1}


def test_what_was_dropped_counts_nowhere() -> None:
    """Locust begins its statistics anew, and what came before is not of the new ones."""
    stats = RequestStats()
    batched = BatchedStatistics(stats)
    batched.add(exchange())
    batched.drop()
    batched.hand_over()
    assert (stats.total.num_requests, dict(stats.entries)) == (0, {})
