"""What an exchange consisted of."""

from __future__ import annotations


class Phases:
    """The parts of one exchange, gathered by its transport since the last `clear`.

    Times are whole microseconds, -1 where there was no such phase: ``connect_us`` (name lookup, TCP and TLS; -1 on a
    connection that was open already), ``upgrade_us`` (the WebSocket opening handshake, after the connect) and
    ``first_byte_us`` (from just before the request was written to the first byte of its answer; the connect is not in it).
    ``sent`` and ``received`` are bytes above TLS, heads and frames included. ``status`` is HTTP's, 0 before there is one.
    """

    __slots__ = ("connect_us", "first_byte_us", "received", "sent", "status", "upgrade_us")

    connect_us: int
    upgrade_us: int
    first_byte_us: int
    sent: int
    received: int
    status: int

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin a new exchange."""
        self.connect_us = self.upgrade_us = self.first_byte_us = -1
        self.sent = self.received = self.status = 0

    def add(self, other: Phases) -> None:
        """Take over what a second connection did in the same exchange: its bytes, and its times and status where known."""
        self.sent += other.sent
        self.received += other.received
        self.connect_us = max(self.connect_us, other.connect_us)
        self.first_byte_us = max(self.first_byte_us, other.first_byte_us)
        self.status = other.status or self.status

    def __repr__(self) -> str:
        return "<Phases " + " ".join(f"{name}={getattr(self, name)}" for name in self.__slots__) + ">"
