"""What an exporter knows of a run."""

from __future__ import annotations

from mop_locust.exporters.reading import short_names
from mop_locust.metrics.accumulators import CounterTotal
from tests.unit.exporters.readings import a_reading, a_run


def test_the_totals_are_those_of_the_merge() -> None:
    """Read back from the summary."""
    run = a_run()
    reading = a_reading(run)
    assert reading.totals.series == run.merge.totals().series
    assert reading.totals.select("calls") == CounterTotal(6, {"ok": 4, "timeout": 1, "tool_error": 1})
    assert reading.ended


def test_a_run_that_goes_on_has_not_ended() -> None:
    """Its summary has no end yet."""
    assert not a_reading(a_run(finished=False)).ended


def test_names_of_workers_are_short_and_different() -> None:
    """A worker that nobody introduced has the index 0 too."""
    assert a_reading().worker_names == {"w1": "0", "w2": "1"}
    assert short_names([("a", 0), ("b", 0), ("c", 2)]) == {"a": "0", "b": "0-1", "c": "2"}
