"""What follows a merge second by second: sums of the parts of a run, and the seconds themselves once they are settled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

from mop_locust.metrics.snapshot import Window
from mop_locust.metrics.tally import Tally


class Parts:
    """One tally for each part of a run, of whole seconds of its clock: exact however wide the windows become.

    `lengths` are those of the parts in seconds; what comes after the end belongs to the last one that has any.
    """

    def __init__(self, lengths: Iterable[int]) -> None:
        self._ends = list(accumulate(lengths))
        self.tallies = [Tally() for _ in self._ends]

    def add(self, _worker: str, window: Window) -> None:
        """Add one worker's second to the part that it belongs to."""
        last = bisect_right(self._ends, self._ends[-1] - 1)  # not a jump at the end, which has no second
        self.tallies[min(bisect_right(self._ends, window.index), last)].fold(window.tally)


class Seconds:
    """The merged seconds, each handed on once. What a worker reports of one that was handed on counts in the next."""

    def __init__(self) -> None:
        self._next = 0
        self._open: dict[int, Tally] = {}

    def add(self, _worker: str, window: Window) -> None:
        """Add one worker's second."""
        self._open.setdefault(max(window.index, self._next), Tally()).fold(window.tally)

    def settled(self, until: int) -> Iterator[tuple[int, Tally]]:
        """Every second before `until` that was not handed on yet, in order, an empty tally where nothing was reported."""
        while self._next < until:
            self._next += 1
            yield self._next - 1, self._open.pop(self._next - 1, Tally())
