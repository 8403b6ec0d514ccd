"""The judgement of a run: its totals against its thresholds, and whether the measurement can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

import msgspec

from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.totals import Totals
from mop_locust.verdict.exit_codes import ExitCode, code_of
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


State = Literal["PASSED", "CROSSED", "NO_DATA"]
"""How a threshold, or a run, came out."""

ValidityState = Literal["valid", "degraded", "incomplete", "invalid"]


class Validity(msgspec.Struct, frozen=True):
    """Whether the measurement can be believed, and in one sentence each why not."""

    state: ValidityState = "valid"
    reasons: tuple[str, ...] = ()


class ThresholdJson(TypedDict):
    """One threshold in summary.json; `value` is null without data."""

    metric: str
    expression: str
    value: float | None
    samples: int
    state: State


class VerdictJson(TypedDict):
    """The verdict in summary.json."""

    state: State
    validity: ValidityState
    reasons: list[str]
    exit_code: int
    thresholds: list[ThresholdJson]


class ThresholdResult(msgspec.Struct, frozen=True):
    """What a threshold was judged by: `value` in the unit of its limit, None without data."""

    threshold: Threshold
    state: State
    value: float | None
    samples: int


class Verdict(msgspec.Struct, frozen=True):
    """The worst state of all thresholds, the validity beside it, and the exit code that follows from both."""

    state: State
    validity: ValidityState
    reasons: tuple[str, ...]
    exit_code: ExitCode
    thresholds: tuple[ThresholdResult, ...]

    def to_json(self) -> VerdictJson:
        """The JSON-ready form, as summary.json has it."""
        return {
            "state": self.state,
            "validity": self.validity,
            "reasons": list(self.reasons),
            "exit_code": self.exit_code.value,
            "thresholds": [
                {
                    "metric": result.threshold.name,
                    "expression": result.threshold.expression,
                    "value": result.value,
                    "samples": result.samples,
                    "state": result.state,
                }
                for result in self.thresholds
            ],
        }


def judge(
    totals: Totals,
    thresholds: Sequence[Threshold],
    *,
    seconds: float,
    validity: Validity,
    allow_degraded: bool = False,
) -> Verdict:
    """The verdict on a run of so many seconds; NO_DATA also when there are neither thresholds nor samples."""
    results = tuple(_judge_one(totals, threshold, seconds) for threshold in thresholds)
    states = {result.state for result in results}
    state: State = "PASSED"
    if "CROSSED" in states:
        state = "CROSSED"
    elif "NO_DATA" in states or (not results and not _measured(totals)):
        state = "NO_DATA"
    code = code_of(state, validity.state, allow_degraded)
    return Verdict(state, validity.state, validity.reasons, code, results)


def _measured(totals: Totals) -> bool:
    return any(total.samples for (name, _), total in totals.series.items() if name not in NO_EVIDENCE)


def _judge_one(totals: Totals, threshold: Threshold, seconds: float) -> ThresholdResult:
    total = _select(totals, threshold)
    if total is None:
        return ThresholdResult(threshold, "NO_DATA", None, 0)
    value = _value(total, threshold, seconds)
    if value is None:
        return ThresholdResult(threshold, "NO_DATA", None, total.samples)
    return ThresholdResult(threshold, "PASSED" if threshold.holds(value) else "CROSSED", value, total.samples)


def _select(totals: Totals, threshold: Threshold) -> Accumulator | None:
    total = totals.select(threshold.metric, threshold.tags)
    if total is not None:
        return total
    asked = tuple((tag, value) for tag, value in threshold.tags if tag not in ANSWER_TAGS)
    if asked != threshold.tags and isinstance(totals.select(threshold.metric, asked), CounterTotal):
        return CounterTotal()
    return None


def _value(total: Accumulator, threshold: Threshold, seconds: float) -> float | None:
    """The aggregated value, None when it does not exist; ValueError when the aggregation does not fit the kind."""
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
