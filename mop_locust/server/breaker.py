"""The circuit breaker before a downstream server, pure: three failures in a row open it for a quarter to half a second."""

from __future__ import annotations

from random import Random
from typing import Final

THRESHOLD: Final = 3
FORGET_SECONDS: Final = 180.0
FIRST_SECONDS: Final = 0.25
LONGEST_SECONDS: Final = 5.0


def backoff(attempt: int, random: Random) -> float:
    """Seconds to wait before a further attempt: a quarter of a second doubled each time, 5 at most, and up to 0.25 of chance."""
    return min(FIRST_SECONDS * (1 << min(attempt, 16)), LONGEST_SECONDS) + random.uniform(0, FIRST_SECONDS)


class Breaker:
    """Counts failures as the real server does; `now` is a monotonic time in seconds.

    What was open is closed again when its time is over, and then takes THRESHOLD further failures. So is what failed last so long
    ago that it is forgotten.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0
        self._failed_at = 0.0
        self._until: float | None = None

    def left(self, now: float) -> float:
        """Seconds until it takes calls again; 0 when it does."""
        if self._until is not None and now < self._until:
            return self._until - now
        if self._until is not None or now - self._failed_at >= FORGET_SECONDS:
            self.succeeded()
        return 0.0

    def failed(self, now: float) -> float:
        """Take a failure; the seconds for which it opens the breaker, 0 when it does not."""
        if now - self._failed_at >= FORGET_SECONDS:
            self._failures = 0
        self._failures += 1
        self._failed_at = now
        if self._failures < THRESHOLD:
            return 0.0
        seconds = backoff(self._failures - THRESHOLD, self._random)
        self._until = now + seconds
        return seconds

    def succeeded(self) -> None:
        """Take a success: all is forgotten."""
        self._failures = 0
        self._until = None
