"""The stages of a run as a load shape of Locust: each second has the users that its middle asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from locust import LoadTestShape

from mop_locust.config.stages import Stage, target_at


class StageShape(LoadTestShape):
    """Follows stages by the run's clock; the end of the run is not its business.

    `elapsed` returns the seconds since the run began, 0 before that, None when none is going to begin.
    """

    def __init__(self, stages: Sequence[Stage], elapsed: Callable[[], float | None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Locust's class
        self._stages = stages
        self._elapsed = elapsed
        self._users = 0
        self._rate = 1.0

    def tick(self) -> tuple[int, float] | None:
        """Returns the users of this second, all of which come or go at once."""
        seconds = self._elapsed()
        if seconds is None:
            return None
        users = round(target_at(self._stages, seconds + 0.5))
        if users != self._users:
            # Locust takes another rate for a change, so it stays when the number of users does.
            self._users, self._rate = users, float(max(1, abs(users - self._users)))
        return self._users, self._rate
