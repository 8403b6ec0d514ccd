"""The master's side: snapshots of all workers in any order, lost, doubled or late, become one truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.instruments import BUILT_IN
from mop_locust.metrics.series_sum import OwnFigures, SeriesSum, Unreadable
from mop_locust.metrics.snapshot import NOTHING, Snapshot, SnapshotError, Window
from mop_locust.metrics.tally import Tally
from mop_locust.metrics.totals import Totals, merge_totals
from mop_locust.metrics.windows import MergedWindow, WindowStore

__all__ = [
    "Accumulator",
    "CounterTotal",
    "Merge",
    "MergedWindow",
    "OwnFigures",
    "RateTotal",
    "Totals",
    "TrendTotal",
    "WindowStore",
    "WorkerRecord",
    "merge_totals",
]


class WorkerRecord(msgspec.Struct):
    """What is known of one epoch of one worker.

    `first_at_us`, `last_at_us` and `wall_us` are the times its first and newest snapshots gave, `gaps` the snapshots that
    were missing when a newer one came, `final` whether the newest one is its last word.
    """

    worker: str
    epoch: int
    sequence: int
    first_at_us: int
    last_at_us: int
    wall_us: int
    gaps: int
    final: bool
    resets: int
    windows_dropped: int
    gauges: dict[str, float]
    acknowledged: int | None = None


class Merge:
    """Keeps the newest snapshot of each worker's epoch in one run.

    What changes nothing is counted: `stale` (older or doubled), `foreign` (of another run), `conflicting` (a metric of
    another kind than known). `workers` has the newest epoch of each worker, `records` every epoch. What a newer snapshot would
    replace is read when it is asked for; the workers where that cannot be used are in `unusable`, and it is not in the sums.
    `followers` get the name of a worker and each second of it once, as it comes in, and must neither keep nor change it.
    """

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.windows = WindowStore()
        self.followers: list[Callable[[str, Window], None]] = []
        self.workers: dict[str, WorkerRecord] = {}
        self.records: dict[tuple[str, int], WorkerRecord] = {}
        self.stale = 0
        self.foreign = 0
        self.conflicting = 0
        self.unusable: set[str] = set()
        self._newest: dict[tuple[str, int], Snapshot] = {}
        self._own: dict[tuple[str, int], tuple[int, OwnFigures]] = {}
        self._unread: dict[tuple[str, int], int] = {}  # the sequence of the snapshot that cannot be used
        self._before_read: dict[tuple[str, int], int] = {}
        self._kinds: dict[str, str] = {instrument.name: instrument.kind for instrument in BUILT_IN}

    def __repr__(self) -> str:
        return f"<Merge {self.run_id} workers={len(self.workers)} stale={self.stale} foreign={self.foreign}>"

    def receive(self, snapshot: Snapshot) -> int | None:
        """Take a snapshot in; the index of the last window it can forget, or None when there is none to acknowledge."""
        if snapshot.run_id != self.run_id:
            self.foreign += 1
            return None
        key = (snapshot.worker, snapshot.epoch)
        record = self.records.get(key)
        if record is not None and snapshot.sequence <= record.sequence:
            self.stale += 1
            return record.acknowledged
        kinds = self._kinds_with(window.tally for window in snapshot.windows)
        if kinds is None:
            self.conflicting += 1
            return None
        self._kinds = kinds
        if record is None:
            record = self.records[key] = _record(snapshot)
        _update(record, snapshot)
        self._newest[key] = snapshot
        self.unusable.discard(snapshot.worker)
        if snapshot.epoch >= self.workers.setdefault(snapshot.worker, record).epoch:
            self.workers[snapshot.worker] = record
        for window in snapshot.windows:
            self._take(record, window)
        return record.acknowledged

    def settle(self) -> None:
        """Add the second that was going on when a worker was heard last, where no final snapshot closed it: the end of a run."""
        for key, snapshot in self._newest.items():
            window = self._open_window(snapshot)
            if window is not None:
                self._take(self.records[key], window)

    def _take(self, record: WorkerRecord, window: Window) -> None:
        """Add a second of a worker, unless it is in already."""
        if record.acknowledged is None or window.index > record.acknowledged:
            self.windows.add(record.worker, window)
            for follow in self.followers:
                follow(record.worker, window)
            record.acknowledged = window.index

    def _open_window(self, snapshot: Snapshot) -> Window | None:
        try:
            window = snapshot.open_window
        except SnapshotError:
            self.unusable.add(snapshot.worker)
            return None
        if window is not None and self._kinds_with([window.tally]) is None:
            self.unusable.add(snapshot.worker)
            return None
        return window

    def totals(self) -> Totals:
        """The sum over all workers since the last reset, whose distributions are frozen."""
        usable = {key: snapshot for key, snapshot in self._newest.items() if self._is_usable(key, snapshot)}
        return self._sum({key: snapshot.packed_totals for key, snapshot in usable.items()}, own=True)

    def before(self) -> Totals:
        """The sum over all workers of what came before the last reset, frozen too."""
        reset = {key: snapshot for key, snapshot in self._newest.items() if snapshot.packed_before != NOTHING}
        usable = {key: snapshot for key, snapshot in reset.items() if self._is_usable(key, snapshot)}
        return self._sum({key: snapshot.packed_before for key, snapshot in usable.items()}, own=False)

    def of_worker(self, worker: str) -> OwnFigures:
        """What a worker's newest epoch says of itself."""
        key = worker, self.workers[worker].epoch
        snapshot = self._newest[key]
        if self._own.get(key, (-1, None))[0] != snapshot.sequence and self._is_usable(key, snapshot):
            self._sum({key: snapshot.packed_totals}, own=True)
        return self._own[key][1]

    def _is_usable(self, key: tuple[str, int], snapshot: Snapshot) -> bool:
        """Whether nothing is known against it. What came before a reset is looked at first: one without the other is no truth."""
        if snapshot.packed_before != NOTHING and self._before_read.get(key) != snapshot.sequence:
            self._before_read[key] = snapshot.sequence
            self._sum({key: snapshot.packed_before}, own=False)
        return self._unread.get(key) != snapshot.sequence

    def _sum(self, packed: dict[tuple[str, int], msgspec.Raw], *, own: bool) -> Totals:
        """The sum of what can be used of these; `own` when what workers say of themselves is in it."""
        while True:
            try:
                added = SeriesSum(packed, self._kinds)
            except Unreadable as problem:
                key = problem.source
                del packed[key]
                self._unread[key] = sequence = self._newest[key].sequence
                self._own[key] = sequence, OwnFigures()
                self.unusable.add(key[0])
                continue
            self._kinds = added.kinds
            if own:
                self._own |= {key: (self._newest[key].sequence, added.own(key)) for key in packed}
            return Totals.of(added.total)

    def _kinds_with(self, tallies: Iterable[Tally]) -> dict[str, str] | None:
        """The kinds of all metrics known with these; None when they contradict them."""
        kinds = self._kinds.copy()
        for tally in tallies:
            for (name, _), total in tally.customs.items():
                if kinds.setdefault(name, total.kind) != total.kind:
                    return None
        return kinds


def _record(snapshot: Snapshot) -> WorkerRecord:
    return WorkerRecord(
        worker=snapshot.worker,
        epoch=snapshot.epoch,
        sequence=0,
        first_at_us=snapshot.at_us,
        last_at_us=snapshot.at_us,
        wall_us=snapshot.wall_us,
        gaps=0,
        final=snapshot.final,
        resets=snapshot.resets,
        windows_dropped=snapshot.windows_dropped,
        gauges={},
    )


def _update(record: WorkerRecord, snapshot: Snapshot) -> None:
    record.gaps += snapshot.sequence - record.sequence - 1
    record.sequence = snapshot.sequence
    record.last_at_us = snapshot.at_us
    record.wall_us = snapshot.wall_us
    record.final = snapshot.final
    record.resets = snapshot.resets
    record.windows_dropped = snapshot.windows_dropped
    record.gauges = snapshot.gauges
