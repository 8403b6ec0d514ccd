"""The judging side of a process: prepares a run, collects what the workers report, waits for the last word, judges."""

from __future__ import annotations

import logging
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import gevent
from gevent.lock import RLock
from locust.runners import MasterRunner

from mop_locust import preflight
from mop_locust.config import ApiKey, ConfigError, Settings
from mop_locust.report.document import SummaryDocument
from mop_locust.report.folder import RunFolder
from mop_locust.report.table import render
from mop_locust.swarm import order
from mop_locust.swarm.document import document
from mop_locust.swarm.generator import Generator
from mop_locust.swarm.iterations import IterationStock
from mop_locust.swarm.options import option_values, read_options
from mop_locust.swarm.run import Hello, Run
from mop_locust.swarm.scenarios import Scenarios
from mop_locust.swarm.validity import EARLY_SECONDS, validity
from mop_locust.verdict.exit_codes import CONFIGURATION, worst
from mop_locust.verdict.judge import judge

logger = logging.getLogger("mop_locust")

HELLO_SECONDS = 5.0  # for a worker to say who it is
DRAIN_MARGIN_SECONDS = 5.0  # beyond the stop timeout, for a worker's last word
POLL_SECONDS = 0.02


class Refused(Exception):
    """A run that must not begin because of what the user gave; `mistakes` are whole sentences."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


class Conductor:
    """Leads the runs of a master, or of the only process; `generator` is there in the latter case."""

    def __init__(self, environment: Any, key: ApiKey, generator: Generator | None) -> None:
        self._environment = environment
        self._runner = environment.runner
        self._key = key
        self._generator = generator
        self._prepared: Run | None = None
        self._codes: list[int] = []
        self._texts: list[str] = []
        self._hellos: dict[str, Hello] = {}
        self._drained: set[str] = set()
        self._draining = RLock()
        self.run: Run | None = None
        self.stock: IterationStock | None = None

    @property
    def active(self) -> bool:
        """Whether a run goes on."""
        return self.run is not None and not self.run.finished

    # --- before the load

    def settings(self) -> Settings:
        """Returns the checked settings of the options as they are now; raises Refused with every mistake."""
        mistakes: list[str] = []
        settings: Settings | None = None
        try:
            settings = read_options(self._environment.parsed_options, self._environment.host)
        except ConfigError as error:
            mistakes += error.mistakes
        if settings is not None:
            mistakes += self._scenarios().thresholds(settings, self._environment.parsed_options.mop_threshold)[1]
            mistakes += _unwritable(settings.reports)
        if mistakes or settings is None:
            raise Refused(mistakes)
        return settings

    def set_defaults(self, settings: Settings) -> None:
        """Gives the users, the duration and the spawn rate that the scenarios ask for where the command line gives none."""
        options, scenarios = self._environment.parsed_options, self._scenarios()
        users = scenarios.weigh(settings)
        if self._environment.shape_class is not None:
            return
        if options.num_users is None and users:
            options.num_users = users
        if options.spawn_rate is None and options.num_users:
            options.spawn_rate = options.num_users  # all at once, as k6 does
        seconds = scenarios.seconds(settings)
        if options.run_time is None and seconds is not None:
            options.run_time = seconds

    def guard_start(self) -> None:
        """Stands before Locust's `start`: a run begins only after it was prepared, and never while one is drained."""
        start = self._runner.start

        def guarded(user_count: int, spawn_rate: float, wait: bool = False, user_classes: Any = None) -> None:
            if self.run is not None and self.run.stopping_us and not self.run.finished:
                return
            if not self.active and self._has_workers() and not self._prepare(user_count):
                return
            start(user_count, spawn_rate, wait=wait, user_classes=user_classes)

        self._runner.start = guarded

    def _has_workers(self) -> bool:
        return not isinstance(self._runner, MasterRunner) or self._runner.worker_count > 0

    def _prepare(self, users: int) -> bool:
        """Checks everything that can be checked before the load; returns whether the run may begin."""
        try:
            settings = self.settings()
            scenarios = self._scenarios()
            scenarios.weigh(settings)
            self._know_workers()
            findings = preflight.look(settings, self._key, scenarios.transports) if settings.preflight else None
            if findings is not None and findings.mistakes:
                raise Refused(findings.mistakes)
        except Refused as refusal:
            say_mistakes(refusal.mistakes)
            self._end_with(CONFIGURATION)
            return False
        except Exception:
            logger.exception("the run could not be prepared: this is a fault of mop-locust")
            self._end_with(CONFIGURATION)
            return False
        for warning in _warnings(settings):
            logger.warning(warning)
        options = self._environment.parsed_options
        run = Run(
            settings,
            scenarios,
            scenarios.thresholds(settings, options.mop_threshold)[0],
            findings,
            users,
            float(options.run_time) if options.run_time else None,
            option_values(options),
            len(self._runner.clients.all) if isinstance(self._runner, MasterRunner) else 0,
            hellos=self._hellos,
        )
        if findings is not None and findings.target_faults:
            run.stopped_by = "preflight"
            self.run = run
            self.finish()
            self._quit()
            return False
        self._prepared = run
        return True

    def _know_workers(self) -> None:
        """Waits until each worker has said who it is; raises Refused when one has another key, or does not answer."""
        if not isinstance(self._runner, MasterRunner):
            return
        until = time.monotonic() + HELLO_SECONDS
        while unknown := [worker for worker in list(self._runner.clients) if worker not in self._hellos]:
            if time.monotonic() > until:
                raise Refused([f"worker {worker} does not say who it is: does it run the same mop-locust?" for worker in unknown])
            for worker in unknown:
                self._runner.send_message("mop_who", None, client_id=worker)
            gevent.sleep(POLL_SECONDS * 5)
        mistakes = [self._other_key(worker) for worker in self._runner.clients if self._has_other_key(worker)]
        if mistakes:
            raise Refused(mistakes)

    def _has_other_key(self, worker: str) -> bool:
        return self._hellos[worker].key_fingerprint != self._key.fingerprint

    def _other_key(self, worker: str) -> str:
        theirs, ours = self._hellos[worker].key_fingerprint, self._key.fingerprint
        return f"MOP_API_KEY: worker {worker} has another key than the master (hash {theirs}, not {ours})"

    # --- while the load goes on

    def begin(self) -> None:
        """Starts the prepared run: Locust's `test_start`."""
        run, self._prepared = self._prepared, None
        if run is None:
            return
        run.started_us, run.started_wall = time.monotonic_ns() // 1000, time.time()
        self.run = run
        self._drained = set()
        self.stock = IterationStock(run.scenarios.iterations(run.settings), self._iterations_over)
        self.give_order()
        if self._generator is not None:
            self._generator.begin(self._order(run), run.settings)

    def give_order(self) -> None:
        """Puts the run's order, with the time gone by, where the next spawn message takes it along."""
        if self.run is not None and not self.run.finished:
            order.give(self._environment.parsed_options, self._order(self.run))

    def _order(self, run: Run) -> order.RunOrder:
        wanted = run.settings.initialized
        found = run.findings is not None and run.findings.takes_initialized
        return order.RunOrder(run.id, run.elapsed_us, wanted == "always" or (wanted == "auto" and found))

    def hello(self, worker: str, told: dict[str, Any]) -> None:
        """Takes what a worker says of itself; one with another key that joins late degrades the run."""
        index = self._runner.get_worker_index(worker)
        self._hellos[worker] = Hello(told["host"], told["pid"], told["key"], round(told["wall"] - time.time(), 3), index)
        if self.active and self._has_other_key(worker):
            assert self.run is not None
            self.run.reasons.append(self._other_key(worker))

    def receive(self, worker: str, encoded: bytes) -> None:
        """Takes a worker's report, and lets it forget the windows that are in."""
        if self.run is None:
            return
        window = self.run.receive(worker, encoded)
        if window is not None:
            self._runner.send_message("mop_ack", {"run": self.run.id, "window": window}, client_id=worker)

    def drained(self, worker: str) -> None:
        """Notes that a worker has stopped its users and sent its last report."""
        self._drained.add(worker)

    def tick(self) -> None:
        """Takes the only process's own snapshot, once a second."""
        if self.active and self._generator is not None and self.run is not None:
            snapshot = self._generator.snapshot()
            window = self.run.take(snapshot) if snapshot is not None else None
            if window is not None and self._generator.ledger is not None:
                self._generator.ledger.acknowledge(window)

    def worker_gone(self, worker: str) -> None:
        """Takes back the iterations that a lost worker held."""
        if self.stock is not None:
            self.stock.lost(worker)

    def _iterations_over(self) -> None:
        if self.active and self.run is not None and self.run.scenarios.all_iterate:
            self.run.stopped_by = "iterations"
            gevent.spawn(self._runner.quit if self._environment.parsed_options.headless else self._runner.stop)

    # --- the end

    def drain(self) -> None:
        """Waits for the last word of every worker: Locust's `test_stopping`, which comes first on every way to end.

        A second caller (SIGTERM runs Locust's shutdown twice) waits for the first.
        """
        with self._draining:
            run = self.run
            if run is None or run.finished or run.stopping_us:
                return
            run.stopping_us = time.monotonic_ns() // 1000
            if self._generator is not None:
                self._generator.leave_time_to_close()
            elif self._runner.clients.all:
                self._wait_for_workers(run)

    def _wait_for_workers(self, run: Run) -> None:
        self._runner.send_message("mop_drain", {"run": run.id})
        until = time.monotonic() + (self._environment.stop_timeout or 0.0) + DRAIN_MARGIN_SECONDS
        while time.monotonic() < until:
            if all(worker in self._drained or run.has_final(worker) for worker in list(self._runner.clients)):
                return
            gevent.sleep(POLL_SECONDS)

    def finish(self) -> None:
        """Judges the run and writes its folder: Locust's `test_stop`. A finished run stays as it is."""
        run = self.run
        if run is None or run.finished:
            return
        run.finished = True
        if self._generator is not None and (last := self._generator.finish()) is not None:
            run.take(last)
        run.end()
        run.stopped_by = run.stopped_by or self._how_it_ended(run)
        totals = run.merge.totals()
        verdict = judge(
            totals,
            run.thresholds,
            seconds=run.seconds,
            validity=validity(run, totals),
            allow_degraded=run.settings.allow_degraded,
        )
        summary = document(run, totals, verdict, self._name(run))
        self._say(summary, *_write(Path(run.settings.reports), summary))
        self._end_with(verdict.exit_code)

    def _how_it_ended(self, run: Run) -> str:
        ran = ((run.stopping_us or run.ended_us) - run.started_us) / 1e6
        if self._environment.shape_class is not None:
            return "shape"
        return "run time" if run.planned_seconds is not None and ran >= run.planned_seconds - EARLY_SECONDS else "user"

    def _name(self, run: Run) -> str:
        names = run.scenarios.names
        return names[0] if len(names) == 1 else Path(self._environment.locustfile or "run").stem

    def _say(self, summary: SummaryDocument, path: Path, failures: list[str]) -> None:
        text = "\n".join([render(summary), *(f"not written: {failure}" for failure in failures), str(path / "report.html")])
        if self._environment.parsed_options.headless:
            self._texts.append(text)  # said last, after Locust's own tables
        else:
            print(text, flush=True)

    def say_all(self) -> None:
        """Prints the verdicts of a headless process: Locust's `quit`, the last event."""
        texts, self._texts = self._texts, []
        for text in texts:
            print(f"\n{text}", flush=True)

    def _end_with(self, code: int) -> None:
        self._codes.append(code)
        self._environment.process_exit_code = worst(self._codes)
        if code == CONFIGURATION:
            self._quit()

    def _quit(self) -> None:
        if self._environment.parsed_options.headless:
            gevent.spawn(self._runner.quit)

    def _scenarios(self) -> Scenarios:
        return Scenarios(self._environment.user_classes)


