"""`mop-locust capacity`: the highest rate of arrivals that a server holds."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from mop_locust.capacity.ceiling import Ceiling, read_ceiling
from mop_locust.capacity.page import page
from mop_locust.capacity.result import Capacity, about, conclude, rate_text
from mop_locust.capacity.search import Answer, Plan, Search
from mop_locust.capacity.step import Step, read_step
from mop_locust.capacity.words import WORDS, markdown_text, table
from mop_locust.commands.compare import refuse
from mop_locust.commands.places import UnknownScenario, find
from mop_locust.commands.series import NoSummary, Series, number_mistakes, option_mistakes
from mop_locust.commands.served import served
from mop_locust.config.table import SETTINGS
from mop_locust.report import figures
from mop_locust.report.document import SummaryDocument
from mop_locust.report.folder import RunFolder
from mop_locust.report.text import plain
from mop_locust.verdict.exit_codes import CONFIGURATION, ExitCode

SET_HERE = ("-t", "--run-time", "--mop-reports", "--mop-arrivals", "--mop-stages", "--arrivals", "--stages")
MOST_RATE = 1_000_000.0
EXTRA_SECONDS = 12.0  # of a step beside its load: processes that start, sessions that end
NULL_RUNS = 2
NULL_SHARE = 0.5  # of the ceiling by the first run: the load of the second one
REST_SECONDS = 2.0  # for a server that did not hold a rate to get over it


class _TargetGone(Exception):
    """The target did not answer before a step; the text says how."""


def capacity(chosen: argparse.Namespace, options: Sequence[str]) -> int:
    """Searches, prints and writes; returns 0 when the rate is known, 3 when none holds, 4 when it is not known."""
    mistakes = _mistakes(chosen, options)
    files: list[Path] = []
    try:
        files = find([chosen.scenario])
    except UnknownScenario as error:
        mistakes.append(str(error))
    if len(files) > 1:
        mistakes.append(f"{chosen.scenario} is several scenarios; allowed: one")
    if mistakes:
        return refuse("capacity", "nothing was started", mistakes)
    plan = Plan(chosen.first, chosen.last, chosen.resolution)
    try:
        reports = Path(chosen.mop_reports or os.environ.get("MOP_REPORTS") or "reports")
        folder = RunFolder.create(reports, f"capacity-{files[0].stem}", datetime.now(UTC)).path
    except OSError as error:
        return refuse("capacity", "nothing was started", [f"no folder could be made: {error.strerror or error}"])
    seconds = int(chosen.step_seconds)
    series = Series(folder, int(chosen.workers), [*options, "-t", f"{seconds}s"])
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # between two runs too it ends what was started
    try:
        found = _Rig(series, files[0], seconds).search(plan, int(chosen.workers))
    except NoSummary as error:
        print("no summary", flush=True)
        refuse("capacity", f"not found; what was run lies in {folder}", [str(error)])
        return error.code if error.code in tuple(ExitCode) and error.code else CONFIGURATION
    except KeyboardInterrupt:
        return refuse("capacity", f"not found; what was run lies in {folder}", ["stopped by hand"])
    except OSError as error:
        return refuse("capacity", "not found", [str(error)])
    finally:
        signal.signal(signal.SIGTERM, before)
    (folder / "capacity.json").write_bytes(found.to_json())
    (folder / "capacity.md").write_text(markdown_text(found))
    (folder / "capacity.html").write_text(page(found))
    print(f"\n{table(found)}\n{folder / 'capacity.html'}", flush=True)
    return found.exit_code


class _Rig:
    """Runs the steps of a search, each as `mop-locust run` would, and tells them one line each."""

    def __init__(self, series: Series, file: Path, seconds: int) -> None:
        self._series = series
        self._file = file
        self._seconds = seconds
        self._step_seconds = seconds + EXTRA_SECONDS

    def search(self, plan: Plan, workers: int) -> Capacity:
        """Looks at the generator by itself and then at the target; NoSummary, and OSError when the embedded server fails."""
        began, most_seconds = time.monotonic(), (plan.most_steps + NULL_RUNS) * self._step_seconds
        print(
            f"capacity   {self._file.stem}   from {rate_text(plan.first)} to {rate_text(plan.last)}   "
            f"at most {plan.most_steps} steps of {figures.span(self._seconds)}, {figures.span(most_seconds)} at most\n",
            flush=True,
        )
        ceiling = self._ceiling(plan)
        search, steps, gone = Search(plan), list[Step](), ""
        targets: list[str] = []
        while search.rate is not None and time.monotonic() - began + self._step_seconds <= most_seconds:
            if steps and steps[-1].why:
                time.sleep(REST_SECONDS)
            try:
                step, targets = self._step(search.rate, steps)
            except _TargetGone as error:
                gone = str(error)
                break
            steps.append(step)
            search.tell(step.answer)
        return conclude(
            search,
            steps,
            scenario=self._file.stem,
            targets=targets,
            workers=workers,
            step_seconds=self._seconds,
            ceiling=ceiling,
            gone=gone,
        )

    def _step(self, rate: float, steps: Sequence[Step]) -> tuple[Step, list[str]]:
        print(f"  {rate_text(rate):>10}   ", end="", flush=True)
        run, summary = self._run(rate, "steps")
        if summary["preflight"]["state"] == "failed":
            print("no answer", flush=True)
            raise _TargetGone(plain((summary["preflight"]["findings"] or ["the preflight failed"])[-1]))
        calm = next((step.mean_ms for step in steps if step.answer is Answer.HELD), None)
        step = read_step(rate, run, summary, calm)
        p95 = figures.duration(step.intended.p95 if step.intended else None)
        print(f"{WORDS[step.answer]:<9}   P95 {p95:>7}   {plain(step.why, 100)}".rstrip(), flush=True)
        return step, [url for url in summary["run"]["target"].values() if isinstance(url, str)]

    def _ceiling(self, plan: Plan) -> Ceiling | None:
        """The generator's own ceiling: a look at the lowest rate, and if need be a better one at half of what that promises."""
        with served("", "--keep-alive-seconds", "0.1") as server:
            found, rate = None, plan.first
            for _ in range(NULL_RUNS):
                print(f"  {rate_text(rate):>10}   against the embedded server   ", end="", flush=True)
                # The options stand last, so that they win; the target's key is not for this server.
                where = ["--mop-http-base", server.http, "--mop-base-url", server.websocket]
                run, summary = self._run(rate, "null", where, MOP_API_KEY="", MOP_API_KEY_FILE="", MOP_SERVER_PID="")
                found = read_ceiling(run, summary, _cpu_limit(summary)) or found
                text = f"the generator's own ceiling is {about(found.rate)}" if found else "shows no ceiling"
                print(text, flush=True)
                if found is None or not rate < NULL_SHARE * found.rate < plan.last:
                    break
                rate = round(NULL_SHARE * found.rate, 1)
        return found

    def _run(self, rate: float, into: str, options: Sequence[str] = (), **variables: str) -> tuple[str, SummaryDocument]:
        arrivals = f"{rate:.6f}".rstrip("0").rstrip(".") + "/s"
        path, summary = self._series.run(self._file, into, options, MOP_ARRIVALS=arrivals, MOP_STAGES="", **variables)
        return path.relative_to(self._series.folder).as_posix(), summary


def _cpu_limit(summary: SummaryDocument) -> float:
    default = next(setting.default for setting in SETTINGS if setting.name == "MOP_MAX_CPU_PERCENT")
    return float(str(summary["run"]["options"].get("MOP_MAX_CPU_PERCENT", default)))


def _mistakes(chosen: argparse.Namespace, options: Sequence[str]) -> list[str]:
    mistakes = option_mistakes(options, SET_HERE)
    for option, value in (("--from", chosen.first), ("--to", chosen.last)):
        if not 0.1 <= value <= MOST_RATE:
            mistakes.append(f"{option}: {value:g} is out of range; allowed: a rate a second from 0.1 to {MOST_RATE:,.0f}")
    if chosen.first > chosen.last:
        mistakes.append(f"--from: {chosen.first:g} is above --to ({chosen.last:g})")
    if not 0.01 <= chosen.resolution <= 0.5:
        mistakes.append(f"--resolution: {chosen.resolution:g} is out of range; allowed: a number from 0.01 to 0.5")
    mistakes += number_mistakes("--step-seconds", chosen.step_seconds, 2, 3600)
    return mistakes + number_mistakes("--workers", chosen.workers, 0, 1000)
