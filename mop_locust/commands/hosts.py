"""`mop-locust master` and `mop-locust worker`: one process each, for a swarm over several hosts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mop_locust.commands.places import UnknownScenario, find
from mop_locust.commands.run import judged, start, wait
from mop_locust.verdict.exit_codes import CONFIGURATION

EVERYTHING = "mixed"  # has the users of every scenario that comes with the suite, so its worker serves any of them


def master(words: Sequence[str]) -> int:
    """Runs a master in the foreground, headless unless `--ui` is given, and returns the code of its run."""
    scenario, options = _scenario(words)
    headless = [] if "--ui" in options else ["--headless", "--only-summary", "--loglevel", "WARNING"]
    locust = _locust("master", scenario)
    if locust is None:
        return CONFIGURATION
    command = [*locust, *headless, "--master", *(word for word in options if word != "--ui")]
    return judged(wait(start(command, ["mop-locust", "master", *words])))


def worker(words: Sequence[str]) -> int:
    """Runs workers of the master at HOST or HOST:PORT in the foreground, and returns the largest of their exit codes.

    `--processes N` makes them N, -1 as many as there are cores. Locust's own option would leave them alone at SIGTERM.
    """
    if not words or words[0].startswith("-"):
        print("mop-locust worker: no master named; mop-locust worker HOST[:PORT] [SCENARIO|FILE] [options]", file=sys.stderr)
        return CONFIGURATION
    host, colon, port = words[0].rpartition(":")
    at = ["--master-host", host, "--master-port", port] if colon and port.isdecimal() else ["--master-host", words[0]]
    scenario, options = _scenario(words[1:])
    locust = _locust("worker", scenario)
    if locust is None:
        return CONFIGURATION
    parser = argparse.ArgumentParser(prog="mop-locust worker", add_help=False, allow_abbrev=False)
    parser.add_argument("--processes", type=int, default=1)
    chosen, rest = parser.parse_known_args(options)
    processes = (os.cpu_count() or 1) if chosen.processes == -1 else chosen.processes
    if processes < 1:
        parser.error(f"argument --processes: {processes} is no number of workers; allowed: 1 or more, or -1 for one a core")
    command = [*locust, "--loglevel", "WARNING", "--worker", *at, *rest]
    return wait(*(start(command, ["mop-locust", "worker", *words]) for _ in range(processes)))


def _scenario(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Returns the scenario, which stands before all options, and the options."""
    return (words[0], words[1:]) if words and not words[0].startswith("-") else (EVERYTHING, words)


def _locust(command: str, scenario: str) -> list[str] | None:
    try:
        [file] = find([scenario])
    except UnknownScenario as error:
        print(f"mop-locust {command}: nothing was started:\n  {error}", file=sys.stderr)
        return None
    except ValueError:
        print(f"mop-locust {command}: nothing was started:\n  a {command} takes one scenario at a time", file=sys.stderr)
        return None
    return [sys.executable, "-m", "locust", "-f", str(file)]
