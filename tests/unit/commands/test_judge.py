"""`mop-locust judge`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mop_locust.cli import main
from mop_locust.commands.judge import judged_by
from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.merge import Merge
from mop_locust.metrics.parts import Parts
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.summary import summarise, window_rows
from mop_locust.metrics.totals import Totals
from mop_locust.report.drift import add_drift
from mop_locust.verdict.threshold import parse
from tests.unit.commands.old_runs import content, write_runs
from tests.unit.report.sample_summary import dead_summary, green_summary, red_summary
from tests.unit.report.soak_summary import soaked, steady

CALLS = "call_latency{method:tools/list}"


@pytest.mark.parametrize("build", [green_summary, red_summary])
def test_by_its_own_thresholds_a_run_is_judged_as_it_was(build: Any) -> None:
    """State, validity, reasons, code; the values are those of the metrics."""
    old = build()
    new = judged_by(old, [])
    for name in ("state", "validity", "reasons", "exit_code"):
        assert new["verdict"][name] == old["verdict"][name]  # type: ignore[literal-required]
    assert [(one["metric"], one["state"]) for one in new["verdict"]["thresholds"]] == [
        (one["metric"], one["state"]) for one in old["verdict"]["thresholds"]
    ]


def test_what_is_given_replaces_the_thresholds_of_its_metric(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The others stay; the verdict is printed as a run prints it, and nothing is written."""
    (folder,) = write_runs(tmp_path, {"a": green_summary()})
    before = content(folder)
    assert main(["judge", str(folder), "--mop-threshold", f"{CALLS}: p(95)<1, count>10"]) == 3
    told = capsys.readouterr().out
    assert "  crossed   call_latency{method:tools/list}   p(95)<1     2.7 ms over 4,712\n" in told
    assert "  passed    tools_call_failures               rate<0.05   0.00 % of 9,424\n" in told
    assert "p(95)<250" not in told
    assert "CROSSED, valid, exit code 3." in told
    assert told.endswith(f"\n{folder}\n\n")
    assert content(folder) == before


