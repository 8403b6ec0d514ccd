"""How the load of a run is shared out over the workers: the order, the ceiling's rate, and the arrivals of open load."""

from __future__ import annotations

from typing import Any

import msgspec
from locust.runners import STATE_MISSING, MasterRunner

from mop_locust.federation.plan import Plan
from mop_locust.load.roster import Roster
from mop_locust.swarm.judging.roll import Roll
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.order import RunOrder

ROSTER = "mop_roster"
LEAD_US = 1_000_000  # between a new roster and the instant from which it holds: every worker has it by then


class Sharing:
    """Knows who shares, and tells the workers when that changes; a single process shares with nobody.

    `workers` is how many share a ceiling, `rosters` who takes the arrivals in turn, and since when.
    """

    def __init__(self, runner: Any, roll: Roll) -> None:
        self._runner = runner
        self._roll = roll
        self.workers = 1
        self.rosters: tuple[Roster, ...] = ()

    def begin(self, run: Run) -> None:
        """Shares out what a run begins with."""
        self.workers = max(1, len(self._roll.here))
        here = tuple(self._roll.here) if isinstance(self._runner, MasterRunner) else (self._runner.client_id,)
        self.rosters = (Roster(0, here),) if run.arrivals else ()

    def order(self, run: Run) -> RunOrder:
        """Returns what a process is told that begins, or joins, now."""
        wanted, findings = run.settings.initialized, run.findings
        return RunOrder(
            run.id,
            run.settings.http_base,
            run.settings.base_url,
            run.elapsed_us,
            wanted == "always" or (wanted == "auto" and findings is not None and findings.takes_initialized),
            self.workers,
            self.rosters,
            run.until_us,
            Plan([]) if findings is None else findings.plan,
        )

    def look(self, run: Run | None) -> None:
        """Shares out anew when a worker has come or gone."""
        if run is None or run.finished or not isinstance(self._runner, MasterRunner):
            return
        workers = max(1, len(self._roll.here))
        if workers != self.workers:
            self.workers = workers
            if run.settings.max_rps:
                self._runner.send_message("mop_share", {"workers": workers})
        if self.rosters and not run.stopping_us and (here := self._taking(run)) != self.rosters[-1].workers:
            roster = Roster(run.elapsed_us + LEAD_US, here)
            self.rosters = (*self.rosters, roster)
            self._runner.send_message(ROSTER, msgspec.to_builtins(roster))

    def _taking(self, run: Run) -> tuple[str, ...]:
        """The workers that take arrivals: those in the roster before the ones that came later."""
        gone = {*run.lost(), *(worker for worker in run.merge.workers if run.has_final(worker))}
        clients = self._runner.clients
        before = self.rosters[-1].workers
        there = [
            worker
            for worker in self._roll.here
            if worker in self._roll.hellos and worker not in gone and clients[worker].state != STATE_MISSING
        ]
        return (*(worker for worker in before if worker in there), *(worker for worker in there if worker not in before))
