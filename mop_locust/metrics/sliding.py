"""The sum of the newest entries of a series, for two merges an entry however many there are."""

from __future__ import annotations

from mop_locust.metrics.accumulators import Accumulator, total_of


class SlidingSum:
    """Accumulators of one kind by ascending time, the oldest of which leave again.

    A distribution cannot be subtracted from another. So the older entries are kept as sums up to the middle, one for each that
    is the oldest in turn, and the newer ones as one sum; when the older have all left, the newer take their place.
    """

    def __init__(self) -> None:
        self._older: list[tuple[int, Accumulator]] = []  # the oldest last: (time, sum from there to the middle)
        self._newer: list[tuple[int, Accumulator]] = []
        self._newer_sum: Accumulator | None = None

    def push(self, time: int, entry: Accumulator) -> None:
        """Add the newest entry, which is kept and must not change any more; TypeError when its kind differs."""
        self._newer.append((time, entry))
        self._newer_sum = _sum(self._newer_sum, entry)

    def drop_before(self, time: int) -> None:
        """Let all entries go that are older than the time."""
        while self._older or self._newer:
            if not self._older:
                self._turn()
            if self._older[-1][0] >= time:
                return
            self._older.pop()

    def total(self) -> Accumulator | None:
        """The sum of what is there, in a copy; None for nothing."""
        if self._older:
            return _sum(self._older[-1][1], self._newer_sum)
        return None if self._newer_sum is None else self._newer_sum.copy()

    def _turn(self) -> None:
        total: Accumulator | None = None
        for time, entry in reversed(self._newer):
            total = _sum(entry, total)
            self._older.append((time, total))
        self._newer, self._newer_sum = [], None


def _sum(one: Accumulator | None, other: Accumulator | None) -> Accumulator:
    """The sum of the two, at least one of which is there, in a copy."""
    if one is not None and other is not None:
        return total_of((one, other))
    only = one if one is not None else other
    assert only is not None
    return only.copy()
