"""The terminal's table and verdict: figures first, one verdict, one reason."""

from __future__ import annotations

from collections.abc import Sequence

from mop_locust.report import headline, thresholds
from mop_locust.report.document import DriftPart, SummaryDocument
from mop_locust.report.rows import COLUMNS, Block, call_blocks, metric_rows, stage_rows
from mop_locust.report.text import CUT_PROSE, plain

_LABEL_AT_LEAST = 17
_LABEL_AT_MOST = 48


def render(summary: SummaryDocument) -> str:
    """The end of a run in plain text without colour, each line without trailing spaces, ending with a line break."""
    run, verdict = summary["run"], summary["verdict"]
    parts = ["   ".join([plain(run["scenario"]), *headline.run_parts(summary)])]
    parts += _tables(summary)
    if verdict["sentence"]:
        parts.append(plain(verdict["sentence"], CUT_PROSE))
    if verdict["thresholds"]:
        parts.append(_thresholds(summary))
    if "drift" in summary:
        parts.append(_drift(summary["drift"]))
    parts.append("\n".join(_foot(summary)))
    return "\n\n".join(parts) + "\n"


def _tables(summary: SummaryDocument) -> list[str]:
    blocks = call_blocks(summary)
    rows = metric_rows(summary)
    if rows:
        blocks.append(Block("also measured", rows))
    seconds = summary["run"]["seconds"]
    stages = stage_rows(summary)
    # All blocks share their columns, so that figures stand under each other from the first to the last.
    lines: list[list[str] | None] = []
    for block in blocks:
        lines.append([_label(block.title), *COLUMNS])
        lines.extend([_label(row.label), *row.cells(seconds)] for row in block.rows)
        lines.append(None)
    if stages:
        lines.append(["stages", *COLUMNS])
        lines.extend([_label(row.label), *row.cells(measured)] for row, measured in stages)
    filled = [line for line in lines if line is not None]
    widths = [max((len(line[column]) for line in filled), default=0) for column in range(len(COLUMNS) + 1)]
    widths[0] = max(widths[0], _LABEL_AT_LEAST)
    text = "\n".join("" if line is None else _line(line, widths) for line in lines).rstrip("\n")
    return [text] if text else []


def _label(text: str) -> str:
    return plain(text, _LABEL_AT_MOST)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "  " + "   ".join([cells[0].ljust(widths[0]), *padded])


def _thresholds(summary: SummaryDocument) -> str:
    lines = [
        [
            thresholds.state_words(result),
            plain(result["metric"]),
            plain(result["expression"]),
            thresholds.found_text(result, summary["metrics"]),
        ]
        for result in summary["verdict"]["thresholds"]
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(
        "  " + "   ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3]]) for line in lines
    )


def _drift(drift: DriftPart) -> str:
    lines = [headline.drift_words(drift), *(plain(course["sentence"], CUT_PROSE) for course in drift["courses"])]
    return "\n".join(f"  {line}" for line in lines)


def _foot(summary: SummaryDocument) -> list[str]:
    verdict = f"{headline.verdict_words(summary)}. {headline.workers_text(summary)}".rstrip()
    server = headline.server_text(summary)
    return [verdict, *([server] if server else []), *(f"  {plain(remark, CUT_PROSE)}" for remark in headline.remarks(summary))]
