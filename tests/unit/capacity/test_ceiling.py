"""The generator's own ceiling."""

from __future__ import annotations

from typing import Any

import pytest

from mop_locust.capacity.ceiling import read_ceiling
from tests.unit.capacity.open_runs import open_run
from tests.unit.report.sample_summary import rate


def test_it_is_where_the_busiest_process_would_reach_its_limit() -> None:
    """100/s at 31.2 % of a core: 55 % are reached at 176/s; 62 % of a core for 100 iterations are 6.2 ms each."""
    ceiling = read_ceiling("null/one", open_run(), 55)
    assert ceiling is not None
    assert ceiling.rate == pytest.approx(100 * 55 / 31.2)
    assert ceiling.cost_ms == pytest.approx(6.2)
    assert ceiling.run == "null/one"


def changed(part: str, **values: Any) -> Any:
    """The run with a part of its summary changed."""
    summary: Any = open_run()
    summary[part] |= values
    return summary


def test_thresholds_are_of_no_account() -> None:
    """They are meant for the target; nor does it matter where no call was made at all."""
    assert read_ceiling("null/one", changed("verdict", state="CROSSED"), 55) is not None
    silent: Any = open_run()
    del silent["metrics"]["call_failures"]
    assert read_ceiling("null/one", silent, 55) is not None


def test_no_ceiling_without_evidence() -> None:
    """A run whose calls fail, of unknown length, in which nothing was done, or whose CPU nobody saw."""
    unseen: Any = open_run()
    unseen["workers"] = [worker | {"cpu_percent": None} for worker in unseen["workers"]]
    nothing: Any = open_run()
    del nothing["metrics"]["iterations"]
    failed = changed("metrics", call_failures=rate(1000, 51))
    for summary in (failed, changed("run", planned_seconds=None), unseen, nothing):
        assert read_ceiling("null/one", summary, 55) is None
