"""One truth from all workers, however their snapshots travel."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import CounterTotal, RateTotal
from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.merge import Merge, OwnFigures, Totals, merge_totals
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.snapshot import Snapshot, Window, decode_snapshot, pack
from mop_locust.metrics.tally import Tally
from tests.unit.metrics.strategies import samples

SECOND = 1_000_000
TEN = 10 * SECOND


def ledger(worker: str = "a", epoch: int = 1, run_id: str = "run-1") -> Ledger:
    """A ledger of a run that began at 0."""
    return Ledger(run_id, worker, epoch, 0)


def ping(at: int = 0) -> Sample:
    """An exchange that went well."""
    return Sample("rps", "http", "ping", "ok", at, 100)


def calls(totals: Totals) -> int:
    """How many exchanges were counted."""
    total = totals.select("calls")
    return 0 if total is None else total.samples


def in_windows(merge: Merge) -> Tally:
    """The sum of all windows."""
    result = Tally()
    for window in merge.windows:
        result.fold(window.tally)
    return result


@given(
    st.lists(st.tuples(st.integers(0, 2), samples(), st.booleans(), st.booleans()), max_size=24),
    st.lists(st.booleans(), min_size=60, max_size=60),
    st.randoms(use_true_random=False),
)
def test_any_split_and_any_journey_gives_the_same_truth(
    events: Sequence[tuple[int, Sample, bool, bool]],
    lost: list[bool],
    rng,  # type: ignore[no-untyped-def]
) -> None:
    """Samples over three workers; snapshots lost, doubled, late and reordered; acknowledgements lost; one final each."""
    workers = [ledger(name) for name in "abc"]
    whole = ledger("whole")
    sent: list[tuple[Ledger, Snapshot]] = []
    merge = Merge("run-1")

    def arrive(sender: Ledger, snapshot: Snapshot) -> None:
        acknowledged = merge.receive(decode_snapshot(snapshot.encode()))
        if acknowledged is not None and rng.random() < 0.5:
            sender.acknowledge(acknowledged)

    for (worker, sample, report, at_once), drop in zip(events, lost, strict=False):
        workers[worker].record(sample)
        whole.record(sample)
        if report:
            snapshot = workers[worker].snapshot(sample.start_us + sample.duration_us, 0)
            if at_once:
                arrive(workers[worker], snapshot)
            if not drop:
                sent.append((workers[worker], snapshot))
    sent += [(worker, worker.snapshot(TEN, 0, final=True)) for worker in workers]
    rng.shuffle(sent)
    for sender, snapshot in sent:
        arrive(sender, snapshot)
        if rng.random() < 0.3:
            arrive(sender, snapshot)

    expected = whole.snapshot(TEN, 0, final=True).totals
    assert merge.totals() == Totals.of(expected)
    assert in_windows(merge).exchanges == expected.exchanges
    assert all(record.final for record in merge.workers.values())
    assert merge.totals() == merge_totals(
        [Totals.of(worker.snapshot(TEN, 0).totals) for worker in workers],
    )


def test_the_newest_snapshot_of_a_worker_replaces_the_older() -> None:
    """Cumulative totals are never added up over time."""
    book, merge = ledger(), Merge("run-1")
    for second in range(3):
        book.record(ping(second * SECOND))
        merge.receive(book.snapshot(second * SECOND, 0))
    assert calls(merge.totals()) == 3


def test_old_and_doubled_snapshots_are_stale() -> None:
    """They change nothing but their count, and repeat an acknowledgement that may have been lost."""
    book, merge = ledger(), Merge("run-1")
    book.record(ping())
    first = book.snapshot(SECOND, 0)
    second = book.snapshot(2 * SECOND, 0)
    assert merge.receive(second) == 0
    assert merge.receive(first) == 0
    assert merge.receive(second) == 0
    assert (merge.stale, calls(merge.totals()), len(merge.windows)) == (2, 1, 1)
    assert repr(merge) == "<Merge run-1 workers=1 stale=2 foreign=0>"


def test_a_worker_tells_of_itself_as_it_stands() -> None:
    """Its exchanges since the last reset, and its own vital signs; nothing of other workers, and no older figures."""
    merge = Merge("run-1")
    own, other = ledger("a"), ledger("b")
    own.record(ping())
    other.record(ping())
    other.trend("loop_lag", (), 700, 0)
    merge.receive(own.snapshot(1, 0))
    merge.receive(other.snapshot(1, 0))
    assert merge.of_worker("a") == OwnFigures(1)
    own.record(ping())
    own.trend("loop_lag", (), 300, 0)
    own.trend("gc_pause", (), 40, 0)
    merge.receive(own.snapshot(2, 0))
    told = merge.of_worker("a")
    assert told.exchanges == 2
    assert told.loop_lag is not None
    assert told.gc_pause is not None
    assert (told.loop_lag.max, told.gc_pause.max) == (300, 40)
    merge.totals()  # adds up both, and none of them is the sum
    assert merge.of_worker("a") == told
    own.reset()
    merge.receive(own.snapshot(3, 0))
    assert (merge.of_worker("a"), merge.of_worker("b").exchanges) == (OwnFigures(), 1)


def test_a_snapshot_of_another_run_is_foreign() -> None:
    """A worker of yesterday's run does not count."""
    book, merge = ledger(run_id="run-0"), Merge("run-1")
    book.record(ping())
    assert merge.receive(book.snapshot(SECOND, 0)) is None
    assert (merge.foreign, merge.workers, calls(merge.totals())) == (1, {}, 0)


