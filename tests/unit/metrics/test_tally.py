"""Series of exchanges, errors and custom metrics add up, and contradictions in them are found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.tally import ErrorTotal, ExchangeTotal, Tally
from tests.unit.metrics.strategies import histogram_of, values

PLACE = ("rps", "http", "tools/list", "")
ERROR = ("rps", "http", "tools/list", "", "connect", "refused")


def exchange_of(ok: list[int], refused: list[int], timed_out: list[int], cancelled: int = 0) -> ExchangeTotal:
    """A series with these latencies, 10 bytes out, and status 200 when ok."""
    counts = {"ok": len(ok), "connect": len(refused), "timeout": len(timed_out), "cancelled": cancelled}
    return ExchangeTotal(
        outcomes={outcome: n for outcome, n in counts.items() if n},
        latency=histogram_of(ok),
        failed=histogram_of(refused),
        timeout=histogram_of(timed_out),
        sent=10 * (len(ok) + len(timed_out)),
        statuses={200: len(ok)} if ok else {},
    )


times = st.lists(values, max_size=4)
exchanges = st.builds(exchange_of, times, times, times, st.integers(0, 3))
errors = st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9)).map(
    lambda drawn: ErrorTotal(drawn[0], min(drawn[1:]), max(drawn[1:]))
)


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    """Tallies that share some keys and not others."""
    letters = st.sampled_from("abc")
    return Tally(
        {(key, "http", "ping", ""): exchange for key, exchange in draw(st.dictionaries(letters, exchanges, max_size=2)).items()},
        {(name, ()): CounterTotal(n) for name, n in draw(st.dictionaries(letters, st.integers(0, 9), max_size=2)).items()},
        {(key, "http", "ping", "", "connect", "x"): error for key, error in draw(st.dictionaries(letters, errors)).items()},
        draw(st.integers(0, 3)),
    )


def folded(*parts: Tally) -> Tally:
    """The sum, in this order."""
    result = Tally()
    for part in parts:
        result.fold(part)
    return result


@given(tallies(), tallies(), tallies())
def test_fold_is_associative_and_commutative_and_has_an_identity(a: Tally, b: Tally, c: Tally) -> None:
    """Tallies of any workers add up in any order."""
    assert folded(folded(a, b), c) == folded(a, folded(b, c))
    assert folded(a, b) == folded(b, a)
    assert folded(a, Tally()) == folded(Tally(), a) == a
    folded(a, b, c).check()


@given(tallies(), tallies())
def test_fold_leaves_the_other_one_alone(a: Tally, b: Tally) -> None:
    """What was folded in is not shared: adding more later does not reach back."""
    untouched = folded(b)
    folded(b, a)
    assert b == untouched


def test_an_exchange_series_counts_calls_and_failures() -> None:
    """Cancelled exchanges are calls, but no failures."""
    series = exchange_of([5, 6], [7], [8], cancelled=2)
    assert (series.count, series.failures) == (6, 2)
    series.check()


def test_an_error_class_keeps_its_first_and_last_time() -> None:
    """Whichever of the two came first."""
    error = ErrorTotal(1, 50, 60)
    error.fold(ErrorTotal(2, 10, 20))
    error.fold(ErrorTotal(1, 55, 90))
    assert error == ErrorTotal(4, 10, 90)


def test_metrics_of_different_kinds_do_not_add_up() -> None:
    """Also when the clash is deep in a tally."""
    with pytest.raises(TypeError, match="a rate cannot be added to a counter"):
        Tally(customs={("a", ()): CounterTotal(1)}).fold(Tally(customs={("a", ()): RateTotal(1, 0)}))


@pytest.mark.parametrize(
    ("series", "complaint"),
    [
        (ExchangeTotal(outcomes={"great": 1}), "unknown outcome 'great'"),
        (ExchangeTotal(outcomes={"ok": 1}), "latencies do not fit the outcomes"),
        (ExchangeTotal(outcomes={"connect": 1}, timeout=histogram_of([1])), "latencies do not fit the outcomes"),
        (ExchangeTotal(first_byte=Histogram(count=1)), "histogram counts do not add up"),
    ],
)
def test_a_contradicting_exchange_series_is_found(series: ExchangeTotal, complaint: str) -> None:
    """Figures that came over the wire are held against each other."""
    with pytest.raises(ValueError, match=complaint):
        Tally(exchanges={PLACE: series}).check()


def test_a_key_that_no_ledger_makes_is_found() -> None:
    """Control characters and unsorted tags would break the names of series."""
    with pytest.raises(ValueError, match="not the key of a series"):
        Tally(exchanges={("rps\n", "http", "ping", ""): ExchangeTotal()}).check()
    with pytest.raises(ValueError, match="not the key of a series"):
        Tally(customs={("a b", ()): CounterTotal()}).check()
    with pytest.raises(ValueError, match="not the key of a series"):
        Tally(customs={("a", (("z", "1"), ("b", "2"))): CounterTotal()}).check()
    with pytest.raises(ValueError, match="histogram counts"):
        Tally(customs={("a", (("b", "2"),)): TrendTotal(Histogram(count=1))}).check()


def test_a_sound_tally_passes_the_check() -> None:
    """All kinds of series together."""
    Tally(
        {PLACE: exchange_of([1], [2], [3])},
        {("a", (("b", "2"),)): RateTotal(2, 1)},
        {ERROR: ErrorTotal(1, 5, 5)},
        7,
    ).check()
