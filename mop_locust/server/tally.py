"""What the server received and answered, so that a test can compare both ends.

A request counts as received when it arrived whole, as answered when its whole answer was given to the connection. Both happen
before the client can see the answer. Names are `http METHOD`, `websocket METHOD`, and for HTTP without JSON-RPC `http DELETE` and
the like. Messages without a method and methods past the limit have names of their own.
"""

from __future__ import annotations

from mop_locust.server import rpc
from mop_locust.server.held import Held

INVALID = "invalid"
"""Stands for the method of a message that is no JSON-RPC."""

REPLY = "reply"
"""Stands for the method of a client's answer to a request of the server."""

OTHER = "other"
"""Stands for the method names past the limit, so that a client cannot grow the tally without end."""


class Tally:
    """Counters of one server process."""

    def __init__(self, max_names: int = 256) -> None:
        self.received: dict[str, int] = {}
        self.answered: dict[str, int] = {}
        self.held = Held()
        self.connections = 0
        self.sessions_opened = 0
        self.sessions_deleted = 0
        self.sockets_opened = 0
        self.sockets_closed = 0
        self.sockets_closed_cleanly = 0
        self.streams_opened = 0
        self.streams_closed = 0
        self.keep_alives_sent = 0
        self.pings_sent = 0
        self.federation: dict[str, dict[str, int]] = {}
        self._max_names = max_names
        self._names: dict[tuple[str, str], str] = {}

    def name(self, transport: str, method: str) -> str:
        """The counting name of a method, `transport other` once `max_names` names are known."""
        name = self._names.get((transport, method))
        if name is None:
            if len(self._names) >= self._max_names:
                return f"{transport} {OTHER}"
            name = self._names[transport, method] = f"{transport} {method[:100]}"
        return name

    def receive(self, name: str) -> None:
        """Count one request that arrived whole."""
        self.received[name] = self.received.get(name, 0) + 1

    def answer(self, name: str) -> None:
        """Count one whole answer."""
        self.answered[name] = self.answered.get(name, 0) + 1

    def federate(self, downstream: str, transport: str, what: str) -> None:
        """Count what became of a call of a downstream's tool: forwarded, failed, refused.

        And of the downstream: opened (its breaker), recovered, lost (a request without an answer).
        """
        counts = self.federation.setdefault(f"{downstream} {transport}", {})
        counts[what] = counts.get(what, 0) + 1

    @property
    def sessions_open(self) -> int:
        return self.sessions_opened - self.sessions_deleted

    @property
    def sockets_open(self) -> int:
        return self.sockets_opened - self.sockets_closed

    @property
    def streams_open(self) -> int:
        return self.streams_opened - self.streams_closed

    def counts(self) -> dict[str, int | dict[str, int] | dict[str, dict[str, int]]]:
        """All counts, JSON-ready; `held` is how long answers were held."""
        return {
            "received": dict(self.received),
            "answered": dict(self.answered),
            "held": self.held.figures(),
            **({"federation": {key: dict(counts) for key, counts in self.federation.items()}} if self.federation else {}),
            "connections": self.connections,
            "sessions_opened": self.sessions_opened,
            "sessions_deleted": self.sessions_deleted,
            "sessions_open": self.sessions_open,
            "sockets_opened": self.sockets_opened,
            "sockets_closed": self.sockets_closed,
            "sockets_closed_cleanly": self.sockets_closed_cleanly,
            "sockets_open": self.sockets_open,
            "streams_opened": self.streams_opened,
            "streams_closed": self.streams_closed,
            "streams_open": self.streams_open,
            "keep_alives_sent": self.keep_alives_sent,
            "pings_sent": self.pings_sent,
        }

    def prometheus(self, now: float, coordination_events: int) -> bytes:
        """Prometheus text 0.0.4: the real server's `casial_*` names with live values, then our own `mop_server_*`.

        `now` is the wall clock in seconds.
        """
        lines: list[str] = []

        def metric(name: str, kind: str, text: str, value: int) -> None:
            lines.extend((f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name} {value}"))

        metric("casial_coordination_events_total", "counter", "Tool calls that the mission engine has seen.", coordination_events)
        metric("casial_active_sessions", "gauge", "WebSocket sessions that are open now.", self.sockets_open)
        metric("casial_paradoxes_resolved_total", "counter", "Always 0: one mission cannot contradict itself.", 0)
        metric("casial_perception_locks_total", "counter", "Always 0: not simulated.", 0)
        metric("casial_substrate_operations_total", "counter", "Always 0: not simulated.", 0)
        metric("casial_last_updated_timestamp", "gauge", "Seconds since 1970 when these values were read.", int(now))
        for verb, counted in (("received", self.received), ("answered", self.answered)):
            name = f"mop_server_{verb}_total"
            lines.extend((f"# HELP {name} Exchanges that the server {verb}.", f"# TYPE {name} counter"))
            for key, count in counted.items():
                transport, _, method = key.partition(" ")
                lines.append(f'{name}{{transport="{transport}",method="{_label(method)}"}} {count}')
        metric("mop_server_connections_total", "counter", "TCP connections accepted.", self.connections)
        metric("mop_server_sessions_opened_total", "counter", "HTTP sessions opened.", self.sessions_opened)
        metric("mop_server_sessions_deleted_total", "counter", "HTTP sessions deleted.", self.sessions_deleted)
        metric("mop_server_sessions_open", "gauge", "HTTP sessions open now.", self.sessions_open)
        metric("mop_server_sockets_opened_total", "counter", "WebSockets opened.", self.sockets_opened)
        metric("mop_server_sockets_closed_total", "counter", "WebSockets closed, however.", self.sockets_closed)
        metric(
            "mop_server_sockets_closed_cleanly_total",
            "counter",
            "WebSockets whose client sent a close frame.",
            self.sockets_closed_cleanly,
        )
        metric("mop_server_sockets_open", "gauge", "WebSockets open now.", self.sockets_open)
        metric("mop_server_streams_opened_total", "counter", "Event streams opened.", self.streams_opened)
        metric("mop_server_streams_closed_total", "counter", "Event streams ended, by either side.", self.streams_closed)
        metric("mop_server_streams_open", "gauge", "Event streams open now.", self.streams_open)
        metric("mop_server_keep_alives_sent_total", "counter", "Keep-alive comments sent on streams.", self.keep_alives_sent)
        metric("mop_server_pings_sent_total", "counter", "Ping frames sent on WebSockets.", self.pings_sent)
        return ("\n".join(lines) + "\n").encode(errors="replace")


def nameless(data: bytes | str) -> str:
    """What a message without a method counts as."""
    return REPLY if rpc.is_reply(data) else INVALID


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
