"""`summary.md`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from markdown_it import MarkdownIt

from mop_locust.report.drift import add_drift
from mop_locust.report.markdown import render
from tests.unit.report.sample_summary import HOSTILE, dead_summary, green_summary, hostile_summary, red_summary
from tests.unit.report.soak_summary import soaked, steady

RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

DEAD = """\
### NO DATA, valid, exit code 3: `tools_call_rps`

**NO DATA: no load was sent; nothing answered at http:\u200b//localhost:8000/mcp: refused.**

`http://localhost:8000/mcp` · `1 user in one process` · `0s of 1m00s`

| threshold | metric | expression | found |
| :-- | :-- | :-- | :-- |
| no data | `tools_call_failures` | `rate<0.05` | - |
"""


def cells(source: str) -> list[list[str]]:
    """The cells of all tables, row by row, as a renderer sees them."""
    rows: list[list[str]] = []
    tokens = RENDERER.parse(source)
    for before, token in pairwise(tokens):
        if before.type == "tr_open":
            rows.append([])
        if before.type in ("td_open", "th_open"):
            rows[-1].append("".join(child.content for child in token.children or []))
    return rows


def test_a_dead_target() -> None:
    """The verdict, the reason, the thresholds; no empty tables."""
    assert render(dead_summary()) == DEAD


def test_a_red_run() -> None:
    """The red thresholds first, then calls, other metrics, errors, and what must be known."""
    source = render(red_summary())
    table = cells(source)
    assert [row[0] for row in table[:4]] == ["threshold", "crossed", "no data", "passed"]
    assert table[5] == ["http", "initialize", "4,712", "80.7", "0.11 %", "1.8 ms", "2.9 ms", "3.0 ms", "11 ms"]
    assert table[-3] == ["664", "HTTP 503", "tools/list", "http", "0:41 to 1:00"]
    assert source.endswith(
        "- incomplete: worker 1 was lost at 0:44; at most 1 s of its samples is missing.\n"
        "- note: 20 of 20 streams were ended by the server after 0 ms: keep-alive was not observed.\n\n"
        "Workers at 31 % of a core, loop lag P99 0.9 ms. 1 of 2 workers did not finish.\n\n"
        "Server: CPU up to 31 % of a core, RSS 33.9 MiB to 41.2 MiB, 16 to 18 descriptors, up to 20 open sessions (last 1).\n"
    )


def test_a_green_run_has_neither_errors_nor_remarks() -> None:
    """Nor a sentence."""
    source = render(green_summary())
    assert source.startswith("### PASSED, valid: `tools_call_rps`\n\n`http://localhost:8000/mcp` · ")
    assert "**" not in source
    assert "| errors |" not in source
    assert "\n- " not in source


def test_a_run_without_thresholds_has_no_table_of_them() -> None:
    """Nor one of calls, if nothing was called."""
    summary = dead_summary()
    summary["verdict"]["thresholds"] = []
    assert cells(render(summary)) == []


def test_long_tables_and_lists_are_cut_and_say_so() -> None:
    """A comment has a limit; the whole is in the report."""
    summary = red_summary()
    summary["errors"] *= 1000
    summary["run"]["notes"] = [f"note number {number}" for number in range(20)]
    source = render(summary)
    assert "\n\n2,990 more in `report.html`\n" in source
    assert "\n- 11 more in `report.html`\n" in source
    assert len(source) < 10_000


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_make_no_markup(text: str) -> None:
    """A renderer finds the same blocks as ever, no HTML, no link, no picture, and no name to notify."""
    source = render(hostile_summary(text))
    tokens = RENDERER.parse(source)
    inline = {child.type for token in tokens for child in token.children or []}
    assert inline <= {"text", "text_special", "strong_open", "strong_close", "code_inline", "softbreak"}
    blocks = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens}
    assert blocks <= {"heading", "paragraph", "inline", "table", "thead", "tbody", "tr", "th", "td", "bullet_list", "list_item"}
    assert {len(row) for row in cells(source)} == {4, 9, 8, 5}
    assert len(cells(source)) == len(cells(render(red_summary()))) - 2  # two of the calls fall together
    outside_code = "".join(
        child.content for token in tokens for child in token.children or [] if child.type in ("text", "text_special")
    )
    assert "@e" not in outside_code
    assert "://" not in outside_code


@pytest.mark.parametrize("text", ["x" * 5000, "|" * 5000, "&" * 5000])
def test_it_fits_a_comment(text: str) -> None:
    """GitHub takes 65,536 characters: of everything there is more than can be shown, and each text is as long as it may be."""
    summary: Any = hostile_summary(text)
    verdict, series = summary["verdict"], summary["metrics"]
    verdict["thresholds"] *= 200
    verdict["reasons"] = [f"{number} {text}" for number in range(300)]
    summary["errors"] *= 100
    for number in range(300):
        tags = f"{{method:{number}{'m' * 100},scenario:s,tool:{'t' * 110},transport:http}}"
        series[f"calls{tags}"] = {"kind": "counter", "count": 10**9}
        series[f"declared_{number}_{'d' * 50}"] = {"kind": "counter", "count": 10**9}
    source = render(summary)
    assert 20_000 < len(source) < 65_000
    assert "more in `report.html`" in source


def test_drift_has_a_table_of_its_own_with_the_red_ones_first() -> None:
    """Behind the thresholds."""
    summary = soaked(files=steady(20, per_hour=50))
    add_drift(summary, allow_degraded=False)
    text = render(summary)
    first = text.partition("| drift | drift, from 10:28 to 1:00:00 of the run |\n| :-- | :-- |\n")[2].splitlines()[0]
    assert first == "| drifting | the server's descriptors grow by 50 descriptors/h (95 % interval 50 to 50) |"
