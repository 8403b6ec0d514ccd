"""The search for the highest rate that holds: doubling, then halving what is left, then the best rate once more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

DOWN: Final = 4  # halvings below the first rate before it is given up
SPARE: Final = 4  # steps beyond those of a server that answers the same each time


class Answer(Enum):
    """What a step showed: the rate held, or who was the limit."""

    HELD = "held"
    SERVER = "server"
    GENERATOR = "generator"


@dataclass(frozen=True, slots=True)
class Plan:
    """Rates a second to begin with and to end at (0 < first <= last), and the share of the result that may stay unknown."""

    first: float
    last: float
    resolution: float

    @property
    def most_steps(self) -> int:
        """Steps after which the search ends whatever it knows: the worst course of a steady server, and some to spare."""
        up = math.ceil(math.log2(self.last / self.first)) + 2  # each doubling holds, but the last one, which is repeated
        down = 2 * (DOWN + 1)
        halvings = math.ceil(math.log2(1 / self.resolution))
        return max(up, down) + 2 * halvings + 1 + SPARE


class Search:
    """Says which rate to try next, is told what came of it, and ends by itself.

    A failure counts when a repeat fails too; if they differ, a third step decides. At the end the best rate is repeated, and
    gives way to the next lower one when it does not hold again.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rate: float | None = plan.first
        self.steps = 0
        self.low = 0.0  # the highest rate that held; 0: none yet
        self.high: float | None = None  # the lowest that did not; None: none yet
        self.limit: Answer | None = None  # who was the limit there
        self.sure = False  # whether `low` held again at the end
        self.spent = False  # whether it ended since no step was left
        self._held: list[float] = []
        self._answers: list[Answer] = []

    def tell(self, answer: Answer) -> None:
        """Takes the answer of a step at `rate` and sets the next rate, None when the search is over."""
        assert self.rate is not None, "the search is over"
        self.steps += 1
        self._answers.append(answer)
        settled = settle(self._answers)
        if settled is not None:
            self._note(self.rate, settled)
            self._answers.clear()
            self.rate = None if self.sure else self._next()
        if self.steps == self.plan.most_steps and self.rate is not None:
            self.rate, self.spent = None, True

    def _note(self, rate: float, answer: Answer) -> None:
        if answer is not Answer.HELD:
            self.high, self.limit = rate, answer
            self._held = [held for held in self._held if held < rate]
            self.low = max(self._held, default=0.0)
        elif rate == self.low:
            self.sure = True
        else:
            self._held.append(rate)
            self.low = rate

    def _next(self) -> float | None:
        """The next rate; the best one again where no other is left; None when nothing holds."""
        if self.high is None:
            return self.low if self.low == self.plan.last else min(2 * self.low, self.plan.last)
        if not self.low:
            half = self.high / 2
            return half if half >= self.plan.first / 2**DOWN else None
        return self.low if self.high <= self.low * (1 + self.plan.resolution) else between(self.low, self.high)


def settle(answers: Sequence[Answer]) -> Answer | None:
    """What the answers at one rate come to, or None when it has to be tried once more."""
    if answers[0] is Answer.HELD:
        return Answer.HELD
    again = next((answer for answer in Answer if answers.count(answer) == 2), None)
    return again or (answers[0] if len(answers) == 3 else None)


def between(low: float, high: float) -> float:
    """The middle of two rates, in three digits where that lies between them still."""
    middle = (low + high) / 2
    rounded = round(middle, 2 - math.floor(math.log10(middle)))
    return rounded if low < rounded < high else middle
