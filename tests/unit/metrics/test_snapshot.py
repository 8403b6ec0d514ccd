"""The wire format: golden bytes, round trip, and a sentence for everything else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.snapshot import VERSION, Snapshot, SnapshotError, Window, decode_snapshot, pack
from mop_locust.metrics.tally import ErrorTotal, ExchangeTotal, Tally
from tests.unit.metrics.strategies import histogram_of

GOLDEN = Path(__file__).parent / "golden"


def tally() -> Tally:
    """One series of each kind."""
    return Tally(
        {
            ("tools_call_rps", "http", "tools/call", "add"): ExchangeTotal(
                outcomes={"ok": 2, "timeout": 1, "http_status": 1},
                latency=histogram_of([250, 70_000]),
                failed=histogram_of([300]),
                timeout=histogram_of([5_000_000]),
                connect=histogram_of([90]),
                first_byte=histogram_of([200, 60_000, 299]),
                sent=1200,
                received=16_800,
                statuses={200: 2, 503: 1},
            )
        },
        {
            ("sse_early_ends", ()): CounterTotal(3),
            ("ws_failures", (("scenario", "ws_connect_storm"),)): RateTotal(4, 1),
            ("reply_size", (("tool", "add"),)): TrendTotal(histogram_of([4200]), "bytes"),
        },
    )


def snapshot() -> Snapshot:
    """A snapshot that uses every part of the format."""
    totals = tally()
    totals.fold(tally())
    totals.errors[("tools_call_rps", "http", "tools/call", "add", "http_status", "HTTP 503")] = ErrorTotal(
        2, 41_000_000, 41_900_000
    )
    totals.overflowed = 5
    return Snapshot(
        run_id="run-1",
        worker="worker-1",
        epoch=2,
        sequence=7,
        final=True,
        at_us=43_000_000,
        wall_us=1_800_000_000_000_000,
        packed_totals=pack(totals),
        packed_before=pack(tally()),
        resets=1,
        windows=[Window(41, tally(), {"cpu": 0.25}), Window(42, tally(), {})],
        windows_dropped=1,
        gauges={"cpu": 0.25, "users": 20.0},
    )


def test_version_1_is_written_as_ever() -> None:
    """Byte for byte: a change here needs a new version number and a new golden file beside this one."""
    assert VERSION == 1
    assert snapshot().encode() == (GOLDEN / "snapshot-v1.msgpack").read_bytes()


def test_version_1_is_read_as_ever() -> None:
    """The golden file gives the same values."""
    assert decode_snapshot((GOLDEN / "snapshot-v1.msgpack").read_bytes()) == snapshot()


def test_the_version_comes_first() -> None:
    """A release can tell a foreign version before it looks at anything else."""
    assert msgspec.msgpack.decode(snapshot().encode())[0] == VERSION


def test_an_unknown_version_is_refused_with_a_sentence() -> None:
    """When the rest has another shape, and when it has the same."""
    same_shape = snapshot()
    same_shape.version = 2
    for later in (msgspec.msgpack.encode([2, {"anything": "else"}]), same_shape.encode()):
        with pytest.raises(SnapshotError, match="snapshot version 2 is unknown; this release reads version 1"):
            decode_snapshot(later)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"garbage", b"\x80", b"\x91\xa1x", b"\x91\x01", b"\x91" * 100_000])
def test_garbage_is_refused_with_a_sentence(data: bytes) -> None:
    """Whatever arrives at the master's port raises SnapshotError and nothing else."""
    with pytest.raises(SnapshotError, match="not a snapshot: "):
        decode_snapshot(data)


@given(st.binary(max_size=60), st.integers(0, 600), st.integers(0, 255))
def test_damaged_bytes_are_a_snapshot_or_a_snapshot_error(noise: bytes, position: int, byte: int) -> None:
    """Neither noise nor one changed byte nor a cut raises anything else, and what is read is consistent."""
    good = snapshot().encode()
    position %= len(good)
    for data in (noise, good[:position], good[:position] + bytes([byte]) + good[position + 1 :]):
        with suppress(SnapshotError):
            decode_snapshot(data).totals.check()


def broken(**changes: object) -> bytes:
    """The good snapshot with some attributes replaced."""
    result = snapshot()
    for name, value in changes.items():
        setattr(result, name, value)
    return result.encode()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (broken(packed_totals=pack(Tally(customs={("a", ()): RateTotal(1, 2)}))), "more failures than events"),
        (broken(packed_before=pack(Tally(customs={("a", ()): RateTotal(1, 2)}))), "more failures than events"),
        (broken(windows=[Window(1, Tally(customs={("a", ()): RateTotal(1, 2)}), {})]), "more failures than events"),
        (broken(windows=[Window(1, Tally(), {}), Window(1, Tally(), {})]), "windows are not in order"),
        (broken(gauges={"cpu": float("nan")}), "a gauge is not a finite number"),
        (broken(windows=[Window(1, Tally(), {"cpu": float("inf")})]), "a gauge is not a finite number"),
        (broken(packed_totals=pack(Tally(customs={("a", ()): CounterTotal(2**53 + 1)}))), "Expected `int` <= 9007199254740992"),
        (broken(sequence=-1), "Expected `int` >= 0"),
        (broken(worker=5), "Expected `str`, got `int`"),
        (broken(packed_totals=pack(Tally(customs={("a", ()): CounterTotal(-1)}))), "Expected `int` >= 0"),
    ],
)
def test_a_readable_snapshot_with_wrong_figures_is_refused(data: bytes, complaint: str) -> None:
    """A well-formed message must not bring a figure that contradicts another."""
    with pytest.raises(SnapshotError, match=complaint):
        decode_snapshot(data)


@pytest.mark.parametrize("part", ["totals", "before"])
def test_totals_are_read_when_they_are_asked_for(part: str) -> None:
    """A report that is not the last word may be followed by a newer one: its totals are refused only to who asks."""
    kept = decode_snapshot(
        broken(**{"final": False, f"packed_{part}": pack(Tally(customs={("a", ()): RateTotal(1, 2)}))}),
    )
    with pytest.raises(SnapshotError, match="not a part of a snapshot: a rate has more failures than events"):
        getattr(kept, part)


def test_a_snapshot_without_a_reset_round_trips() -> None:
    """`before` is None until there was one."""
    fresh = snapshot()
    fresh.packed_before = pack(None)
    read = decode_snapshot(fresh.encode())
    assert read == fresh
    assert read.before is None
