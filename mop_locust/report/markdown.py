"""`summary.md`: for a pull request comment or `GITHUB_STEP_SUMMARY`, at most a screen or two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from mop_locust.report import figures, headline, thresholds
from mop_locust.report.document import DriftPart, SummaryDocument
from mop_locust.report.rows import COLUMNS, call_blocks, metric_rows, place, stage_rows
from mop_locust.report.text import markdown, markdown_code

# A comment on GitHub holds 65,536 characters.
_MOST_ROWS: Final = 40
_MOST_ERRORS: Final = 10
_MOST_LINES: Final = 10
_LONGEST_LINE: Final = 300  # before it is escaped, which can make it five times as long


def render(summary: SummaryDocument) -> str:
    """The run as GitHub Flavored Markdown; all text of the server is inert in it."""
    run, verdict = summary["run"], summary["verdict"]
    title = f"### {headline.verdict_words(summary)}: {markdown_code(run['scenario'])}"
    parts = [title]
    if verdict["sentence"]:
        parts.append(f"**{markdown(verdict['sentence'])}**")
    parts.append(" · ".join(markdown_code(part) for part in headline.run_parts(summary)))
    if verdict["thresholds"]:
        parts.append(_thresholds(summary))
    if "drift" in summary:
        parts.append(_drift(summary["drift"]))
    parts += _calls(summary)
    if summary["errors"]:
        parts.append(_errors(summary))
    lines = headline.remarks(summary)
    if lines:
        items = [f"- {markdown(line, _LONGEST_LINE)}" for line in lines[:_MOST_LINES]]
        parts.append("\n".join([*items, *_more(len(lines) - _MOST_LINES, "- ")]))
    parts += [text for text in (headline.workers_text(summary), headline.server_text(summary)) if text]
    return "\n\n".join(parts) + "\n"


def _thresholds(summary: SummaryDocument) -> str:
    results = summary["verdict"]["thresholds"]
    # The red ones first, since only so many are shown.
    shown = sorted(results, key=lambda result: result["state"] == "PASSED")[:_MOST_ROWS]
    rows = [
        [
            thresholds.state_words(result),
            markdown_code(result["metric"]),
            markdown_code(result["expression"]),
            thresholds.found_text(result, summary["metrics"]),
        ]
        for result in shown
    ]
    return _table(["threshold", "metric", "expression", "found"], rows, "llll", len(results))


def _drift(drift: DriftPart) -> str:
    """All courses, the red ones first."""
    shown = sorted(drift["courses"], key=lambda course: course["state"] == "flat")
    rows = [[course["state"], markdown(course["sentence"], _LONGEST_LINE)] for course in shown[:_MOST_ROWS]]
    return _table(["drift", headline.drift_words(drift)], rows, "ll", len(shown))


def _calls(summary: SummaryDocument) -> Iterable[str]:
    seconds = summary["run"]["seconds"]
    rows = [
        [markdown_code(block.title), markdown_code(row.label), *row.cells(seconds)]
        for block in call_blocks(summary)
        for row in block.rows
    ]
    if rows:
        yield _table(["transport", "method", *COLUMNS], rows[:_MOST_ROWS], "ll" + "r" * len(COLUMNS), len(rows))
    stages = [[markdown_code(row.label), *row.cells(measured)] for row, measured in stage_rows(summary)]
    if stages:
        yield _table(["stage", *COLUMNS], stages[:_MOST_ROWS], "l" + "r" * len(COLUMNS), len(stages))
    others = [[markdown_code(row.label), *row.cells(seconds)] for row in metric_rows(summary)]
    if others:
        yield _table(["metric", *COLUMNS], others[:_MOST_ROWS], "l" + "r" * len(COLUMNS), len(others))


def _errors(summary: SummaryDocument) -> str:
    errors = summary["errors"]
    rows = [
        [
            figures.count(error["count"]),
            markdown_code(error["error"] or error["outcome"]),
            markdown_code(place(error["method"], error["tool"])),
            markdown_code(error["transport"]),
            f"{figures.moment(error['first_s'])} to {figures.moment(error['last_s'])}",
        ]
        for error in errors[:_MOST_ERRORS]
    ]
    return _table(["errors", "what", "method", "transport", "when"], rows, "rllll", len(errors))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str, total: int) -> str:
    marks = ["--:" if letter == "r" else ":--" for letter in align]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, marks, *rows)]
    return "\n".join([*lines, *(f"\n{line}" for line in _more(total - len(rows), ""))])


def _more(left: int, mark: str) -> list[str]:
    return [f"{mark}{figures.count(left)} more in `report.html`"] if left > 0 else []