def _write(reports: Path, summary: SummaryDocument) -> tuple[Path, list[str]]:
    """Writes the run folder; the verdict stands on the terminal and in the exit code even where that fails."""
    try:
        folder = RunFolder.create(reports, summary["run"]["scenario"], datetime.fromisoformat(summary["run"]["started"]))
    except OSError as error:
        return reports, [f"no run folder could be made in {reports}: {error.strerror or error}"]
    return folder.write(summary)


def say_mistakes(mistakes: list[str]) -> None:
    """Prints what the user gave wrong, all of it."""
    print("mop-locust: nothing was started:\n" + "\n".join(f"  {mistake}" for mistake in mistakes), file=sys.stderr, flush=True)


def _warnings(settings: Settings) -> list[str]:
    if settings.tls_insecure:
        return ["MOP_TLS_INSECURE=1: the target's certificate is NOT verified; anybody may answer in its place"]
    return []


def _unwritable(reports: str) -> list[str]:
    """Returns a mistake when run folders cannot be made: found now, not when the run is over."""
    path = Path(reports)
    try:
        path.mkdir(parents=True, exist_ok=True)
        writable = os.access(path, os.W_OK | os.X_OK)
        reason = "it is not writable"
    except OSError as error:
        writable, reason = False, error.strerror or str(error)
    return [] if writable else [f"MOP_REPORTS (--mop-reports): no run folder can be made in {reports!r}: {reason}"]
