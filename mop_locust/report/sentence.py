"""The one sentence that is said first when a run is red: what is wrong, by how much, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mop_locust.metrics.sample import ANSWERED, FAILURES
from mop_locust.metrics.summary import OTHER, ErrorRow, MetricSummary
from mop_locust.report import figures, thresholds
from mop_locust.report.document import SummaryDocument
from mop_locust.report.rows import place, series_of
from mop_locust.report.text import CUT_PROSE, plain
from mop_locust.verdict.drift import DriftState
from mop_locust.verdict.exit_codes import CONFIGURATION
from mop_locust.verdict.judge import AbortJson, ThresholdJson
from mop_locust.verdict.threshold import Threshold

_EVENTS: Final = {
    "call_failures": "call",
    "tools_call_failures": "call",
    "ws_failures": "session",
    "sse_failures": "iteration",
}
_FIELDS: Final = {
    "mean": "mean",
    "median": "p50",
    "max": "max",
    "P50": "p50",
    "P90": "p90",
    "P95": "p95",
    "P99": "p99",
    "P99.9": "p999",
}
_ERROR_TAGS: Final[tuple[Literal["scenario", "transport", "method", "tool"], ...]] = ("scenario", "transport", "method", "tool")
_MOST_REASONS: Final = 3
_MOST_NAMES: Final = 2


def red_sentence(summary: SummaryDocument) -> str:
    """The first line under the table of a red run, such as `CROSSED: 7.10 % of 9,424 calls failed (limit 5 %); …`; else empty.

    An invalid run says so before anything else, since its figures prove nothing; an incomplete one yields to a crossed threshold.
    """
    verdict = summary["verdict"]
    if not verdict["exit_code"]:
        return ""
    if verdict["exit_code"] == CONFIGURATION:
        found = verdict["reasons"] or summary["preflight"]["findings"][-1:]
        text = f"ERROR: {_joined(found) or 'the run was not judged'}"
    elif verdict["state"] == "CROSSED" and verdict["validity"] != "invalid":
        text = f"CROSSED: {_crossed(summary)}"
    elif verdict["state"] == "NO_DATA" and verdict["validity"] in ("valid", "degraded"):
        text = f"NO DATA: {_no_data(summary)}"
    else:
        text = f"{verdict['validity'].upper()}: {_joined(verdict['reasons']) or 'no reason was recorded'}"
    return plain(text, CUT_PROSE).rstrip(".") + "."


def _joined(sentences: list[str]) -> str:
    shown = "; ".join(plain(text, CUT_PROSE).rstrip(".") for text in sentences[:_MOST_REASONS])
    more = len(sentences) - _MOST_REASONS
    return f"{shown}; and {more} more" if more > 0 else shown


def _crossed(summary: SummaryDocument) -> str:
    metrics = summary["metrics"]
    red = [result for result in summary["verdict"]["thresholds"] if result["state"] != "PASSED"]
    crossed = [result for result in red if result["state"] == "CROSSED"]
    if not crossed:
        return _joined(_of_state(summary, "drifting"))
    aborted = summary["verdict"].get("aborted")
    # What ended the run comes first, then failures: they tend to be the cause of the other ones.
    first = min(crossed, key=lambda result: (not _ended(result, aborted), thresholds.kind_of(result, metrics) != "rate"))
    threshold, kind = thresholds.read_threshold(first), thresholds.kind_of(first, metrics)
    when = f"aborted at {figures.clock(aborted['at_s'])}: " if aborted is not None else ""
    parts = [f"{when}{_statement(first, threshold, metrics)}"]
    if threshold is not None and kind == "rate":
        parts.append(_unanswered(summary) or _main_error(summary, first, threshold))
    elif threshold is not None and kind == "trend" and "window" not in first:  # the series are of the whole run
        parts.append(_slowest(threshold, metrics))
    if len(red) > 1:
        parts.append(f"{figures.plural(len(red) - 1, 'more threshold is', 'more thresholds are')} red")
    if drifting := _of_state(summary, "drifting"):
        parts.append(f"{figures.plural(len(drifting), 'course drifts', 'courses drift')} as well")
    return "; ".join(part for part in parts if part)


def _ended(result: ThresholdJson, aborted: AbortJson | None) -> bool:
    return aborted is not None and (result["metric"], result["expression"]) == (aborted["metric"], aborted["expression"])


def _of_state(summary: SummaryDocument, state: DriftState) -> list[str]:
    """The sentences of the courses of a soak that are so, those first that have figures."""
    courses = summary["drift"]["courses"] if "drift" in summary else []
    ordered = sorted(courses, key=lambda course: course["per_hour"] is None)
    return [course["sentence"] for course in ordered if course["state"] == state]


def _no_data(summary: SummaryDocument) -> str:
    if summary["preflight"]["state"] == "failed":
        return f"no load was sent; {_joined(summary['preflight']['findings'][-1:]) or 'the preflight failed'}"
    names = [plain(result["metric"]) for result in summary["verdict"]["thresholds"] if result["state"] == "NO_DATA"]
    if not names and "drift" in summary:
        return _joined(_of_state(summary, "not known"))
    shown = " and ".join(names[:_MOST_NAMES]) or "the run"
    if len(names) > _MOST_NAMES:
        shown = f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"
    cause = _unanswered(summary) or _joined(summary["run"]["notes"])
    return f"{shown} {'have' if len(names) > 1 else 'has'} no samples" + (f"; {cause}" if cause else "")


def _statement(result: ThresholdJson, threshold: Threshold | None, metrics: dict[str, MetricSummary]) -> str:
    metric, kind = plain(result["metric"]), thresholds.kind_of(result, metrics)
    value = thresholds.value_text(result["value"] or 0, result, metrics)
    limit = thresholds.limit_text(result, metrics)
    if threshold is None:
        return f"{metric} is {value} ({limit})"
    if kind == "rate" and threshold.aggregation == "rate":
        which = " ".join(plain(tag_value) for _, tag_value in threshold.tags)
        event = f"{which} {_EVENTS.get(threshold.metric, f'{threshold.metric} sample')}".strip()
        return f"{value} of {figures.plural(result['samples'], event)} failed{thresholds.window_text(result)} ({limit})"
    over = ""
    if kind == "trend" and threshold.aggregation != "count":
        over = f" over {figures.plural(result['samples'], 'sample')}"
    return f"{thresholds.aggregation_name(threshold)} of {metric} is {value}{over}{thresholds.window_text(result)} ({limit})"


@dataclass(slots=True)
class _Cause:
    label: str
    place: str
    transport: str
    count: int
    first_s: float
    last_s: float


def _causes(errors: list[ErrorRow]) -> list[_Cause]:
    """The errors by label and method, most frequent first."""
    causes: dict[tuple[str, str], _Cause] = {}
    for error in errors:
        label, where = error["error"] or error["outcome"], place(error["method"], error["tool"])
        cause = causes.setdefault((label, where), _Cause(label, where, error["transport"], 0, error["first_s"], error["last_s"]))
        cause.count += error["count"]
        cause.first_s = min(cause.first_s, error["first_s"])
        cause.last_s = max(cause.last_s, error["last_s"])
    return sorted(causes.values(), key=lambda cause: (-cause.count, cause.first_s))


def _unanswered(summary: SummaryDocument) -> str:
    calls = summary["metrics"].get("calls")
    outcomes = calls.get("outcomes", {}) if calls else {}
    causes = _causes([error for error in summary["errors"] if error["outcome"] in FAILURES])
    if not causes or any(outcomes.get(outcome) for outcome in ANSWERED):
        return ""
    top = causes[0]
    url = summary["run"]["target"]["websocket" if top.transport == "websocket" else "http"] or "the target"
    return f"nothing answered at {plain(url)}: {plain(top.label)} ({figures.plural(top.count, 'time')})"


def _main_error(summary: SummaryDocument, result: ThresholdJson, threshold: Threshold) -> str:
    causes = _causes(_errors_behind(summary, threshold))
    if not causes:
        return ""
    top, total = causes[0], sum(cause.count for cause in causes)
    failures = round((result["value"] or 0) * result["samples"])
    # A session can fail in more than one exchange: then the two numbers are of different things, and it is said.
    things = "" if total == failures else "errors "
    seconds = summary["run"]["seconds"]
    ended = top.last_s + max(2, seconds / 20) < seconds
    until = f"to {figures.moment(top.last_s)}" if ended else "on"
    return (
        f'{figures.count(top.count)} of {figures.count(total)} {things}were "{plain(top.label)}" in {plain(top.place)}, '
        f"from {figures.moment(top.first_s)} {until}"
    )


def _errors_behind(summary: SummaryDocument, threshold: Threshold) -> list[ErrorRow]:
    """The errors that can have fed a rate: of its tags and of the scenarios that it has series of.

    A failed clean-up counts in `call_failures` only.
    """
    series = series_of(summary["metrics"], threshold.metric)
    scenarios = {value for tags, _ in series for tag, value in tags if tag == "scenario"}
    behind = []
    for error in summary["errors"]:
        found: dict[str, str] = {tag: error[tag] for tag in _ERROR_TAGS}
        of_tags = all(found.get(tag, value) in (value, OTHER) for tag, value in threshold.tags)
        of_scenarios = not scenarios or error["scenario"] in (*scenarios, OTHER)
        counted = threshold.metric == "call_failures" or error["method"] not in ("delete", "close")
        if error["outcome"] in FAILURES and of_tags and of_scenarios and counted:
            behind.append(error)
    return behind


def _slowest(threshold: Threshold, metrics: dict[str, MetricSummary]) -> str:
    field = _FIELDS.get(thresholds.aggregation_name(threshold))
    if field is None or not thresholds.is_upper_limit(threshold):
        return ""
    found = []
    for series, metric in series_of(metrics, threshold.metric):
        value = metric.get(field)
        where = place(dict(series).get("method", ""), dict(series).get("tool", ""))
        if isinstance(value, float | int) and where and set(threshold.tags) <= set(series):
            found.append((value, where, metric))
    if len(found) < 2:
        return ""
    value, where, metric = max(found, key=lambda item: item[0])
    return f"slowest is {plain(where)} with {figures.quantity(value, metric.get('unit', ''))}"
