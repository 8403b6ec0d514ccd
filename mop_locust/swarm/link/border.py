"""The master's port: whatever arrives there, the listener goes on and no figure changes but by the workers of the run."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import gevent
import zmq
from locust.exception import RPCError
from zmq.utils.monitor import recv_monitor_message

logger = logging.getLogger("mop_locust")

UNREADABLE, MALFORMED, UNREGISTERED = "undecodable frames", "malformed messages", "messages of clients that never registered"
FAILED_HANDSHAKES = "connections with another key, or none"
FROM_ANYBODY = ("client_ready", "locustfile", "quit")  # what a worker says before it is registered, or after it was forgotten


class Border:
    """Stands between the socket and Locust's `client_listener`, which ends at the first frame that it does not expect."""

    def __init__(self, runner: Any, late_report: Callable[[str, dict[str, Any]], None]) -> None:
        self._runner = runner
        self._late_report = late_report
        self._receive = runner.server.recv_from_client
        self._handle = runner.handle_message
        self.turned_away: Counter[str] = Counter()
        runner.server.recv_from_client = self.receive
        runner.handle_message = self.handle

    def receive(self) -> tuple[str, Any]:
        """Returns the next message that can be read; errors of the connection itself are Locust's to handle."""
        while True:
            try:
                return self._receive()  # type: ignore[no-any-return]  # Locust's own method
            except RPCError:
                raise
            except Exception as error:
                self._turn_away(UNREADABLE, f"{type(error).__name__}")

    def handle(self, client_id: str, message: Any) -> None:
        """Hands a message to Locust, unless it is a report of nobody; one that Locust cannot take is counted."""
        if message.node_id != client_id and message.type in ("stats", "heartbeat", "quit", "client_stopped"):
            self._turn_away(MALFORMED, f"{message.type} in the name of {message.node_id!r}")
            return
        try:
            if client_id not in self._runner.clients and message.type not in FROM_ANYBODY:
                if message.type == "stats":
                    self._late_report(client_id, message.data)
                self._turn_away(UNREGISTERED, f"{message.type!r} of {client_id}")
                return
            self._handle(client_id, message)
        except Exception as error:
            self._turn_away(MALFORMED, f"{message.type!r}: {type(error).__name__}: {error}")

    def watch_handshakes(self, socket: Any) -> None:
        """Counts the peers that the link itself lets in no further, from now on."""
        failed = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        gevent.spawn(self._count_handshakes, socket.get_monitor_socket(failed))

    def _count_handshakes(self, monitor: Any) -> None:
        while recv_monitor_message(monitor)["event"] != zmq.EVENT_MONITOR_STOPPED:
            self._turn_away(FAILED_HANDSHAKES, "the link is for those with the key of this swarm")

    def _turn_away(self, kind: str, detail: str) -> None:
        self.turned_away[kind] += 1
        if self.turned_away[kind] == 1:
            logger.warning("turned away at the master's port: %s (%s); further ones are only counted", kind, detail[:200])

    def sentence(self) -> str:
        """Returns what was turned away; "" for nothing."""
        if not self.turned_away:
            return ""
        told = ", ".join(f"{n:,} {kind}" for kind, n in sorted(self.turned_away.items()))
        return f"turned away at the master's port, without effect on any figure: {told}"
