"""A judged threshold in words."""

from __future__ import annotations

from mop_locust.metrics.summary import MetricSummary
from mop_locust.report import figures
from mop_locust.verdict.judge import ThresholdJson
from mop_locust.verdict.threshold import Threshold, ThresholdError, parse

_NAMES = {"avg": "mean", "med": "median"}


def read_threshold(result: ThresholdJson) -> Threshold | None:
    """The condition behind a result; None for one that this version does not understand."""
    try:
        found = parse(f"{result['metric']}: {result['expression']}")
    except ThresholdError:
        return None
    return found[0] if len(found) == 1 else None


def state_words(result: ThresholdJson) -> str:
    """`passed`, `crossed` or `no data`."""
    return result["state"].lower().replace("_", " ")


def kind_of(result: ThresholdJson, metrics: dict[str, MetricSummary]) -> str:
    """The kind of the metric that a threshold speaks of; empty when nothing was recorded in it."""
    metric = metrics.get(result["metric"].partition("{")[0])
    return metric["kind"] if metric else ""


def aggregation_name(threshold: Threshold) -> str:
    """`P95`, `mean`, `median`, `count` and so on."""
    if threshold.percentile is not None:
        return f"P{threshold.percentile:g}"
    return _NAMES.get(threshold.aggregation, threshold.aggregation)


def is_upper_limit(threshold: Threshold) -> bool:
    """Whether more is worse."""
    return threshold.operator in ("<", "<=")


def value_text(value: float, result: ThresholdJson, metrics: dict[str, MetricSummary]) -> str:
    """A value, the found one or the limit, in the form of its kind: a share, a duration, a number per second."""
    threshold, kind = read_threshold(result), kind_of(result, metrics)
    if threshold is None or not kind or threshold.aggregation == "count":
        return figures.number(value)
    if kind == "rate":
        return figures.percent(value)
    if kind == "counter":
        return f"{value:,.1f} per s"
    return figures.quantity(value, metrics[threshold.metric].get("unit", ""))


def found_text(result: ThresholdJson, metrics: dict[str, MetricSummary]) -> str:
    """What was found and in how many samples: `0.00 % of 9,424`, `412 ms over 4,712 from 2:12 to 3:12`; `-` without data."""
    value, threshold, kind = result["value"], read_threshold(result), kind_of(result, metrics)
    if value is None:
        return figures.NONE
    text = value_text(value, result, metrics)
    if threshold is None or threshold.aggregation == "count" or kind not in ("rate", "trend"):
        return text + window_text(result)
    return f"{text} {'of' if kind == 'rate' else 'over'} {figures.count(result['samples'])}{window_text(result)}"


def window_text(result: ThresholdJson) -> str:
    """` from 2:12 to 3:12` where a window decided; else empty."""
    if "window" not in result:
        return ""
    start, seconds = result["window"]["start_s"], result["window"]["seconds"]
    return f" from {figures.moment(start)} to {figures.moment(start + seconds)}"


def limit_text(result: ThresholdJson, metrics: dict[str, MetricSummary]) -> str:
    """The other side: `limit 5 %`, `limit 250 ms`, or `wanted count>1000` where more is not worse."""
    threshold = read_threshold(result)
    if threshold is None or not is_upper_limit(threshold):
        return f"wanted {result['expression']}"
    if threshold.aggregation == "rate" and kind_of(result, metrics) == "rate":
        return f"limit {round(threshold.limit * 100, 6):g} %"
    return f"limit {value_text(threshold.limit, result, metrics)}"
