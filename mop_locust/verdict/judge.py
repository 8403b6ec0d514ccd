"""The judgement of a run: its totals against its thresholds, and whether the measurement can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

import msgspec

from mop_locust.metrics.totals import Totals
from mop_locust.verdict.exit_codes import ExitCode, code_of
from mop_locust.verdict.threshold import Threshold
from mop_locust.verdict.value import measured, select_part, value_of
from mop_locust.verdict.windows import Found, State, WindowJudge

DROPPED_DEGRADED, DROPPED_INVALID = 0.001, 0.01
"""Shares of a scenario's arrivals: when more are dropped, that reaches into the P99.9, into the P99, and is a reason."""

ValidityState = Literal["valid", "degraded", "incomplete", "invalid"]


class Validity(msgspec.Struct, frozen=True):
    """Whether the measurement can be believed, and in one sentence each why not."""

    state: ValidityState = "valid"
    reasons: tuple[str, ...] = ()


class WindowJson(TypedDict):
    """A span of a run: where it begins, and how long it is."""

    start_s: int
    seconds: int


class ThresholdJson(TypedDict):
    """One threshold in summary.json; `value` is null without data.

    `window` is the worst window of a threshold that speaks of windows, or the time that was judged when the run was aborted.
    """

    metric: str
    expression: str
    value: float | None
    samples: int
    state: State
    window: NotRequired[WindowJson]


class AbortJson(TypedDict):
    """The threshold that ended a run before its time, and when, in seconds since the run began."""

    at_s: int
    metric: str
    expression: str
    value: float


class VerdictJson(TypedDict):
    """The verdict in summary.json."""

    state: State
    validity: ValidityState
    reasons: list[str]
    exit_code: int
    thresholds: list[ThresholdJson]
    aborted: NotRequired[AbortJson]


class ThresholdResult(msgspec.Struct, frozen=True):
    """What a threshold was judged by: `value` in the unit of its limit, None without data; `found` where a window decided."""

    threshold: Threshold
    state: State
    value: float | None
    samples: int
    found: Found | None = None

    def to_json(self) -> ThresholdJson:
        """The JSON-ready form."""
        result: ThresholdJson = {
            "metric": self.threshold.name,
            "expression": self.threshold.expression,
            "value": self.value,
            "samples": self.samples,
            "state": self.state,
        }
        if self.found is not None:
            result["window"] = {"start_s": self.found.start_s, "seconds": self.found.seconds}
        return result


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
            "thresholds": [result.to_json() for result in self.thresholds],
        }


class Part(msgspec.Struct, frozen=True):
    """What was measured in so many seconds."""

    totals: Totals
    seconds: float


def judge(
    totals: Totals,
    thresholds: Sequence[Threshold],
    *,
    seconds: float,
    validity: Validity,
    allow_degraded: bool = False,
    stages: Mapping[str, Part] | None = None,
    windows: WindowJudge | None = None,
) -> Verdict:
    """The verdict on a run of so many seconds; NO_DATA also when there are neither thresholds nor samples.

    `stages` are the parts of the run that thresholds can speak of, by name; `windows` has seen its seconds.
    """
    parts: dict[str | None, Part] = {None: Part(totals, seconds)}
    parts.update((stages or {}).items())
    results = tuple(_judge_one(threshold, totals, parts.get(threshold.stage), windows) for threshold in thresholds)
    states = {result.state for result in results}
    state: State = "PASSED"
    if "CROSSED" in states:
        state = "CROSSED"
    elif "NO_DATA" in states or (not results and not measured(totals)):
        state = "NO_DATA"
    code = code_of(state, validity.state, allow_degraded)
    return Verdict(state, validity.state, validity.reasons, code, results)


def _judge_one(threshold: Threshold, whole: Totals, part: Part | None, windows: WindowJudge | None) -> ThresholdResult:
    found = windows.found(threshold) if windows is not None else None
    if found is not None:
        return ThresholdResult(threshold, found.state, found.value, found.samples, found)
    total = select_part(whole, part.totals, threshold) if part is not None and not threshold.over else None
    if total is None or part is None:
        return ThresholdResult(threshold, "NO_DATA", None, 0)
    value = value_of(total, threshold, part.seconds)
    if value is None:
        return ThresholdResult(threshold, "NO_DATA", None, total.samples)
    return ThresholdResult(threshold, "PASSED" if threshold.holds(value) else "CROSSED", value, total.samples)
