"""A comparison for a person."""

from __future__ import annotations

import copy

import pytest
from markdown_it import MarkdownIt

from mop_locust.compare.comparison import Limits
from mop_locust.compare.result import compare_runs
from mop_locust.compare.words import markdown_text, table, verdict
from tests.unit.compare.test_result import made, runs
from tests.unit.report.sample_summary import HOSTILE, hostile_summary


def test_the_table_says_first_what_is_worse() -> None:
    """With the runs' median, least and most, the change and the p-value; then what must be known."""
    lines = table(made(5.0)).splitlines()
    assert lines[0] == "compare   tools_call_rps"
    assert lines[1] == "  base   5 runs   meta-orchestration-protocol 0.1.4   http://localhost:8000/mcp"
    assert lines[2] == "  new   5 runs   meta-orchestration-protocol 0.1.4   0123abc   http://localhost:8000/mcp"
    assert lines[4].split() == ["answer", "measure", "base", "new", "change", "p"]
    assert " ".join(lines[5].split()) == (
        "worse session_duration P50 15 ms (15 ms to 16 ms) 20 ms (20 ms to 21 ms) +5.0 ms (+33 %) 0.024"
    )
    assert [line.split()[0] for line in lines[5:9]] == ["worse", "worse", "worse", "same"]
    assert any(line.startswith("WORSE: 3 worse, 0 better, ") for line in lines)
    assert (
        "  not alike, and allowed: host: not given in the base, load-1 (2 cores of Example CPU, Linux 6.1.0) in the new runs"
        in lines
    )
    assert not any(line != line.rstrip() for line in lines)


def test_the_verdict_is_of_the_first_answer_that_matters() -> None:
    """Worse before better before cannot tell."""
    assert verdict(made()).startswith("SAME: 0 worse")
    assert verdict(made(-5.0)).startswith("BETTER: 0 worse, 3 better")
    few = compare_runs(runs("base", number=3), runs("new", number=3), Limits())
    assert verdict(few).startswith("CANNOT TELL: ")
    assert "cannot tell: too few runs: 3 and 3; 4 and 4 are needed" in table(few)


def test_as_markdown() -> None:
    """The same in a table that GitHub shows."""
    source = markdown_text(made(5.0))
    assert source.startswith("### WORSE: 3 worse, 0 better, ")
    assert "| answer | measure |  | base | new | change | p |" in source
    assert (
        "| **worse** | `session_duration` | P50 | 15 ms (15 ms to 16 ms) | 20 ms (20 ms to 21 ms) | +5.0 ms (+33 %) | 0.024 |"
        in source
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_server_gets_out(text: str) -> None:
    """Neither into the terminal nor into Markdown: one line a row, no control characters, no markup, no mention."""
    one, two = ({f"{side}/{run}": copy.deepcopy(hostile_summary(text)) for run in range(4)} for side in "ab")
    comparison = compare_runs(one, two, Limits())
    told = table(comparison)
    assert not set(map(ord, told)) & ({*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), 0x200B} - {0x0A})
    assert told.isprintable() or set(told) - {"\n"} == {letter for letter in told if letter.isprintable()}
    source = markdown_text(comparison)
    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(source)
    assert not any(mark in html for mark in ("<script", "<img", "<a ", "<h1", "onerror=alert(1)>", "<del"))
    tables = [line for line in source.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in tables} == {8}


def test_a_long_comparison_is_cut_in_markdown() -> None:
    """A comment holds only so much; the JSON file has the rest."""
    base, new = runs("base"), runs("new")
    for summary in (*base.values(), *new.values()):
        for number in range(80):
            name = f"call_failures{{method:m{number},scenario:tools_call_rps,transport:http}}"
            summary["metrics"][name] = {"kind": "rate", "count": 10, "failures": 0, "rate": 0.0}
    source = markdown_text(compare_runs(base, new, Limits()))
    assert source.count("\n| ") == 62  # a head, its line of dashes, and 60 rows
    assert " more in the JSON file" in source


def test_a_measure_that_one_side_lacks_has_no_figures_there() -> None:
    """A dash, in both places."""
    base, new = runs("base"), runs("base")
    for summary in new.values():
        del summary["metrics"]["session_duration"]
    line = next(line for line in table(compare_runs(base, new, Limits())).splitlines() if "session_duration" in line)
    assert line.split("   ")[0].strip() == "cannot tell"
    assert line.split()[-3:] == ["-", "-", "-"]
