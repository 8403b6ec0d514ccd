"""What a mission costs: pairs of runs, one without and one with it, and the difference for each rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

import msgspec

from mop_locust.compare.measures import PERCENTILES
from mop_locust.compare.paired import paired_shift, pairs_needed
from mop_locust.compare.words import AGGREGATIONS
from mop_locust.metrics.summary import MetricSummary
from mop_locust.report import figures
from mop_locust.report.document import SummaryDocument
from mop_locust.report.rows import series_of
from mop_locust.report.text import markdown, markdown_code, plain

ALPHA: Final = 0.05
LATENCY, BYTES = "mission_latency", "mission_bytes"
MEAN: Final = "bytes"
COLUMNS: Final = ("mission", "rule", "", "without", "with", "difference", "95 % interval")


class Cost(msgspec.Struct, frozen=True):
    """One measure of the calls to which a rule applies, by run; `change` is with minus without, pair by pair, in `unit`.

    There is no change where runs have too few samples of it, and no interval where there are too few pairs.
    """

    mission: str
    rule: str
    measure: str
    unit: str
    base: list[float]
    new: list[float]
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None


def costs(mission: str, base: Sequence[SummaryDocument], new: Sequence[SummaryDocument]) -> list[Cost]:
    """The costs of a mission from runs without (`base`) and with it, pair by pair; percentiles of latency, the mean of bytes."""
    found = []
    for rule in sorted({rule for run in (*base, *new) for rule in _rules(run)}):
        for aggregation, field, least in PERCENTILES:
            found.append(_cost(mission, rule, AGGREGATIONS[aggregation], "ms", _read(LATENCY, field, least), base, new))
        found.append(_cost(mission, rule, MEAN, "bytes", _read(BYTES, "mean", 1), base, new))
    return found


def table(found: Sequence[Cost]) -> str:
    """The costs in plain text, each line without trailing spaces, ending with a line break."""
    rows = [list(COLUMNS), *(_cells(cost, lambda text: plain(text, 40)) for cost in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", *(f"  {remark}" for remark in _remarks(found))]) + "\n"


def markdown_text(found: Sequence[Cost], title: str) -> str:
    """The costs as GitHub Flavored Markdown; ids of missions and rules are inert in it."""
    lines = [f"| {' | '.join(cells)} |" for cells in (COLUMNS, [":--"] * 3 + ["--:"] * 4)]
    lines += [f"| {' | '.join(_cells(cost, markdown_code))} |" for cost in found]
    remarks = "\n".join(f"- {markdown(remark)}" for remark in _remarks(found))
    return "\n\n".join([f"### {markdown(title)}", "\n".join(lines), remarks]) + "\n"


def _rules(run: SummaryDocument) -> list[str]:
    return [dict(tags)["rule"] for tags, _ in series_of(run["metrics"], LATENCY)]


def _read(metric: str, field: str, least: int) -> Callable[[SummaryDocument, str], float | None]:
    def read(run: SummaryDocument, rule: str) -> float | None:
        for tags, series in series_of(run["metrics"], metric):
            if dict(tags).get("rule") == rule and series["count"] >= least:
                return _figure(series, field)
        return None

    return read


def _figure(series: MetricSummary, field: str) -> float | None:
    value = series.get(field)
    return float(value) if isinstance(value, float | int) else None


def _cost(
    mission: str,
    rule: str,
    measure: str,
    unit: str,
    read: Callable[[SummaryDocument, str], float | None],
    base: Sequence[SummaryDocument],
    new: Sequence[SummaryDocument],
) -> Cost:
    old, young = ([value for run in runs if (value := read(run, rule)) is not None] for runs in (base, new))
    if len(old) < len(base) or len(young) < len(new) or len(old) != len(young):
        return Cost(mission, rule, measure, unit, old, young)
    change, low, high = paired_shift(old, young, ALPHA)
    return Cost(mission, rule, measure, unit, old, young, change, low, high)


def _cells(cost: Cost, label: Callable[[str], str]) -> list[str]:
    interval = figures.NONE
    if cost.change_low is not None and cost.change_high is not None:
        interval = f"{_signed(cost.change_low, cost.unit)} to {_signed(cost.change_high, cost.unit)}"
    change = figures.NONE if cost.change is None else _signed(cost.change, cost.unit)
    spreads = [_number(median(values), cost.unit) if values else figures.NONE for values in (cost.base, cost.new)]
    return [label(cost.mission), label(cost.rule), cost.measure, *spreads, change, interval]


def _signed(value: float, unit: str) -> str:
    return f"{'-' if value < 0 else '+'}{_number(abs(value), unit)}"


def _number(value: float, unit: str) -> str:
    """Finer than in the other tables: what coordination costs is often a few hundredths of a millisecond."""
    return f"{value:,.3f} ms" if unit == "ms" else f"{value:,.1f}"


def _remarks(found: Sequence[Cost]) -> list[str]:
    remarks = ["A run is one sample; the difference is with minus without, pair by pair, its interval exact (signed ranks)."]
    if any(cost.change is None for cost in found):
        remarks.append("No difference where a run has too few calls: P50 needs 10, P95 100, P99 500.")
    if any(cost.change is not None and cost.change_low is None for cost in found):
        remarks.append(f"Too few pairs for an interval: {pairs_needed(ALPHA)} are needed.")
    return remarks
