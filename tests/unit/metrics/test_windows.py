"""The course of a run stays within its memory and loses no count."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import CounterTotal
from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.snapshot import Window
from mop_locust.metrics.tally import Tally
from mop_locust.metrics.windows import MOST_WINDOWS, UNSETTLED, MergedWindow, WindowStore
from tests.unit.metrics.strategies import samples

KEY = ("iterations", ())


def window(index: int, n: int = 1, **gauges: float) -> Window:
    """A second in which n iterations were counted."""
    return Window(index, Tally(customs={KEY: CounterTotal(n)}), gauges)


def counts(store: WindowStore) -> list[tuple[int, int, int]]:
    """(index, width, iterations) of every window."""
    return [(merged.index, merged.width, merged.tally.customs[KEY].samples) for merged in store]


def test_the_same_second_of_two_workers_is_one_window() -> None:
    """In the order of time, whatever the order of arrival; empty seconds are not there."""
    store = WindowStore()
    store.add("a", window(3))
    store.add("a", window(1))
    store.add("b", window(3, 5))
    assert counts(store) == [(1, 1, 1), (3, 1, 6)]
    assert repr(next(iter(store))) == "<MergedWindow 1+1s>"


def test_a_window_tells_whether_anything_was_added() -> None:
    """A reader who saw it at so many folds need not look again."""
    store = WindowStore()
    store.add("a", window(0))
    store.add("a", window(1))
    store.add("b", window(0))
    assert [merged.folds for merged in store] == [2, 1]


def test_a_full_store_doubles_the_width() -> None:
    """Neighbours are added up; the width is a power of two and the start a multiple of it."""
    store = WindowStore(most=2)
    for index in range(5):
        store.add("a", window(index, index + 1))
    assert counts(store) == [(0, 4, 10), (4, 4, 5)]
    store.add("a", window(8))
    assert counts(store) == [(0, 8, 15), (8, 8, 1)]


def test_who_follows_the_windows_gets_every_count_once_through_doublings() -> None:
    """Pairs come together; the last ones when the run is over."""
    store, start, told = WindowStore(most=6), 0, []
    for second in range(41):
        store.add("a", window(second, second + 1))
        windows, start = store.closed(start, second - 1)
        told += [(merged.index, merged.width, merged.tally.customs[KEY].samples) for merged in windows]
        assert start % (2 * store.width) == 0 or not windows
    windows, start = store.closed(start, 1 << 40)
    told += [(merged.index, merged.width, merged.tally.customs[KEY].samples) for merged in windows]
    assert sum(n for *_, n in told) == sum(range(42))
    assert [index for index, *_ in told] == sorted({index for index, *_ in told})
    assert told[:2] == [(0, 1, 1), (1, 1, 2)]
    assert {width for _, width, _ in told} == {1, 2, 4, 8}


def test_a_very_late_window_after_a_doubling_finds_its_place() -> None:
    """Also when its neighbours are packed away."""
    store = WindowStore(most=20)
    for index in range(40):
        store.add("a", window(index))
    store.add("b", window(0, 100))
    assert counts(store)[0] == (0, 2, 102)


def test_a_width_that_must_double_twice_does_so_at_once() -> None:
    """Far apart seconds stay apart until they no longer can."""
    store = WindowStore(most=1)
    store.add("a", window(0))
    store.add("a", window(7))
    assert counts(store) == [(0, 8, 2)]


def test_gauges_keep_the_last_value_of_each_worker() -> None:
    """Workers do not overwrite each other, and the later second wins in a wide window."""
    store = WindowStore(most=1)
    store.add("a", window(0, cpu=0.1, users=5.0))
    store.add("b", window(0, cpu=0.9))
    store.add("a", window(1, cpu=0.2))
    (merged,) = store
    assert merged.gauges == {"a": {"cpu": 0.2, "users": 5.0}, "b": {"cpu": 0.9}}


def test_gauges_of_packed_windows_are_the_same() -> None:
    """Also when more comes for a window that was packed."""
    store = WindowStore()
    store.add("a", window(0, cpu=0.1, users=5.0))
    store.add("a", window(UNSETTLED + 1))
    store.add("b", window(0, cpu=0.9))
    store.add("c", window(0, users=1.0))
    assert [merged.gauges for merged in store] == [
        {"a": {"cpu": 0.1, "users": 5.0}, "b": {"cpu": 0.9}, "c": {"users": 1.0}},
        {"a": {}},
    ]


def test_what_was_added_is_not_shared() -> None:
    """The snapshot that brought the window stays as it was."""
    store = WindowStore()
    first = window(0)
    store.add("a", first)
    store.add("b", window(0))
    assert first == window(0)


def test_settled_windows_are_kept_as_bytes_and_read_the_same() -> None:
    """The newest stay open; a packed one still takes what comes late."""
    store = WindowStore()
    for index in range(UNSETTLED + 3):
        store.add("a", window(index))
    merged = list(store)
    merged[0].pack()
    assert merged[0].tally is not merged[0].tally
    assert merged[-1].tally is merged[-1].tally
    assert merged[0].tally == merged[-1].tally == window(0).tally
    store.add("b", window(0, 4))
    assert counts(store)[0] == (0, 1, 5)


@given(st.lists(samples(), max_size=20), st.lists(st.integers(0, 10**9), max_size=20))
def test_packing_changes_nothing(exchanges: list[Sample], values: list[int]) -> None:
    """All series, every bucket; nor what a reader holds since before."""
    ledger = Ledger("r", "w", 1, 0)
    for exchange in exchanges:
        ledger.record(exchange)
    for value in values:
        ledger.trend("loop_lag", (), value, 0)
    totals = ledger.snapshot(20_000_000, 0, final=True).totals
    merged = MergedWindow(0, 1)
    merged.fold(totals, {"w": {"cpu": 0.5}})
    held = merged.tally
    merged.pack()
    assert held == merged.tally == totals
    assert merged.gauges == {"w": {"cpu": 0.5}}
    merged.fold(totals, {})
    held.fold(totals)
    assert merged.tally == held


def test_wide_windows_are_settled_by_their_seconds() -> None:
    """What is open while many seconds make one window is that window, and the one whose end is no older than usual."""
    store = WindowStore(most=4)
    for index in range(40):
        store.add("a", window(index))
    assert counts(store) == [(0, 16, 16), (16, 16, 16), (32, 16, 8)]
    assert [merged.tally is merged.tally for merged in store] == [False, True, True]
    store.add("a", window(48))
    assert [merged.tally is merged.tally for merged in store] == [False, False, True, True]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60)), max_size=40), st.integers(1, 8), st.randoms())
def test_no_count_is_lost_and_the_order_does_not_matter(arrivals: list[tuple[str, int]], most: int, rng) -> None:  # type: ignore[no-untyped-def]
    """Any arrivals in any order give the same windows, never more than allowed."""
    shuffled = list(arrivals)
    rng.shuffle(shuffled)
    one, two = WindowStore(most), WindowStore(most)
    for store, order in ((one, arrivals), (two, shuffled)):
        for worker, index in order:
            store.add(worker, window(index))
            assert len(store) <= most
    assert counts(one) == counts(two)
    assert sum(n for _, _, n in counts(one)) == len(arrivals)


def test_the_default_holds_ten_minutes_in_seconds() -> None:
    """The 601st second halves the resolution."""
    store = WindowStore()
    for index in range(MOST_WINDOWS + 1):
        store.add("a", window(index))
    assert (len(store), store.width) == (301, 2)


def test_windows_that_were_made_wider_are_bytes_at_once() -> None:
    """But for those that still take what comes: hundreds of them live together would be memory that is never given back."""
    store = WindowStore()
    for index in range(MOST_WINDOWS + 1):
        store.add("a", window(index))
    assert [merged.index for merged in store if merged.tally is merged.tally] == [594, 596, 598, 600]
    assert {n for _, _, n in counts(store)} == {1, 2}
