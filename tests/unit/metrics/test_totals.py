"""The public names: what one exchange series becomes, and how series are selected and added."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.tally import ErrorTotal, ExchangeTotal, Tally
from mop_locust.metrics.totals import Totals, merge_totals
from tests.unit.metrics.strategies import histogram_of, samples

TAGS = (("method", "ping"), ("scenario", "rps"), ("transport", "http"))
WITH_TOOL = (("method", "tools/call"), ("scenario", "rps"), ("tool", "add"), ("transport", "http"))


def totals_of(recorded: list[Sample]) -> Totals:
    """The totals of a ledger that saw these samples."""
    ledger = Ledger("run-1", "worker-1", 1, 0)
    for sample in recorded:
        ledger.record(sample)
    return Totals.of(ledger.snapshot(0, 0).totals)


def test_one_exchange_series_becomes_ten_metrics() -> None:
    """Cancelled and client fault are calls, but stand outside the failure rate; timeouts have their own trend."""
    exchange = ExchangeTotal(
        outcomes={"ok": 2, "timeout": 1, "http_status": 1, "cancelled": 1, "client_fault": 1},
        latency=histogram_of([700, 900]),
        failed=histogram_of([300]),
        timeout=histogram_of([5_000_000]),
        connect=histogram_of([90]),
        first_byte=histogram_of([200]),
        sent=1200,
        received=16_800,
        statuses={200: 2, 503: 1},
    )
    status = [(*WITH_TOOL[:2], ("status", code), *WITH_TOOL[2:]) for code in ("200", "503")]
    assert Totals.of(Tally({("rps", "http", "tools/call", "add"): exchange})).series == {
        ("calls", WITH_TOOL): CounterTotal(6, exchange.outcomes),
        ("call_failures", WITH_TOOL): RateTotal(4, 2),
        ("call_latency", WITH_TOOL): TrendTotal(histogram_of([700, 900])),
        ("call_latency_failed", WITH_TOOL): TrendTotal(histogram_of([300])),
        ("call_latency_timeout", WITH_TOOL): TrendTotal(histogram_of([5_000_000])),
        ("connect_latency", WITH_TOOL): TrendTotal(histogram_of([90])),
        ("first_byte_latency", WITH_TOOL): TrendTotal(histogram_of([200])),
        ("http_responses", status[0]): CounterTotal(2),
        ("http_responses", status[1]): CounterTotal(1),
        ("bytes_sent", WITH_TOOL): CounterTotal(1200),
        ("bytes_received", WITH_TOOL): CounterTotal(16_800),
    }


def test_a_series_without_tool_and_judged_calls_has_neither() -> None:
    """What was not measured has no series, so that a threshold on it is without data."""
    assert Totals.of(Tally({("rps", "http", "ping", ""): ExchangeTotal(outcomes={"cancelled": 3})})).series == {
        ("calls", TAGS): CounterTotal(3, {"cancelled": 3})
    }


def test_custom_series_join_those_of_exchanges() -> None:
    """A phase measured apart adds to the built-in trend of the same name and tags."""
    tally = Tally(
        {("rps", "http", "ping", ""): ExchangeTotal(outcomes={"cancelled": 1}, connect=histogram_of([90]))},
        {("connect_latency", TAGS): TrendTotal(histogram_of([80])), ("mine", ()): CounterTotal(2)},
        {("rps", "http", "ping", "", "connect", "refused"): ErrorTotal(1, 2, 3)},
        4,
    )
    totals = Totals.of(tally)
    assert totals.series[("connect_latency", TAGS)] == TrendTotal(histogram_of([80, 90]))
    assert totals.series[("mine", ())] == CounterTotal(2)
    assert (totals.errors, totals.overflowed) == (tally.errors, 4)
    assert tally.customs[("connect_latency", TAGS)] == TrendTotal(histogram_of([80]))


def test_select_adds_up_the_series_that_carry_the_tags() -> None:
    """Tags as pairs or as a mapping; no tags mean all; nothing is None."""
    totals = Totals()
    totals.add(("calls", TAGS), CounterTotal(1, {"ok": 1}))
    totals.add(("calls", WITH_TOOL), CounterTotal(2, {"ok": 2}))
    totals.add(("iterations", TAGS), CounterTotal(9))
    assert totals.select("calls") == CounterTotal(3, {"ok": 3})
    assert totals.select("calls", {"transport": "http", "method": "ping"}) == CounterTotal(1, {"ok": 1})
    assert totals.select("calls", (("tool", "add"),)) == CounterTotal(2, {"ok": 2})
    assert totals.select("calls", {"tool": "subtract"}) is None
    assert totals.select("unknown") is None


def test_select_gives_a_copy() -> None:
    """Adding to the answer changes no total."""
    totals = Totals()
    totals.add(("calls", TAGS), CounterTotal(1))
    selected = totals.select("calls")
    assert isinstance(selected, CounterTotal)
    selected.count = 99
    assert totals.select("calls") == CounterTotal(1)


def test_kinds_that_clash_are_refused() -> None:
    """The ledger and the merge keep this from happening."""
    with pytest.raises(TypeError, match="a trend cannot be added to a counter"):
        Totals.of(
            Tally(
                {("rps", "http", "ping", ""): ExchangeTotal(outcomes={"cancelled": 1})},
                {("calls", TAGS): TrendTotal()},
            )
        )


def test_errors_are_sorted_by_count_and_then_by_place() -> None:
    """The first line of the report is the most frequent class."""
    totals = Totals()
    for label, count in (("b", 2), ("a", 2), ("c", 5)):
        totals.errors[("rps", "http", "ping", "", "connect", label)] = ErrorTotal(count, 0, 0)
    assert [key[-1] for key, _ in totals.sorted_errors()] == ["c", "a", "b"]


@given(st.lists(samples(), max_size=8), st.lists(samples(), max_size=8), st.lists(samples(), max_size=8))
def test_merging_totals_obeys_the_laws(a: list[Sample], b: list[Sample], c: list[Sample]) -> None:
    """Associative, commutative, with an identity, and equal to the totals of all samples at once."""
    one, two, three = totals_of(a), totals_of(b), totals_of(c)
    whole = totals_of(a + b + c)
    assert merge_totals([one, merge_totals([two, three])]) == merge_totals([merge_totals([one, two]), three]) == whole
    assert merge_totals([two, one]) == merge_totals([one, two])
    assert merge_totals([one, Totals()]) == one
    assert one == totals_of(a)
    assert merge_totals([]) == Totals()


def test_totals_are_compared_by_value_and_shown_by_size() -> None:
    """Two totals differ by errors and overflow as well."""
    totals = Totals()
    totals.overflowed = 1
    assert totals != Totals()
    assert totals != "totals"
    assert repr(totals) == "<Totals series=0 errors=0 overflowed=1>"
