"""Packed totals added up series by series: the same sum as of whole tallies, and the one at fault is named."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.series_sum import OwnFigures, SeriesSum, Unreadable
from mop_locust.metrics.snapshot import pack
from mop_locust.metrics.tally import ExchangeTotal, Tally
from tests.unit.metrics.strategies import histogram_of, samples

A, B = ("a", 1), ("b", 1)
PLACE = ("rps", "http", "ping", "")


def counted(recorded: list[Sample], lag: list[int]) -> Tally:
    """The totals of a worker with these exchanges, and so late a loop."""
    ledger = Ledger("run-1", "a", 1, 0)
    for sample in recorded:
        ledger.record(sample)
    for value in lag:
        ledger.trend("loop_lag", (), value, 0)
        ledger.count("iterations", (("scenario", "rps"),), 1, 0)
    return ledger.snapshot(0, 0).totals


workers = st.lists(st.builds(counted, st.lists(samples(), max_size=8), st.lists(st.integers(0, 900), max_size=3)), max_size=3)


@given(workers)
def test_the_sum_is_that_of_whole_tallies(tallies: list[Tally]) -> None:
    """Every series, error and overflow; what each says of itself is its own."""
    whole = Tally()
    for tally in tallies:
        whole.fold(tally)
    packed = {(f"w{number}", 1): pack(tally) for number, tally in enumerate(tallies)}
    added = SeriesSum(packed, {})
    assert added.total == whole
    for tally, source in zip(tallies, packed, strict=True):
        lag = tally.customs.get(("loop_lag", ()))
        exchanges = sum(exchange.count for exchange in tally.exchanges.values())
        assert added.own(source) == OwnFigures(exchanges, lag.histogram if isinstance(lag, TrendTotal) else None, None)


def test_what_a_worker_says_of_itself_is_of_series_without_tags() -> None:
    """A metric of somebody's own may have the name with tags."""
    pause = TrendTotal(histogram_of([40]))
    tally = Tally(customs={("gc_pause", ()): pause, ("loop_lag", (("of", "x"),)): TrendTotal(histogram_of([9]))})
    assert SeriesSum({A: pack(tally)}, {}).own(A) == OwnFigures(0, None, pause.histogram)


def test_the_kinds_are_those_that_were_known_and_those_that_came() -> None:
    """For the next sum."""
    known = {"calls": "counter"}
    added = SeriesSum({A: pack(Tally(customs={("mine", ()): RateTotal(1, 1)}))}, known)
    assert (added.kinds, known) == ({"calls": "counter", "mine": "rate"}, {"calls": "counter"})


@pytest.mark.parametrize(
    "bad",
    [
        msgspec.Raw(b"\xc1"),
        pack(None),
        pack(Tally(exchanges={("r\nps", "http", "ping", ""): ExchangeTotal({"ok": 1}, histogram_of([5]))})),
        pack(Tally(exchanges={PLACE: ExchangeTotal({"ok": 2}, histogram_of([5]))})),
        pack(Tally(customs={("a b", ()): CounterTotal(1)})),
        pack(Tally(customs={("mine", ()): RateTotal(1, 2)})),
        pack(Tally(customs={("mine", ()): CounterTotal(1)})),
        pack(Tally(customs={("calls", ()): RateTotal(1, 1)})),
    ],
    ids=["no bytes of ours", "no tally", "no place", "latencies", "no name", "contradictory", "kind of another", "known kind"],
)
def test_the_source_that_cannot_be_used_is_named(bad: msgspec.Raw) -> None:
    """Whatever is wrong with it; the other one is not to blame."""
    good = pack(Tally({PLACE: ExchangeTotal({"ok": 1}, histogram_of([5]))}, {("mine", ()): RateTotal(1, 1)}))
    with pytest.raises(Unreadable, match="the totals of b cannot be used") as raised:
        SeriesSum({A: good, B: bad}, {"calls": "counter"})
    assert raised.value.source == B
