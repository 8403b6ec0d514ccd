"""The judging side of a process: leads a run from `start` to its verdict."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent.lock import RLock
from locust.runners import MasterRunner

from mop_locust.client.exchange import monotonic_us
from mop_locust.config import ApiKey
from mop_locust.config.stages import length
from mop_locust.report.document import SummaryDocument
from mop_locust.report.folder import write_run
from mop_locust.report.table import render
from mop_locust.server_side import ServerWatch
from mop_locust.swarm import order
from mop_locust.swarm.generating.generator import Generator
from mop_locust.swarm.generating.iterations import IterationStock
from mop_locust.swarm.generating.permits import PermitStock
from mop_locust.swarm.generating.vitals import Vitals
from mop_locust.swarm.judging import locust_stats
from mop_locust.swarm.judging.drain import Drain
from mop_locust.swarm.judging.judged import judged
from mop_locust.swarm.judging.preparation import Preparation
from mop_locust.swarm.judging.roll import Roll
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.judging.sharing import Sharing
from mop_locust.swarm.judging.validity import EARLY_SECONDS
from mop_locust.swarm.link.border import Border
from mop_locust.swarm.refusal import Refused, say_mistakes
from mop_locust.verdict.exit_codes import CONFIGURATION, worst

logger = logging.getLogger("mop_locust")

LIVE_US = 500_000  # how old the summary of a run that goes on may be
LAST_SECOND = 1 << 40


class Conductor:
    """Leads the runs of a master, or of the only process; `generator` is there in the latter case.

    `refused` says why the run that was asked for last did not begin; `folders` are the run folders that were written, by name.
    """

    def __init__(self, environment: Any, key: ApiKey, generator: Generator | None) -> None:
        self._environment = environment
        self._runner = environment.runner
        self._generator = generator
        self._key = key
        self.roll = Roll(self._runner, key)
        self.preparation = Preparation(environment, key, self.roll)
        self.preparation.elapsed = self._elapsed
        self._prepared: Run | None = None
        self._codes: list[int] = []
        self._texts: list[str] = []
        self.workers_end = Drain(self._runner, self.roll)
        self._draining = RLock()
        self._finishing = RLock()
        self._vitals: Vitals | None = None
        self._watch: ServerWatch | None = None
        self._next_window = 0
        self._timers: list[gevent.Greenlet] = []
        self.run: Run | None = None
        self.summary: SummaryDocument | None = None
        self.refused: list[str] = []
        self.folders: dict[str, Path] = {}
        self._made_us = 0
        self.stock: IterationStock | None = None
        self.permits: PermitStock | None = None
        self.sharing = Sharing(self._runner, self.roll)
        self.border: Border | None = None
        self.say_last: Callable[[SummaryDocument], list[str]] = lambda _: []  # to the exporters; returns what they lost

    @property
    def active(self) -> bool:
        """Whether a run goes on."""
        return self.run is not None and not self.run.finished

    # --- before the load

    def prepare_ahead(self) -> None:
        """Prepares the run of a headless process before Locust starts its clock: the preflight is no part of the run time.

        Raises SystemExit with the run's code when it may not begin.
        """
        options = self._environment.parsed_options
        if not self._prepare(options.num_users or 0):
            self.roll.dismiss()
            self.say_all()
            raise SystemExit(int(self._environment.process_exit_code))

    def prepare(self, users: int) -> list[str]:
        """Prepares the next run of the web UI ahead of Locust's `start`; returns why it may not begin, in whole sentences."""
        if self.run is not None and self.active:
            return ["the last run is still coming to its end; try again in a moment"] if self.run.stopping_us else []
        if not self._has_workers():
            return ["no worker has joined yet"] if self.preparation.follow_stages() else []
        try:
            self.preparation.settings()
        except Refused as refusal:
            self.refused = refusal.mistakes
            return self.refused
        return [] if self._prepare(users) else self.refused

    def forget(self) -> None:
        """Drops a prepared run that Locust did not start after all."""
        self._prepared = None

    def guard_start(self) -> None:
        """Stands before Locust's `start`: a run begins only after it was prepared, and never while one is drained."""
        start = self._runner.start

        def guarded(user_count: int, spawn_rate: float, wait: bool = False, user_classes: Any = None) -> None:
            run = self.run
            self.preparation.restore_guards()  # they go to the workers with each start
            if run is not None and not run.finished:
                if run.stopping_us:
                    return
                run.users = max(run.users, user_count)
            elif self._prepared is not None:
                self._prepared.users = max(self._prepared.users, user_count)
            elif self._has_workers() and not self._prepare(user_count):
                return
            start(user_count, spawn_rate, wait=wait, user_classes=user_classes)
            self.roll.is_shared_out()

        self._runner.start = guarded

    def _has_workers(self) -> bool:
        return not isinstance(self._runner, MasterRunner) or self._runner.worker_count > 0

    def _prepare(self, users: int) -> bool:
        """Returns whether a run may begin; one that may not has its exit code, and where the target is at fault its report."""
        self.refused = []
        try:
            run = self.preparation.run(users)
        except Refused as refusal:
            say_mistakes(refusal.mistakes)
            self.refused = refusal.mistakes
            self._end_with(CONFIGURATION)
            return False
        except Exception:
            logger.exception("the run could not be prepared: this is a fault of mop-locust")
            self.refused = ["the run could not be prepared: this is a fault of mop-locust; its log says more"]
            self._end_with(CONFIGURATION)
            return False
        if run.findings is not None and (run.findings.target_faults or run.findings.voids):
            run.stopped_by = "preflight"
            run.faults += run.findings.voids
            self.run = run
            self.finish()
            self.refused = [*run.findings.target_faults, *run.findings.voids]
            return False
        self._prepared = run
        return True

    # --- while the load goes on

    def begin(self) -> None:
        """Starts the prepared run: Locust's `test_start`."""
        run, self._prepared = self._prepared, None
        if run is None:
            return
        run.begin()
        self.run = run
        self.workers_end.begin()
        self._next_window = 0
        self.stock = IterationStock(run.scenarios.iterations(run.settings), self._iterations_over)
        self.permits = PermitStock(run.settings.max_requests, self._permits_over) if run.settings.max_requests else None
        self.sharing.begin(run)
        self.give_order()
        if self._generator is not None:
            self._generator.begin(self.sharing.order(run), run.settings, monotonic_us())
        else:
            self._vitals = Vitals(run)
        self._watch = ServerWatch(run.settings, self._key, run.endpoint, run.started_us, run.planned_seconds)
        run.server = self._watch.course
        if run.stages_end_it:
            self._timers = [gevent.spawn_later(length(run.stages) - run.elapsed_us / 1e6, self._stop, "stages")]

    def give_order(self) -> None:
        """Puts the run's order, with the time gone by, where the next spawn message takes it along."""
        if self.run is not None and not self.run.finished:
            order.give(self._environment.parsed_options, self.sharing.order(self.run))

    def hello(self, worker: str, told: dict[str, Any]) -> None:
        """Takes what a worker says of itself; one with another key that joins late makes the run invalid."""
        self.roll.take(worker, told)
        if self.run is not None and self.active and (sentence := self.roll.other_key(worker)):
            self.run.faults.append(sentence)

    def receive(self, worker: str, encoded: bytes) -> None:
        """Takes a worker's report, and lets it forget the windows that are in."""
        if self.run is None or self.run.finished:
            return
        window = self.run.receive(worker, encoded)
        if window is not None:
            self._runner.send_message("mop_ack", {"run": self.run.id, "window": window}, client_id=worker)

    def late_report(self, worker: str, data: Any) -> None:
        """Takes the report of a worker that Locust forgot but that is of this run; that of anybody else changes nothing."""
        if self.run is not None and worker in self.run.merge.workers and isinstance(data, dict):
            encoded = data.get("mop")
            if isinstance(encoded, bytes):
                self.receive(worker, encoded)

    def fault(self, sentence: str) -> None:
        """Notes an exception that Locust caught: what was measured around it cannot be stood behind."""
        if self.run is not None and self.active and sentence not in self.run.faults:
            self.run.faults.append(sentence)

    def tick(self) -> None:
        """Once a second: takes the only process's own snapshot, gives up lost workers' iterations, hands on merged seconds.

        Locust's statistics forget what it never reads again.
        """
        run = self.run
        if run is None or run.finished:
            return
        if self._generator is not None:
            snapshot = self._generator.snapshot()
            window = run.take(snapshot) if snapshot is not None else None
            if window is not None and self._generator.ledger is not None:
                self._generator.ledger.acknowledge(window)
        else:
            self.roll.ask()
            self.sharing.look(run)
        if self._generator is None:
            gone = [worker for worker in run.merge.workers if run.has_final(worker) or self.workers_end.is_missing(worker)]
            for worker in gone:
                if self.stock is not None:
                    self.stock.lost(worker)
                if self.permits is not None:
                    self.permits.lost(worker)
        locust_stats.forget(self._runner.stats)
        run.judge_windows(self.workers_end.is_missing)
        if run.windows.abort is not None and not run.stopping_us and not run.aborted:
            run.aborted = run.windows.abort
            self._stop("threshold")
        self._hand_on_windows(run, all_of_them=False)

    def reset_after_ramp_up(self) -> None:
        """Starts the figures anew once all users are there (`--reset-stats`); a later stage of a load shape loses nothing."""
        if self.run is not None and not self.run.reset_us:
            self.reset()

    def reset(self) -> None:
        """Starts the figures anew: Locust's reset of statistics. What came before is kept apart, as `before_reset`."""
        if self.run is None or self.run.finished:
            return
        self.run.reset_us = monotonic_us()
        after = self.run.elapsed_us / 1e6
        self.run.notes.append(f"the statistics were reset after {after:.1f} s; the figures cover what followed")
        if self._generator is not None:
            self._generator.reset()
        else:
            self._runner.send_message("mop_reset")

    def live(self) -> SummaryDocument | None:
        """Returns the run as the summary that it would have if it ended now, made at most twice a second, whoever looks.

        After the end it is the run's own summary, before the first run None.
        """
        run = self.run
        if run is None or run.finished:
            return self.summary
        if monotonic_us() - self._made_us > LIVE_US or self.summary is None or self.summary["run"]["id"] != run.id:
            self.summary = None  # two of them at once would be the most memory that a master ever needs
            self.summary, self._made_us = judged(run, self._name(run)), monotonic_us()
        return self.summary

    def _hand_on_windows(self, run: Run, *, all_of_them: bool) -> None:
        hook = self._environment.events.mop_window
        if not hook._handlers:
            return
        until = LAST_SECOND if all_of_them else run.settled(self.workers_end.is_missing) - 1
        windows, self._next_window = run.merge.windows.closed(self._next_window, until)
        for window in windows:
            hook.fire(run_id=run.id, window=window)

    def _elapsed(self) -> float | None:
        """The clock of the stages: 0 before the run, None when it was refused."""
        if self.run is not None and self.active:
            return self.run.elapsed_us / 1e6
        return None if self.refused else 0.0

    def _iterations_over(self) -> None:
        if self.active and self.run is not None and self.run.scenarios.all_iterate(self.run.settings):
            self._stop("iterations")

    def _permits_over(self) -> None:
        if self.active and self.run is not None:
            after, limit = self.run.elapsed_us / 1e6, self.run.settings.max_requests
            self.run.notes.append(f"the ceiling of {limit:,} exchanges (MOP_MAX_REQUESTS) ended the run after {after:.1f} s")
            self._stop("ceiling")

    def _stop(self, reason: str) -> None:
        assert self.run is not None
        self.run.stopped_by = reason
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
            gevent.sleep(run.arrivals_left())
            run.stopping_us = monotonic_us()
            if self._generator is not None:
                self._generator.leave_time_to_close()
            else:
                self.workers_end.wait(run, self._environment.stop_timeout or 0.0)

    def finish(self) -> None:
        """Judges the run and writes its folder: Locust's `test_stop`. A finished run stays as it is."""
        with self._finishing:
            run = self.run
            if run is not None and not run.finished:
                self._finish(run)

    def _finish(self, run: Run) -> None:
        if self._generator is not None and (last := self._generator.finish()) is not None:
            run.take(last)
        if self._vitals is not None:
            self._vitals.stop()
            self._vitals = None
        run.end()
        gevent.killall(self._timers, block=False)
        if self._watch is not None:
            self._watch.finish()
            self._watch = None
        run.merge.settle()
        run.judge_windows(self.workers_end.is_missing)
        self._hand_on_windows(run, all_of_them=True)
        run.finished = True
        if self.border is not None and (turned_away := self.border.sentence()):
            run.notes.append(turned_away)
        run.stopped_by = run.stopped_by or self._how_it_ended(run)
        self.summary = summary = judged(run, self._name(run))
        summary["run"]["notes"] += self.say_last(summary)
        self._environment.events.mop_verdict.fire(summary=summary)
        path, failures = write_run(Path(run.settings.reports), summary)
        self.folders[path.name] = path
        self._say(summary, path, failures)
        self._end_with(summary["verdict"]["exit_code"])

    def _how_it_ended(self, run: Run) -> str:
        ran = ((run.stopping_us or run.ended_us) - run.started_us) / 1e6
        if self._environment.shape_class is not None and not run.stages:
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

    def refuse(self, code: int) -> None:
        """Notes the code of a run that never began."""
        self._codes.append(code)
        self._environment.process_exit_code = worst(self._codes)

    def _end_with(self, code: int) -> None:
        self.refuse(code)
        if self._environment.parsed_options.headless:
            gevent.spawn(self._runner.quit)  # a master whose workers all died would wait for its run time
