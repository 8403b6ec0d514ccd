"""Leave for a number of exchanges over all workers together, exactly: the master gives it out in blocks that grow smaller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent.event import AsyncResult

ASK, GIVE = "mop_permits", "mop_permits_given"
ANSWER_SECONDS = 10.0  # a master that does not answer for so long gives no more
LARGEST_BLOCK = 1000
BLOCKS = 4  # so many for each worker are always left, so that none sits on what the others could use


class PermitStock:
    """The permits of one run. `on_used_up` is called once: when none is left, here and at every worker."""

    def __init__(self, total: int, on_used_up: Callable[[], None]) -> None:
        self._left = total
        self._holders: set[str] = set()
        self._on_used_up = on_used_up
        self._told = False

    def take(self, worker: str, workers: int) -> int:
        """Returns how many exchanges more a worker, which has used up what it had, may begin; 0: none."""
        if not self._left:
            self.lost(worker)
            return 0
        block = min(self._left, max(1, min(LARGEST_BLOCK, self._left // (BLOCKS * workers))))
        self._left -= block
        self._holders.add(worker)
        return block

    def lost(self, worker: str) -> None:
        """Notes that a worker uses nothing any more; what it still had is nobody's."""
        self._holders.discard(worker)
        if not self._left and not self._holders and not self._told:
            self._told = True
            self._on_used_up()


class PermitAsker:
    """A worker's side of the stock: one question at a time."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._answer: AsyncResult = AsyncResult()

    def take(self) -> int:
        """Returns how many exchanges more may begin."""
        self._answer = AsyncResult()
        self._runner.send_message(ASK)
        return self._answer.wait(ANSWER_SECONDS) or 0

    def given(self, permits: int) -> None:
        """Takes the master's answer."""
        self._answer.set(permits)