def test_thresholds_may_ask_of_the_tags_that_a_scenario_declared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As in the run; a tag that no series of it carries is a mistake."""
    summary = green_summary()
    hops = Ledger("run", "worker", 1, 0)
    hops.count("hops", (("downstream", "a"), ("scenario", "tools_call_rps")), 7, 0)
    summary["metrics"] |= summarise(Totals.of(hops.snapshot(0, 0).totals))
    (folder,) = write_runs(tmp_path, {"a": summary})
    assert main(["judge", str(folder), "--mop-threshold", "hops{downstream:a}: count>6"]) == 0
    assert "  passed   hops{downstream:a}" in capsys.readouterr().out
    assert main(["judge", str(folder), "--mop-threshold", "hops{upstream:a}: count>6"]) == 2
    assert "there is no tag upstream; did you mean downstream?" in capsys.readouterr().err


def test_the_validity_stays(tmp_path: Path) -> None:
    """Whatever the thresholds say: an incomplete run ends with 4, a degraded one too unless it was allowed."""
    degraded, allowed = green_summary(), green_summary()
    for summary in (degraded, allowed):
        summary["verdict"] |= {"validity": "degraded", "reasons": ["late"]}
    allowed["run"]["options"]["MOP_ALLOW_DEGRADED"] = "1"
    folders = write_runs(tmp_path, {"a": red_summary(), "b": degraded, "c": allowed})
    always = ["--mop-threshold", "calls: count>0"]
    assert [main(["judge", str(folder), *always]) for folder in folders] == [4, 4, 0]
    assert main(["judge", str(tmp_path), *always]) == 4


def test_no_data_is_red() -> None:
    """Of a dead target nothing can pass."""
    judged = judged_by(dead_summary(), parse("calls: count>=0"))
    assert (judged["verdict"]["state"], judged["verdict"]["exit_code"]) == ("NO_DATA", 3)
    assert judged["verdict"]["sentence"].startswith("NO DATA: no load was sent")


def test_declared_metrics_can_be_judged(tmp_path: Path) -> None:
    """A trend in its own unit, a rate, a counter."""
    (folder,) = write_runs(tmp_path, {"a": green_summary()})
    for text, code in (("basket_size: max<6", 0), ("cache_misses: rate<1%", 3), ("orders: count==120", 0)):
        assert main(["judge", str(folder), "--mop-threshold", text]) == code


def test_all_mistakes_are_told_once_and_nothing_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A text that is none, a metric that is none, an aggregation that does not fit, a folder that is none."""
    write_runs(tmp_path, {"a": green_summary(), "b": red_summary()})
    given = ["calls count>1", "callz: count>1", "calls: p(95)<1", "calls{scenario:other}: count>1"]
    options = [word for text in given for word in ("--mop-threshold", text)]
    assert main(["judge", str(tmp_path / "nowhere"), str(tmp_path), *options]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert lines[0] == "mop-locust judge: nothing was judged:"
    assert len(lines) == len(set(lines)) == 6
    assert "did you mean calls?" in told.err


def test_a_threshold_of_a_later_version_is_no_silent_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It cannot be judged, so nothing is."""
    summary = green_summary()
    summary["verdict"]["thresholds"][0]["expression"] = "slope<3"
    (folder,) = write_runs(tmp_path, {"a": summary})
    assert main(["judge", str(folder)]) == 2
    assert "its threshold tools_call_failures: slope<3 cannot be read by this version" in capsys.readouterr().err


def test_figures_that_contradict_each_other_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A histogram whose counts do not add up."""
    summary = green_summary()
    summary["metrics"]["session_duration"]["histogram"]["count"] += 1
    (folder,) = write_runs(tmp_path, {"a": summary})
    assert main(["judge", str(folder)]) == 2
    assert f"{folder}: its metrics cannot be read: " in capsys.readouterr().err


def staged() -> Any:
    """A run of two stages, whose windows are one second wide: calls of 1 ms, then of 400 ms, and nothing in second 3."""
    own = Ledger("r", "w", 1, 0)
    for second, duration in enumerate((1_000, 1_000, 1_000, 0, 400_000, 1_000)):
        if duration:
            own.record(Sample("tools_call_rps", "http", "tools/list", "ok", second * 1_000_000, duration))
    merge, parts = Merge("r"), Parts([4, 2])
    merge.followers.append(parts.add)
    merge.receive(own.snapshot(6_000_000, 0, final=True))
    summary = green_summary()
    summary["metrics"] = summarise(merge.totals())
    summary["windows"] = window_rows(merge.windows)
    names = (("calm", 0, 4), ("spike", 4, 2))
    summary["stages"] = [
        {
            "name": name,
            "start_s": start,
            "planned_seconds": seconds,
            "target": 1,
            "seconds": float(seconds),
            "metrics": summarise(Totals.of(tally)),
        }
        for (name, start, seconds), tally in zip(names, parts.tallies, strict=True)
    ]
    summary["run"] |= {"seconds": 6.5, "load_seconds": 6.0}
    summary["verdict"]["thresholds"] = []
    return summary


@pytest.mark.parametrize(
    ("text", "value", "state"),
    [
        ("call_latency{stage:calm}: max<5", 1.0, "PASSED"),
        ("call_latency{stage:spike}: max<5", 400.0, "CROSSED"),
        ("calls{stage:spike}: rate>0", 1.0, "PASSED"),
        ("call_latency: max<500 over 2s", 400.0, "PASSED"),
        ("calls: count>0 over 1s", 0, "CROSSED"),
        ("calls: count>0 over 2s", 1, "PASSED"),
        ("call_latency: max<5 abort after 1s", 400.0, "CROSSED"),
        ("call_latency{stage:calm}: max<5 over 1s abort after 1s", 1.0, "PASSED"),
    ],
)
def test_stages_and_windows_of_a_stored_run(text: str, value: float, state: str) -> None:
    """They are in the folder."""
    (result,) = judged_by(staged(), parse(text))["verdict"]["thresholds"]
    assert (result["value"], result["state"]) == (value, state)


def test_wide_windows_are_rounded_up_and_it_is_said() -> None:
    """A run of more than ten minutes has no single seconds any more."""
    summary = staged()
    for row in summary["windows"]:
        row |= {"start_s": row["start_s"] * 8, "width_s": 8}
    summary["run"]["load_seconds"] = 48.0
    summary["verdict"]["aborted"] = {"at_s": 9, "metric": "calls", "expression": "count<1", "value": 3}
    judged = judged_by(summary, parse("calls: count<2 over 9s"))
    assert judged["verdict"]["thresholds"][0]["window"] == {"start_s": 0, "seconds": 16}
    assert judged["run"]["notes"][-1].startswith("windows were judged in steps of 8 s, as the run has stored them")
    assert judged["verdict"]["aborted"] == summary["verdict"]["aborted"]
    assert judged_by(summary, parse("calls: count<2"))["run"]["notes"] == summary["run"]["notes"]


def test_a_stage_that_the_run_has_not_and_windows_that_cannot_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Before anything is judged."""
    broken = staged()
    next(iter(broken["windows"][0]["series"].values()))["count"] = 99
    good, bad = write_runs(tmp_path, {"a": staged(), "b": broken})
    assert main(["judge", str(good), "--mop-threshold", "calls{stage:clam}: count>0"]) == 2
    assert "stage is never 'clam'; did you mean calm?" in capsys.readouterr().err
    assert main(["judge", str(bad), "--mop-threshold", "calls: count>0"]) == 0
    assert main(["judge", str(bad), "--mop-threshold", "calls: count>0 over 1s"]) == 2
    assert "its metrics cannot be read: metric calls{" in capsys.readouterr().err


def test_a_soak_is_judged_for_drift_again() -> None:
    """By what its courses were, whatever stood there."""
    summary = soaked(files=steady(20, per_hour=50))
    assert judged_by(summary, [])["verdict"]["exit_code"] == 0
    add_drift(summary, allow_degraded=False)
    summary["drift"]["courses"] = []
    judged = judged_by(summary, [])
    assert (judged["verdict"]["state"], judged["verdict"]["exit_code"]) == ("CROSSED", 3)
    assert judged["verdict"]["sentence"].startswith("CROSSED: the server's descriptors grow by 50 descriptors/h")
    assert len(judged["drift"]["courses"]) == 11
