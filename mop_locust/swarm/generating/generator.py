"""The load generating side of a process: its ledger, its clients and what it reports. A worker has it, or the only process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from locust.runners import locust_exception_handler

from mop_locust.client import Clients
from mop_locust.client.ceiling import Ceiling
from mop_locust.client.exchange import monotonic_us
from mop_locust.config import ApiKey, Settings
from mop_locust.load.roster import Roster
from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.snapshot import Snapshot
from mop_locust.swarm.generating.arrivals import ArrivalClock, Pool, clocks
from mop_locust.swarm.generating.batched_statistics import BatchedStatistics
from mop_locust.swarm.generating.recorder import LedgerRecorder
from mop_locust.swarm.generating.short_collections import ShortCollections
from mop_locust.swarm.generating.vitals import Vitals
from mop_locust.swarm.order import RunOrder
from mop_locust.swarm.scenarios import Scenarios
from mop_locust.transports.deadline import Deadline

CLOSING_SHARE, LONGEST_CLOSING = 0.2, 2.0  # of the stop timeout, and in seconds: what is kept for closing sessions


class Generator:
    """Makes the load of one process and keeps its measurements; one ledger a run.

    `clients` is what the users take their clients from while a run goes on, `pools` where those of open load wait for arrivals.
    """

    clients: Clients
    pools: Mapping[str, Pool]
    _statistics: BatchedStatistics

    def __init__(self, environment: Any, worker: str, key: ApiKey) -> None:
        self._environment = environment
        self._worker = worker
        self._key = key
        self._epoch = 0
        self._ledger: Ledger | None = None
        self._vitals: Vitals | None = None
        self._collections: ShortCollections | None = None
        self._final: Snapshot | None = None
        self._stop_timeout = 0.0
        self.arrivals: ArrivalClock | None = None
        self.take_iteration: Callable[[str], bool]
        self.iteration_done: Callable[[str], None]
        self.take_permits: Callable[[], int]

    def begin(self, order: RunOrder, settings: Settings, received_us: int) -> None:
        """Starts the ledger and the clients of a run; its clock began `elapsed_us` before the order was received."""
        self._epoch += 1
        self._final = None
        self._stop_timeout = self._environment.stop_timeout or 0.0
        ledger = Ledger(
            order.run_id,
            self._worker,
            self._epoch,
            received_us - order.elapsed_us,
            instruments=Scenarios(self._environment.user_classes).own_instruments.values(),
        )
        self._statistics = BatchedStatistics(self._environment.runner.stats)
        recorder = LedgerRecorder(ledger, self._environment.events, self._statistics)
        self.clients = Clients(settings, self._key, recorder, send_initialized=order.send_initialized)
        self.clients.plan = order.plan
        if settings.max_rps or settings.max_requests:
            rate = settings.max_rps / order.workers
            self.clients.ceiling = Ceiling(rate, self.take_permits if settings.max_requests else None)
        self._ledger = ledger
        self._vitals = Vitals(ledger)
        self._collections = ShortCollections()
        self._let_arrive(order, settings, ledger)

    def _let_arrive(self, order: RunOrder, settings: Settings, ledger: Ledger) -> None:
        arrivals = Scenarios(self._environment.user_classes).arrivals(settings)
        self.arrivals, self.pools = None, {}
        if arrivals:
            runner = self._environment.runner
            self.arrivals = ArrivalClock(
                order,
                clocks(arrivals, settings),
                self._worker,
                ledger.origin_us,
                self.clients.recorder,
                limit=settings.max_users,
                grow=self._grow,
                users=lambda: len(runner.user_greenlets),
            )
            self.arrivals.greenlet.link_exception(locust_exception_handler(self._environment))
            self.pools = self.arrivals.pools

    def _grow(self, scenario: str) -> None:
        """Makes one more user of the scenario; Locust counts it, and stops it with the others."""
        cls = next(cls for cls in Scenarios(self._environment.user_classes).classes if cls.scenario == scenario)
        self._environment.runner.spawn_users({cls.__name__: 1})

    def turn(self, roster: Roster) -> None:
        """Takes the roster that holds from an instant of the run on."""
        if self.arrivals is not None:
            self.arrivals.turn(roster)

    def share(self, workers: int) -> None:
        """Sets how many processes share the ceiling of the rate, from now on."""
        if not self.finished and self.clients.ceiling is not None:
            self.clients.ceiling.share(self.clients.settings.max_rps / workers)

    @property
    def ledger(self) -> Ledger | None:
        """The ledger of the run that goes on or has just ended."""
        return self._ledger

    @property
    def finished(self) -> bool:
        """Whether there is nothing to end: no run, or one whose final snapshot was made."""
        return self._ledger is None or self._final is not None

    def leave_time_to_close(self) -> None:
        """Keeps a share of Locust's stop timeout for closing sessions: what is cut after the rest still says goodbye."""
        stop_timeout = self._environment.stop_timeout or 0.0
        self._stop_timeout = stop_timeout
        closing = min(stop_timeout * CLOSING_SHARE, LONGEST_CLOSING)
        if self.arrivals is not None:
            self.arrivals.end()
        if self._ledger is not None:
            self.clients.end = Deadline.after(stop_timeout)
            if self.clients.ceiling is not None:
                self.clients.ceiling.end()
        self._environment.stop_timeout = stop_timeout - closing

    def snapshot(self) -> Snapshot | None:
        """Returns a cumulative snapshot of the run, the final one again once it was made; None without a run.

        Locust's statistics get what they lack as well.
        """
        if self._ledger is None:
            return None
        if self._final is not None:
            return self._final
        self._statistics.hand_over()
        for name, value in self.clients.open.gauges().items():
            self._ledger.gauge(name, value)
        self._ledger.gauge("users", float(self._environment.runner.user_count))
        return self._ledger.snapshot(monotonic_us(), time.time_ns() // 1000)

    def settle(self) -> None:
        """Takes note that all users are there: what they hold is what the load needs."""
        if self._collections is not None and not self.finished:
            self._collections.settle()

    def reset(self) -> None:
        """Starts the figures anew; what came before is kept apart."""
        if self._ledger is not None and self._final is None:
            self._ledger.reset()
            self._statistics.drop()

    def finish(self) -> Snapshot | None:
        """Closes the ledger when all users are gone, and returns its final snapshot."""
        if self._ledger is None or self._final is not None:
            return self._final
        self._environment.stop_timeout = self._stop_timeout
        if self._vitals is not None:
            self._vitals.stop()
            gevent.sleep(0)
        if self._collections is not None:
            self._collections.stop()
        self._statistics.hand_over()
        self._final = self._ledger.snapshot(monotonic_us(), time.time_ns() // 1000, final=True)
        return self._final
