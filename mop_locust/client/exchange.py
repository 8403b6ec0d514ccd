"""One exchange, measured: the clock is read twice, one deadline is set, exactly one sample leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from gevent import GreenletExit

from mop_locust.client.open_counts import OpenCounts
from mop_locust.metrics.sample import FAILURES, Sample
from mop_locust.protocol.errors import MopError
from mop_locust.transports import Phases
from mop_locust.transports.deadline import Deadline

T = TypeVar("T")

Tags = tuple[tuple[str, str], ...]


def monotonic_us() -> int:
    """Returns the process's monotonic clock in whole microseconds."""
    return time.monotonic_ns() // 1000


class Recorder(Protocol):
    """What takes the measurements of a process: the ledger behind it and Locust's own events beside it."""

    def exchange(self, sample: Sample, error: BaseException | None) -> None:
        """Takes one exchange and, where it did not end well, the error it ended with."""

    def count(self, name: str, tags: Tags, n: int, at_us: int) -> None:
        """Adds `n` to a counter."""

    def rate(self, name: str, tags: Tags, failed: bool, at_us: int) -> None:
        """Adds one value to a rate."""

    def trend(self, name: str, tags: Tags, value: int, at_us: int) -> None:
        """Adds one value, in thousandths of the trend's unit, to a trend."""


class Exchanges:
    """Measures the exchanges of one user: whatever happens in one, exactly one sample of it leaves.

    `feeds` names, for each MCP method, the rate that takes one value an exchange of that method. `measured` counts them all,
    `last` is the one that ended last, `open` is what all users of the process hold open.
    """

    __slots__ = ("_feeds", "_recorder", "_scenario", "_timeout", "last", "measured", "open", "tags")

    def __init__(
        self, scenario: str, recorder: Recorder, timeout: float, feeds: Mapping[str, str], open: OpenCounts | None = None
    ) -> None:
        self._scenario = scenario
        self._recorder = recorder
        self._timeout = timeout
        self._feeds = feeds
        self.measured = 0
        self.last: Sample | None = None
        self.open = open or OpenCounts()
        self.tags: Tags = (("scenario", scenario),)

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
        """Runs `operation` under one total deadline and emits its sample.

        The answer, or the error that the operation raised, goes on to the caller. An exchange cut by the end of the run
        is `cancelled`; an exception that is no `MopError` is our own fault and counted as `client_fault`.
        """
        outcome, label = "ok", ""
        error: BaseException | None = None
        phases.clear()
        started = time.monotonic_ns() // 1000
        try:
            return operation(Deadline.after(self._timeout if timeout is None else timeout))
        except MopError as problem:
            outcome, label, error = problem.outcome, problem.label, problem
            raise
        except GreenletExit as stop:
            outcome, label, error = "cancelled", "end of the run", stop
            raise
        except BaseException as fault:
            outcome, label, error = "client_fault", type(fault).__name__, fault
            raise
        finally:
            ended = time.monotonic_ns() // 1000
            self.measured += 1
            self.last = Sample(
                self._scenario,
                transport,
                method,
                outcome,
                started,
                ended - started,
                tool,
                phases.connect_us,
                phases.first_byte_us,
                phases.sent,
                phases.received,
                phases.status,
                0,
                label,
            )
            self._recorder.exchange(self.last, error)
            rate = self._feeds.get(method)
            if rate is not None and (outcome == "ok" or outcome in FAILURES):
                self._recorder.rate(rate, self.tags, outcome != "ok", ended)

    def count(self, name: str, n: int = 1, tags: Tags | None = None) -> None:
        """Adds `n` to a counter of this scenario; `tags` take the place of the scenario's own."""
        self._recorder.count(name, self.tags if tags is None else tags, n, monotonic_us())

    def rate(self, name: str, failed: bool, tags: Tags | None = None) -> None:
        """Adds one value to a rate of this scenario."""
        self._recorder.rate(name, self.tags if tags is None else tags, failed, monotonic_us())

    def trend(self, name: str, microseconds: int, tags: Tags | None = None) -> None:
        """Adds one duration to a trend of this scenario."""
        self._recorder.trend(name, self.tags if tags is None else tags, microseconds, monotonic_us())
