"""A worker's eye on its master: without one, nobody answers for the load, so it stops."""

from __future__ import annotations

import logging
import time
from typing import Any

import gevent
import zmq
from zmq.utils.monitor import recv_monitor_message

logger = logging.getLogger("mop_locust")

SILENT_SECONDS = 20  # a master that is connected but says nothing
DEAD_SECONDS = 3.0  # a connection that is gone and does not come back
LOOK_SECONDS = 0.25


class MasterWatch:
    """Follows the connection to the master by ZeroMQ's own events, which tell at once when it breaks."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._lost_at: float | None = None
        self._monitor = runner.client.socket.get_monitor_socket(zmq.EVENT_CONNECTED | zmq.EVENT_DISCONNECTED)
        gevent.spawn(self._follow)
        gevent.spawn(self._wait)

    def _follow(self) -> None:
        while True:
            event = recv_monitor_message(self._monitor)["event"]
            if event == zmq.EVENT_MONITOR_STOPPED:
                return
            self._lost_at = time.monotonic() if event == zmq.EVENT_DISCONNECTED else None

    def _wait(self) -> None:
        while True:
            gevent.sleep(LOOK_SECONDS)
            if self._lost_at is not None and time.monotonic() - self._lost_at > DEAD_SECONDS:
                logger.error("the master is gone: this worker stops its load and leaves")
                self._runner.quit()
                return
