"""The false alarms of `make aa` as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

GOAL: Final = 0.05  # of the comparisons may call identical runs better or worse: 2 of 40


class Outcome(msgspec.Struct, frozen=True):
    """One comparison: how many measures were tested, how many had which answer, and those that were better or worse."""

    group: int
    split: str
    least_difference: bool
    tested: int
    counts: dict[str, int]
    alarms: dict[str, str]


class Control(msgspec.Struct, frozen=True):
    """The comparison with a server that is slower: its answers, and what was better or worse."""

    what: str
    counts: dict[str, int]
    found: dict[str, str]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a reader needs to judge the figures; `splits` names the side of each run of a group in order."""

    schema: int = 1
    date: str
    minutes: float
    machine: dict[str, str]
    versions: dict[str, str]
    scenario: str
    seconds: int
    groups: int
    runs_a_side: int
    splits: dict[str, str]
    outcomes: list[Outcome]
    control: Control


def failed(result: Result) -> list[str]:
    """The goals that were missed, each in a sentence."""
    missed = []
    ours = [one for one in result.outcomes if one.least_difference]
    alarms = sum(bool(one.alarms) for one in ours)
    if alarms > GOAL * len(ours):
        missed.append(f"{alarms} of {len(ours)} comparisons of identical runs found a difference")
    if "worse" not in result.control.found.values() or "better" in result.control.found.values():
        missed.append("the slower server was not found worse")
    return missed


def render(result: Result) -> str:
    """The result in Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    machine = ", ".join(f"{name} {value}" for name, value in result.machine.items())
    runs = 2 * result.runs_a_side
    lines = [
        f"# False alarms of `mop-locust compare`, {result.date}",
        "",
        f"Identical runs of {result.scenario}, {result.seconds} s each, against one embedded server: {result.groups} groups of",
        f"{runs} successive runs, each group split in {len(result.splits)} ways into two halves. The splits of a group share its",
        "runs, so they are not independent; the groups share none.",
        f"Goal: at most {GOAL:.0%} of the comparisons call something better or worse.",
        "",
        "| split | comparisons | false alarms | without a least difference | measures tested |",
        "| --- | --- | --- | --- | --- |",
    ]
    for split in (*result.splits, ""):
        ours, alone = (
            [one for one in result.outcomes if one.least_difference == least and split in ("", one.split)]
            for least in (True, False)
        )
        tested = sum(one.tested for one in ours) / max(len(ours), 1)
        sides = f"{split} (`{result.splits[split]}`)" if split else "**all**"
        lines.append(f"| {sides} | {len(ours)} | {_alarms(ours)} | {_alarms(alone)} | {tested:.1f} |")
    lines += ["", f"Control, {result.control.what}: {_counts(result.control.counts)}.", ""]
    named = [
        f"- group {one.group}, {one.split}{'' if one.least_difference else ', without a least difference'}: "
        + ", ".join(f"{measure} {answer}" for measure, answer in one.alarms.items())
        for one in result.outcomes
        if one.alarms
    ]
    lines += [*(["Found:", "", *named, ""] if named else ["No comparison of identical runs found a difference.", ""])]
    missed = failed(result)
    lines += [f"Goal: {'met' if not missed else 'missed: ' + '; '.join(missed)}.", ""]
    lines += [f"{result.minutes} minutes. {machine}. {versions}.", ""]
    return "\n".join(lines)


def _alarms(outcomes: Sequence[Outcome]) -> str:
    return str(sum(bool(one.alarms) for one in outcomes))


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {answer}" for answer, count in sorted(counts.items()))
