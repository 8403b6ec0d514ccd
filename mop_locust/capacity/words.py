"""A capacity for a person: the terminal's table, and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mop_locust.capacity.result import Capacity, about, rate_text
from mop_locust.capacity.search import Answer
from mop_locust.capacity.step import Latency, Step
from mop_locust.report import figures
from mop_locust.report.text import CUT_PROSE, markdown, markdown_code, plain

COLUMNS: Final = ("rate", "answer", "iterations", "dropped", "failed", "P50", "P95", "P99", "P50", "P95", "P99", "CPU", "lag P99")
GROUPS: Final = (("", 5), ("from the intended start", 3), ("from the real start", 3), ("generator", 2))
"""What stands over the columns, and over how many."""

WORDS: Final = {Answer.HELD: "held", Answer.SERVER: "server", Answer.GENERATOR: "generator"}
HOLDS, KNEE = "holds", "knee"


def table(capacity: Capacity) -> str:
    """The result in plain text, each line without trailing spaces, ending with a line break."""
    rows = [list(COLUMNS), *([*cells(step), mark(capacity, step)] for step in in_order(capacity))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  " + "   ".join(_padded(row, widths)).rstrip() for row in rows]
    lines.insert(0, "  " + _over(widths).rstrip())
    head = "   ".join(["capacity", plain(capacity.scenario), *map(plain, head_parts(capacity))])
    foot = [plain(capacity.sentence, CUT_PROSE), *(f"  {plain(text, CUT_PROSE)}" for text in remarks(capacity))]
    return "\n\n".join([head, "\n".join(lines), "\n".join(foot)]) + "\n"


def markdown_text(capacity: Capacity) -> str:
    """The result as GitHub Flavored Markdown; all text of a server is inert in it."""
    groups = [name for name, width in GROUPS for _ in range(width)]
    names = [f"{name}, {group}" if group else name for name, group in zip(COLUMNS, groups, strict=True)]
    rows = [[*cells(step), mark(capacity, step)] for step in in_order(capacity)]
    lines = [f"| {' | '.join(row)} |" for row in ([*names, ""], ["--:", ":--", *["--:"] * 11, ":--"], *rows)]
    parts = [
        f"### Capacity of {markdown_code(capacity.scenario)}",
        f"**{markdown(capacity.sentence)}**",
        " · ".join(map(markdown_code, head_parts(capacity))),
        "\n".join(lines),
        "\n".join(f"- {markdown(text)}" for text in remarks(capacity)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def head_parts(capacity: Capacity) -> list[str]:
    """Targets, size and length."""
    workers = figures.plural(capacity.workers, "worker") if capacity.workers else "one process"
    return [*capacity.targets, workers, f"{figures.plural(len(capacity.steps), 'step')} of {figures.span(capacity.step_seconds)}"]


def in_order(capacity: Capacity) -> list[Step]:
    """The steps by their rate, and those of a rate as they were made."""
    return sorted(capacity.steps, key=lambda step: step.rate)


def cells(step: Step) -> list[str]:
    """The texts of a row, one for each column."""
    return [
        rate_text(step.rate),
        WORDS[step.answer],
        figures.count(step.iterations),
        figures.count(step.dropped),
        figures.percent(step.failed),
        *_latency(step.intended),
        *_latency(step.served),
        figures.NONE if step.cpu_percent is None else f"{step.cpu_percent:.0f} %",
        figures.duration(step.loop_lag_p99_ms),
    ]


def mark(capacity: Capacity, step: Step) -> str:
    """What a row is, if anything: the rate that holds, the knee."""
    marks = ((capacity.holds, HOLDS), (capacity.knee, KNEE))
    return ", ".join(word for rate, word in marks if rate == step.rate)


def remarks(capacity: Capacity) -> list[str]:
    """Where the curve bends, and what the generator costs by itself."""
    texts = []
    if capacity.knee is not None:
        texts.append(f"The knee is at {rate_text(capacity.knee)}: from there on P95 rises faster than the rate (Kneedle).")
    if capacity.ceiling is not None:
        own = capacity.ceiling
        texts.append(
            f"The generator by itself: {figures.duration(own.cost_ms)} of CPU an iteration against the embedded server, "
            f"so its ceiling is {about(own.rate)}."
        )
    return texts


def _latency(latency: Latency | None) -> list[str]:
    return [figures.duration(value) for value in ((latency.p50, latency.p95, latency.p99) if latency else (None,) * 3)]


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The cells of a row to their widths, all but the second right; what stands behind the columns stays as it is."""
    cells = [
        cell.ljust(width) if column == 1 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=False))
    ]
    return [*cells, *row[len(widths) :]]


def _over(widths: Sequence[int]) -> str:
    """The line over the columns: each name at the left of its group."""
    parts, at = [], 0
    for name, width in GROUPS:
        parts.append(name.ljust(sum(widths[at : at + width]) + 3 * (width - 1)))
        at += width
    return "   ".join(parts)
