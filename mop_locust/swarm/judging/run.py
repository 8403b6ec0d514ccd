"""One run as the judging side sees it: what was planned, what the workers reported, how it ended."""

from __future__ import annotations

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mop_locust.client.exchange import Tags, monotonic_us
from mop_locust.config import Settings
from mop_locust.config.stages import Stage, spans
from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.merge import Merge
from mop_locust.metrics.parts import Parts, Seconds
from mop_locust.metrics.snapshot import Snapshot, SnapshotError, Window, decode_snapshot
from mop_locust.metrics.totals import Totals
from mop_locust.preflight import Findings
from mop_locust.report.provenance import Provenance
from mop_locust.server_side import Course
from mop_locust.swarm.generating.arrivals import clocks
from mop_locust.swarm.judging.readings import Mean, Readings
from mop_locust.swarm.judging.roll import Hello
from mop_locust.swarm.scenarios import Scenarios
from mop_locust.verdict.judge import Part
from mop_locust.verdict.threshold import Threshold
from mop_locust.verdict.windows import Abort, WindowJudge

logger = logging.getLogger("mop_locust")

GAUGES = ("cpu_percent", "rss_bytes", "open_files")  # what a process tells of itself
PEAKS = ("cpu_percent", "rss_bytes")  # gauges whose greatest value is kept
AHEAD_US = 1_000_000  # of open load: from the order to the first arrivals
BEGUN_US = 100_000  # of open load: from the last arrivals to the end, so that they have begun on every worker's clock
SILENT_US = 5_000_000  # a worker that has said nothing for so long, while the run goes on, counts as lost
UNSETTLED_SECONDS = 5  # a merged second is judged or handed on at the latest when it is so old
LEFT_EARLY_US = 1_500_000  # a worker whose last word is so much older than the end left before it; Ctrl-C reaches all within it


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
    expected: tuple[str, ...]
    headless: bool
    stages: tuple[Stage, ...] = ()
    stages_end_it: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    started_us: int = field(default_factory=monotonic_us)
    started_wall: float = field(default_factory=time.time)
    stopping_us: int = 0
    ended_us: int = 0
    ended_wall: float = 0.0
    stopped_by: str = ""
    finished: bool = False
    reset_us: int = 0
    unreadable: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hellos: dict[str, Hello] = field(default_factory=dict)
    last_us: dict[str, int] = field(default_factory=dict)
    server: Course | None = None
    peaks: dict[str, dict[str, float]] = field(default_factory=dict)
    provenance: Provenance | None = None
    aborted: Abort | None = None

    def __post_init__(self) -> None:
        self.merge = Merge(self.id)
        self._parts = Parts(stage.seconds for stage in self.stages) if self.stages else None
        self._seconds = Seconds()
        self.windows = WindowJudge(self.thresholds, {stage.name: (begin, end) for stage, begin, end in spans(self.stages)})
        if self._parts is not None:
            self.merge.followers.append(self._parts.add)
        if self.windows:
            self.merge.followers.append(self._seconds.add)
        self._cpu: defaultdict[str, Mean] = defaultdict(Mean)
        self.merge.followers.append(self._take_cpu)
        self.master_lag = Histogram()
        self.gauges = {name: Readings() for name in GAUGES}
        self.arrivals = clocks(self.scenarios.arrivals(self.settings), self.settings)

    def begin(self) -> None:
        """Sets the run's clock to zero; with open load that is a moment ahead, when every worker has its users."""
        ahead = AHEAD_US if self.arrivals else 0
        self.started_us, self.started_wall = monotonic_us() + ahead, time.time() + ahead / 1e6

    def trend(self, name: str, _tags: Tags, value: int, _at_us: int) -> None:
        """Takes the judging process's own loop lag; its garbage collection delays no exchange."""
        if name == "loop_lag":
            self.master_lag.record(value)

    def gauge(self, name: str, value: float) -> None:
        """Takes the judging process's own CPU, memory and descriptors."""
        self.gauges[name].add(self.elapsed_us / 1e6, value)

    @property
    def until_us(self) -> int:
        """When arrivals end, in microseconds of the run; 0 for a run without a planned end."""
        return int((self.planned_seconds or 0) * 1e6)

    def arrivals_left(self) -> float:
        """Returns the seconds until the last arrivals have begun everywhere, if that is the next thing to happen, else 0."""
        left_us = self.until_us + BEGUN_US - self.elapsed_us
        return left_us / 1e6 if self.arrivals and self.until_us and 0 < left_us <= AHEAD_US + 5 * BEGUN_US else 0.0

    @property
    def workers_expected(self) -> int:
        """How many workers were there when the run began; 0 in a single process."""
        return len(self.expected)

    @property
    def endpoint(self) -> str:
        """The server under load: the HTTP endpoint, or the WebSocket's where no scenario speaks HTTP."""
        return self.settings.http_base if self.scenarios.transports & {"http", "sse"} else self.settings.base_url

    @property
    def elapsed_us(self) -> int:
        """Microseconds since the run began."""
        return monotonic_us() - self.started_us

    @property
    def seconds(self) -> float:
        """How long the figures were taken: from the start, or the last reset, to the end of the last exchange."""
        return ((self.ended_us or monotonic_us()) - (self.reset_us or self.started_us)) / 1e6

    def stage_parts(self) -> dict[str, Part]:
        """Returns what was measured in each stage, by name; what came after the end of the stages is of the last."""
        if self._parts is None:
            return {}
        ran = ((self.ended_us or monotonic_us()) - self.started_us) / 1e6
        last = [stage.name for stage in self.stages if stage.seconds][-1]
        return {
            stage.name: Part(Totals.of(tally), max(0.0, (ran if stage.name == last else min(ran, end)) - begin))
            for (stage, begin, end), tally in zip(spans(self.stages), self._parts.tallies, strict=True)
        }

    def judge_windows(self, is_missing: Callable[[str], bool]) -> None:
        """Judges the seconds that every worker has reported, or that are old, up to the one in which the run was stopped."""
        stopped = self.stopping_us or self.ended_us
        until = self.settled(is_missing)
        if stopped:
            until = min(until, (stopped - self.started_us) // 1_000_000)
        if self.windows:
            for second, tally in self._seconds.settled(until):
                self.windows.take(second, Totals.of(tally))

    def settled(self, is_missing: Callable[[str], bool]) -> int:
        """Returns the second before which every worker has reported all, or which is old; all of them when the run has ended."""
        now = self.elapsed_us // 1_000_000
        if self.ended_us:
            return now
        heard = [
            record.last_at_us // 1_000_000
            for worker, record in self.merge.workers.items()
            if not record.final and not is_missing(worker)
        ]
        if any(worker not in self.merge.workers for worker in self.expected):
            heard.append(0)
        return min(now, max(min(heard, default=now), now - UNSETTLED_SECONDS))

    def receive(self, worker: str, encoded: bytes) -> int | None:
        """Takes a worker's report; returns the window up to which the worker may forget, None for a report of no use."""
        try:
            snapshot = decode_snapshot(encoded)
        except SnapshotError as error:
            self.unreadable += 1
            logger.warning("a report of %s could not be read: %s", worker, error)
            return None
        return self.take(snapshot)

    def take(self, snapshot: Snapshot) -> int | None:
        """Takes a snapshot; one of another run, or an older one, changes nothing."""
        window = self.merge.receive(snapshot)
        record = self.merge.records.get((snapshot.worker, snapshot.epoch))
        if snapshot.run_id == self.id and record is not None and record.sequence == snapshot.sequence:
            self.last_us[snapshot.worker] = monotonic_us()
            peaks = self.peaks.setdefault(snapshot.worker, {})
            for name in PEAKS:
                if name in snapshot.gauges:
                    peaks[name] = max(snapshot.gauges[name], peaks.get(name, 0.0))
        return window

    def has_final(self, worker: str) -> bool:
        """Whether the worker's last word is in."""
        record = self.merge.workers.get(worker)
        return record is not None and record.final

    def end(self) -> None:
        """Notes the end of the last exchange."""
        self.ended_us = monotonic_us()
        self.ended_wall = time.time()

    def _take_cpu(self, worker: str, second: Window) -> None:
        if "cpu_percent" in second.gauges:
            self._cpu[worker].add(second.gauges["cpu_percent"])

    def mean_cpu(self, worker: str) -> float | None:
        """Returns the worker's mean use of a core in percent over the seconds of the run; None before its first figure."""
        return self._cpu[worker].value

    def lost(self) -> list[str]:
        """Returns the workers that took part and never said their last word; while the run goes on, those that fell silent."""
        heard_us = None if self.finished else monotonic_us() - SILENT_US
        return [
            worker
            for worker, record in self.merge.workers.items()
            if not record.final and (heard_us is None or self.last_us[worker] < heard_us)
        ]

    def silent(self) -> list[str]:
        """Returns the expected workers that never reported; none in the first seconds of a run."""
        if not self.finished and self.elapsed_us < SILENT_US:
            return []
        return [worker for worker in self.expected if worker not in self.merge.workers]

    def left_early(self) -> list[str]:
        """Returns the workers that said their last word, but well before the end."""
        stopping = self.stopping_us or self.ended_us or monotonic_us()
        return [
            worker
            for worker, record in self.merge.workers.items()
            if record.final and self.last_us[worker] < stopping - LEFT_EARLY_US
        ]
