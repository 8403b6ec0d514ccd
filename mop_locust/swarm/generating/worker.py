"""A worker's side of a run: it says who it is, reports, and gives its last word before it leaves."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

import msgspec
from gevent.lock import RLock

from mop_locust.config import ApiKey
from mop_locust.swarm import order
from mop_locust.swarm.generating.generator import Generator
from mop_locust.swarm.generating.iterations import IterationAsker
from mop_locust.swarm.generating.machine import machine
from mop_locust.swarm.generating.permits import PermitAsker
from mop_locust.swarm.options import read_options


class Worker:
    """Joins the generator of this process to the master."""

    def __init__(self, environment: Any, key: ApiKey, generator: Generator) -> None:
        self._environment = environment
        self._runner = environment.runner
        self._key = key
        self._generator = generator
        self._run_id = ""
        self._ending = RLock()
        asker = IterationAsker(self._runner)
        generator.take_iteration, generator.iteration_done = asker.take, asker.done
        self.given = asker.given
        permits = PermitAsker(self._runner)
        generator.take_permits = permits.take
        self.permitted = permits.given
        self.share = generator.share
        self.turn = generator.turn

    def say_who(self) -> None:
        """Tells the master this worker's host, process, clock, machine and the hash of its key."""
        self._runner.send_message(
            "mop_hello",
            {
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "wall": time.time(),
                "key": self._key.fingerprint,
                "machine": machine(),
            },
        )

    def begin(self) -> None:
        """Starts the run that the spawn message ordered: Locust's `test_start`."""
        run_order = order.take(self._environment.parsed_options)
        if run_order is None:
            raise RuntimeError("the master does not run mop_locust: nothing of this run would be measured")
        self._run_id = run_order.run_id
        settings = read_options(self._environment.parsed_options)
        # The master's target, whatever this worker's own environment says: it is the one that was looked at.
        settings = msgspec.structs.replace(settings, http_base=run_order.http_base, base_url=run_order.base_url)
        self._generator.begin(run_order, settings, self._runner.mop_spawned_us)

    def report(self, data: dict[str, Any]) -> None:
        """Adds the cumulative snapshot to Locust's report."""
        snapshot = self._generator.snapshot()
        if snapshot is not None:
            data["mop"] = snapshot.encode()

    def acknowledge(self, run_id: str, window: int) -> None:
        """Forgets the windows that the master has."""
        if run_id == self._run_id and self._generator.ledger is not None:
            self._generator.ledger.acknowledge(window)

    def reset(self) -> None:
        """Starts the figures anew, as the master asked."""
        self._generator.reset()

    def fault(self, sentence: str) -> None:
        """Tells the master of an exception that Locust caught here."""
        self._runner.send_message("mop_fault", {"fault": sentence})

    def end(self) -> None:
        """Stops the users, keeping time for them to close their sessions, and gives the last word; once a run."""
        with self._ending:
            if self._generator.finished:
                return
            self._generator.leave_time_to_close()
            self._runner.stop()
            self.last_word()

    def last_word(self) -> None:
        """Sends the last report, when all users are gone, whoever stopped them: Locust's `test_stop`.

        A signal to all processes (Ctrl-C, `docker compose stop`) has both the master's word and this worker's own end stop them.
        """
        with self._ending:
            if self._generator.finished:
                return
            self._generator.finish()
            self._environment.stop_timeout = 0.0  # nothing is left to wait for; the next spawn message sets it again
            self._runner._send_stats()
