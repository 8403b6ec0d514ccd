"""A process's own vital signs: how late its event loop runs, garbage collection, CPU, memory, descriptors."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import gevent
import psutil

from mop_locust.client.exchange import Tags, monotonic_us

LAG_INTERVAL = 0.02  # seconds between two looks at the loop
USAGE_INTERVAL = 1.0


class Instruments(Protocol):
    """What takes the vital signs: a ledger, or the conductor's own few figures."""

    def trend(self, name: str, tags: Tags, value: int, at_us: int) -> None:
        """Takes one value of a trend."""

    def gauge(self, name: str, value: float) -> None:
        """Takes the newest value of a gauge."""


class Vitals:
    """Watches this process while a run goes on.

    Trends `loop_lag` and `gc_pause`; gauges `cpu_percent` (of a core, or of the part of one that the cgroup allows),
    `rss_bytes`, `open_files`.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._process = psutil.Process()
        self._core = allowed_core(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
        self._collecting_since_us = 0
        self._pauses: list[tuple[int, int]] = []
        gc.callbacks.append(self._on_collection)
        self._watchers = [gevent.spawn(self._watch_lag), gevent.spawn(self._watch_usage)]

    def stop(self) -> None:
        """Ends the watch."""
        gc.callbacks.remove(self._on_collection)
        self._hand_on_pauses()
        gevent.killall(self._watchers, block=False)

    def _watch_lag(self) -> None:
        while True:
            planned = monotonic_us() + int(LAG_INTERVAL * 1e6)
            gevent.sleep(LAG_INTERVAL)
            now = monotonic_us()
            self._instruments.trend("loop_lag", (), max(0, now - planned), now)
            self._hand_on_pauses()

    def _watch_usage(self) -> None:
        self._process.cpu_percent()  # the first call only sets the starting point
        while True:
            gevent.sleep(USAGE_INTERVAL)
            with contextlib.suppress(OSError):  # a process out of descriptors cannot read its own figures either
                self._instruments.gauge("cpu_percent", self._process.cpu_percent() / self._core)
                self._instruments.gauge("rss_bytes", float(self._process.memory_info().rss))
                self._instruments.gauge("open_files", float(self._process.num_fds()))

    def _on_collection(self, phase: str, _: Mapping[str, int]) -> None:
        now = time.monotonic_ns() // 1000
        if phase == "start":
            self._collecting_since_us = now
        else:
            # A collection can begin inside the very ledger that this is for, so it is only noted here.
            self._pauses.append((now - self._collecting_since_us, now))

    def _hand_on_pauses(self) -> None:
        pauses, self._pauses = self._pauses, []
        for pause, at in pauses:
            self._instruments.trend("gc_pause", (), pause, at)


def allowed_core(membership: Path, root: Path) -> float:
    """Returns how much of one core this process may use: below 1 under a smaller CPU quota of a cgroup (v2, `cpu.max`).

    `membership` is the process's cgroup file, `root` where cgroups are mounted. Where there is neither, all of a core.
    """
    allowed = 1.0
    with contextlib.suppress(OSError, ValueError, IndexError, ZeroDivisionError):
        own = membership.read_text().strip().rpartition("::")[2]
        folder = root / own.lstrip("/")
        for place in (folder, *folder.parents):
            file = place / "cpu.max"
            if file.is_file():
                quota, period = file.read_text().split()[:2]
                if quota != "max":
                    allowed = min(allowed, int(quota) / int(period))
            if place == root:
                break
    return allowed
