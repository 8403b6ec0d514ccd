"""`server.csv`."""

from __future__ import annotations

import csv
import io

import pytest

from mop_locust.report.server_csv import COLUMNS, render
from tests.unit.report.sample_summary import HOSTILE, dead_summary, green_summary, hostile_summary, look


def test_each_look_has_a_row_and_each_metric_a_column() -> None:
    """What is not known is an empty cell, also a metric that came later."""
    summary = green_summary()
    summary["server_side"]["samples"] = [
        look(0.01, None, 35_546_726.0, 16.0, 0.0, b_total=1.0),
        look(5.0, 31.4, 4e7, 37.0, 20.0, b_total=8.0, a_total=0.5),
    ]
    assert render(summary).splitlines() == [
        "at_s,cpu_percent,rss_bytes,open_files,threads,active_sessions,a_total,b_total",
        "0.01,,35546726.0,16.0,4.0,0.0,,1.0",
        "5.0,31.4,40000000.0,37.0,4.0,20.0,0.5,8.0",
    ]


def test_a_run_without_looks_has_a_head() -> None:
    """So that a reader finds the columns."""
    assert render(dead_summary()) == ",".join(COLUMNS) + "\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_no_formulas_and_make_no_rows(text: str) -> None:
    """A name is one cell of the head."""
    read = list(csv.reader(io.StringIO(render(hostile_summary(text)))))
    assert [len(row) for row in read] == [len(COLUMNS) + 1] * 2
    assert not [cell for row in read for cell in row if cell[:1] in tuple("=+-@\t\r\n")]
