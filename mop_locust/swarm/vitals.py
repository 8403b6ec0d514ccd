"""The generator's own vital signs: how late its event loop runs, its CPU and memory."""

from __future__ import annotations

import time

import gevent
import psutil

from mop_locust.metrics.ledger import Ledger

LAG_INTERVAL = 0.02  # seconds between two looks at the loop
USAGE_INTERVAL = 1.0


class Vitals:
    """Watches this process while a run goes on: `loop_lag` (a trend) and the gauges `cpu_percent`, `rss_bytes`, `users`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._process = psutil.Process()
        self._watchers = [gevent.spawn(self._watch_lag), gevent.spawn(self._watch_usage)]

    def stop(self) -> None:
        """Ends the watch."""
        gevent.killall(self._watchers, block=False)

    def _watch_lag(self) -> None:
        while True:
            planned = time.monotonic_ns() // 1000 + int(LAG_INTERVAL * 1e6)
            gevent.sleep(LAG_INTERVAL)
            now = time.monotonic_ns() // 1000
            self._ledger.trend("loop_lag", (), max(0, now - planned), now)

    def _watch_usage(self) -> None:
        self._process.cpu_percent()  # the first call only sets the starting point
        while True:
            gevent.sleep(USAGE_INTERVAL)
            self._ledger.gauge("cpu_percent", self._process.cpu_percent())
            self._ledger.gauge("rss_bytes", float(self._process.memory_info().rss))
