"""The result as Markdown, and where it is kept."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from benchmarks.figures import Run, Sample, Spread
from benchmarks.result import Result, keep
from benchmarks.table import cost, render


def taken(peer: str, microseconds: float, server: str = "embedded") -> Sample:
    """A sample of the kept session."""
    counted_by = "server" if server == "embedded" else "client"
    return Sample(server, "a", peer, 0, counted_by, Run(0.0, 0, 0, 1.0), Run(microseconds / 1000, 1000, 1000, 2.0, 0.005))


def result(*samples: Sample) -> Result:
    """A result of one round."""
    return Result(
        date="2026-11-22T12:00:00+00:00",
        machine={"cores": "2"},
        versions={"k6": "1.8.1"},
        options={"rounds": "1", "users": "10", "short": "1", "long": "6"},
        missing={"wrk": "no wrk on the path or in WRK"},
        samples=list(samples),
    )


def test_costs_and_limits_stand_in_one_row_each() -> None:
    """A limit without its peer says that there is no figure."""
    lines = render(result(taken("mop-locust", 40.0), taken("k6", 80.0)), "mop-locust", "bare sockets").splitlines()
    assert "| operation | mop-locust | k6 |" in lines
    assert "| (a) tools/list, kept session | 40.0 (40.0 to 40.0), kernel 5.0 | 80.0 (80.0 to 80.0), kernel 5.0 |" in lines
    assert "| (a) tools/list, kept session | 0.40 × k6 | 0.50 (0.50 to 0.50) | **not met** |" in lines
    assert "| (a) tools/list, kept session | 3.00 × wrk |  | no figure |" in lines


def test_machine_versions_and_what_is_missing_stand_at_the_end() -> None:
    """Figures without their machine say nothing."""
    lines = render(result(taken("mop-locust", 40.0)), "mop-locust", "bare sockets").splitlines()
    assert lines[-3:] == ["- cores: 2", "- k6: 1.8.1", "- not there: wrk, no wrk on the path or in WRK"]


def test_a_server_that_does_not_count_is_named() -> None:
    """Each server has a part of its own."""
    text = render(result(taken("mop-locust", 40.0), taken("mop-locust", 30.0, "real")), "mop-locust", "bare sockets")
    embedded, real = text.split("## Against the real server")
    assert "This server does not count" in real
    assert "This server does not count" not in embedded


def test_what_the_machine_allows_stands_beside_the_limits() -> None:
    """Only beside those whose peer has a figure."""
    text = render(result(taken("mop-locust", 40.0), taken("k6", 80.0), taken("bare sockets", 20.0)), "mop-locust", "bare sockets")
    assert re.findall("- .*bare sockets.*", text) == ["- (a) bare sockets, which check and measure nothing, take 0.25 × k6"]


def test_a_cell_without_figure_is_empty() -> None:
    """A peer that cannot do an operation leaves its cell free."""
    assert cost(None, None) == ""
    assert cost(Spread(1.25, 1.0, 2.0, 3), Spread(0.5, 0.4, 0.6, 3)) == "1.2 (1.0 to 2.0), kernel 0.5"


def test_an_older_result_is_never_overwritten(tmp_path: Path) -> None:
    """The second of the same name gets a number; both can be read back."""
    first = keep("20261122T120000Z", result(taken("k6", 1.0)), "one\n", tmp_path)
    second = keep("20261122T120000Z", result(taken("k6", 2.0)), "two\n", tmp_path)
    assert (first.name, second.name) == ("20261122T120000Z.json", "20261122T120000Z-2.json")
    assert first.with_suffix(".md").read_text() == "one\n"
    assert msgspec.json.decode(second.read_bytes(), type=Result) == result(taken("k6", 2.0))
