"""`mop-locust judge`: judges old runs again, by other thresholds if wanted; it writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mop_locust.commands.compare import refuse
from mop_locust.commands.folders import read_runs
from mop_locust.metrics.instruments import BUILT_IN, Catalogue, Counter, Instrument, Rate, Trend
from mop_locust.metrics.summary import restore
from mop_locust.report.document import SummaryDocument
from mop_locust.report.sentence import red_sentence
from mop_locust.report.table import render
from mop_locust.report.thresholds import read_threshold
from mop_locust.verdict.exit_codes import worst
from mop_locust.verdict.judge import Validity, judge
from mop_locust.verdict.threshold import Threshold, check, parse_all

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
    new = judge(
        restore(summary["metrics"]),
        [*given, *(threshold for threshold in own if threshold.metric not in replaced)],
        seconds=summary["run"]["seconds"],
        validity=Validity(verdict["validity"], tuple(verdict["reasons"])),
        allow_degraded=str(summary["run"]["options"].get("MOP_ALLOW_DEGRADED", "0")).strip().lower() in YES,
    )
    judged: SummaryDocument = {**summary, "verdict": {**new.to_json(), "sentence": ""}}
    judged["verdict"]["sentence"] = red_sentence(judged)
    return judged


def _mistakes(folder: Path, summary: SummaryDocument, thresholds: Sequence[Threshold], known: Sequence[str]) -> list[str]:
    """What is wrong with the thresholds for this run, or with its figures; what was said of another run is not said again."""
    tags = {
        "scenario": frozenset(summary["run"]["scenarios"]),
        "transport": TRANSPORTS,
        "method": None,
        "tool": None,
        "status": None,
    }
    try:
        restore(summary["metrics"])
        found = check(thresholds, Catalogue(_declared(summary), tags))
        found += [
            f"{folder}: its threshold {result['metric']}: {result['expression']} cannot be read by this version"
            for result in summary["verdict"]["thresholds"]
            if read_threshold(result) is None
        ]
    except ValueError as error:
        return [f"{folder}: its metrics cannot be read: {error}"]
    return [mistake for mistake in found if mistake not in known]


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
