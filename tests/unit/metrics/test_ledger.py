"""The ledger counts every sample once, in the right series and second, within its limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.instruments import Trend
from mop_locust.metrics.ledger import MOST_PENDING, OTHER, Ledger, Snapshot, decode_snapshot
from mop_locust.metrics.sample import FAILURES, OUTCOMES, Sample
from mop_locust.metrics.tally import ErrorTotal, Tally
from tests.unit.metrics.strategies import histogram_of, samples

PLACE = ("rps", "http", "ping", "")
SECOND = 1_000_000


def ledger(**limits: int) -> Ledger:
    """A ledger of a run that began at 0."""
    return Ledger("run-1", "worker-1", 1, 0, **limits)


def call(outcome: str = "ok", *, at: int = 0, error: str = "", scenario: str = "rps", method: str = "ping") -> Sample:
    """An exchange of 100 us that began at the given microsecond."""
    return Sample(scenario, "http", method, outcome, at, 100, error=error)


def added_up(snapshot: Snapshot) -> Tally:
    """The sum of the windows, which have no errors."""
    result = Tally()
    for window in snapshot.windows:
        result.fold(window.tally)
    return result


def test_a_sample_lands_in_its_series_with_all_its_figures() -> None:
    """Phases, bytes, status, and nothing that did not happen."""
    book = ledger()
    book.record(Sample("rps", "http", "tools/call", "ok", 10, 700, "add", 90, 300, 120, 4200, 200))
    book.record(Sample("rps", "http", "tools/call", "ok", 10, 900, "add"))
    series = book.snapshot(0, 0).totals.exchanges[("rps", "http", "tools/call", "add")]
    assert series.outcomes == {"ok": 2}
    assert series.latency == histogram_of([700, 900])
    assert (series.connect, series.first_byte) == (histogram_of([90]), histogram_of([300]))
    assert (series.sent, series.received, series.statuses) == (120, 4200, {200: 1})


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_only_ok_counts_as_latency(outcome: str) -> None:
    """Failures and timeouts have histograms of their own; cancelled and client faults none."""
    book = ledger()
    book.record(call(outcome))
    series = book.snapshot(0, 0).totals.exchanges[PLACE]
    assert series.outcomes == {outcome: 1}
    assert series.latency.count == (outcome == "ok")
    assert series.timeout.count == (outcome == "timeout")
    assert series.failed.count == (outcome in FAILURES and outcome != "timeout")
    series.check()


def test_an_unknown_outcome_is_refused_and_leaves_nothing() -> None:
    """The set is closed."""
    book = ledger()
    with pytest.raises(ValueError, match="unknown outcome 'fine'; one of ok, timeout, connect"):
        book.record(call("fine"))
    assert book.snapshot(0, 0).totals == Tally()


@given(st.lists(samples(), max_size=30))
def test_windows_and_totals_agree(drawn: list[Sample]) -> None:
    """Whatever the order of the samples: each is in one window, and the windows make up the totals."""
    book = ledger()
    for sample in drawn:
        book.record(sample)
    snapshot = book.snapshot(10 * SECOND, 0, final=True)
    assert sum(series.count for series in snapshot.totals.exchanges.values()) == len(drawn)
    assert sum(error.count for error in snapshot.totals.errors.values()) == sum(
        sample.outcome not in {"ok", "cancelled"} for sample in drawn
    )
    assert added_up(snapshot).exchanges == snapshot.totals.exchanges
    assert decode_snapshot(snapshot.encode()) == snapshot


def test_a_sample_belongs_to_the_second_of_its_end() -> None:
    """And to the current one when it comes late; empty seconds leave no window."""
    book = ledger()
    book.record(call(at=SECOND - 100))
    book.record(call(at=SECOND - 101))
    book.record(call(at=5 * SECOND))
    windows = book.snapshot(6 * SECOND, 0).windows
    assert [(window.index, window.tally.exchanges[PLACE].count) for window in windows] == [(1, 2), (5, 1)]


def test_times_count_from_the_origin() -> None:
    """The monotonic clock of the process starts anywhere."""
    book = Ledger("run-1", "worker-1", 1, 7 * SECOND)
    book.record(call("connect", at=9 * SECOND))
    snapshot = book.snapshot(10 * SECOND, 123)
    assert (snapshot.at_us, snapshot.wall_us) == (3 * SECOND, 123)
    assert [window.index for window in snapshot.windows] == [2]
    assert list(snapshot.totals.errors.values()) == [ErrorTotal(1, 2 * SECOND + 100, 2 * SECOND + 100)]


def test_snapshots_are_cumulative_numbered_and_apart() -> None:
    """Each holds all until now, and a later sample does not reach into an earlier one."""
    book = ledger()
    book.record(call())
    first = book.snapshot(10, 0)
    book.record(call())
    second = book.snapshot(20, 0)
    assert (first.sequence, second.sequence, first.final) == (1, 2, False)
    assert (first.totals.exchanges[PLACE].count, second.totals.exchanges[PLACE].count) == (1, 2)
    assert (first.run_id, first.worker, first.epoch, first.before, first.resets) == ("run-1", "worker-1", 1, None, 0)
    assert repr(book) == "<Ledger worker-1 epoch=1 sequence=2 second=0>"


def test_the_open_window_goes_out_only_at_the_end() -> None:
    """`final` closes it; what still comes makes a later window, so that no window has two contents."""
    book = ledger()
    book.record(call())
    assert book.snapshot(10, 0).windows == []
    assert [window.index for window in book.snapshot(20, 0, final=True).windows] == [0]
    book.record(call())
    last = book.snapshot(30, 0, final=True)
    assert [window.index for window in last.windows] == [0, 1]
    assert last.totals.exchanges[PLACE].count == 2


def test_closed_windows_stay_until_they_are_acknowledged() -> None:
    """Up to and including the one named."""
    book = ledger()
    for second in range(4):
        book.record(call(at=second * SECOND))
    assert [window.index for window in book.snapshot(4 * SECOND, 0).windows] == [0, 1, 2, 3]
    book.acknowledge(1)
    assert [window.index for window in book.snapshot(4 * SECOND, 0).windows] == [2, 3]


def test_a_master_that_never_answers_costs_windows_but_no_counts() -> None:
    """The oldest windows are dropped and counted."""
    book = ledger()
    for second in range(MOST_PENDING + 3):
        book.record(call(at=second * SECOND))
    snapshot = book.snapshot(0, 0, final=True)
    assert (len(snapshot.windows), snapshot.windows[0].index, snapshot.windows_dropped) == (MOST_PENDING, 3, 3)
    assert snapshot.totals.exchanges[PLACE].count == MOST_PENDING + 3


def test_series_above_the_limit_share_one_and_are_counted() -> None:
    """Known series go on as before; the errors of the others keep to the shared place."""
    book = ledger(max_series=2)
    for method in ("a", "b", "c", "d", "a"):
        book.record(call("connect", error="refused", method=method))
    totals = book.snapshot(0, 0).totals
    other = (OTHER, OTHER, OTHER, OTHER)
    assert {key[2]: series.count for key, series in totals.exchanges.items()} == {"a": 2, "b": 1, OTHER: 2}
    assert totals.exchanges[other].outcomes == {"connect": 2}
    assert totals.errors[(*other, "connect", "refused")].count == 2
    assert totals.overflowed == 2


def test_custom_series_above_the_limit_share_one_a_metric() -> None:
    """A declared name stays, its tag values become "other"; names nobody declared share one metric of their kind."""
    book = ledger(max_series=1)
    book.count("iterations", (("scenario", "a"),), 1, 0)
    book.count("iterations", (("scenario", "b"),), 2, 0)
    book.count("iterations", (("scenario", "c"),), 3, 0)
    book.rate("unheard_1", (("x", "1"),), True, 0)
    book.rate("unheard_2", (("y", "1"),), False, 0)
    totals = book.snapshot(0, 0).totals
    assert totals.customs == {
        ("iterations", (("scenario", "a"),)): CounterTotal(1),
        ("iterations", (("scenario", OTHER),)): CounterTotal(5),
        ("other_rate", ()): RateTotal(2, 1),
    }
    assert totals.overflowed == 4
    totals.check()


def test_a_hundred_thousand_error_texts_stay_fifty_classes() -> None:
    """Memory and report stay flat, and no error is lost."""
    book = ledger()
    for n in range(100_000):
        word = "".join("ghijklmnop"[int(digit)] for digit in str(n))
        book.record(call("protocol", error=f"odd reply {word}"))
    snapshot = book.snapshot(0, 0)
    counts = {label: error.count for (*_, label), error in snapshot.totals.errors.items()}
    assert len(counts) == 51
    assert sum(counts.values()) == 100_000
    assert counts[OTHER] == 100_000 - 50
    assert len(snapshot.encode()) < 6_000


def test_error_labels_are_normalised_and_fall_back_to_the_outcome() -> None:
    """Ids in a text make no new class; a client fault is listed, a cancelled exchange is not."""
    book = ledger()
    book.record(call("protocol", error="no session deadbeef01", at=5))
    book.record(call("protocol", error="no session deadbeef02", at=9))
    book.record(call("check", error="\x00", at=7))
    book.record(call("rpc_error", error="\x00", at=8))
    book.record(call("client_fault", error="no free port"))
    book.record(call("cancelled", error="end of run"))
    assert book.snapshot(0, 0).totals.errors == {
        (*PLACE, "protocol", "no session #"): ErrorTotal(2, 105, 109),
        (*PLACE, "check", "check"): ErrorTotal(1, 107, 107),
        (*PLACE, "rpc_error", "rpc_error"): ErrorTotal(1, 108, 108),
        (*PLACE, "client_fault", "no free port"): ErrorTotal(1, 100, 100),
    }


def test_a_label_other_takes_no_place_among_the_classes() -> None:
    """An error whose text is just that."""
    book = ledger(max_errors=1)
    for error in (OTHER, "refused", "reset"):
        book.record(call("connect", error=error))
    assert {label: error.count for (*_, label), error in book.snapshot(0, 0).totals.errors.items()} == {OTHER: 2, "refused": 1}


def test_texts_that_cannot_be_printed_are_cleaned_in_keys() -> None:
    """Both spellings are one series, and the snapshot stays encodable."""
    book = ledger()
    book.record(call(method="pi\nng\ud800"))
    book.record(call(method="pi\nng\ud800"))
    book.record(call(method="pi ng "))
    book.rate("ws_failures", (("scenario", "a\x00"),), True, 0)
    snapshot = book.snapshot(0, 0)
    assert snapshot.totals.exchanges[("rps", "http", "pi ng ", "")].count == 3
    assert snapshot.totals.customs == {("ws_failures", (("scenario", "a "),)): RateTotal(1, 1)}
    assert decode_snapshot(snapshot.encode()) == snapshot


def test_negative_figures_do_not_spoil_the_snapshot() -> None:
    """A fault of the caller stays small: a clock that went back counts as 0."""
    book = ledger()
    book.record(Sample("rps", "http", "ping", "ok", 5, -3, sent=-1, received=-1, status=-1))
    snapshot = book.snapshot(0, 0)
    assert snapshot.totals.exchanges[PLACE].latency == histogram_of([0])
    assert decode_snapshot(snapshot.encode()) == snapshot


def test_custom_metrics_of_each_kind() -> None:
    """Tags in any order are one series; at_us chooses the second."""
    book = Ledger("run-1", "worker-1", 1, 0, instruments=[Trend("reply_size", "bytes")])
    book.count("iterations", (), 2, 0)
    book.count("iterations", (), 0, 0)
    book.rate("ws_failures", (("a", "1"), ("b", "2")), True, 0)
    book.rate("ws_failures", (("b", "2"), ("a", "1")), False, SECOND)
    book.trend("reply_size", (), 4200, 0)
    book.trend("mine", (), 5, 3 * SECOND)
    snapshot = book.snapshot(4 * SECOND, 0)
    assert snapshot.totals.customs == {
        ("iterations", ()): CounterTotal(2),
        ("ws_failures", (("a", "1"), ("b", "2"))): RateTotal(2, 1),
        ("reply_size", ()): TrendTotal(histogram_of([4200]), "bytes"),
        ("mine", ()): TrendTotal(histogram_of([5]), "ms"),
    }
    assert [(window.index, len(window.tally.customs)) for window in snapshot.windows] == [(0, 2), (1, 2), (3, 1)]


def test_a_counter_of_nothing_is_known_all_the_same() -> None:
    """So that `count<1` has data."""
    book = ledger()
    book.count("sse_early_ends", (), 0, 0)
    assert book.snapshot(0, 0).totals.customs == {("sse_early_ends", ()): CounterTotal(0)}


def test_a_metric_keeps_its_kind() -> None:
    """Built in, or as first used."""
    book = ledger()
    with pytest.raises(ValueError, match="metric calls is a counter, not a rate"):
        book.rate("calls", (), True, 0)
    book.count("mine", (), 1, 0)
    with pytest.raises(ValueError, match="metric mine is a counter, not a trend"):
        book.trend("mine", (), 1, 0)
    with pytest.raises(ValueError, match="a metric name is"):
        book.count("not a name", (), 1, 0)


@pytest.mark.parametrize("n", [-1, 2**40 + 1])
def test_a_counter_takes_no_absurd_number(n: int) -> None:
    """It could not be sent."""
    with pytest.raises(ValueError, match=r"a counter takes 0 to 2\*\*40, not"):
        ledger().count("mine", (), n, 0)


def test_gauges_keep_their_last_value_and_stand_in_their_window() -> None:
    """A second without samples has a window when a gauge was set in it."""
    book = ledger()
    book.gauge("cpu", 0.5)
    book.gauge("cpu", 0.75)
    book.snapshot(SECOND, 0)
    book.gauge("users", 20)
    snapshot = book.snapshot(2 * SECOND, 0)
    assert snapshot.gauges == {"cpu": 0.75, "users": 20.0}
    assert [(window.index, window.gauges) for window in snapshot.windows] == [(0, {"cpu": 0.75}), (1, {"users": 20.0})]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gauge_is_finite(value: float) -> None:
    """JSON has no other numbers."""
    with pytest.raises(ValueError, match="gauge cpu takes a finite number"):
        ledger().gauge("cpu", value)


@given(st.lists(samples(), max_size=12), st.lists(samples(), max_size=12), st.lists(samples(), max_size=12))
def test_a_reset_moves_all_that_was_into_before(first: list[Sample], second: list[Sample], third: list[Sample]) -> None:
    """Before and current add up to a ledger that was never reset, and the windows show the whole course."""
    book, whole = ledger(), ledger()
    for position, part in enumerate((first, second, third)):
        if position:
            book.reset()
        for sample in part:
            book.record(sample)
            whole.record(sample)
    snapshot, expected = book.snapshot(0, 0, final=True), whole.snapshot(0, 0, final=True)
    last = ledger()
    for sample in third:
        last.record(sample)
    assert snapshot.totals.exchanges == last.snapshot(0, 0).totals.exchanges
    assert snapshot.before is not None
    both = snapshot.totals
    both.fold(snapshot.before)
    assert both == expected.totals
    assert snapshot.windows == expected.windows
    assert snapshot.resets == 2


def test_a_reset_gives_the_error_classes_their_places_back() -> None:
    """The limit is of what follows."""
    book = ledger(max_errors=1)
    book.record(call("connect", error="refused"))
    book.reset()
    book.record(call("connect", error="reset"))
    snapshot = book.snapshot(0, 0)
    assert snapshot.before is not None
    assert [label for *_, label in snapshot.before.errors] == ["refused"]
    assert [label for *_, label in snapshot.totals.errors] == ["reset"]
