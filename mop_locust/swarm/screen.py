"""The screen of a run that goes on, drawn with rich; imported only where there is a terminal to draw on."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mop_locust.report import figures, headline, thresholds
from mop_locust.report.document import SummaryDocument
from mop_locust.report.live import ScenarioLine, scenario_lines, workers_state
from mop_locust.report.rows import place
from mop_locust.report.text import plain
from mop_locust.swarm.progress import RECENT_S, Progress

MOST_SCENARIOS, MOST_THRESHOLDS, MOST_ERRORS, MOST_REASONS = 12, 8, 3, 3

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
        yield _line("   ".join([plain(run["scenario"]), load, *places]), "bold")
        yield self._bar()
        yield Text()
        yield self._table(width)
        first_byte = "; 1st byte is a P95" if width >= _WIDE else ""
        yield _line(f"per s: of the last {RECENT_S} s, all else since the start{first_byte}", "dim")
        yield Text()
        facts = Table.grid(padding=(0, 2, 0, 0))
        facts.add_column(no_wrap=True)
        facts.add_column(overflow="fold")
        for word, said, colour in _facts(self._summary):
            facts.add_row(Text(word, style=colour), Text(said))
        yield facts

    def _bar(self) -> RenderableType:
        progress = self._progress
        words = _line(f"{progress.time}   {progress.left}", "")
        if progress.done is None:
            return words
        grid = Table.grid(expand=True, padding=(0, 2, 0, 0))
        grid.add_column(ratio=1)
        grid.add_column(no_wrap=True)
        grid.add_row(ProgressBar(total=1.0, completed=progress.done), words)
        return grid

    def _table(self, width: int) -> Table:
        shown = [name for name, least in _COLUMNS if width >= least]
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("scenario", no_wrap=True, overflow="ellipsis")
        for name in shown:
            table.add_column(name, justify="right", no_wrap=True, min_width=6)
        lines = scenario_lines(self._summary)
        for each in lines[:MOST_SCENARIOS]:
            cells = self._cells(each)
            table.add_row(Text(plain(each.scenario)), *(cells[name] for name in shown))
        if len(lines) > MOST_SCENARIOS:
            table.add_row(Text(f"{len(lines) - MOST_SCENARIOS} more"))
        return table

    def _cells(self, of: ScenarioLine) -> dict[str, Text]:
        rate = self._progress.rates.get(of.scenario)
        return {
            "users": Text(figures.count(self._progress.users.get(of.scenario, 0))),
            "per s": Text(figures.NONE if rate is None else f"{rate:,.1f}"),
            "failed": Text(figures.percent(of.failed), style="red" if of.failed else ""),
            "P50": Text(figures.duration(of.p50)),
            "P95": Text(figures.duration(of.p95)),
            "P99": Text(figures.duration(of.p99)),
            "1st byte": Text(figures.duration(of.first_byte)),
            "calls": Text(figures.count(of.count)),
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


def _line(words: str, style: str) -> Text:
    """One line, cut where the terminal ends."""
    return Text(words, style=style, no_wrap=True, overflow="ellipsis")