def test_what_contradicts_the_known_kinds_is_kept_out() -> None:
    """From a build with another idea of a metric, a reset in between or not."""
    merge = Merge("run-1")
    good = ledger("good")
    good.count("mine", (), 2, 0)
    merge.receive(good.snapshot(SECOND, 0))
    fresh, after_reset = ledger("x"), ledger("y")
    for book in (fresh, after_reset):
        book.rate("mine", (), True, 0)
    after_reset.reset()
    for book in (fresh, after_reset):
        assert merge.receive(book.snapshot(SECOND, 0)) is None
    assert (merge.conflicting, list(merge.workers)) == (2, ["good"])
    assert merge.totals().select("mine") == CounterTotal(2)


@pytest.mark.parametrize(
    "changes",
    [
        {"packed_totals": pack(Tally(customs={("calls", ()): RateTotal(1, 1)}))},
        {"packed_before": pack(Tally(customs={("calls", ()): RateTotal(1, 1)}))},
        {"packed_totals": pack(Tally(customs={("mine", ()): RateTotal(1, 2)}))},
        {"packed_before": msgspec.Raw(b"\xc1")},
    ],
    ids=["of another kind", "of another kind before a reset", "contradictory", "no totals"],
)
def test_totals_that_cannot_be_used_are_out_until_the_next_report(changes: dict[str, msgspec.Raw]) -> None:
    """They are read when they are asked for: the rest of the sum stands, and who is missing in it is known."""
    merge = Merge("run-1")
    good, bad = ledger("good"), ledger("bad")
    for book in (good, bad):
        book.record(ping())
        book.reset()
        book.record(ping())
    merge.receive(good.snapshot(0, 0))
    merge.receive(msgspec.structs.replace(bad.snapshot(0, 0), **changes))
    assert (calls(merge.totals()), calls(merge.before()), merge.unusable) == (1, 1, {"bad"})
    assert (merge.of_worker("bad"), merge.of_worker("good").exchanges) == (OwnFigures(), 1)
    merge.receive(bad.snapshot(0, 0))
    assert (calls(merge.totals()), calls(merge.before()), merge.unusable) == (2, 2, set())


@pytest.mark.parametrize(
    "open_window",
    [pack(Window(0, Tally(customs={("calls", ()): RateTotal(1, 1)}), {})), msgspec.Raw(b"\xc1")],
    ids=["of another kind", "no window"],
)
def test_an_open_second_that_cannot_be_used_is_left_out_at_the_end(open_window: msgspec.Raw) -> None:
    """It is read only when nothing newer came, and who is missing in it is known."""
    merge = Merge("run-1")
    good, bad = ledger("good"), ledger("bad")
    for book in (good, bad):
        book.record(ping())
    merge.receive(good.snapshot(0, 0))
    merge.receive(msgspec.structs.replace(bad.snapshot(0, 0), packed_open_window=open_window))
    merge.settle()
    assert merge.unusable == {"bad"}
    assert in_windows(merge).exchanges == good.snapshot(0, 0).totals.exchanges


