"""`mop-locust compare`: two groups of runs against each other."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from mop_locust.commands.folders import read_runs
from mop_locust.compare.comparison import Limits
from mop_locust.compare.conditions import differences, not_comparable
from mop_locust.compare.permutation import MOST
from mop_locust.compare.result import Comparison, compare_runs
from mop_locust.compare.words import markdown_text, table
from mop_locust.report.document import SummaryDocument
from mop_locust.report.text import CUT_PROSE, plain
from mop_locust.verdict.exit_codes import CONFIGURATION

Runs = Mapping[Path, SummaryDocument]


def compare(chosen: argparse.Namespace) -> int:
    """Compares the runs below two folders; returns 3 when anything is worse, 0 when nothing is, 2 where it refuses."""
    base, mistakes = read_runs([chosen.base])
    new, wrong = read_runs([chosen.new])
    limits, out_of_range = read_limits(chosen)
    mistakes += [*wrong, *out_of_range]
    if not mistakes:
        mistakes = refusals(base, new, chosen)
    if mistakes:
        return refuse("compare", "nothing was compared", mistakes)
    return tell(compare_runs(_by_name(base), _by_name(new), limits), chosen)


def read_limits(chosen: argparse.Namespace) -> tuple[Limits, list[str]]:
    """Returns the limits of the options, and a sentence for each that is out of range."""
    mistakes = []
    for option, value, most in (
        ("--min-share", chosen.min_share, 10.0),
        ("--min-ms", chosen.min_ms, 1e6),
        ("--min-rate", chosen.min_rate, 1.0),
    ):
        if not 0 <= value <= most:
            mistakes.append(f"{option}: {value:g} is out of range; allowed: a number from 0 to {most:g}")
    if not 0 < chosen.alpha <= 0.5:
        mistakes.append(f"--alpha: {chosen.alpha:g} is out of range; allowed: a number above 0 and at most 0.5")
    return Limits(chosen.alpha, chosen.min_share, chosen.min_ms, chosen.min_rate), mistakes


def refusals(base: Runs, new: Runs, chosen: argparse.Namespace) -> list[str]:
    """Returns why these runs must not be compared."""
    mistakes = []
    for folder in sorted(set(base) & set(new)):
        mistakes.append(f"{folder} stands on both sides")
    for name, runs in (("base", base), ("new", new)):
        if len(runs) > MOST:
            mistakes.append(f"{name}: {len(runs)} runs; at most {MOST} can be counted exactly")
    every = {str(folder): run for runs in (base, new) for folder, run in runs.items()}
    hint = "" if chosen.allow_degraded else "; --allow-degraded takes degraded runs"
    mistakes += [f"{sentence}{hint if ' is degraded' in sentence else ''}" for sentence in _invalid(every, chosen)]
    if not chosen.allow_different:
        found = differences(list(base.values()), list(new.values()))
        mistakes += [f"{sentence} (--allow-different compares all the same)" for sentence in found]
    return mistakes


def tell(comparison: Comparison, chosen: argparse.Namespace) -> int:
    """Prints the comparison, writes the files that were asked for, and returns its exit code."""
    print(table(comparison), end="", flush=True)
    for name, content in ((chosen.json, comparison.to_json()), (chosen.markdown, markdown_text(comparison).encode())):
        if name:
            try:
                Path(name).write_bytes(content)
            except OSError as error:
                return refuse("compare", "not written", [f"{name}: {error.strerror or error}"])
    return comparison.exit_code


def refuse(command: str, what: str, mistakes: Iterable[str]) -> int:
    """Says every mistake and returns 2."""
    lines = "\n".join(f"  {plain(mistake, CUT_PROSE)}" for mistake in mistakes)
    print(f"mop-locust {command}: {what}:\n{lines}", file=sys.stderr)
    return CONFIGURATION


def _invalid(runs: Mapping[str, SummaryDocument], chosen: argparse.Namespace) -> list[str]:
    return not_comparable(runs, allow_degraded=chosen.allow_degraded)


def _by_name(runs: Runs) -> dict[str, SummaryDocument]:
    return {str(folder): summary for folder, summary in runs.items()}
