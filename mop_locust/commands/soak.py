"""`mop-locust soak`: all scenarios for a long time, and the verdict on what drifts, of the server and of ourselves."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from mop_locust.commands.compare import refuse
from mop_locust.commands.places import UnknownScenario, find
from mop_locust.commands.run import locust_run
from mop_locust.commands.series import number_mistakes, option_mistakes
from mop_locust.commands.served import NoServer, served
from mop_locust.verdict.exit_codes import CONFIGURATION

DEFAULT_MINUTES = "60"
MOST_MINUTES = 7 * 24 * 60
ENDLESS = "1000000000"  # streams: the event stream users must not be done before the others
TARGETS = ("-H", "--host", "--mop-http-base", "--mop-base-url")
TARGET_VARIABLES = ("MOP_HTTP_BASE", "MOP_BASE_URL", "LOCUST_HOST")
OURS = ("-t", "--run-time", "--mop-drift")


def soak(chosen: argparse.Namespace, scenarios: Sequence[str], options: Sequence[str]) -> int:
    """Runs and returns the run's code, which is 3 when anything drifts; 2 when nothing could be run.

    A target that is named, as an option or a variable, is taken; else a server is started: MOP_SERVER_BIN, or the embedded one.
    """
    minutes = chosen.minutes or os.environ.get("MOP_SOAK_MINUTES") or DEFAULT_MINUTES
    mistakes = _minute_mistakes(minutes) + number_mistakes("--workers", chosen.workers, 0, 1000) + option_mistakes(options, OURS)
    files: list[Path] = []
    try:
        files = find(scenarios or ["mixed"])
    except UnknownScenario as error:
        mistakes.append(str(error))
    if len(files) > 1:
        mistakes.append(f"{' '.join(scenarios)}: a soak takes one locustfile; mixed is the three scenarios at once")
    if mistakes:
        return refuse("soak", "nothing was started", mistakes)
    typed = ["mop-locust", "soak", *scenarios, "--minutes", minutes, "--workers", chosen.workers, *options]
    variables = {"MOP_DRIFT": "1"}
    if "MOP_SSE_ITERATIONS" not in os.environ:
        variables["MOP_SSE_ITERATIONS"] = ENDLESS
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the server as Ctrl-C does
    try:
        with ExitStack() as stack:
            if not _names_a_target(options):
                server = stack.enter_context(served(os.environ.get("MOP_SERVER_BIN", "")))
                print(f"soak: {server.name} at {server.address}, process {server.pid}, for {minutes} minutes", flush=True)
                variables |= server.variables
            words = ["-t", f"{round(float(minutes) * 60)}s", *options]
            return locust_run(files[0], int(chosen.workers), words, typed, None, **variables)
    except NoServer as error:
        return refuse("soak", "nothing was started", [str(error)])
    except KeyboardInterrupt:
        return CONFIGURATION
    finally:
        signal.signal(signal.SIGTERM, before)


def _names_a_target(options: Sequence[str]) -> bool:
    given = {word.partition("=")[0] for word in options} | {word[:2] for word in options if word.startswith("-H")}
    return bool(given.intersection(TARGETS)) or any(os.environ.get(name) for name in TARGET_VARIABLES)


def _minute_mistakes(text: str) -> list[str]:
    try:
        right = 0.1 <= float(text) <= MOST_MINUTES
    except ValueError:
        right = False
    if right:
        return []
    return [f"--minutes (MOP_SOAK_MINUTES): {text!r} is out of range or no number; allowed: minutes from 0.1 to {MOST_MINUTES}"]
