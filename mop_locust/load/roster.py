"""Whose an arrival is: workers take them in turn, and the turn changes at an instant that all know beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Roster(msgspec.Struct, frozen=True):
    """Who takes the arrivals in turn, from this microsecond of the run on."""

    since_us: int
    workers: tuple[str, ...]


def whose(rosters: Sequence[Roster], at_us: int, number: int) -> str:
    """The worker of an arrival by the newest roster that holds at its instant; "" for nobody's."""
    for roster in reversed(rosters):
        if at_us >= roster.since_us:
            return roster.workers[number % len(roster.workers)] if roster.workers else ""
    return ""


def share(limit: int, roster: Roster, worker: str) -> int:
    """The worker's part of a whole number, so that all parts together are it; 0 for one that is not in the roster."""
    if worker not in roster.workers:
        return 0
    part, rest = divmod(limit, len(roster.workers))
    return part + (roster.workers.index(worker) < rest)
