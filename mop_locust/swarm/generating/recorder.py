"""Takes every measurement of a process: first into the ledger, then as Locust's own `request` event."""

from __future__ import annotations

from typing import Any

from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.sample import Sample


class Cancelled(Exception):
    """An exchange that the end of the run cut: what Locust's own statistics show for it."""


class LedgerRecorder:
    """Feeds one run's ledger, and Locust's statistics beside it, so that its web UI, CSV and HTML stay true."""

    __slots__ = ("_fire", "_listeners", "_sample_hook", "count", "ledger", "rate", "trend")

    def __init__(self, ledger: Ledger, events: Any) -> None:
        self.ledger = ledger
        self.count, self.rate, self.trend = ledger.count, ledger.rate, ledger.trend
        self._fire = events.request.fire
        self._sample_hook = events.mop_sample
        self._listeners = events.mop_sample._handlers  # looked at each time: nobody listening must cost nothing

    def exchange(self, sample: Sample, error: BaseException | None) -> None:
        """Takes one exchange."""
        self.ledger.record(sample)
        if self._listeners:
            self._sample_hook.fire(sample=sample)
        if error is not None and not isinstance(error, Exception):
            error = Cancelled("cancelled at the end of the run")
        self._fire(
            request_type=sample.transport,
            name=f"{sample.method} {sample.tool}" if sample.tool else sample.method,
            response_time=sample.duration_us / 1000,
            response_length=sample.received,
            exception=error,
            context={},
        )
