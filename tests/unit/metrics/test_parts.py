"""Parts add up to the whole, and each second is handed on once."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.merge import Merge
from mop_locust.metrics.parts import Parts, Seconds
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.snapshot import Window
from mop_locust.metrics.tally import Tally
from mop_locust.metrics.totals import Totals
from tests.unit.metrics.strategies import samples


def window(index: int, n: int) -> Window:
    """A second in which a counter grew by n."""
    ledger = Ledger("r", "w", 1, 0)
    ledger.count("hits", (), n, index * 1_000_000)
    return Window(index, ledger.snapshot((index + 1) * 1_000_000, 0).totals, {})


def hits(tally: Tally) -> int:
    """How much was counted."""
    total = Totals.of(tally).select("hits")
    return 0 if total is None else total.samples


def test_a_second_belongs_to_one_part() -> None:
    """A jump has none, and what comes after the end is of the last part that has any."""
    parts = Parts([0, 2, 0, 3, 0])
    for index in range(7):
        parts.add("w", window(index, 10**index))
    assert [hits(tally) for tally in parts.tallies] == [0, 11, 0, 1111100, 0]


def test_settled_seconds_come_in_order_and_once() -> None:
    """A second without a report is empty; what is reported of one that was handed on counts in the next."""
    seconds = Seconds()
    seconds.add("w", window(2, 5))
    seconds.add("w", window(0, 1))
    seconds.add("w", window(2, 6))
    assert [(second, hits(tally)) for second, tally in seconds.settled(2)] == [(0, 1), (1, 0)]
    assert list(seconds.settled(1)) == []
    seconds.add("w", window(0, 100))
    assert [(second, hits(tally)) for second, tally in seconds.settled(4)] == [(2, 111), (3, 0)]


@given(
    st.lists(st.tuples(st.integers(0, 2), samples(), st.booleans()), max_size=30),
    st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any),
    st.integers(2, 8),
)
def test_the_sum_over_all_parts_is_the_total(
    events: Sequence[tuple[int, Sample, bool]], lengths: Sequence[int], most: int
) -> None:
    """Also when the windows of the run have become wide: nothing is lost, and nothing is counted twice."""
    workers = [Ledger("r", name, 1, 0) for name in "abc"]
    merge, parts, seconds = Merge("r"), Parts(lengths), Seconds()
    merge.windows._most = most
    merge.followers += [parts.add, seconds.add]
    for worker, sample, report in events:
        workers[worker].record(sample)
        if report:
            at = sample.start_us + sample.duration_us
            acknowledged = merge.receive(workers[worker].snapshot(at, 0))
            if acknowledged is not None:
                workers[worker].acknowledge(acknowledged)
    for ledger in workers:
        merge.receive(ledger.snapshot(20_000_000, 0, final=True))
    for tallies in (parts.tallies, [tally for _, tally in seconds.settled(30)]):
        whole = Tally()
        for tally in tallies:
            whole.fold(tally)
        assert Totals.of(whole).series == merge.totals().series
