"""Locust's statistics stay small, and tell what they told."""

from __future__ import annotations

from locust.stats import RequestStats

from mop_locust.swarm.judging.locust_stats import KEPT_SECONDS, MOST_POINTS, forget

ROWS = (("http", "tools/list"), ("websocket", "connect"))


def counted(first: int, last: int) -> RequestStats:
    """Two rows and their total with two exchanges a row in each of these seconds, one of them failed."""
    stats = RequestStats()
    stats.total.start_time = first
    for row in (stats.total, *(stats.get(name, method) for method, name in ROWS)):
        for second in range(first, last + 1):
            row.num_reqs_per_sec[second] = 2
            row.num_fail_per_sec[second] = 1
    stats.total.last_request_timestamp = last + 0.5
    return stats


def test_the_seconds_behind_the_last_minute_go() -> None:
    """Of every row and of the total, requests and failures; the current rates are what they were."""
    stats = counted(999_000, 1_000_000)
    before = [(row.current_rps, row.current_fail_per_sec) for row in stats.entries.values()]
    assert before == [(2.0, 1.0)] * 2
    forget(stats)
    for row in (stats.total, *stats.entries.values()):
        assert list(row.num_reqs_per_sec) == list(range(1_000_000 - KEPT_SECONDS, 1_000_001))
        assert row.num_fail_per_sec.keys() == row.num_reqs_per_sec.keys()
    assert [(row.current_rps, row.current_fail_per_sec) for row in stats.entries.values()] == before


def test_a_short_run_loses_nothing() -> None:
    """Nor does one without any exchange."""
    stats = counted(1_000_000 - KEPT_SECONDS, 1_000_000)
    stats.history = [{"time": str(point)} for point in range(MOST_POINTS)]
    forget(stats)
    assert len(stats.total.num_reqs_per_sec) == KEPT_SECONDS + 1
    assert len(stats.history) == MOST_POINTS
    empty = RequestStats()
    forget(empty)
    assert (empty.total.num_reqs_per_sec, empty.history) == ({}, [])


def test_of_a_long_course_every_second_point_stays() -> None:
    """The first one among them."""
    stats = RequestStats()
    stats.history = [{"time": str(point)} for point in range(MOST_POINTS + 1)]
    forget(stats)
    assert [point["time"] for point in stats.history] == [str(point) for point in range(0, MOST_POINTS + 1, 2)]
