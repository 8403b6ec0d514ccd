"""Stages are followed whatever starts the run, each is judged by its own figures, and a threshold can end a run."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mop_locust.config.stages import parse_stages, read_users, target_at
from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved
from tests.e2e.processes import LOCUSTFILES, Server, until
from tests.e2e.test_web import start

STAGES = "ramp=2s:6,2s:6,down=2s:0"
STEP = 3  # users that come or go in a second of it
SLOW_FROM = 3.0  # seconds

STAGED = f"""
import sys
sys.path.insert(0, {str(LOCUSTFILES)!r})
import tools_call_rps

class Staged(tools_call_rps.ToolsCallRps):
    stages = "{STAGES}"
    thresholds = {{"call_latency{{stage:steady}}": ["p(95)<5000"], "calls{{stage:down}}": ["count>0"]}}
"""


def told(summary: dict[str, Any], unit: str) -> list[tuple[str, int, int, float]]:
    """The plan of each stage: name, beginning, length and target, which counts what `unit` says."""
    assert {stage["unit"] for stage in summary["stages"]} == {unit}
    return [(stage["name"], stage["start_s"], stage["planned_seconds"], stage["target"]) for stage in summary["stages"]]


def adds_up(summary: dict[str, Any]) -> None:
    """Asserts that the stages add up to the whole, and each to its seconds; what comes after the end is of the last."""
    sums: Counter[str] = Counter()
    for stage in summary["stages"]:
        sums.update({name: metric["count"] for name, metric in stage["metrics"].items()})
    assert sums == {name: metric["count"] for name, metric in summary["metrics"].items()}
    for stage in summary["stages"]:
        begin, end = stage["start_s"], stage["start_s"] + stage["planned_seconds"]
        last = stage is summary["stages"][-1]
        seconds = [row for row in summary["windows"] if begin <= row["start_s"] < end or (last and row["start_s"] >= end)]
        calls = [one["count"] for row in seconds for name, one in row["series"].items() if name.startswith("calls{")]
        assert sum(calls) == stage["metrics"].get("calls", {"count": 0})["count"]
        assert calls or not stage["planned_seconds"]


def followed(summary: dict[str, Any]) -> None:
    """Asserts that a run had the users of its stages at each second, and that the stages add up to the whole."""
    stages = parse_stages(STAGES, read_users)
    for window in summary["windows"]:
        assert window["width_s"] == 1
        users = sum(gauges.get("users", 0) for gauges in window["gauges"].values())
        # A worker tells its users once in a second, before or after they have changed in it.
        assert abs(users - round(target_at(stages, window["start_s"] + 0.5))) <= STEP, window["start_s"]
    steady = next(window for window in summary["windows"] if window["start_s"] == 3)
    assert sum(gauges["users"] for gauges in steady["gauges"].values()) == 6
    assert told(summary, "users") == [("ramp", 0, 2, 6), ("steady", 2, 2, 6), ("down", 4, 2, 0)]
    adds_up(summary)
    run = summary["run"]
    assert (run["stopped_by"], run["planned_seconds"], run["users"]) == ("stages", 6.0, 6)
    assert 6 <= run["load_seconds"] < 8


@pytest.mark.parametrize("workers", [0, 2])
def test_stages_of_the_command_line_are_followed_and_judged(workers: int, server: Server, run_at: RunAt) -> None:
    """The sums of the stages are those of the server; a stage in which nothing of the kind was measured has no data."""
    run = run_at(server)
    options = ("--mop-stages", STAGES)
    for text in ("call_latency{stage:steady}: p(95)<5000", "calls{stage:down}: count<1", "ws_failures{stage:ramp}: rate<1"):
        options += ("--mop-threshold", text)
    run.with_workers("tools_call_rps", workers, *options) if workers else run.single("tools_call_rps", *options)
    assert run.wait() == 3, run.output
    summary = run.summary
    conserved(summary, server.counts())
    followed(summary)
    assert [result["state"] for result in summary["verdict"]["thresholds"][:3]] == ["PASSED", "CROSSED", "NO_DATA"]
    steady, down, _ = summary["verdict"]["thresholds"][:3]
    assert steady["samples"] == summary["stages"][1]["metrics"]["call_latency"]["count"]
    assert down["value"] == summary["stages"][2]["metrics"]["calls"]["count"]
    assert summary["verdict"]["validity"] == "valid", summary["verdict"]
    assert "\n  stages " in run.output
    assert "Traceback" not in run.output
    assert run.orphans() == []


def test_stages_of_a_locustfile(tmp_path: Path, server: Server, run_at: RunAt) -> None:
    """`mop-locust run` needs no option for them."""
    file = tmp_path / "staged.py"
    file.write_text(STAGED)
    run = run_at(server)
    run.command(str(file), "--workers", "2")
    assert run.wait() == 0, run.output
    followed(run.summary)
    conserved(run.summary, server.counts())


@pytest.mark.parametrize("workers", [0, 2])
def test_stages_from_the_start_form(workers: int, server: Server, run_at: RunAt) -> None:
    """They take the place of the form's users and rate; a mistake starts nothing, and the next run has none again."""
    run = run_at(server)
    options = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(run.port)) if workers else ()
    process, url = run.web("tools_call_rps", *options, "--stop-timeout", "2")
    if workers:
        assert "no worker has joined yet" in start(url, mop_stages=STAGES)["message"]
    for _ in range(workers):
        run.worker("tools_call_rps")
    if workers:
        until(lambda: process.output.count("reported as ready") == workers, what="workers that are ready")
    wrong = start(url, mop_stages="1q:2")
    assert (wrong["success"], "'1q' at column 1, which is not a duration" in wrong["message"]) == (False, True)
    assert start(url, mop_stages=STAGES)["success"]
    until(lambda: len(run.summaries()) == 1, what=f"the end of the stages\n{run.output[-2000:]}")
    followed(run.summary)
    conserved(run.summary, server.counts())
    until(lambda: start(url, mop_stages="")["success"], what="a run without stages")
    before = sum(server.counts_now()["answered"].values())
    until(lambda: sum(server.counts_now()["answered"].values()) > before + 20, what="load without stages")
    process.signal(signal.SIGINT)
    assert run.wait() == 0, run.output
    assert (run.summaries()[1]["run"]["users"], "stages" in run.summaries()[1]) == (2, False)
    assert "Traceback" not in run.output


