"""The wire format between a worker and the master: one MessagePack array, its version first."""

from __future__ import annotations

import math

import msgspec

from mop_locust.metrics.histogram import Whole
from mop_locust.metrics.tally import Tally

VERSION = 1


class SnapshotError(ValueError):
    """Bytes that are not a snapshot this release can read."""


class Window(msgspec.Struct, array_like=True):
    """What one second held: `index` counts seconds since the run began, `gauges` are the values last set in it."""

    index: Whole
    tally: Tally
    gauges: dict[str, float]


class Snapshot(msgspec.Struct, array_like=True, kw_only=True):
    """All that a worker has counted until now, so that the newest one alone is enough.

    `totals` covers what came since the last reset, `before` what came before it (None when there was none), `windows` are
    the closed seconds that the master has not acknowledged, `open_window` the second that was going on: it counts only when
    no newer snapshot comes. `at_us` is monotonic since the run began, `wall_us` since 1970.
    """

    version: int = VERSION
    run_id: str
    worker: str
    epoch: Whole
    sequence: Whole
    final: bool
    at_us: int
    wall_us: int
    totals: Tally
    before: Tally | None
    resets: Whole
    windows: list[Window]
    windows_dropped: Whole
    gauges: dict[str, float]
    open_window: Window | None = None

    def encode(self) -> bytes:
        """The bytes for `decode_snapshot`."""
        return _ENCODER.encode(self)


class _Head(msgspec.Struct, array_like=True):
    version: int


_ENCODER = msgspec.msgpack.Encoder()
_HEAD = msgspec.msgpack.Decoder(_Head)
_DECODER = msgspec.msgpack.Decoder(Snapshot)


def decode_snapshot(data: bytes) -> Snapshot:
    """Read a snapshot back; SnapshotError, with a sentence, for garbage, an unknown version or contradictory figures."""
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


def _check(snapshot: Snapshot) -> None:
    snapshot.totals.check()
    if snapshot.before is not None:
        snapshot.before.check()
    last = -1
    windows = [*snapshot.windows, *([] if snapshot.open_window is None else [snapshot.open_window])]
    for window in windows:
        if window.index <= last:
            raise ValueError("windows are not in order")
        last = window.index
        window.tally.check()
    for gauges in (snapshot.gauges, *(window.gauges for window in windows)):
        if not all(map(math.isfinite, gauges.values())):
            raise ValueError("a gauge is not a finite number")
