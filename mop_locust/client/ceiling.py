"""A ceiling over the exchanges of a process: its share of a rate, and leave for a number of them.

What is held back waits before its clock starts, so no figure has the wait in it but `ceiling_wait`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from gevent import GreenletExit
from gevent.event import Event
from gevent.lock import RLock

from mop_locust.client.exchange import Exchanges
from mop_locust.transports import Phases
from mop_locust.transports.deadline import Deadline

T = TypeVar("T")

CLOSING = frozenset(("delete", "close"))  # what is open is closed whatever was sent: it takes a slot of the rate and nothing else


class Ceiling:
    """What may begin in one process, and when: `rate` exchanges a second, and as many as `permits` gives.

    `permits` asks for leave for some more exchanges and returns how many, 0 when there are none left; None: no limit.
    """

    def __init__(self, rate: float, permits: Callable[[], int] | None) -> None:
        self._permits = permits
        self._left = 0
        self._used_up = False
        self._asking = RLock()
        self._slot = 0.0
        self._over = Event()
        self.share(rate)

    def share(self, rate: float) -> None:
        """Sets the exchanges a second from now on; 0 is no limit."""
        self._interval = 1 / rate if rate else 0.0

    def end(self) -> None:
        """Holds nothing back any more: the run is being stopped, and who waits ends."""
        self._over.set()

    def wait(self, method: str) -> float:
        """Waits until an exchange may begin, and returns for how many seconds; GreenletExit when no more may begin.

        Slots are evenly spaced, so no second has more than its share, whoever was late.
        """
        now = time.monotonic()
        self._slot = max(now, self._slot + self._interval)
        held = self._slot - now
        over = self._over.is_set() or (held > 0 and self._over.wait(held))
        if method not in CLOSING:
            if over:
                raise GreenletExit
            if self._permits is not None:
                self._take(self._permits)
        return 0.0 if over else held

    def _take(self, permits: Callable[[], int]) -> None:
        with self._asking:
            if not self._left and not self._used_up:
                self._left = permits()
                self._used_up = not self._left
            if self._used_up:
                raise GreenletExit
            self._left -= 1


class CappedExchanges(Exchanges):
    """Exchanges below a ceiling; without one the plain class is used, and nothing is asked."""

    __slots__ = ("ceiling",)

    ceiling: Ceiling

    def measure(
        self,
        transport: str,
        method: str,
        operation: Callable[[Deadline], T],
        phases: Phases,
        *,
        tool: str = "",
        timeout: float | None = None,
    ) -> T:
        """As `Exchanges.measure`, once the exchange may begin."""
        held = self.ceiling.wait(method)
        if held > 0:
            self.trend("ceiling_wait", round(held * 1e6))
        return super().measure(transport, method, operation, phases, tool=tool, timeout=timeout)
