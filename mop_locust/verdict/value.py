"""What a threshold speaks of in some totals: the series, and the one figure that is held against its limit."""

from __future__ import annotations

from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.totals import Totals
from mop_locust.verdict.threshold import Threshold

NO_EVIDENCE = frozenset(
    (
        "loop_lag",
        "gc_pause",
        "start_lag",
        "iterations",
        "arrivals",
        "dropped_iterations",
        "iteration_duration",
        "iteration_duration_intended",
    )
)
"""Metrics of the generator itself: they show that it ran, not that anything was measured."""

ANSWER_TAGS = frozenset({"status"})
"""Tags that the target's answer decides. A counter that saw answers, but none with this value, is 0 and not without data."""


def select(totals: Totals, threshold: Threshold) -> Accumulator | None:
    """The sum of the series that the threshold speaks of, in a copy; None when there is none."""
    tags = threshold.series_tags
    total = totals.select(threshold.metric, tags)
    if total is not None:
        return total
    asked = tuple((tag, value) for tag, value in tags if tag not in ANSWER_TAGS)
    if asked != tags and isinstance(totals.select(threshold.metric, asked), CounterTotal):
        return CounterTotal()
    return None


def select_part(whole: Totals, part: Totals, threshold: Threshold) -> Accumulator | None:
    """As `select`, in a part of the whole: a counter of the whole that took nothing there, where others did, is 0."""
    total = select(part, threshold)
    if total is None and measured(part) and isinstance(select(whole, threshold), CounterTotal):
        return CounterTotal()
    return total


def measured(totals: Totals) -> bool:
    """Whether anything was measured, beside what the generator tells of itself."""
    return any(total.samples for (name, _), total in totals.series.items() if name not in NO_EVIDENCE)


def value_of(total: Accumulator, threshold: Threshold, seconds: float) -> float | None:
    """The aggregated value of so many seconds, None when it does not exist.

    ValueError when the aggregation does not fit the kind.
    """
    match total, threshold.aggregation:
        # A counter at 0 is a figure: somebody looked and counted nothing. A rate or a trend of nothing is none.
        case CounterTotal(), "count":
            return total.count
        case CounterTotal(), "rate":
            return total.count / seconds if seconds > 0 else None
        case RateTotal() | TrendTotal(), _ if not total.samples:
            return None
        case RateTotal() | TrendTotal(), "count":
            return total.samples
        case RateTotal(), "rate":
            return total.failures / total.count
        case TrendTotal(histogram=histogram), "p" if threshold.percentile is not None:
            return histogram.quantile(threshold.percentile / 100) / 1000
        case TrendTotal(histogram=histogram), "med":
            return histogram.quantile(0.5) / 1000
        case TrendTotal(histogram=histogram), "avg":
            return histogram.mean / 1000
        case TrendTotal(histogram=histogram), "min":
            return histogram.min / 1000
        case TrendTotal(histogram=histogram), "max":
            return histogram.max / 1000
    raise ValueError(f"a {total.kind} has no {threshold.expression}: check the thresholds before the run")
