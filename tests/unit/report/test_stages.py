"""Stages and aborts in every report, and in what /mop shows."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec

from mop_locust.report import html, junit, markdown, table
from mop_locust.report.document import SummaryDocument
from mop_locust.report.figures import clock
from mop_locust.report.headline import verdict_words
from mop_locust.report.rows import stage_rows
from mop_locust.report.sentence import red_sentence
from tests.unit.report.sample_summary import green_summary
from tests.unit.report.staged_summary import staged_summary

SENTENCE = (
    "CROSSED: aborted at 03:12: P95 of call_latency is 412 ms over 1,234 samples from 2:12 to 3:12 (limit 250 ms); "
    "1 more threshold is red."
)


def test_the_shape_is_that_of_the_document() -> None:
    """What the tests build is what a run writes."""
    summary = staged_summary()
    assert msgspec.convert(summary, SummaryDocument) == summary


def test_a_row_for_each_stage_that_has_a_time() -> None:
    """Its rate by the seconds that were measured; one that never came has no figures."""
    rows = [(row.label, row.cells(seconds)[:5]) for row, seconds in stage_rows(staged_summary())]
    assert rows == [
        ("steady, 0:00 to 2:00, to 1,500 users", ["3", "0.0", "0.00 %", "2.0 ms", "3.0 ms"]),
        ("spike, 2:00 to 4:00, to 3,000 users", ["2", "0.0", "0.00 %", "400 ms", "400 ms"]),
        ("recovery, 4:00 to 6:00, to 0 users", ["0", "-", "-", "-", "-"]),
    ]
    assert stage_rows(green_summary()) == []


def test_a_target_of_arrivals_says_so() -> None:
    """In the words of the setting, with a fraction where it has one."""
    summary = staged_summary()
    for stage, target in zip(summary["stages"], (0, 1500, 1.5, 0), strict=True):
        stage |= {"target": target, "unit": "arrivals/s"}
    assert msgspec.convert(summary, SummaryDocument) == summary
    assert [row.label for row, _ in stage_rows(summary)] == [
        "steady, 0:00 to 2:00, to 1,500 arrivals/s",
        "spike, 2:00 to 4:00, to 1.5 arrivals/s",
        "recovery, 4:00 to 6:00, to 0 arrivals/s",
    ]


def test_the_end_is_told_with_its_moment() -> None:
    """And while the run comes to its end."""
    summary = staged_summary()
    assert verdict_words(summary) == "CROSSED, valid, aborted at 03:12, exit code 3"
    summary["run"]["ended"] = ""
    assert verdict_words(summary) == "CROSSED, valid, aborted at 03:12, so far"
    assert [clock(seconds) for seconds in (7, 192, 3792, 36_000)] == ["00:07", "03:12", "1:03:12", "10:00:00"]


def test_the_threshold_that_ended_the_run_comes_first() -> None:
    """Before failures, which come first otherwise."""
    assert staged_summary()["verdict"]["sentence"] == SENTENCE


def test_a_rate_tells_its_window_too() -> None:
    """In the words of failures."""
    summary = staged_summary()
    failures = summary["verdict"]["thresholds"][0]
    failures["window"] = {"start_s": 10, "seconds": 30}
    del summary["verdict"]["aborted"]
    assert red_sentence(summary).startswith("CROSSED: 7.00 % of 9,424 calls failed from 0:10 to 0:40 (limit 5 %)")


def test_the_terminal() -> None:
    """The stages stand under the calls, in the same columns."""
    lines = table.render(staged_summary()).splitlines()
    (head,) = [number for number, line in enumerate(lines) if line.startswith("  stages  ")]
    assert [line.split("   ")[0].strip() for line in lines[head + 1 : head + 4]] == [
        row.label for row, _ in stage_rows(staged_summary())
    ]
    assert len({len(line) for line in lines[head : head + 4]}) == 1
    assert SENTENCE in lines
    assert "CROSSED, valid, aborted at 03:12, exit code 3. Workers" in "\n".join(lines)
    assert "stages" not in table.render(green_summary())


def test_markdown() -> None:
    """A table of its own."""
    text = markdown.render(staged_summary())
    assert "| stage | count |" in text
    assert "| `steady, 0:00 to 2:00, to 1,500 users` | 3 |" in text
    assert "aborted at 03:12" in text
    assert "| stage |" not in markdown.render(green_summary())


def test_html_and_what_goes_on() -> None:
    """A section of the page; the live page gets the same."""
    parts = html.fragments(staged_summary())
    assert "steady, 0:00 to 2:00, to 1,500 users" in parts["stages"]
    assert "aborted at 03:12" in parts["head"]
    assert "from 2:12 to 3:12" in parts["thresholds"]
    assert "<h2>Stages</h2>" in html.render(staged_summary())
    assert html.fragments(green_summary())["stages"] == ""
    assert "<h2>Stages</h2>" not in html.render(green_summary())


def test_junit() -> None:
    """The case of the threshold says when and what."""
    root = ElementTree.fromstring(junit.render(staged_summary()))
    (failure,) = [case[0] for case in root.iter("testcase") if "over 1m" in str(case.get("name"))]
    assert failure.get("message") == "crossed: 412 ms over 1,234 from 2:12 to 3:12 (limit 250 ms)"
    assert failure.text == SENTENCE
