"""Locust's own statistics of the exchanges that ended well, handed over together: events are a fifth of the instructions."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from locust import stats as locust_stats
from locust.stats import RequestStats, StatsEntry

from mop_locust.metrics.sample import Sample


def request_name(sample: Sample) -> str:
    """Returns the name of an exchange in Locust's statistics, where its transport is the method."""
    return f"{sample.method} {sample.tool}" if sample.tool else sample.method


class BatchedStatistics:
    """The exchanges since the last `hand_over`, which leaves Locust with what an event for each would have: every figure."""

    def __init__(self, stats: RequestStats) -> None:
        self._stats = stats
        self._waiting: dict[tuple[str, str, str], list[Sample]] = {}

    def add(self, sample: Sample) -> None:
        """Takes one exchange that ended well."""
        key = sample.transport, sample.method, sample.tool
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = []
        waiting.append(sample)

    def hand_over(self) -> None:
        """Adds what waits to Locust's statistics."""
        waiting, self._waiting = self._waiting, {}
        for samples in waiting.values():
            entry = _entry(self._stats, samples)
            self._stats.total.extend(entry)
            self._stats.entries[(entry.name, entry.method)].extend(entry)

    def drop(self) -> None:
        """Forgets what waits: Locust starts its statistics anew."""
        self._waiting.clear()


def _entry(stats: RequestStats, samples: list[Sample]) -> Any:
    """Returns exchanges of one kind as a row of Locust's; its second is the one in which they are handed over."""
    entry: Any = StatsEntry(stats, request_name(samples[0]), samples[0].transport)  # whose times are typed as whole milliseconds
    times = [sample.duration_us / 1000 for sample in samples]
    now = time.time()
    entry.last_request_timestamp = now
    entry.num_requests = len(samples)
    entry.num_reqs_per_sec[int(now)] = len(samples)
    entry.total_response_time = sum(times)
    entry.min_response_time, entry.max_response_time = min(times), max(times)
    entry.total_content_length = sum(sample.received for sample in samples)
    # Looked up each time: Locust lets people put their own rounding in its place.
    entry.response_times.update(Counter(map(locust_stats.bucket_response_time, times)))
    return entry
