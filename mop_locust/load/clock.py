"""The instants at which load arrives, each with a number: the same ones in every process that asks.

Asking from any time on costs no more than asking from the start, so that a worker may join late.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Final, Protocol

from mop_locust.load.curve import Curve

Arrival = tuple[int, int]
"""The microsecond of the run, and a number: neighbours' numbers follow each other, so that they go round the workers in turn."""

BLOCK: Final = 256
"""How many arrivals are expected from one seed of the Poisson clock."""


class Clock(Protocol):
    """What makes arrivals of a curve."""

    def since(self, us: int) -> Iterator[Arrival]:
        """The arrivals at this microsecond and after it, in order; without end unless the rate goes to 0 for good."""

    def due(self, us: int) -> int:
        """How many arrivals there are before this microsecond."""


class ConstantClock:
    """Evenly spaced arrivals: one in the middle of each unit of the curve's integral.

    Before any instant there are as many as the integral says, rounded: rate times time exactly where that is a whole number,
    and no arrival lies on the edge of a run.
    """

    def __init__(self, curve: Curve) -> None:
        self._curve = curve

    def since(self, us: int) -> Iterator[Arrival]:
        """As `Clock.since`; the numbers count from 0 at the start of the run."""
        number = self.due(us)
        while (at := self._curve.when(number + 0.5)) is not None:
            yield at, number
            number += 1

    def due(self, us: int) -> int:
        """As `Clock.due`."""
        number = math.floor(self._curve.expected(max(0, us)) + 0.5)
        while number and not self._is_before(number - 1, us):
            number -= 1
        return number

    def _is_before(self, number: int, us: int) -> bool:
        at = self._curve.when(number + 0.5)
        return at is not None and at < us


class PoissonClock:
    """Arrivals that know nothing of each other, as those of many people: a Poisson process with the curve's rate.

    Each block of the curve's integral has a random sequence of its own, made from the seed's text and its index.
    """

    def __init__(self, curve: Curve, seed: str) -> None:
        self._curve = curve
        self._seed = seed

    def since(self, us: int) -> Iterator[Arrival]:
        """As `Clock.since`; the numbers of each block begin with its index."""
        index = math.floor(self._curve.expected(max(0, us)) / BLOCK)
        while True:
            number = index
            for expected in self._block(index):
                at = self._curve.when(expected)
                if at is None:
                    return
                if at >= us:
                    yield at, number
                number += 1
            index += 1

    def due(self, us: int) -> int:
        """As `Clock.due`; it draws them all."""
        count, index = 0, 0
        until = self._curve.expected(max(0, us)) / BLOCK
        while index <= until:
            for expected in self._block(index):
                at = self._curve.when(expected)
                if at is None or at >= us:
                    return count
                count += 1
            index += 1
        return count

    def _block(self, index: int) -> Iterator[float]:
        draw = Random(f"{self._seed}/{index}").expovariate
        at, end = float(index * BLOCK), float((index + 1) * BLOCK)
        while (at := at + draw(1.0)) < end:
            yield at
