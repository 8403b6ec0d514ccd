"""A comparison for a person: the terminal's table, and Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from mop_locust.compare.comparison import ANSWERS, Finding, Limits
from mop_locust.compare.measures import Measure
from mop_locust.compare.result import Comparison, Group
from mop_locust.report import figures
from mop_locust.report.text import CUT_PROSE, markdown, markdown_code, plain

COLUMNS: Final = ("answer", "measure", "", "base", "new", "change", "p")
AGGREGATIONS: Final = {"p(50)": "P50", "p(95)": "P95", "p(99)": "P99"}
LONGEST_LABEL: Final = 40
ORDER: Final = ("worse", "better", "cannot tell", "same")
MOST_ROWS: Final = 60


def table(comparison: Comparison) -> str:
    """The comparison in plain text, each line without trailing spaces, ending with a line break."""
    rows = [list(COLUMNS), *(_cells(finding, lambda text: plain(text, LONGEST_LABEL)) for finding in in_order(comparison))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    heads = [f"  {name}   {'   '.join(_group_parts(group))}" for name, group in _groups(comparison)]
    parts = ["\n".join([f"compare   {plain(comparison.scenario)}", *heads]), "\n".join(lines)]
    remarks = [plain(text, CUT_PROSE) for text in _remarks(comparison)]
    parts.append("\n".join([plain(verdict(comparison)), *(f"  {remark}" for remark in remarks)]))
    return "\n\n".join(parts) + "\n"


def markdown_text(comparison: Comparison) -> str:
    """The comparison as GitHub Flavored Markdown; all text of a server is inert in it."""
    rows = [_cells(finding, markdown_code) for finding in in_order(comparison)]
    shown = [f"**{row[0]}**" if row[0] in ("worse", "better") else row[0] for row in rows]
    lines = [f"| {' | '.join(cells)} |" for cells in (COLUMNS, [":--"] * 3 + ["--:"] * 4)]
    lines += [f"| {' | '.join([answer, *row[1:]])} |" for answer, row in zip(shown[:MOST_ROWS], rows, strict=False)]
    parts = [f"### {verdict(comparison)} {markdown_code(comparison.scenario)}"]
    parts.append("\n".join(f"- {name}: {' · '.join(map(markdown_code, _group_parts(g)))}" for name, g in _groups(comparison)))
    parts.append("\n".join(lines))
    if len(rows) > MOST_ROWS:
        parts.append(f"{len(rows) - MOST_ROWS} more in the JSON file")
    parts.append("\n".join(f"- {markdown(text)}" for text in _remarks(comparison)))
    return "\n\n".join(parts) + "\n"


def verdict(comparison: Comparison) -> str:
    """`WORSE: 2 worse, 0 better, 11 same, 1 cannot tell.`"""
    head = next((answer for answer in ORDER if comparison.count(answer)), "cannot tell")
    return f"{head.upper()}: {comparison.sentence()}"


def in_order(comparison: Comparison) -> list[Finding]:
    """The findings, those first that a reader must see."""
    return sorted(comparison.findings, key=lambda finding: ORDER.index(finding.answer))


def value_text(measure: Measure, value: float) -> str:
    """A value in the form of its kind."""
    if measure.kind == "latency":
        return figures.duration(value)
    return figures.percent(value) if measure.kind == "rate" else f"{value:,.1f}"


def _cells(finding: Finding, label: Callable[[str], str]) -> list[str]:
    measure = finding.measure
    aggregation = AGGREGATIONS.get(measure.aggregation, "failed" if measure.kind == "rate" else "per s")
    return [
        finding.answer,
        label(measure.label),
        aggregation,
        _spread(measure, finding.base),
        _spread(measure, finding.new),
        _change(finding),
        figures.NONE if finding.p_corrected is None else f"{finding.p_corrected:.3f}",
    ]


def _spread(measure: Measure, values: Sequence[float]) -> str:
    """The median of the runs, with the least and the most of them."""
    if not values:
        return figures.NONE
    middle, least, most = (value_text(measure, value) for value in (median(values), min(values), max(values)))
    return middle if least == most else f"{middle} ({least} to {most})"


def _change(finding: Finding) -> str:
    if finding.change is None:
        return figures.NONE
    sign = "+" if finding.change >= 0 else "-"
    text = f"{sign}{value_text(finding.measure, abs(finding.change))}"
    middle = median(finding.base)
    if finding.measure.kind == "rate":
        return text
    return f"{text} ({finding.change / middle * 100:+.0f} %)" if middle else text


def _groups(comparison: Comparison) -> list[tuple[str, Group]]:
    return [("base", comparison.base), ("new", comparison.new)]


def _group_parts(group: Group) -> list[str]:
    texts = [figures.plural(len(group.runs), "run"), *group.servers, *group.commits, *group.targets]
    return [plain(text) for text in texts]


def _remarks(comparison: Comparison) -> list[str]:
    limits = comparison.limits
    texts = [f"not alike, and allowed: {difference}" for difference in comparison.differences]
    reasons = dict.fromkeys(finding.reason for finding in comparison.findings if finding.answer == "cannot tell")
    texts += [f"cannot tell: {reason}" for reason in reasons]
    return [*texts, _what_counts(limits)]


def _what_counts(limits: Limits) -> str:
    return (
        f"A run is one sample. A difference counts from {limits.share * 100:g} % of the base and {limits.ms:g} ms "
        f"(rates: {figures.percent(limits.rate)}) on; p is exact, corrected for all measures that vary, and must be at most "
        f"{limits.alpha:g}."
    )


assert set(ORDER) == set(ANSWERS)
