"""The readings of one gauge in the course of a run, in bounded memory."""

from __future__ import annotations

MOST = 600


class Mean:
    """The mean of all values that were added."""

    def __init__(self) -> None:
        self.count = 0
        self._total = 0.0

    def add(self, value: float) -> None:
        """Takes a value."""
        self.count += 1
        self._total += value

    @property
    def value(self) -> float | None:
        """The mean; None before the first value."""
        return self._total / self.count if self.count else None


class Readings:
    """The first reading and each one that is so many behind it, at most `most`: when there would be more, every second one goes.

    `mean` and `peak` are of all readings.
    """

    def __init__(self, most: int = MOST) -> None:
        self.points: list[tuple[float, float]] = []
        self.peak: float | None = None
        self._most = most
        self._stride = 1
        self._mean = Mean()

    @property
    def mean(self) -> float | None:
        """The mean; None before the first reading."""
        return self._mean.value

    def add(self, at_s: float, value: float) -> None:
        """Takes a reading, so many seconds after the run began."""
        if self._mean.count % self._stride == 0:
            self.points.append((round(at_s, 3), value))
        self._mean.add(value)
        self.peak = value if self.peak is None else max(self.peak, value)
        if len(self.points) > self._most:
            self.points = self.points[::2]
            self._stride *= 2
