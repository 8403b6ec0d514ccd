"""What a threshold speaks of, without a judgement; the figures themselves are in test_judge."""

from __future__ import annotations

import pytest

from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.totals import Totals
from mop_locust.verdict.threshold import parse
from mop_locust.verdict.value import measured, select, select_part, value_of

VALUES = TrendTotal(Histogram({1: 1, 3: 1}, 2, 4, 1, 3))


def test_the_stage_is_no_tag_of_a_series() -> None:
    """It chooses the totals; the other tags choose in them. A status that never came is 0 where answers came."""
    totals = Totals()
    totals.add(("http_responses", (("status", "200"), ("transport", "http"))), CounterTotal(3))
    (there,) = parse("http_responses{stage:steady,status:200}: count>0")
    (never,) = parse("http_responses{stage:steady,status:500}: count<1")
    (other,) = parse("http_responses{stage:steady,transport:sse}: count<1")
    assert (select(totals, there), select(totals, never), select(totals, other)) == (CounterTotal(3), CounterTotal(), None)


def holding(**series: Accumulator) -> Totals:
    """Totals of these series."""
    totals = Totals()
    for name, total in series.items():
        totals.add((name, ()), total)
    return totals


@pytest.mark.parametrize(
    ("whole", "part", "found"),
    [
        (holding(hits=CounterTotal(3)), holding(hits=CounterTotal(2)), CounterTotal(2)),
        (holding(hits=CounterTotal(0)), holding(calls=CounterTotal(1)), CounterTotal(0)),
        (holding(hits=CounterTotal(3)), holding(calls=CounterTotal(0), arrivals=CounterTotal(9)), None),
        (holding(hits=CounterTotal(3)), Totals(), None),
        (holding(hits=RateTotal(3, 1)), holding(calls=CounterTotal(1)), None),
        (Totals(), holding(calls=CounterTotal(1)), None),
    ],
)
def test_a_counter_that_took_nothing_in_a_part(whole: Totals, part: Totals, found: Accumulator | None) -> None:
    """Is 0 where something else was measured; a rate of nothing is none, and what the generator tells of itself no measure."""
    (threshold,) = parse("hits{stage:spike}: count<1")
    assert select_part(whole, part, threshold) == found
    assert measured(part) == (part.series.get(("calls", ())) == CounterTotal(1) or ("hits", ()) in part.series)


@pytest.mark.parametrize(
    ("total", "expression", "value"),
    [
        (CounterTotal(6), "count>0", 6),
        (CounterTotal(6), "rate>0", 3.0),
        (RateTotal(), "rate>0", None),
        (RateTotal(4, 1), "rate>0", 0.25),
        (RateTotal(4, 1), "count>0", 4),
        (TrendTotal(), "max>0", None),
        (VALUES, "count>0", 2),
        (VALUES, "p(99)>0", 0.003),
        (VALUES, "med>0", 0.001),
        (VALUES, "avg>0", 0.002),
        (VALUES, "min>0", 0.001),
        (VALUES, "max>0", 0.003),
    ],
)
def test_the_one_figure(total: CounterTotal | RateTotal | TrendTotal, expression: str, value: float | None) -> None:
    """Of two seconds."""
    assert value_of(total, parse(f"x: {expression}")[0], 2.0) == value


def test_no_time_and_no_such_aggregation() -> None:
    """A rate a second needs a second; what `check` refuses never passes for a result."""
    assert value_of(CounterTotal(6), parse("x: rate>0")[0], 0.0) is None
    with pytest.raises(ValueError, match=r"^a counter has no max>0: check the thresholds before the run$"):
        value_of(CounterTotal(6), parse("x: max>0")[0], 1.0)
