"""Two groups of runs against each other: an answer for each measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final, Literal

import msgspec

from mop_locust.compare.measures import Measure
from mop_locust.compare.permutation import Shift, holm, least_p, p_value, shift, values_needed

Answer = Literal["worse", "better", "same", "cannot tell"]
ANSWERS: Final[tuple[Answer, ...]] = ("worse", "better", "same", "cannot tell")

Figures = Mapping[Measure, float]
"""What one run measured."""


class Limits(msgspec.Struct, frozen=True):
    """What counts: the chance of any false alarm, and the least difference, as a share of the base and in its own unit."""

    alpha: float = 0.05
    share: float = 0.1
    ms: float = 1.0
    rate: float = 0.001

    def counts_from(self, measure: Measure, value: float) -> float:
        """The least difference from `value` that counts: both the share and the absolute limit must be reached."""
        absolute = {"latency": self.ms, "rate": self.rate, "throughput": 0.0}[measure.kind]
        return max(self.share * abs(value), absolute)


class Finding(msgspec.Struct, frozen=True):
    """One measure in both groups; `change` is new minus base with its interval, `p` and `p_corrected` are None without a test."""

    measure: Measure
    base: list[float]
    new: list[float]
    answer: Answer
    reason: str
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    p: float | None = None
    p_corrected: float | None = None


class _Test(msgspec.Struct):
    """A measure whose runs lie so far apart that a difference can count."""

    measure: Measure
    base: list[float]
    new: list[float]
    p: float


def compare(base: Sequence[Figures], new: Sequence[Figures], limits: Limits) -> list[Finding]:
    """A finding for each measure of any run, in their order; ValueError for an empty group or more runs than can be counted.

    A measure whose runs, both groups together, lie closer than what counts is the same and is not tested. Which group a run
    belongs to plays no part in that, so the tests of the others stay exact, and Holm's correction has fewer of them.
    """
    names = dict.fromkeys(measure for run in (*base, *new) for measure in run)
    groups = {name: (_values(base, name), _values(new, name)) for name in names}
    tests = {
        name: _Test(name, left, right, p_value(left, right))
        for name, (left, right) in groups.items()
        if len(left) == len(base) and len(right) == len(new) and not _all_close(name, [*left, *right], limits)
    }
    corrected = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
    findings = []
    for name, (left, right) in groups.items():
        if len(left) < len(base) or len(right) < len(new):
            where = f"{len(left)} of {len(base)} base and {len(right)} of {len(new)} new runs"
            findings.append(Finding(name, left, right, "cannot tell", f"there are enough samples of it only in {where}"))
        else:
            findings.append(_find(name, left, right, tests.get(name), corrected.get(name), len(tests), limits))
    return findings


def _values(runs: Sequence[Figures], measure: Measure) -> list[float]:
    return [run[measure] for run in runs if measure in run]


def _all_close(measure: Measure, values: Sequence[float], limits: Limits) -> bool:
    return max(values) - min(values) < limits.counts_from(measure, min(values))


def _find(
    measure: Measure, base: list[float], new: list[float], test: _Test | None, corrected: float | None, tests: int, limits: Limits
) -> Finding:
    moved = shift(base, new, limits.alpha)
    counts = limits.counts_from(measure, median(base))
    p = test.p if test else None
    answer, reason = _answer(measure, moved, counts, corrected, (len(base), len(new)), tests, limits)
    return Finding(measure, base, new, answer, reason, moved.estimate, moved.low, moved.high, p, corrected)


def _answer(
    measure: Measure, moved: Shift, counts: float, corrected: float | None, sizes: tuple[int, int], tests: int, limits: Limits
) -> tuple[Answer, str]:
    if moved.low is None or moved.high is None:
        return "cannot tell", _too_few(sizes, tests, limits)
    if corrected is None:
        return "same", "all runs lie closer together than what counts"
    if corrected <= limits.alpha and abs(moved.estimate) >= counts:
        risen = moved.estimate > 0
        return ("better" if risen == (measure.kind == "throughput") else "worse"), "a difference that counts, and no chance"
    if -counts < moved.low and moved.high < counts:
        return "same", "a difference that counts is ruled out"
    if corrected > limits.alpha and least_p(*sizes) * tests > limits.alpha:
        return "cannot tell", _too_few(sizes, tests, limits)
    if corrected > limits.alpha:
        return "cannot tell", "the runs vary too much"
    return "cannot tell", "there is a difference, but it may be smaller than what counts"


def _too_few(sizes: tuple[int, int], tests: int, limits: Limits) -> str:
    needed = values_needed(tests, limits.alpha)
    beside = f" beside {tests} measures that vary" if tests > 1 else ""
    return f"too few runs: {sizes[0]} and {sizes[1]}; {needed} and {needed} are needed{beside}"
