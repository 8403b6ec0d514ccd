"""The text of `/metrics` as a few figures."""

from __future__ import annotations

import pytest

from mop_locust.report.text import plain
from mop_locust.server.tally import Tally
from mop_locust.server_side.exposition import LONGEST_LINE, MOST_SERIES, read_exposition


def read(text: str) -> dict[str, float]:
    """The figures of a whole text."""
    return read_exposition(text.split("\n"))


def test_counters_are_added_up_over_their_labels_and_gauges_need_none() -> None:
    """A sum of temperatures would mean nothing; a counter without its TYPE line is known by its name."""
    text = """\
# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{tool="a"} 3
calls_total{tool="b"} 4 1795528467000
# TYPE warm gauge
warm{room="1"} 20
warm{room="2"} 22
# TYPE open gauge
open 7
loose_total{a="1"} 1
loose_total{a="2"} 2
loose{a="1"} 5
free 1.5
"""
    assert read(text) == {"calls_total": 7, "open": 7, "loose_total": 3, "free": 1.5}


def test_of_histograms_and_summaries_count_and_sum_are_kept() -> None:
    """Neither buckets, nor quantiles, nor the time when a series was made."""
    text = """\
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 3
wait_seconds_bucket{le="+Inf"} 4
wait_seconds_count 4
wait_seconds_sum 2.5
# TYPE size summary
size{quantile="0.5"} 10
size_count{tool="a"} 2
size_count{tool="b"} 3
size_sum{tool="a"} 20
size_sum{tool="b"} 30
# TYPE size_created gauge
size_created 1795528467
"""
    assert read(text) == {"wait_seconds_count": 4, "wait_seconds_sum": 2.5, "size_count": 5, "size_sum": 50}


def test_what_is_no_finite_number_is_left_out() -> None:
    """JSON has no word for it."""
    assert read("a NaN\nb +Inf\nc -Inf\nd 1\n") == {"d": 1}


def test_the_number_of_series_and_the_length_of_a_line_are_bounded() -> None:
    """The first ones are kept, and go on being added up; a line of megabytes is not even looked at."""
    lines = [f"c{number}_total 1" for number in range(MOST_SERIES + 50)]
    figures = read_exposition([*lines, 'c0_total{a="1"} 5', f'long{{a="{"x" * LONGEST_LINE}"}} 1'])
    assert len(figures) == MOST_SERIES
    assert (figures["c0_total"], figures[f"c{MOST_SERIES - 1}_total"]) == (6, 1)


def test_names_can_be_shown() -> None:
    """Prometheus lets a name in quotes be any text; ours are cut, and command no terminal."""
    (name,) = read('{"\x1b[31mred\x1b[0m' + "x" * 300 + '"} 1')
    assert name == "red" + "x" * 96 + "…" == plain(name)


@pytest.mark.parametrize("text", ["<html><body>Not found</body></html>", '{"status":"ok"}', "a b c", 'x{a="b" 3', "x"])
def test_any_other_text_is_refused(text: str) -> None:
    """A page for people, JSON, half a line."""
    with pytest.raises(ValueError):
        read(text)


def test_no_text_has_no_figures() -> None:
    """A server that has counted nothing yet."""
    assert read("") == {}


def test_the_embedded_server_is_understood() -> None:
    """Its own counters by their names."""
    tally = Tally()
    tally.sessions_opened = 3
    for method in ("tools/list", "tools/list", 'odd "method"\n'):
        tally.receive(tally.name("http", method))
    figures = read(tally.prometheus(1_800_000_000.0, 5).decode())
    assert figures["mop_server_sessions_opened_total"] == 3
    assert figures["mop_server_received_total"] == 3
    assert figures["casial_coordination_events_total"] == 5