def test_a_record_tells_what_is_known_of_a_worker() -> None:
    """Gaps are the sequence numbers that were missing when a newer one came."""
    book, merge = ledger(), Merge("run-1")
    book.gauge("cpu", 0.5)
    merge.receive(book.snapshot(SECOND, 1_000))
    book.snapshot(2 * SECOND, 2_000)
    book.snapshot(3 * SECOND, 3_000)
    merge.receive(book.snapshot(4 * SECOND, 4_000, final=True))
    record = merge.workers["a"]
    assert (record.worker, record.epoch, record.sequence, record.gaps) == ("a", 1, 4, 2)
    assert (record.first_at_us, record.last_at_us, record.wall_us) == (SECOND, 4 * SECOND, 4_000)
    assert (record.final, record.resets, record.windows_dropped, record.gauges) == (True, 0, 0, {"cpu": 0.5})


def test_the_first_report_of_a_worker_may_already_be_behind_a_gap() -> None:
    """Two lost at the start are two gaps."""
    book, merge = ledger(), Merge("run-1")
    book.snapshot(0, 0)
    book.snapshot(0, 0)
    merge.receive(book.snapshot(0, 0))
    assert merge.workers["a"].gaps == 2


def test_a_worker_that_came_back_adds_to_what_it_did_before() -> None:
    """Its epochs are kept apart; `workers` shows the newest, also when the older one reports last."""
    merge = Merge("run-1")
    old, new = ledger(epoch=1), ledger(epoch=2)
    old.record(ping())
    new.record(ping())
    new.record(ping())
    merge.receive(old.snapshot(0, 0))
    merge.receive(new.snapshot(0, 0, final=True))
    merge.receive(old.snapshot(0, 0, final=True))
    assert calls(merge.totals()) == 3
    assert merge.workers["a"].epoch == 2
    assert {epoch: record.sequence for (_, epoch), record in merge.records.items()} == {1: 2, 2: 1}
    assert in_windows(merge).exchanges[("rps", "http", "ping", "")].count == 3


def test_after_a_reset_both_parts_are_there() -> None:
    """Also while one worker has not heard of the reset yet."""
    merge = Merge("run-1")
    one, two = ledger("a"), ledger("b")
    for book in (one, two):
        book.record(ping())
    one.reset()
    one.record(ping())
    one.record(ping())
    for book in (one, two):
        merge.receive(book.snapshot(0, 0))
    assert (calls(merge.totals()), calls(merge.before())) == (3, 1)
    assert (merge.workers["a"].resets, merge.workers["b"].resets) == (1, 0)


def test_a_merge_without_snapshots_is_empty() -> None:
    """Nothing measured is no total at all."""
    merge = Merge("run-1")
    assert merge.totals() == merge.before() == Totals()


def test_an_acknowledgement_names_the_last_window_taken() -> None:
    """Without a closed window there is nothing to acknowledge; a window sent again is taken once."""
    book, merge = ledger(), Merge("run-1")
    book.record(ping())
    assert merge.receive(book.snapshot(0, 0)) is None
    assert merge.receive(book.snapshot(SECOND, 0)) == 0
    book.record(ping(5 * SECOND))
    assert merge.receive(book.snapshot(6 * SECOND, 0)) == 5
    assert [(window.index, window.tally.exchanges[("rps", "http", "ping", "")].count) for window in merge.windows] == [
        (0, 1),
        (5, 1),
    ]


def test_the_open_second_of_a_lost_worker_is_in_the_windows_at_the_end() -> None:
    """The newest snapshot of a worker that never said its last word: totals and windows still agree."""
    ledger = Ledger("run", "w", 1, 0)
    ledger.record(Sample("s", "http", "ping", "ok", 0, 1_500_000))
    ledger.record(Sample("s", "http", "ping", "ok", 2_000_000, 100_000))
    merge = Merge("run")
    merge.receive(ledger.snapshot(2_200_000, 0))
    in_windows = sum(total.count for window in merge.windows for total in window.tally.exchanges.values())
    assert in_windows == 1
    merge.settle()
    merge.settle()
    in_windows = sum(total.count for window in merge.windows for total in window.tally.exchanges.values())
    assert in_windows == 2
    calls = merge.totals().select("calls")
    assert calls is not None
    assert calls.samples == 2


def test_settling_changes_nothing_after_a_final_snapshot() -> None:
    """A final snapshot closed every second itself."""
    ledger = Ledger("run", "w", 1, 0)
    ledger.record(Sample("s", "http", "ping", "ok", 0, 100_000))
    merge = Merge("run")
    merge.receive(ledger.snapshot(200_000, 0))
    merge.receive(ledger.snapshot(300_000, 0, final=True))
    merge.settle()
    assert [sum(total.count for total in window.tally.exchanges.values()) for window in merge.windows] == [1]
