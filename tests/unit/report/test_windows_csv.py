"""`windows.csv`."""

from __future__ import annotations

import csv
import io

import pytest

from mop_locust.report.windows_csv import COLUMNS, render
from tests.unit.report.sample_summary import HOSTILE, dead_summary, green_summary, histogram, hostile_summary


def rows(text: str) -> list[dict[str, str]]:
    """The table as a reader sees it."""
    return list(csv.DictReader(io.StringIO(text)))


def test_each_series_and_gauge_has_a_row() -> None:
    """Counts, failures, and the spread in the metric's unit."""
    summary = green_summary()
    summary["windows"] = summary["windows"][1:2]
    window = summary["windows"][0]
    window["series"] = {
        "calls{method:tools/list,scenario:a,transport:http}": {"count": 70},
        "call_failures{method:tools/call,scenario:a,tool:echo,transport:http}": {"count": 70, "failures": 3},
        "call_latency{method:tools/list,scenario:a,transport:http}": {"count": 4, "histogram": histogram(1, 2, 3, 4).to_wire()},
        "call_latency{method:ping}": {"count": 0, "histogram": histogram().to_wire()},
        "http_responses{status:200,zone:b}": {"count": 5},
        "unheard_of": {"count": 1, "histogram": histogram(0.5).to_wire()},
    }
    window["gauges"] = {"worker-1": {"loop_lag": 0.4}}
    assert render(summary).splitlines() == [
        "start_s,width_s,metric,scenario,transport,method,tool,tags,count,failures,value,p50,p95,p99,max,unit",
        "1,1,call_failures,a,http,tools/call,echo,,70,3,,,,,,",
        "1,1,call_latency,,,ping,,,0,,,,,,,",
        "1,1,call_latency,a,http,tools/list,,,4,,,2.001,4.0,4.0,4.0,ms",
        "1,1,calls,a,http,tools/list,,,70,,,,,,,",
        '1,1,http_responses,,,,,"status:200,zone:b",5,,,,,,,',
        "1,1,unheard_of,,,,,,1,,,0.5,0.5,0.5,0.5,",
        "1,1,loop_lag,,,,,worker:worker-1,,,0.4,,,,,",
    ]


def test_a_run_without_windows_has_a_head() -> None:
    """So that a reader finds the columns."""
    assert render(dead_summary()) == ",".join(COLUMNS) + "\n"


def test_the_counts_add_up_to_the_run() -> None:
    """What was counted in the windows is in the file."""
    found = [int(row["count"]) for row in rows(render(green_summary())) if row["metric"] == "calls"]
    assert sum(found) == sum(70 + second * 5 % 17 for second in range(60))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_no_formulas_and_make_no_rows(text: str) -> None:
    """As many rows and columns as ever, and no cell that a spreadsheet would calculate."""
    read = list(csv.reader(io.StringIO(render(hostile_summary(text)))))
    assert len(read) == 1 + 60 * 4
    assert {len(row) for row in read} == {len(COLUMNS)}
    assert not [cell for row in read for cell in row if cell[:1] in tuple("=+-@\t\r\n")]
