"""The end of a run over workers: each is asked to stop, and its last word is waited for."""

from __future__ import annotations

import time
from typing import Any

import gevent
from locust.runners import STATE_MISSING, MasterRunner

from mop_locust.client.exchange import monotonic_us
from mop_locust.swarm.judging.roll import Roll
from mop_locust.swarm.judging.run import Run

MARGIN_SECONDS = 5.0  # beyond the stop timeout, for a worker's last word
MISSING_SECONDS = 5.0  # since the last report of a worker that Locust misses: it is not waited for any more
POLL_SECONDS = 0.02


class Drain:
    """Knows which workers of a run have stopped their users and said their last word."""

    def __init__(self, runner: Any, roll: Roll) -> None:
        self._runner = runner
        self._roll = roll
        self._said: set[str] = set()

    def begin(self) -> None:
        """Begins with another run."""
        self._said = set()

    def said(self, worker: str) -> None:
        """Notes that a worker has stopped its users and sent its last report."""
        self._said.add(worker)

    def wait(self, run: Run, stop_timeout: float) -> None:
        """Asks every worker to stop, and waits until all have said their last word, are gone, or have had their time."""
        self._runner.send_message("mop_drain", {"run": run.id})
        until = time.monotonic() + stop_timeout + MARGIN_SECONDS
        while time.monotonic() < until:
            if all(self._has_ended(run, worker) for worker in self._roll.here):
                return
            gevent.sleep(POLL_SECONDS)

    def is_missing(self, worker: str) -> bool:
        """Whether Locust does not hear a worker any more; true of everything in a single process."""
        node = self._runner.clients.get(worker) if isinstance(self._runner, MasterRunner) else None
        return node is None or node.state == STATE_MISSING

    def _has_ended(self, run: Run, worker: str) -> bool:
        if worker in self._said or run.has_final(worker):
            return True
        last_us = run.last_us.get(worker, run.started_us)
        return self.is_missing(worker) and monotonic_us() - last_us > MISSING_SECONDS * 1e6
