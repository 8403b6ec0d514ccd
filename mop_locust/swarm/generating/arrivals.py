"""Open load in one process: a clock lets sessions begin, whatever the server does, and a pool of users runs them."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Protocol

import gevent
from gevent.event import Event

from mop_locust.client.exchange import Recorder, monotonic_us
from mop_locust.config import Settings
from mop_locust.config.arrivals import Arrivals
from mop_locust.load.clock import Clock, ConstantClock, PoissonClock
from mop_locust.load.curve import Curve
from mop_locust.load.roster import Roster, share, whose
from mop_locust.swarm.order import RunOrder

TOO_LATE_US = (
    1_000_000  # a session that should have begun so long ago, while this process stood still or was not there, is dropped
)
STALL_US = 250_000  # after standing still for so long the master's messages are read first: they may say who takes what
AT_THE_END_US = 100_000  # so close to its planned end a run has reached it
BURST = 100  # sessions that begin in a row before those that go on get their turn


def clocks(arrivals: Arrivals, settings: Settings) -> dict[str, Clock]:
    """Returns the clock of each scenario."""
    made: dict[str, Clock] = {}
    for scenario, stages in arrivals.items():
        curve = Curve((stage.seconds, stage.target) for stage in stages)
        poisson = settings.arrivals_clock == "poisson"
        made[scenario] = PoissonClock(curve, f"{settings.seed}/{scenario}") if poisson else ConstantClock(curve)
    return made


class Waiting(Protocol):
    """A user that waits for an arrival."""

    def arrive(self, intended_us: int) -> bool:
        """Takes the arrival that should begin at this time of the process's clock; False when it is being stopped."""


class Pool:
    """The users of one scenario in one process; `grow` makes another one, and returns whether it may."""

    def __init__(self, scenario: str, recorder: Recorder, grow: Callable[[], bool]) -> None:
        self._tags = (("scenario", scenario),)
        self._recorder = recorder
        self._grow = grow
        self._idle: list[Waiting] = []
        self._backlog: deque[int] = deque()
        recorder.count("dropped_iterations", self._tags, 0, monotonic_us())

    def arrive(self, intended_us: int) -> None:
        """Lets a session begin: with the user that was free last, with a new one, or not at all."""
        self._recorder.count("arrivals", self._tags, 1, monotonic_us())
        while self._idle:
            if self._idle.pop().arrive(intended_us):
                return
        self._backlog.append(intended_us)
        if not self._grow():
            self._backlog.pop()
            self.dropped()

    def miss(self) -> None:
        """Notes an arrival that this process let pass."""
        self._recorder.count("arrivals", self._tags, 1, monotonic_us())
        self.dropped()

    def dropped(self) -> None:
        """Notes that a session of an arrival did not begin."""
        self._recorder.count("dropped_iterations", self._tags, 1, monotonic_us())

    def take(self, user: Waiting) -> int | None:
        """Returns the arrival that waits for a user; None when there is none, and the user is free from now on."""
        if self._backlog:
            return self._backlog.popleft()
        self._idle.append(user)
        return None

    def close(self) -> None:
        """Drops what still waits for users that will not come."""
        while self._backlog:
            self._backlog.popleft()
            self.dropped()


class ArrivalClock:
    """Lets the arrivals of one process begin in time, from `origin_us` of its clock on; one for each run with open load.

    `grow` makes a user of a scenario, `users` counts those there are; both are Locust's.
    """

    def __init__(
        self,
        order: RunOrder,
        arrivals: Mapping[str, Clock],
        worker: str,
        origin_us: int,
        recorder: Recorder,
        *,
        limit: int,
        grow: Callable[[str], object],
        users: Callable[[], int],
    ) -> None:
        self._worker = worker
        self._origin_us = origin_us
        self._until_us = order.until_us
        self._rosters = list(order.rosters)
        self._limit = limit
        self._grow, self._users = grow, users
        self.pools = {scenario: Pool(scenario, recorder, partial(self._grown, scenario)) for scenario in arrivals}
        self._coming = self._merged(arrivals)
        self._next = next(self._coming, None)
        self._over = Event()
        self.greenlet = gevent.spawn(self._run)

    def turn(self, roster: Roster) -> None:
        """Takes the roster that the master made when a worker came or went."""
        if roster not in self._rosters:
            self._rosters.append(roster)

    def end(self) -> None:
        """Lets nothing more begin; what should have begun by now, and did not, is dropped.

        A run that has come to its end in time has all its arrivals, the last of them as dropped where this clock is behind.
        """
        self._over.set()
        self.greenlet.join()
        until_us = self._now_us()
        if self._until_us and self._until_us - until_us < AT_THE_END_US:
            until_us = self._until_us
        while self._next is not None and self._next[0] < until_us:
            self._pass(self._next, too_late=True)
        for pool in self.pools.values():
            pool.close()

    def _merged(self, arrivals: Mapping[str, Clock]) -> Iterator[tuple[int, int, Pool]]:
        """All that arrives since this process is in the roster, until the end of the run."""
        first = max(0, self._now_us())
        for roster in reversed(self._rosters):
            if self._worker not in roster.workers:
                break
            first = min(first, roster.since_us)

        def of(clock: Clock, pool: Pool) -> Iterator[tuple[int, int, Pool]]:
            for at_us, number in clock.since(first):
                if self._until_us and at_us >= self._until_us:
                    return
                yield at_us, number, pool

        return heapq.merge(
            *(of(clock, self.pools[scenario]) for scenario, clock in arrivals.items()), key=lambda arrival: arrival[0]
        )

    def _now_us(self) -> int:
        return monotonic_us() - self._origin_us

    def _run(self) -> None:
        in_a_row = 0
        while self._next is not None:
            late_us = self._now_us() - self._next[0]
            if late_us < 0:
                in_a_row = 0
                if self._over.wait(-late_us / 1e6):
                    return
                continue
            if late_us > STALL_US and not in_a_row:
                gevent.sleep(0.05)
                in_a_row = 1
                continue
            self._pass(self._next, too_late=late_us > TOO_LATE_US)
            in_a_row += 1
            if in_a_row % BURST == 0:
                gevent.sleep(0)
                if self._over.is_set():
                    return

    def _pass(self, arrival: tuple[int, int, Pool], *, too_late: bool) -> None:
        at_us, number, pool = arrival
        self._next = next(self._coming, None)
        if whose(self._rosters, at_us, number) == self._worker:
            if too_late:
                pool.miss()
            else:
                pool.arrive(self._origin_us + at_us)

    def _grown(self, scenario: str) -> bool:
        if self._over.is_set() or self._users() >= share(self._limit, self._rosters[-1], self._worker):
            return False
        self._grow(scenario)
        return True
