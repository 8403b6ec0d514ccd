"""The course of a run in bounded memory: seconds at first, then 2, 4, 8 … seconds to a window as the run grows."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import msgspec

from mop_locust.metrics.histogram import counts_at
from mop_locust.metrics.snapshot import Window
from mop_locust.metrics.tally import Tally

MOST_WINDOWS = 600

UNSETTLED = 5
"""Seconds for which a window stays open for the workers that report later."""

Gauges = dict[str, dict[str, float]]

_ENCODER = msgspec.msgpack.Encoder()
_TALLY = msgspec.msgpack.Decoder(tuple[Tally, list[tuple[list[int], list[int]]]])
_GAUGES = msgspec.msgpack.Decoder(Gauges)


class MergedWindow:
    """`width` seconds from second `index` on, of all workers together.

    `folds` counts how often something was added, so that a reader knows whether there is anything new.
    """

    __slots__ = ("_gauges", "_tally", "folds", "index", "width")

    def __init__(self, index: int, width: int) -> None:
        self.index = index
        self.width = width
        self.folds = 0
        self._tally: Tally | bytes = Tally()
        self._gauges: Gauges | bytes = {}

    def __repr__(self) -> str:
        return f"<MergedWindow {self.index}+{self.width}s>"

    @property
    def tally(self) -> Tally:
        """All series of these seconds, to read."""
        return _unpacked(self._tally) if isinstance(self._tally, bytes) else self._tally

    @property
    def gauges(self) -> Gauges:
        """The last values of each worker, to read."""
        return _GAUGES.decode(zlib.decompress(self._gauges)) if isinstance(self._gauges, bytes) else self._gauges

    def fold(self, tally: Tally, gauges: Gauges) -> None:
        """Add what came in these seconds; a gauge given again replaces the earlier value."""
        self.folds += 1
        was_packed = isinstance(self._tally, bytes)
        self._tally, self._gauges = self.tally, self.gauges
        self._tally.fold(tally)
        for worker, values in gauges.items():
            self._gauges.setdefault(worker, {}).update(values)
        if was_packed:
            self.pack()

    def pack(self) -> None:
        """Keep everything as bytes from now on: 600 windows of live histograms take some ten times the memory."""
        if not isinstance(self._tally, bytes):
            self._tally, self._gauges = _packed(self.tally), _compressed(self.gauges)


def _packed(tally: Tally) -> bytes:
    """The bytes for `_unpacked`.

    Buckets as their distance from the one before, in order, take half of what they take as they are, compressed in both cases.
    """
    bare = Tally()
    bare.fold(tally)  # a reader may hold what is packed
    buckets = []
    for histogram in bare.histograms():
        buckets.append(histogram.steps())
        histogram.counts = {}
    return _compressed((bare, buckets))


def _unpacked(packed: bytes) -> Tally:
    tally, buckets = _TALLY.decode(zlib.decompress(packed))
    for histogram, (steps, counts) in zip(tally.histograms(), buckets, strict=True):
        histogram.counts = counts_at(steps, counts)
    return tally


def _compressed(content: object) -> bytes:
    return zlib.compress(_ENCODER.encode(content), 6)


class WindowStore:
    """At most `most` windows; when there would be more, all become twice as wide and neighbours are added up."""

    def __init__(self, most: int = MOST_WINDOWS) -> None:
        self.width = 1
        self._most = most
        self._slots: dict[int, MergedWindow] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[MergedWindow]:
        """The windows in the order of time; seconds without any record are not there."""
        return iter([self._slots[slot] for slot in sorted(self._slots)])

    def closed(self, start: int, until: int) -> tuple[list[MergedWindow], int]:
        """The windows from second `start` up to and with `until`, and the second where to begin the next time.

        What would be one window after a doubling comes together, so that nobody who follows misses half of it.
        """
        pair = 2 * self.width
        end = max(start, (until + 1) // pair * pair)
        return [window for window in self if start <= window.index < end], end

    def add(self, worker: str, window: Window) -> None:
        """Add one worker's window, which is not shared; one worker's windows come in the order of time."""
        slot = window.index // self.width
        if slot not in self._slots:
            self._slots[slot] = MergedWindow(slot * self.width, self.width)
            self._settle()
        self._slots[slot].fold(window.tally, {worker: window.gauges})
        while len(self._slots) > self._most:
            self._widen()

    def _settle(self) -> None:
        """Pack the windows to which no worker is likely to add any more."""
        newest = max(self._slots) * self.width
        for window in self._slots.values():
            if window.index + window.width <= newest - UNSETTLED:
                window.pack()

    def _widen(self) -> None:
        """Make all windows twice as wide, and keep no more of them unpacked than there were."""
        narrow, self._slots = self._slots, {}
        self.width *= 2
        for index in sorted(narrow):
            window = narrow.pop(index)  # one by one: hundreds of them live at once would stay as memory that is never given back
            slot = window.index // self.width
            if slot not in self._slots:
                self._slots[slot] = MergedWindow(slot * self.width, self.width)
                self._settle()
            self._slots[slot].fold(window.tally, window.gauges)
