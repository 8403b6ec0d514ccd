"""The wire format between a worker and the master: one MessagePack array, its version first."""

from __future__ import annotations

import math
from typing import TypeVar

import msgspec

from mop_locust.metrics.histogram import Whole
from mop_locust.metrics.tally import Tally

VERSION = 1

_ENCODER = msgspec.msgpack.Encoder()


class SnapshotError(ValueError):
    """Bytes that are not a snapshot this release can read."""


class Window(msgspec.Struct, array_like=True, gc=False):
    """What one second held: `index` counts seconds since the run began, `gauges` are the values last set in it."""

    index: Whole
    tally: Tally
    gauges: dict[str, float]

    def check(self) -> None:
        """ValueError when a figure contradicts another, or is none."""
        self.tally.check()
        _check_gauges(self.gauges)


def pack(part: Tally | Window | None) -> msgspec.Raw:
    """A part of a snapshot as it carries it."""
    return msgspec.Raw(_ENCODER.encode(part))


NOTHING = pack(None)


class Snapshot(msgspec.Struct, array_like=True, kw_only=True):
    """All that a worker has counted until now, so that the newest one alone is enough.

    `totals` covers what came since the last reset, `before` what came before it (None when there was none), `windows` are
    the closed seconds that the master has not acknowledged, `open_window` the second that was going on: it counts only when
    no newer snapshot comes. `at_us` is monotonic since the run began, `wall_us` since 1970.

    What a newer snapshot replaces stays packed, and is read anew each time that somebody asks: of all the reports of a run the
    master reads that part of the newest alone. SnapshotError then, for what cannot be read.
    """

    version: int = VERSION
    run_id: str
    worker: str
    epoch: Whole
    sequence: Whole
    final: bool
    at_us: int
    wall_us: int
    packed_totals: msgspec.Raw
    packed_before: msgspec.Raw
    resets: Whole
    windows: list[Window]
    windows_dropped: Whole
    gauges: dict[str, float]
    packed_open_window: msgspec.Raw = NOTHING

    @property
    def totals(self) -> Tally:
        """What came since the last reset."""
        return _read(_TALLY, self.packed_totals)

    @property
    def before(self) -> Tally | None:
        """What came before the last reset."""
        return _read(_TALLY_OR_NONE, self.packed_before)

    @property
    def open_window(self) -> Window | None:
        """The second that was going on, as far as it went; None when nothing was in it."""
        return _read(_WINDOW_OR_NONE, self.packed_open_window)

    def encode(self) -> bytes:
        """The bytes for `decode_snapshot`."""
        return _ENCODER.encode(self)


T = TypeVar("T", Tally, Tally | None, Window | None)


class _Head(msgspec.Struct, array_like=True):
    version: int


_HEAD = msgspec.msgpack.Decoder(_Head)
_DECODER = msgspec.msgpack.Decoder(Snapshot)
_TALLY = msgspec.msgpack.Decoder(Tally)
_TALLY_OR_NONE: msgspec.msgpack.Decoder[Tally | None] = msgspec.msgpack.Decoder(Tally | None)
_WINDOW_OR_NONE: msgspec.msgpack.Decoder[Window | None] = msgspec.msgpack.Decoder(Window | None)


def decode_snapshot(data: bytes) -> Snapshot:
    """Read a snapshot back; SnapshotError, with a sentence, for garbage, an unknown version or contradictory figures.

    The totals of the last word of a worker are read at once, the others when they are asked for.
    """
    try:
        snapshot = _DECODER.decode(data)
        if snapshot.version == VERSION:
            _check(snapshot)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(_foreign(_version(data)) or f"not a snapshot: {error}") from None
    if sentence := _foreign(snapshot.version):
        raise SnapshotError(sentence)
    return snapshot


def _version(data: bytes) -> int:
    """The version that the bytes claim, ours when they tell none: asked for only when they cannot be read as a whole."""
    try:
        return _HEAD.decode(data).version
    except (ValueError, RecursionError):
        return VERSION


def _foreign(version: int) -> str:
    return "" if version == VERSION else f"snapshot version {version} is unknown; this release reads version {VERSION}"


def _read(decoder: msgspec.msgpack.Decoder[T], packed: msgspec.Raw) -> T:
    try:
        part = decoder.decode(packed)
        if part is not None:
            part.check()
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"not a part of a snapshot: {error}") from None
    return part


def _check(snapshot: Snapshot) -> None:
    if snapshot.final:
        snapshot.totals, snapshot.before, snapshot.open_window  # noqa: B018  # checked now: nothing newer will come
    last = -1
    for window in snapshot.windows:
        if window.index <= last:
            raise ValueError("windows are not in order")
        last = window.index
        window.check()
    _check_gauges(snapshot.gauges)


def _check_gauges(gauges: dict[str, float]) -> None:
    if not all(map(math.isfinite, gauges.values())):
        raise ValueError("a gauge is not a finite number")
