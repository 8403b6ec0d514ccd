"""From runs to figures: CPU an operation, medians, ratios. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from benchmarks.operations import Limit, Operation

LEAST_GROWTH = 1.5


class Run(msgspec.Struct, frozen=True):
    """One run of a peer: CPU seconds of all its processes, operations counted, operations the peer claims, wall seconds.

    `system` are the CPU seconds in the kernel.
    """

    cpu: float
    count: int
    claimed: int
    wall: float
    system: float = 0.0


class Sample(msgspec.Struct, frozen=True):
    """A peer's short and long run of one operation in one round; `fault` says why there is no figure."""

    server: str
    operation: str
    peer: str
    round: int
    counted_by: str
    short: Run | None = None
    long: Run | None = None
    fault: str = ""

    @property
    def why(self) -> str:
        """Why there is no figure, "" when there is one. Runs of nearly the same work have no slope worth the name."""
        if self.short is not None and self.long is not None and self.long.count < LEAST_GROWTH * self.short.count:
            return f"no slope: {self.short.count:,} operations, then {self.long.count:,}: the machine was too busy"
        return self.fault

    @property
    def cost(self) -> float | None:
        """Microseconds of CPU an operation: the slope between the two runs, in which the start and the end drop out."""
        if self.short is None or self.long is None or self.why:
            return None
        return (self.long.cpu - self.short.cpu) / (self.long.count - self.short.count) * 1e6

    @property
    def kernel(self) -> float | None:
        """The part of the cost that the kernel took: system calls, which every client of the same work has to make."""
        if self.cost is None or self.short is None or self.long is None:
            return None
        return (self.long.system - self.short.system) / (self.long.count - self.short.count) * 1e6


class Spread(msgspec.Struct, frozen=True):
    """Figures of several rounds, in one."""

    median: float
    least: float
    most: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """The spread of the values; None when there are none."""
        return cls(statistics.median(values), min(values), max(values), len(values)) if values else None


class Judgement(msgspec.Struct, frozen=True):
    """One limit and what was measured; `ratio` is None when one of the two peers has no figure."""

    operation: str
    limit: Limit
    ratio: Spread | None

    @property
    def met(self) -> bool | None:
        """Whether the median ratio is within the limit; None when there is none."""
        return None if self.ratio is None else self.ratio.median <= self.limit.most


Costs = Mapping[int, float]


def costs(samples: Iterable[Sample], operation: str, peer: str) -> dict[int, float]:
    """The cost of an operation to a peer, by round."""
    return _by_round(samples, operation, peer, lambda sample: sample.cost)


def kernel_parts(samples: Iterable[Sample], operation: str, peer: str) -> dict[int, float]:
    """The kernel's part of that cost, by round."""
    return _by_round(samples, operation, peer, lambda sample: sample.kernel)


def _by_round(samples: Iterable[Sample], operation: str, peer: str, figure: Callable[[Sample], float | None]) -> dict[int, float]:
    found = {sample.round: figure(sample) for sample in samples if sample.operation == operation and sample.peer == peer}
    return {number: value for number, value in found.items() if value is not None}


def ratios(ours: Costs, theirs: Costs) -> Spread | None:
    """Ours by theirs in each round that has both: a slow minute of the machine is then in both."""
    return Spread.of([ours[number] / theirs[number] for number in ours if number in theirs])


def judge(samples: Sequence[Sample], operations: Iterable[Operation], ours: str) -> list[Judgement]:
    """What was measured for each limit of the operations."""
    return [
        Judgement(
            operation.key,
            limit,
            ratios(costs(samples, operation.key, ours), costs(samples, operation.key, limit.peer)),
        )
        for operation in operations
        for limit in operation.limits
    ]


def doubts(samples: Iterable[Sample], most: float = 0.01) -> list[str]:
    """A sentence for each peer that claims another number than was counted, by more than `most` of it."""
    worst: dict[tuple[str, str], tuple[float, Run]] = {}
    for sample in samples:
        run = sample.long
        if run is None or not run.count or sample.counted_by != "server":
            continue
        apart = abs(run.claimed - run.count) / run.count
        key = (sample.peer, sample.operation)
        if apart > max(most, worst.get(key, (0.0, run))[0]):
            worst[key] = (apart, run)
    return [
        f"({operation}) {peer} claims {run.claimed:,} operations, the server counted {run.count:,}"
        for (peer, operation), (_, run) in sorted(worst.items())
    ]


def faults(samples: Iterable[Sample]) -> list[str]:
    """A sentence for each peer and operation without a figure."""
    return list(dict.fromkeys(f"({s.operation}) {s.peer}: {s.why}" for s in samples if s.why))
