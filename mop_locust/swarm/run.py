"""One run as the judging side sees it: what was planned, what the workers reported, how it ended."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from mop_locust.client.exchange import monotonic_us
from mop_locust.config import Settings
from mop_locust.metrics.merge import Merge
from mop_locust.metrics.snapshot import Snapshot, SnapshotError, decode_snapshot
from mop_locust.preflight import Findings
from mop_locust.swarm.scenarios import Scenarios
from mop_locust.verdict.threshold import Threshold

LEFT_EARLY_US = 1_500_000  # a worker whose last word is so much older than the end left before it; Ctrl-C reaches all within it


@dataclass
class Hello:
    """What a worker tells when it joins."""

    host: str
    pid: int
    key_fingerprint: str
    clock_offset_s: float
    index: int


@dataclass
class Run:
    """One run, from its first user to its verdict. Times ending in `_us` are of the master's monotonic clock."""

    settings: Settings
    scenarios: Scenarios
    thresholds: list[Threshold]
    findings: Findings | None
    users: int
    planned_seconds: float | None
    options: Mapping[str, str]
    workers_expected: int
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    started_us: int = field(default_factory=monotonic_us)
    started_wall: float = field(default_factory=time.time)
    stopping_us: int = 0
    ended_us: int = 0
    ended_wall: float = 0.0
    stopped_by: str = ""
    finished: bool = False
    reasons: list[str] = field(default_factory=list)
    hellos: dict[str, Hello] = field(default_factory=dict)
    last_us: dict[str, int] = field(default_factory=dict)
    newest: dict[str, Snapshot] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.merge = Merge(self.id)

    @property
    def elapsed_us(self) -> int:
        """Microseconds since the run began."""
        return monotonic_us() - self.started_us

    @property
    def seconds(self) -> float:
        """How long the run lasted, to the end of its last exchange."""
        return ((self.ended_us or monotonic_us()) - self.started_us) / 1e6

    def receive(self, worker: str, encoded: bytes) -> int | None:
        """Takes a worker's report; returns the window up to which the worker may forget, None for a report of no use."""
        try:
            snapshot = decode_snapshot(encoded)
        except SnapshotError as error:
            self.reasons.append(f"a report of {worker} could not be read: {error}")
            return None
        return self.take(snapshot)

    def take(self, snapshot: Snapshot) -> int | None:
        """Takes a snapshot; one of another run changes nothing."""
        if snapshot.run_id == self.id:
            self.last_us[snapshot.worker] = monotonic_us()
            self.newest[snapshot.worker] = snapshot
        return self.merge.receive(snapshot)

    def has_final(self, worker: str) -> bool:
        """Whether the worker's last word is in."""
        record = self.merge.workers.get(worker)
        return record is not None and record.final

    def end(self) -> None:
        """Notes the end of the last exchange."""
        self.ended_us = monotonic_us()
        self.ended_wall = time.time()

    def lost(self) -> list[str]:
        """Returns the workers that took part and never said their last word."""
        return [worker for worker, record in self.merge.workers.items() if not record.final]

    def left_early(self) -> list[str]:
        """Returns the workers that said their last word, but well before the end."""
        stopping = self.stopping_us or self.ended_us
        return [
            worker
            for worker, record in self.merge.workers.items()
            if record.final and self.last_us[worker] < stopping - LEFT_EARLY_US
        ]
