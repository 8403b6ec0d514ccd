"""Takes every measurement of a process: first into the ledger, then into Locust's statistics or as its `request` event."""

from __future__ import annotations

from typing import Any

from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.sample import Sample
from mop_locust.swarm.generating.batched_statistics import BatchedStatistics, request_name


class Cancelled(Exception):
    """An exchange that the end of the run cut: what Locust's own statistics show for it."""


class LedgerRecorder:
    """Feeds one run's ledger, and Locust's statistics beside it, so that its web UI, CSV and HTML stay true.

    Locust's event is fired for each exchange as soon as anybody but Locust itself listens, and for each that did not end well.
    """

    __slots__ = (
        "_fire",
        "_listeners",
        "_locusts_own",
        "_request_listeners",
        "_sample_hook",
        "count",
        "ledger",
        "rate",
        "statistics",
        "trend",
    )

    def __init__(self, ledger: Ledger, events: Any, statistics: BatchedStatistics) -> None:
        self.ledger = ledger
        self.statistics = statistics
        self.count, self.rate, self.trend = ledger.count, ledger.rate, ledger.trend
        self._fire = events.request.fire
        self._request_listeners = events.request._handlers  # looked at each time, as those of samples
        self._locusts_own = [listener for listener in self._request_listeners if _is_locusts(listener)]
        self._sample_hook = events.mop_sample
        self._listeners = events.mop_sample._handlers  # looked at each time: nobody listening must cost nothing

    def exchange(self, sample: Sample, error: BaseException | None) -> None:
        """Takes one exchange."""
        self.ledger.record(sample)
        if self._listeners:
            self._sample_hook.fire(sample=sample)
        if error is None and self._request_listeners == self._locusts_own:
            self.statistics.add(sample)
            return
        if error is not None and not isinstance(error, Exception):
            error = Cancelled("cancelled at the end of the run")
        self._fire(
            request_type=sample.transport,
            name=request_name(sample),
            response_time=sample.duration_us / 1000,
            response_length=sample.received,
            exception=error,
            context={},
        )


def _is_locusts(listener: object) -> bool:
    """Whether it is the one by which a runner of Locust keeps its statistics."""
    return getattr(listener, "__module__", "") == "locust.runners"
