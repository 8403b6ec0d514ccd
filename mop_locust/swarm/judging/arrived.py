"""Whether the load of a run arrived as it was ordered: what came, what could not begin, what was nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mop_locust.metrics.accumulators import CounterTotal
from mop_locust.metrics.totals import Totals
from mop_locust.swarm.judging.run import Run


class Arrived(NamedTuple):
    """The arrivals of one scenario: those that came, those of them that did not begin, and those that were ordered.

    `ordered` is None where nobody can know it: the run goes on, was stopped before its end, or had its figures reset.
    """

    scenario: str
    came: int
    dropped: int
    ordered: int | None

    @property
    def share(self) -> float:
        """The dropped share of those that came."""
        return self.dropped / self.came if self.came else 0.0


def arrived(run: Run, totals: Totals) -> list[Arrived]:
    """Returns what arrived in each scenario with open load."""
    whole = run.finished and run.until_us and not run.reset_us and run.stopping_us - run.started_us >= run.until_us
    return [
        Arrived(
            scenario,
            _count(totals, "arrivals", scenario),
            _count(totals, "dropped_iterations", scenario),
            clock.due(run.until_us) if whole else None,
        )
        for scenario, clock in run.arrivals.items()
    ]


def not_as_ordered(run: Run, totals: Totals, least: float, most: float = 1.0) -> Iterator[str]:
    """Says where a greater share than `least`, and at most `most`, was dropped."""
    for one in arrived(run, totals):
        if least < one.share <= most:
            yield (
                f"the load of {one.scenario} did not arrive as ordered: {one.dropped:,} of {one.came:,} sessions "
                f"({one.share:.2%}) could not begin (limit {least:.1%}; at most {run.settings.max_users:,} users, MOP_MAX_USERS)"
            ).replace("%", " %")


def nobodys(run: Run, totals: Totals) -> Iterator[str]:
    """Says how many arrivals came nowhere, or twice: they were with a worker that was gone or not yet there."""
    for one in arrived(run, totals):
        if one.ordered is not None and one.came != one.ordered:
            missing = one.ordered - one.came
            what = f"{missing:,} never came" if missing > 0 else f"{-missing:,} came twice"
            yield f"of the {one.ordered:,} arrivals of {one.scenario} {what}: workers came or went"


def arrival_notes(run: Run, totals: Totals) -> list[str]:
    """Returns a sentence for each scenario with open load."""
    return [
        f"{one.scenario}: {one.came:,} sessions arrived by a {run.settings.arrivals_clock} clock, "
        f"{one.dropped:,} of them were dropped"
        for one in arrived(run, totals)
    ]


def _count(totals: Totals, name: str, scenario: str) -> int:
    total = totals.select(name, {"scenario": scenario})
    return total.count if isinstance(total, CounterTotal) else 0
