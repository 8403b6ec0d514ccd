"""`mop-locust judge`: judges old runs again, by other thresholds if wanted; it writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mop_locust.commands.compare import refuse
from mop_locust.commands.folders import read_runs
from mop_locust.metrics.instruments import BUILT_IN, Catalogue, Counter, Instrument, Rate, Trend
from mop_locust.metrics.labels import split_series_name
from mop_locust.metrics.summary import restore, restore_window
from mop_locust.metrics.totals import Totals
from mop_locust.report.document import Run, SummaryDocument
from mop_locust.report.drift import add_drift
from mop_locust.report.sentence import red_sentence
from mop_locust.report.table import render
from mop_locust.report.thresholds import read_threshold
from mop_locust.verdict.exit_codes import worst
from mop_locust.verdict.judge import Part, Validity, judge
from mop_locust.verdict.threshold import STAGE, Threshold, check, parse_all
from mop_locust.verdict.windows import WindowJudge

TRANSPORTS = frozenset(("http", "sse", "websocket"))
YES = ("1", "true", "yes", "on")


def judge_again(paths: Sequence[str], given: Sequence[str]) -> int:
    """Prints the verdict on each run and returns the worst exit code; 2 for any mistake, before anything is judged.

    As in a run, the thresholds that are given replace those of their metrics, and the others stay.
    """
    runs, mistakes = read_runs(paths)
    thresholds, wrong = parse_all(given)
    mistakes += wrong
    for folder, summary in runs.items():
        mistakes += _mistakes(folder, summary, thresholds, mistakes)
    if mistakes:
        return refuse("judge", "nothing was judged", mistakes)
    codes = []
    for folder, summary in runs.items():
        judged = judged_by(summary, thresholds)
        codes.append(judged["verdict"]["exit_code"])
        print(f"{render(judged)}\n{folder}\n", flush=True)
    return worst(codes)


def judged_by(summary: SummaryDocument, given: Sequence[Threshold]) -> SummaryDocument:
    """The summary with another verdict; the validity of the run, and whether it may be degraded, stay as they were."""
    verdict = summary["verdict"]
    replaced = {threshold.metric for threshold in given}
    own = [threshold for result in verdict["thresholds"] if (threshold := read_threshold(result)) is not None]
    thresholds = [*given, *(threshold for threshold in own if threshold.metric not in replaced)]
    stages = summary.get("stages", [])
    windows = WindowJudge(thresholds, {s["name"]: (s["start_s"], s["start_s"] + s["planned_seconds"]) for s in stages})
    notes = _take_windows(summary, windows) if windows else []
    allow_degraded = str(summary["run"]["options"].get("MOP_ALLOW_DEGRADED", "0")).strip().lower() in YES
    new = judge(
        restore(summary["metrics"]),
        thresholds,
        seconds=summary["run"]["seconds"],
        validity=Validity(verdict["validity"], tuple(verdict["reasons"])),
        allow_degraded=allow_degraded,
        stages={stage["name"]: Part(restore(stage["metrics"]), stage["seconds"]) for stage in stages},
        windows=windows,
    )
    run: Run = {**summary["run"], "notes": [*summary["run"]["notes"], *notes]}
    judged: SummaryDocument = {**summary, "run": run, "verdict": {**new.to_json(), "sentence": ""}}
    if "aborted" in verdict:
        judged["verdict"]["aborted"] = verdict["aborted"]
    if "drift" in summary:
        add_drift(judged, allow_degraded)
    judged["verdict"]["sentence"] = red_sentence(judged)
    return judged


def _take_windows(summary: SummaryDocument, windows: WindowJudge) -> list[str]:
    """Judges the windows as they are stored, up to the end of the load; returns what a reader must know of that."""
    rows = {row["start_s"]: row for row in summary["windows"]}
    width = max((row["width_s"] for row in summary["windows"]), default=1)
    end = int(summary["run"].get("load_seconds", summary["run"]["seconds"]))
    for start in range(0, end - width + 1, width):
        windows.take(start, restore_window(rows[start]) if start in rows else Totals(), width)
    if width == 1:
        return []
    return [f"windows were judged in steps of {width} s, as the run has stored them, and are rounded up to whole ones"]


def _mistakes(folder: Path, summary: SummaryDocument, thresholds: Sequence[Threshold], known: Sequence[str]) -> list[str]:
    """What is wrong with the thresholds for this run, or with its figures; what was said of another run is not said again."""
    tags: dict[str, frozenset[str] | None] = {
        "scenario": frozenset(summary["run"]["scenarios"]),
        "transport": TRANSPORTS,
        "method": None,
        "tool": None,
        "status": None,
        STAGE: frozenset(stage["name"] for stage in summary.get("stages", [])),
    }
    try:
        for metrics in (summary["metrics"], *(stage["metrics"] for stage in summary.get("stages", []))):
            restore(metrics)
        own = [read_threshold(result) for result in summary["verdict"]["thresholds"]]
        if any(threshold is not None and threshold.needs_windows for threshold in [*thresholds, *own]):
            for row in summary["windows"]:
                restore_window(row)
        found = check(thresholds, Catalogue(_declared(summary), {**_carried(summary), **tags}))
        found += [
            f"{folder}: its threshold {result['metric']}: {result['expression']} cannot be read by this version"
            for result in summary["verdict"]["thresholds"]
            if read_threshold(result) is None
        ]
    except ValueError as error:
        return [f"{folder}: its metrics cannot be read: {error}"]
    return [mistake for mistake in found if mistake not in known]


def _carried(summary: SummaryDocument) -> dict[str, None]:
    """The tags of the run's series, those of its scenarios' own metrics too; ValueError for a name that is none."""
    return dict.fromkeys(tag for name in summary["metrics"] for tag, _ in split_series_name(name)[1])


def _declared(summary: SummaryDocument) -> list[Instrument]:
    """The metrics of the run that its scenarios declared."""
    built_in = {instrument.name for instrument in BUILT_IN}
    found: list[Instrument] = []
    for name, metric in summary["metrics"].items():
        if "{" in name or name in built_in:
            continue
        if metric["kind"] == "trend":
            found.append(Trend(name, unit=metric.get("unit", "ms")))
        else:
            found.append(Rate(name) if metric["kind"] == "rate" else Counter(name))
    return found
