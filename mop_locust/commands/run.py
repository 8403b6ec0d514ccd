"""`mop-locust run`: starts Locust for each scenario, with workers on free loopback ports, and ends with the worst code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from mop_locust.commands.places import UnknownScenario, find
from mop_locust.verdict.exit_codes import CONFIGURATION, ExitCode, worst

OURS = "_MOP_LOCUST_RUN"
TYPED = "_MOP_LOCUST_COMMAND"  # as in `mop_locust.swarm.judging.provenance`, which imports too much to be imported here
TARGET_OPTIONS = ("-H", "--host", "--mop-base-url")
TARGET_VARIABLES = ("MOP_BASE_URL", "LOCUST_HOST")
WORKER_SECONDS = 15.0  # for a worker to leave after its master has


def wants_servers(scenarios: Sequence[str], options: Sequence[str]) -> bool:
    """Whether a run of these scenarios is one of the mission scenario alone, without a target."""
    asked = [Path(name).stem if name.endswith(".py") else name for name in scenarios]
    given = {word.partition("=")[0] for word in options} | {word[:2] for word in options if word.startswith("-H")}
    return asked == ["mission"] and not given.intersection(TARGET_OPTIONS) and not any(map(os.environ.get, TARGET_VARIABLES))


def run_scenarios(scenarios: Sequence[str], workers: str, options: Sequence[str]) -> int:
    """Runs the scenarios one after the other and returns the worst of their exit codes."""
    mistakes = []
    if not workers.isdecimal() or int(workers) > 1000:
        mistakes.append(f"--workers: {workers!r} is not a number of workers; allowed: a whole number from 0 to 1000")
    files: list[Path] = []
    try:
        files = find(scenarios)
    except UnknownScenario as error:
        mistakes.append(str(error))
    if mistakes:
        print("mop-locust run: nothing was started:\n" + "\n".join(f"  {mistake}" for mistake in mistakes), file=sys.stderr)
        return CONFIGURATION
    codes = []
    for file in files:
        codes.append(_run(file, int(workers), options))
        if codes[-1] == CONFIGURATION:
            break  # what the user gave wrong is as wrong for the next one
    return worst(codes)


def _run(file: Path, workers: int, options: Sequence[str]) -> int:
    """Runs one scenario; what it and its workers write goes where this process writes."""
    typed = ["mop-locust", "run", str(file), *(["--workers", str(workers)] if workers else []), *options]
    return locust_run(file, workers, options, typed)


def locust_run(
    file: Path, workers: int, options: Sequence[str], typed: Sequence[str], output: IO[bytes] | None = None, **variables: str
) -> int:
    """Starts Locust on a locustfile, with workers, and returns its code; `typed` is the command that the manifest shows.

    What they print goes to `output`, or where this process prints. An empty variable is taken out of their environment.
    """

    def begin(command: Sequence[str]) -> subprocess.Popen[bytes]:
        return start(command, typed, output, **variables)

    locust = [sys.executable, "-m", "locust", "-f", str(file)]
    headless = [*locust, "--headless", "--only-summary", "--loglevel", "WARNING", *options]
    if not workers:
        return judged(wait(begin(headless)))
    port = str(_free_port())
    master = begin(
        [*headless, "--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", str(workers)]
    )
    worker = [*locust, "--loglevel", "WARNING", "--worker", "--master-host", "127.0.0.1", "--master-port", port]
    started = [begin(worker) for _ in range(workers)]
    try:
        code = judged(wait(master))
        if code == CONFIGURATION:
            for process in started:
                process.terminate()  # they may never have met their master
        return code
    finally:
        for process in started:
            _end(process)


def judged(code: int) -> int:
    """Returns the code of a process; one that is none of ours, such as Locust's own 1, means that nothing was judged."""
    return code if code in tuple(ExitCode) else CONFIGURATION


def start(
    command: Sequence[str], typed: Sequence[str], output: IO[bytes] | None = None, **variables: str
) -> subprocess.Popen[bytes]:
    """Starts a process of Locust that knows that we lead it, and by which command; the rest as for `locust_run`."""
    environment = {**os.environ, OURS: "1", TYPED: json.dumps(list(typed)), **variables}
    environment = {name: value for name, value in environment.items() if value or name not in variables}
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output)


def wait(*processes: subprocess.Popen[bytes]) -> int:
    """Waits for processes, returns the largest of their codes, and hands SIGINT and SIGTERM on to them.

    Each ends its run in good order, and then itself. At a terminal Ctrl-C reaches it twice; the second one changes nothing there.
    """

    def hand_on(number: int, _: object) -> None:
        for process in processes:
            process.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        codes = [process.wait() for process in processes]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return max(code if code >= 0 else 128 - code for code in codes)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Waits for a worker, which its master has told to quit, and ends it when it does not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            process.wait(WORKER_SECONDS)
            return
        except subprocess.TimeoutExpired:
            process.send_signal(number)
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
