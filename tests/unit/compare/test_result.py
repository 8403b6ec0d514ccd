"""A comparison as a whole."""

from __future__ import annotations

import json
from typing import Any

from mop_locust.compare.comparison import Limits
from mop_locust.compare.result import Comparison, compare_runs
from tests.unit.report.sample_summary import green_summary, spread, told_summary, trend


def runs(side: str, slower_ms: float = 0.0, number: int = 5) -> dict[str, Any]:
    """So many runs that differ a little, the sessions of all of them slower by so much."""
    found = {}
    for run in range(number):
        summary: Any = told_summary() if side == "new" else green_summary()
        summary["run"]["id"] = f"{side}-{run}"
        summary["metrics"]["session_duration"] = trend(spread(600, 14.0 + run / 10 + slower_ms))
        found[f"{side}/{run}"] = summary
    return found


def made(slower_ms: float = 0.0) -> Comparison:
    """Five runs against five."""
    return compare_runs(runs("base"), runs("new", slower_ms), Limits())


def test_it_knows_its_runs() -> None:
    """Their ids by folder, what the server called itself, its commit, the target; each once."""
    comparison = made()
    assert comparison.base.runs == {f"base/{run}": f"base-{run}" for run in range(5)}
    assert comparison.new.servers == ["meta-orchestration-protocol 0.1.4"]
    assert (comparison.base.commits, comparison.new.commits) == ([], ["0123abc"])
    assert comparison.new.targets == ["http://localhost:8000/mcp"]
    assert comparison.differences[0].startswith("suite hash: not given in the base, ")


def test_what_is_worse_ends_with_3() -> None:
    """Three percentiles of the sessions; everything else is alike."""
    worse, same = made(5.0), made()
    assert (worse.exit_code, worse.count("worse"), worse.count("better")) == (3, 3, 0)
    assert worse.sentence() == f"3 worse, 0 better, {worse.count('same')} same, 0 cannot tell."
    assert (same.exit_code, same.count("worse"), same.count("cannot tell")) == (0, 0, 0)
    better = made(-5.0)
    assert (better.exit_code, better.count("better")) == (0, 3)


def test_as_json() -> None:
    """With every value of every run."""
    told = json.loads(made(5.0).to_json())
    assert (told["schema"], told["scenario"], told["limits"]["alpha"]) == (1, "tools_call_rps", 0.05)
    finding = next(one for one in told["findings"] if one["measure"]["metric"] == "session_duration")
    assert (finding["answer"], finding["measure"]["aggregation"], len(finding["base"])) == ("worse", "p(50)", 5)
    assert finding["change"] == 5.0 or 4.9 < finding["change"] < 5.1
