"""A comparison as a whole, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from mop_locust.compare.comparison import ANSWERS, Answer, Finding, Limits, compare
from mop_locust.compare.conditions import differences
from mop_locust.compare.measures import measures
from mop_locust.report.document import SummaryDocument
from mop_locust.verdict.exit_codes import CROSSED, PASSED, ExitCode

SCHEMA: Final = 1


class Group(msgspec.Struct, frozen=True):
    """One side: the ids of its runs by folder, what the server called itself, its commits, and the targets."""

    runs: dict[str, str]
    servers: list[str]
    commits: list[str]
    targets: list[str]


class Comparison(msgspec.Struct, frozen=True):
    """Everything that is told of a comparison; `differences` are conditions that were not alike, and were allowed."""

    scenario: str
    base: Group
    new: Group
    limits: Limits
    differences: list[str]
    findings: list[Finding]
    schema: int = SCHEMA

    def count(self, answer: Answer) -> int:
        """How many measures have this answer."""
        return sum(finding.answer == answer for finding in self.findings)

    @property
    def exit_code(self) -> ExitCode:
        """3 when anything is worse, else 0."""
        return CROSSED if self.count("worse") else PASSED

    def sentence(self) -> str:
        """`2 worse, 0 better, 11 same, 1 cannot tell.`"""
        return ", ".join(f"{self.count(answer)} {answer}" for answer in ANSWERS) + "."

    def to_json(self) -> bytes:
        """The comparison for a program, with every value of every run."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def compare_runs(base: Mapping[str, SummaryDocument], new: Mapping[str, SummaryDocument], limits: Limits) -> Comparison:
    """The comparison of two groups of runs by their folders; ValueError for an empty group, or more runs than can be counted."""
    old, young = list(base.values()), list(new.values())
    return Comparison(
        scenario=old[0]["run"]["scenario"],
        base=_group(base),
        new=_group(new),
        limits=limits,
        differences=differences(old, young),
        findings=compare([measures(run) for run in old], [measures(run) for run in young], limits),
    )


def _group(runs: Mapping[str, SummaryDocument]) -> Group:
    all_runs = list(runs.values())
    servers = [f"{server['name']} {server['version']}" for run in all_runs if (server := run["run"]["server"]) is not None]
    commits = [run["provenance"]["server_commit"]["hash"] or "" for run in all_runs if "provenance" in run]
    targets = [url for run in all_runs for url in run["run"]["target"].values() if isinstance(url, str)]
    return Group({folder: run["run"]["id"] for folder, run in runs.items()}, _once(servers), _once(commits), _once(targets))


def _once(texts: Sequence[str]) -> list[str]:
    return sorted({text for text in texts if text})
