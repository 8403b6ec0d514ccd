"""The screen of a run that goes on, drawn with rich; imported only where there is a terminal to draw on."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mop_locust.report import figures, headline, thresholds
from mop_locust.report.document import SummaryDocument
from mop_locust.report.live import ScenarioLine, scenario_lines, workers_state
from mop_locust.report.rows import place
from mop_locust.report.text import plain
from mop_locust.swarm.views.progress import RECENT_S, Progress

MOST_SCENARIOS, MOST_THRESHOLDS, MOST_ERRORS, MOST_REASONS = 12, 8, 3, 3

_WORD = 13  # columns for the first word of a fact
_WIDE = 80  # columns of the terminal from which on there is room for every figure but the last

# What a column shows, and from how many columns of the terminal on there is room for it.
_COLUMNS = (("users", 0), ("per s", 0), ("failed", 0), ("P50", 72), ("P95", 0), ("P99", 0), ("1st byte", _WIDE), ("calls", 96))

_STATES = {"PASSED": ("holds", "green"), "CROSSED": ("crossed", "red"), "NO_DATA": ("no data yet", "yellow")}
_VALIDITY = {"valid": "green", "degraded": "yellow"}

Fact = tuple[str, str, str]  # a word, what is to be said about it, the word's colour


class Screen:
    """One look at a run, as wide as the console is; every text in it is inert."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._summary = progress.summary

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        width, run = options.max_width, self._summary["run"]
        # The last part is the length, which stands in the bar; the load before the addresses, which may be cut.
        *places, load = headline.run_parts(self._summary)[:-1]
        yield _text("   ".join([plain(run["scenario"]), load, *places]), "bold")
        yield self._bar()
        yield _text()
        yield self._table(width)
        first_byte = "; 1st byte is a P95" if width >= _WIDE else ""
        yield _text(f"per s: of the last {RECENT_S} s, all else since the start{first_byte}", "dim")
        yield _text()
        yield _indented(_facts(self._summary), width)

    def _bar(self) -> RenderableType:
        progress = self._progress
        words = _text(f"{progress.time}   {progress.left}")
        if progress.done is None:
            return words
        grid = Table.grid(expand=True, padding=(0, 2, 0, 0))
        grid.add_column(ratio=1)
        grid.add_column(no_wrap=True)
        grid.add_row(ProgressBar(total=1.0, completed=progress.done, complete_style="cyan", finished_style="cyan"), words)
        return grid

    def _table(self, width: int) -> Text:
        shown = [name for name, least in _COLUMNS if width >= least]
        lines = scenario_lines(self._summary)
        rows = [[cells[name] for name in shown] for cells in map(self._cells, lines[:MOST_SCENARIOS])]
        widths = [max(6, *map(len, column)) for column in zip(shown, *rows, strict=True)]
        room = max(1, width - sum(widths) - 2 * len(widths))
        label = min(room, max(map(cell_len, ("scenario", *(plain(each.scenario) for each in lines)))))
        text = _text().append(_row("scenario", label, shown, widths), "dim")
        for each, cells in zip(lines, rows, strict=False):
            row = _text(_row(plain(each.scenario), label, cells, widths))
            if each.failed:
                row.highlight_words([figures.percent(each.failed)], "red")
            text.append("\n").append(row)
        if len(lines) > MOST_SCENARIOS:
            text.append(f"\n{len(lines) - MOST_SCENARIOS} more scenarios")
        return text

    def _cells(self, of: ScenarioLine) -> dict[str, str]:
        rate = self._progress.rates.get(of.scenario)
        return {
            "users": figures.count(self._progress.users.get(of.scenario, 0)),
            "per s": figures.NONE if rate is None else f"{rate:,.1f}",
            "failed": figures.percent(of.failed),
            "P50": figures.duration(of.p50),
            "P95": figures.duration(of.p95),
            "P99": figures.duration(of.p99),
            "1st byte": figures.duration(of.first_byte),
            "calls": figures.count(of.count),
        }


def _facts(summary: SummaryDocument) -> Iterator[Fact]:
    yield from _thresholds(summary)
    for error in summary["errors"][:MOST_ERRORS]:
        where = place(error["method"], error["tool"])
        what = plain(f"{error['error'] or error['outcome']} in {where} over {error['transport']}")
        yield "error", f"{figures.count(error['count'])} times {what}", "red"
    yield "workers" if summary["run"]["workers"] else "generator", workers_state(summary) or "no word yet", ""
    if server := headline.server_text(summary):
        yield "server", server.removeprefix("Server: ").removesuffix("."), ""
    yield from _validity(summary)


def _thresholds(summary: SummaryDocument) -> Iterator[Fact]:
    results = summary["verdict"]["thresholds"]
    red_first = sorted(results, key=lambda result: result["state"] == "PASSED")
    for result in red_first[:MOST_THRESHOLDS]:
        word, colour = _STATES[result["state"]]
        found = thresholds.found_text(result, summary["metrics"])
        yield word, f"{plain(result['metric'])}: {plain(result['expression'])}   {found}", colour
    if len(results) > MOST_THRESHOLDS:
        yield "", figures.plural(len(results) - MOST_THRESHOLDS, "more threshold"), ""


def _validity(summary: SummaryDocument) -> Iterator[Fact]:
    validity, reasons = summary["verdict"]["validity"], summary["verdict"]["reasons"]
    said = [plain(reason) for reason in reasons] or ["nothing speaks against the figures so far"]
    yield validity, said[0], _VALIDITY.get(validity, "red")
    for reason in said[1:MOST_REASONS]:
        yield "", reason, ""
    if len(said) > MOST_REASONS:
        yield "", figures.plural(len(said) - MOST_REASONS, "more reason"), ""


def _row(label: str, room: int, cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    return "  ".join([set_cell_size(label, room) if cell_len(label) <= room else f"{set_cell_size(label, room - 1)}…", *padded])


def _indented(facts: Iterable[Fact], width: int) -> Text:
    """The facts, each from the same column on, on as many lines as it needs."""
    text = _text()
    for word, said, colour in facts:
        for number, line in enumerate(textwrap.wrap(said, max(20, width - _WORD)) or [""]):
            text.append(f"{word if not number else '':<{_WORD}}", colour)
            text.append(f"{line}\n")
    text.rstrip()
    return text


def _text(words: str = "", style: str = "") -> Text:
    """Lines that are cut where the terminal ends; tables of rich would take ten times as long to draw, beside the load."""
    return Text(words, style=style, no_wrap=True, overflow="ellipsis")
