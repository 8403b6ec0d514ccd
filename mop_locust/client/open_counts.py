"""How much the clients of a process hold open at the moment."""

from __future__ import annotations


class OpenCounts:
    """The HTTP sessions, the WebSockets and the event streams that are open."""

    __slots__ = ("sessions", "sockets", "streams")

    def __init__(self) -> None:
        self.sessions = self.sockets = self.streams = 0

    def gauges(self) -> dict[str, float]:
        """Returns them by the names of their gauges."""
        return {
            "open_sessions": float(self.sessions),
            "open_sockets": float(self.sockets),
            "open_streams": float(self.streams),
        }
