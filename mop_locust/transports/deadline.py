"""The one moment at which an exchange is given up."""

from __future__ import annotations

import time

from gevent import Timeout

from mop_locust.protocol.errors import ExchangeTimeout


class Deadline:
    """A moment of the monotonic clock, in seconds: one bounds a whole exchange, however many waits that has."""

    __slots__ = ("at",)

    def __init__(self, at: float) -> None:
        self.at = at

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that is ``seconds`` from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self, waiting_for: str = "no answer") -> float:
        """Return the seconds left, more than 0; ExchangeTimeout with the label ``waiting_for`` when none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise ExchangeTimeout(waiting_for)
        return left

    def sooner(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and ``seconds`` from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))

    def enforced(self, waiting_for: str = "no answer") -> Timeout:
        """Return a context whose block, whatever it waits for, is left with ExchangeTimeout ``waiting_for`` at the deadline.

        It costs a timer, so the hot path does without.
        """
        return Timeout(self.remaining(waiting_for), ExchangeTimeout(waiting_for))

    def __repr__(self) -> str:
        return f"<Deadline in {self.at - time.monotonic():.3f} s>"