@pytest.mark.parametrize("workers", [0, 2])
def test_a_threshold_ends_the_run(workers: int, tmp_path: Path, run_at: RunAt) -> None:
    """A server that becomes slow after a while: the end is in good order, exact, and says when and why."""
    with Server(tmp_path, "--delay", "400", "--delay-from", str(SLOW_FROM)) as server:
        run = run_at(server)
        expression = "p(95)<200 over 2s abort after 1s"
        options = ("-u", "4", "-t", "60s", "--mop-threshold", f"call_latency: {expression}")
        process = run.with_workers("tools_call_rps", workers, *options) if workers else run.single("tools_call_rps", *options)
        assert process.wait() == 3, run.output
        summary = run.summary
        conserved(summary, server.counts())
    assert run.orphans() == []
    verdict = summary["verdict"]
    aborted = verdict["aborted"]
    assert (verdict["state"], verdict["validity"], summary["run"]["stopped_by"]) == ("CROSSED", "valid", "threshold")
    assert (aborted["metric"], aborted["expression"]) == ("call_latency", expression)
    assert SLOW_FROM <= aborted["at_s"] <= summary["run"]["load_seconds"] < 20
    assert 200 <= aborted["value"] < 5000
    [result] = [one for one in verdict["thresholds"] if one["metric"] == "call_latency"]
    assert result["value"] == aborted["value"]
    assert result["window"] == {"start_s": aborted["at_s"] - 2, "seconds": 2}
    words = f"aborted at 00:{aborted['at_s']:02}"
    assert f"CROSSED: {words}: P95 of call_latency is " in process.output
    [folder] = run.reports.iterdir()
    for name in ("junit.xml", "summary.md", "report.html"):
        assert words in (folder / name).read_text(), name
    again = run.mop_locust("judge", str(folder))
    assert again.wait() == 3
    assert f"CROSSED: {words}: P95 of call_latency is " in again.output


def test_mistakes_are_told_before_the_load(tmp_path: Path, server: Server, run_at: RunAt) -> None:
    """Everything that says otherwise than the stages, a stage that there is not, a load shape beside them: all at once."""
    file = tmp_path / "shaped.py"
    file.write_text(
        f"{STAGED}\nfrom locust import LoadTestShape\n\nclass Mine(LoadTestShape):\n    def tick(self):\n        return None\n"
    )
    run = run_at(server)
    wrong = ("--mop-threshold", "call_latency{stage:stedy}: p(95)<250", "-u", "3", "-r", "1", "-t", "1s", "--reset-stats")
    run.single(file, *wrong)
    assert run.wait() == 2, run.output
    for words in (
        "stage is never 'stedy'; did you mean steady?",
        "-u is given, and so are stages",
        "-r is given, and so are stages",
        "-t is given, and so are stages",
        "--reset-stats is given, and so are stages",
        "stages are given, and the locustfile has a load shape, Mine: allowed: one of the two",
    ):
        assert words in run.output, run.output
    assert not server.counts()["received"]


