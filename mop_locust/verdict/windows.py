"""Thresholds that speak of windows, or that can end a run: judged second by second while it goes on, or afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from mop_locust.metrics.accumulators import CounterTotal
from mop_locust.metrics.sliding import SlidingSum
from mop_locust.metrics.totals import Totals
from mop_locust.verdict.threshold import Threshold
from mop_locust.verdict.value import measured, select, value_of

State = Literal["PASSED", "CROSSED", "NO_DATA"]
"""How a threshold, or a run, came out."""


class Found(msgspec.Struct, frozen=True):
    """What was found in `seconds` of a run from second `start_s` on."""

    state: State
    value: float
    samples: int
    start_s: int
    seconds: int


class Abort(msgspec.Struct, frozen=True):
    """A threshold that did not hold after its delay, at the end of which second, and its value then."""

    threshold: Threshold
    at_s: int
    value: float


class WindowJudge:
    """The thresholds with `over` or `abort after` of one run.

    `stages` gives the first second of each stage, and the one after it. A window is judged at the end of each second, first
    when it is as long as `over`, or when the delay of `abort after` is over where that is shorter. In a part of the run that is
    shorter, all of it is the window.
    """

    def __init__(self, thresholds: Iterable[Threshold], stages: Mapping[str, tuple[int, int]] | None = None) -> None:
        spans: dict[str | None, tuple[int, int | None]] = {None: (0, None)}
        spans.update((stages or {}).items())
        self._trials = {
            threshold: _Trial(threshold, *spans[threshold.stage])
            for threshold in thresholds
            if threshold.needs_windows and threshold.stage in spans
        }
        self.until = 0

    def __bool__(self) -> bool:
        """Whether there is anything to judge."""
        return bool(self._trials)

    def take(self, second: int, totals: Totals, width: int = 1) -> None:
        """Take the next second of the run, or `width` of them; windows are then rounded up to whole ones of these."""
        for trial in self._trials.values():
            trial.take(second, second + width, totals)
        self.until = second + width

    @property
    def abort(self) -> Abort | None:
        """The first threshold that ends the run; None as long as it may go on."""
        aborts = [trial.abort for trial in self._trials.values() if trial.abort is not None]
        return min(aborts, key=lambda abort: abort.at_s, default=None)

    def found(self, threshold: Threshold) -> Found | None:
        """The window that decides about a threshold: at the abort, or the worst; None when no window does."""
        trial = self._trials.get(threshold)
        return None if trial is None else trial.found()


class _Trial:
    """One threshold, from second `begin` to second `end` of a run, or to the end of that."""

    def __init__(self, threshold: Threshold, begin: int, end: int | None) -> None:
        self._threshold = threshold
        self._begin = begin
        self._end = end
        self._until = begin
        delays = [seconds for seconds in (threshold.over, threshold.abort_after) if seconds]
        self._first = min(delays)
        self._over = threshold.over
        self._sum = SlidingSum()
        self._counts = False
        self._measured = False
        self._worst: Found | None = None
        self._aborted: Found | None = None
        self.abort: Abort | None = None

    def take(self, second: int, until: int, totals: Totals) -> None:
        """Take the seconds up to `until`; those that do not lie wholly in the part are none of ours."""
        entry = select(totals, self._threshold)
        self._counts = self._counts or isinstance(entry, CounterTotal)
        if second < self._begin or (self._end is not None and until > self._end):
            return
        self._measured = self._measured or entry is not None or measured(totals)
        if entry is not None:
            self._sum.push(second, entry)
        self._until = until
        if self._threshold.over:
            width = until - second
            self._over = -(-self._threshold.over // width) * width
            self._sum.drop_before(until - self._over)
        if until - self._begin >= self._first:
            self._judge()

    def found(self) -> Found | None:
        """The window that decides."""
        if self._aborted is not None:
            return self._aborted
        if not self._threshold.over:
            return None
        return self._worst or self._look()

    def _judge(self) -> None:
        found = self._look()
        if found is None:
            return
        if self._worst is None or self._is_worse(found, self._worst):
            self._worst = found
        delay = self._threshold.abort_after
        if delay is not None and found.state == "CROSSED" and self.abort is None and self._until - self._begin >= delay:
            self._aborted = found
            self.abort = Abort(self._threshold, self._until, found.value)

    def _look(self) -> Found | None:
        """What the window that ends now holds; None without data."""
        total = self._sum.total()
        if total is None and self._counts and self._measured:
            total = CounterTotal()  # it counted before, and nothing now: that is a figure
        if total is None:
            return None
        start = max(self._begin, self._until - self._over) if self._over else self._begin
        value = value_of(total, self._threshold, self._until - start)
        if value is None:
            return None
        state: State = "PASSED" if self._threshold.holds(value) else "CROSSED"
        return Found(state, value, total.samples, start, self._until - start)

    def _is_worse(self, found: Found, worst: Found) -> bool:
        if self._threshold.operator in ("<", "<="):
            return found.value > worst.value
        if self._threshold.operator in (">", ">="):
            return found.value < worst.value
        return (found.state, worst.state) == ("CROSSED", "PASSED")
