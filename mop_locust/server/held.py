"""How long the server really held its answers: a witness of latency that shares no code with what a client measures with.

Each time is counted in its exact microsecond. A server that runs for long has as many entries as there are different times.
"""

from __future__ import annotations

QUANTILES = {"p50_us": 50, "p95_us": 95, "p99_us": 99}


class Held:
    """Times in microseconds, from a request read whole to its answer handed to the connection, by counting name."""

    def __init__(self) -> None:
        self._times: dict[str, dict[int, int]] = {}

    def add(self, name: str, us: int) -> None:
        """Count one answer."""
        times = self._times.get(name)
        if times is None:
            times = self._times[name] = {}
        times[us] = times.get(us, 0) + 1

    def figures(self) -> dict[str, dict[str, int]]:
        """For each name `count`, the times at rank ceil(q * count) as `p50_us`, `p95_us`, `p99_us`, and `max_us`."""
        return {name: _figures(times) for name, times in self._times.items()}


def _figures(times: dict[int, int]) -> dict[str, int]:
    count = sum(times.values())
    ranks = {label: -(-count * percent // 100) for label, percent in QUANTILES.items()}
    found = {"count": count}
    reached = 0
    for us in sorted(times):
        before, reached = reached, reached + times[us]
        found |= {label: us for label, rank in ranks.items() if before < rank <= reached}
    return {**found, "max_us": max(times)}
