"""CPU time of a client: a command run to its end on one core, and what the kernel says it took."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

SERVER_CORE, CLIENT_CORE = 0, 1


class Spent(msgspec.Struct, frozen=True):
    """How a command ended and what it took: `cpu` is user and system time of it and of all its children, in seconds.

    `system` is the part that the kernel worked for it.
    """

    exit_code: int
    cpu: float
    system: float
    wall: float
    output: str


def can_pin() -> bool:
    """Whether processes can be bound to two different cores here."""
    return shutil.which("taskset") is not None and len(os.sched_getaffinity(0)) > 1


def pinned(command: Sequence[str], core: int) -> list[str]:
    """The command bound to the first (0) or second (1) core that this process may use; as it is where that cannot be."""
    if not can_pin():
        return list(command)
    return ["taskset", "-c", str(sorted(os.sched_getaffinity(0))[core]), *command]


def spend(command: Sequence[str], variables: Mapping[str, str], folder: Path, most_seconds: float) -> Spent:
    """Runs a command on the client's core and returns what it took; one that takes too long is killed, with code -9.

    `variables` is the whole environment, `folder` the working directory. The time is that of `wait4`: the process and the
    children that it waited for.
    """
    log = folder / "output.log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned(command, CLIENT_CORE),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(variables),
            cwd=folder,
        )
    try:
        _wait(process.pid, most_seconds)
    finally:
        # Ended or not, nobody waited for this child yet: the id is its own. (Popen's own way to send a signal would wait for it.)
        os.kill(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    return Spent(process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_stime, wall, log.read_text(errors="replace"))


def _wait(pid: int, seconds: float) -> None:
    """Waits for the end of a child without reaping it."""
    handle = os.pidfd_open(pid)
    try:
        select.select([handle], [], [], seconds)
    finally:
        os.close(handle)
