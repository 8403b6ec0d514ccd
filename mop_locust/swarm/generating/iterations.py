"""A number of iterations shared by all users of all workers, exactly: the master gives them out one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gevent.event import AsyncResult

ASK, GIVE, DONE = "mop_iteration", "mop_iteration_given", "mop_iteration_done"
ANSWER_SECONDS = 10.0  # a master that does not answer for so long gives no more iterations


class IterationStock:
    """The iterations of one run, on the side that gives them out.

    What a lost worker held goes back into the stock while there are users to take it.
    """

    def __init__(self, totals: Mapping[str, int], on_finished: Callable[[], None]) -> None:
        self._left = dict(totals)
        self._held: dict[tuple[str, str], int] = {}
        self._open = dict(totals)
        self._on_finished = on_finished

    def take(self, scenario: str, worker: str) -> bool:
        """Returns whether one more iteration of the scenario may begin, and notes that the worker holds it."""
        if self._left.get(scenario, 0) <= 0:
            return False
        self._left[scenario] -= 1
        self._held[scenario, worker] = self._held.get((scenario, worker), 0) + 1
        return True

    def done(self, scenario: str, worker: str) -> None:
        """Notes that an iteration is over; the last one of all finishes the stock."""
        if self._held.get((scenario, worker), 0) <= 0:
            return
        self._held[scenario, worker] -= 1
        self._open[scenario] -= 1
        if self.finished:
            self._on_finished()

    def lost(self, worker: str) -> None:
        """Takes back what a worker held that is gone, or gives it up when nobody is left to do it."""
        given_up = False
        for (scenario, holder), n in list(self._held.items()):
            if holder == worker:
                del self._held[scenario, holder]
                if self._left[scenario]:
                    self._left[scenario] += n
                else:
                    given_up = bool(n)
                    self._open[scenario] -= n  # the users have been told that none is left, and have stopped
        if given_up and self.finished:
            self._on_finished()

    @property
    def open(self) -> int:
        """How many iterations are not over yet."""
        return sum(self._open.values())

    @property
    def finished(self) -> bool:
        """Whether all iterations of all scenarios are over."""
        return not any(self._open.values())


class IterationAsker:
    """A worker's side of the stock: asks the master for each iteration and waits for its answer."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._asked = 0
        self._waiting: dict[int, AsyncResult] = {}

    def take(self, scenario: str) -> bool:
        """Returns whether one more iteration may begin."""
        self._asked += 1
        number = self._asked
        result = self._waiting[number] = AsyncResult()
        try:
            self._runner.send_message(ASK, {"scenario": scenario, "number": number})
            return bool(result.wait(ANSWER_SECONDS))
        finally:
            del self._waiting[number]

    def given(self, number: int, granted: bool) -> None:
        """Takes the master's answer."""
        result = self._waiting.get(number)
        if result is not None:
            result.set(granted)

    def done(self, scenario: str) -> None:
        """Tells the master that an iteration is over."""
        self._runner.send_message(DONE, {"scenario": scenario})
