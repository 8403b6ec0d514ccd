"""A worker's eye on its master: without one, nobody answers for the load, so it stops."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import gevent
import zmq
from zmq.utils.monitor import recv_monitor_message

from mop_locust.swarm.link.interrupt import leave
from mop_locust.verdict.exit_codes import CONFIGURATION

logger = logging.getLogger("mop_locust")

SILENT_SECONDS = 20  # a master that is connected but says nothing
DEAD_SECONDS = 3.0  # a connection that is gone and does not come back
LOOK_SECONDS = 0.25
CUT_SECONDS = 5.0  # three times what a master takes from its start until it listens: so long something before it may cut us off

REFUSED = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
CUT = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
NOBODY_LISTENS = zmq.EVENT_CLOSED


class MasterWatch:
    """Follows the connection to the master by ZeroMQ's own events, which tell at once when it breaks, or never comes about.

    `lost_at` is when it broke, on the monotonic clock; None while it stands.
    """

    def __init__(self, socket: Any, *, has_key: bool) -> None:
        self.lost_at: float | None = None
        self._has_key = has_key
        self._been_in = False
        self._cut_since: float | None = None
        self._monitor = socket.get_monitor_socket(
            REFUSED | CUT | NOBODY_LISTENS | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
        )
        gevent.spawn(self._follow)

    def _follow(self) -> None:
        while True:
            told = recv_monitor_message(self._monitor)
            event = told["event"]
            if event == zmq.EVENT_MONITOR_STOPPED:
                return
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._been_in, self.lost_at = True, None
            elif event == zmq.EVENT_DISCONNECTED:
                self.lost_at = self.lost_at or time.monotonic()
            elif event == NOBODY_LISTENS:
                self._cut_since = None
            elif not self._been_in and (event & REFUSED or self._is_cut_for_long()):
                self._give_up(told["endpoint"].decode().removeprefix("tcp://"), sure=bool(event & REFUSED))
                return

    def _is_cut_for_long(self) -> bool:
        """Whether it must be the key: a master cuts off who has another one, but so does a proxy whose master is yet to come."""
        self._cut_since = self._cut_since or time.monotonic()
        return time.monotonic() - self._cut_since >= CUT_SECONDS

    def _give_up(self, where: str, *, sure: bool) -> None:
        """Leaves as after any other mistake of the user: to try again for ever would look like a master that is late."""
        why = "it has another key, or none" if self._has_key else "it wants a key, and this worker has none"
        if not sure:
            why += ", or it is a proxy without a master behind it"
        print(
            f"mop-locust: the master at {where} does not let this worker in: {why}; "
            "give both the same MOP_CLUSTER_KEY_FILE (or MOP_CLUSTER_KEY)",
            file=sys.stderr,
            flush=True,
        )
        leave(CONFIGURATION)


def leave_without_master(runner: Any) -> None:
    """Stops the load and leaves once the connection is gone for too long; runs as long as the worker does."""
    while True:
        gevent.sleep(LOOK_SECONDS)
        lost_at = runner.client.mop_watch.lost_at
        if lost_at is not None and time.monotonic() - lost_at > DEAD_SECONDS:
            logger.error("the master is gone: this worker stops its load and leaves")
            runner.quit()
            return
