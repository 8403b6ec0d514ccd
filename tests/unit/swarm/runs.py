"""Runs built by hand: three scenarios, workers with real ledgers, times of one's own choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from locust import task

from mop_locust.metrics.instruments import Counter, Rate, Trend
from mop_locust.metrics.ledger import Ledger
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.snapshot import Snapshot
from mop_locust.preflight import Findings
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.scenarios import Scenarios
from mop_locust.users import MopHttpUser, MopSseUser, MopUser, MopWebSocketUser
from tests.unit.client.memory import settings

SECOND = 1_000_000
STARTED_US = 100 * SECOND
STARTED_WALL = 1_800_000_000.0  # 2027-01-15T08:00:00Z


class Storm(MopWebSocketUser):
    """As ws_connect_storm."""

    scenario = "storm"
    metrics = (Rate("ws_failures"),)
    thresholds = {"ws_failures": ["rate<0.05"]}
    users_setting, duration_setting = "ws_vus", "ws_duration"

    @task
    def go(self) -> None:
        """Does nothing."""


class Calls(MopHttpUser):
    """As tools_call_rps, with metrics of its own."""

    scenario = "calls"
    metrics = (Rate("tools_call_failures"), Trend("answer_length", unit="characters"), Counter("hits"))
    thresholds = {"tools_call_failures": ["rate<0.05", "count>10"], "answer_length": ["p(95)<100"]}
    users_setting, duration_setting = "rps_vus", "rps_duration"

    @task
    def go(self) -> None:
        """Does nothing."""


class Streams(MopSseUser):
    """As sse_keep_alive."""

    scenario = "streams"
    metrics = (Rate("sse_failures"),)
    thresholds: ClassVar[dict[str, list[str]]] = {"sse_failures": ["rate<0.05"]}
    users_setting, duration_setting, iterations_setting = "sse_vus", "sse_max_duration", "sse_iterations"

    @task
    def go(self) -> None:
        """Does nothing."""


THREE: Sequence[type[MopUser]] = (Storm, Calls, Streams)


def made_run(*classes: type[MopUser], findings: Findings | None = None, workers: int = 0, **more: Any) -> Run:
    """A run of 60 planned seconds that began at 100 s of the clock and was ended by its run time at 160 s."""
    values = more.pop("values", {})
    run = Run(
        settings=settings(**values),
        scenarios=Scenarios(classes or (Calls,)),
        thresholds=[],
        findings=findings,
        users=20,
        planned_seconds=60.0,
        options={"MOP_RPS_VUS": "20"},
        expected=tuple(f"w{number}" for number in range(1, workers + 1)),
        headless=True,
        id="r-1",
        started_us=STARTED_US,
        started_wall=STARTED_WALL,
    )
    run.stopping_us = run.ended_us = STARTED_US + 60 * SECOND
    run.ended_wall = STARTED_WALL + 60
    run.stopped_by = "run time"
    run.finished = True
    for name, value in more.items():
        setattr(run, name, value)
    return run


def ledger(run: Run, worker: str = "w1", epoch: int = 1) -> Ledger:
    """The ledger of a worker in this run."""
    return Ledger(run.id, worker, epoch, STARTED_US, instruments=run.scenarios.own_instruments.values())


def exchange(at_s: float = 1.0, outcome: str = "ok", error: str = "", duration_us: int = 2000, **more: Any) -> Sample:
    """One exchange that began so many seconds after the start of the run."""
    start = STARTED_US + int(at_s * SECOND)
    return Sample("calls", "http", more.pop("method", "tools/list"), outcome, start, duration_us, error=error, **more)


def word(of: Ledger, at_s: float, *, final: bool = True) -> Snapshot:
    """The snapshot of a ledger at a time of the run."""
    return of.snapshot(STARTED_US + int(at_s * SECOND), int((STARTED_WALL + at_s) * SECOND), final=final)


def heard(run: Run, snapshot: Snapshot) -> None:
    """The run takes a snapshot at the time that it tells, not at the time of the test."""
    run.take(snapshot)
    run.last_us[snapshot.worker] = STARTED_US + snapshot.at_us


def worked(run: Run, worker: str, *samples: Sample, from_s: float = 0.1, until_s: float = 60.0, final: bool = True) -> None:
    """A worker took part with these exchanges; it was first heard at `from_s` and last at `until_s`."""
    own = ledger(run, worker)
    heard(run, word(own, from_s, final=False))
    for sample in samples:
        own.record(sample)
    heard(run, word(own, until_s, final=final))