ARRIVING = "0s:20/s,calm=3s:20/s,0s:80/s,peak=2s:80/s"  # and 80/s goes on for as long as -t says


def test_stages_of_arrivals_are_judged(server: Server, run_at: RunAt) -> None:
    """Each by its own figures, on two workers, with a stage more to the end of the run; `judge` finds them in the folder."""
    run = run_at(server)
    options: tuple[str, ...] = ("-t", "7s", "--mop-arrivals", ARRIVING)
    for text in ("arrivals{stage:calm}: count<100", "arrivals{stage:peak}: count<100", "calls{stage:steady}: count>10 over 1s"):
        options += ("--mop-threshold", text)
    for text in ("dropped_iterations{stage:peak}: count<1", "dropped_iterations{stage:steady}: count<1 over 1s"):
        options += ("--mop-threshold", text)
    run.with_workers("tools_call_rps", 2, *options)
    assert run.wait() == 3, run.output
    summary = run.summary
    conserved(summary, server.counts())
    plan = [("jump", 0, 0, 20), ("calm", 0, 3, 20), ("jump_2", 3, 0, 80), ("peak", 3, 2, 80), ("steady", 5, 2, 80)]
    assert told(summary, "arrivals/s") == plan
    adds_up(summary)
    assert summary["metrics"]["arrivals"]["count"] == 3 * 20 + 4 * 80
    calm, peak, steady, *dropped = summary["verdict"]["thresholds"][:5]
    assert [one["state"] for one in (calm, peak, steady)] == ["PASSED", "CROSSED", "PASSED"]
    assert [(one["state"], one["value"]) for one in dropped] == [("PASSED", 0), ("PASSED", 0)], "none, not unknown"
    assert peak["value"] == summary["stages"][3]["metrics"]["arrivals"]["count"]
    assert 5 <= steady["window"]["start_s"] <= 6, "windows lie in the stage"
    assert (summary["run"]["stopped_by"], summary["verdict"]["validity"]) == ("run time", "valid"), summary["verdict"]
    assert "peak, 0:03 to 0:05, to 80 arrivals/s" in run.output
    [folder] = run.reports.iterdir()
    for name in ("report.html", "summary.md"):
        assert "steady, 0:05 to 0:07, to 80 arrivals/s" in (folder / name).read_text(), name
    for text, code in (
        ("arrivals{stage:peak}: count>100", 0),
        ("arrivals{stage:calm}: count>100", 3),
        ("calls{stage:x}: count>1", 2),
    ):
        again = run.mop_locust("judge", str(folder), "--mop-threshold", text)
        assert again.wait() == code, again.output
    assert run.orphans() == []


def test_stages_of_arrivals_end_a_run_of_the_start_form(server: Server, run_at: RunAt) -> None:
    """Where its field of the run time is empty; a stage that there is not starts nothing."""
    run = run_at(server)
    process, url = run.web("tools_call_rps", "--mop-arrivals", "5/s")
    form = {"mop_arrivals": "ramp=1s:50/s,steady=1s:50/s", "run_time": ""}
    wrong = start(url, mop_thresholds="calls{stage:stedy}: count>0", **form)
    assert (wrong["success"], "stage is never 'stedy'; did you mean steady?" in wrong["message"]) == (False, True)
    assert start(url, mop_thresholds="calls{stage:steady}: count>0", **form)["success"]
    until(lambda: len(run.summaries()) == 1, what=f"the end of the stages\n{run.output[-2000:]}")
    summary = run.summary
    assert told(summary, "arrivals/s") == [("ramp", 0, 1, 50), ("steady", 1, 1, 50)]
    adds_up(summary)
    assert (summary["run"]["stopped_by"], summary["run"]["planned_seconds"]) == ("stages", 2.0)
    assert (summary["verdict"]["state"], summary["verdict"]["validity"]) == ("PASSED", "valid"), summary["verdict"]
    assert summary["metrics"]["arrivals"]["count"] == 75
    process.signal(signal.SIGINT)
    assert run.wait() == 0, run.output
    assert "Traceback" not in run.output
