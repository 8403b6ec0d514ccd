"""Locust's own statistics in bounded memory: it keeps two figures of each row for each second of the run, without end."""

from __future__ import annotations

from locust.stats import RequestStats

KEPT_SECONDS = 60  # Locust looks back 12 seconds, from the newest on
MOST_POINTS = 200  # of the course that its charts show, a point each 5 seconds, of 1 KB


def forget(stats: RequestStats) -> None:
    """Drops what Locust never reads again; of too long a course of its charts every second point."""
    newest = stats.last_request_timestamp
    if newest is not None:
        for row in (stats.total, *stats.entries.values()):
            _forget_before(row.num_reqs_per_sec, int(newest) - KEPT_SECONDS)
            _forget_before(row.num_fail_per_sec, int(newest) - KEPT_SECONDS)
    if len(stats.history) > MOST_POINTS:
        del stats.history[1::2]


def _forget_before(per_second: dict[int, int], oldest: int) -> None:
    if len(per_second) <= 2 * KEPT_SECONDS:
        return  # once a minute is enough
    for second in [second for second in per_second if second < oldest]:
        del per_second[second]
