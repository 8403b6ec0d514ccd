"""What the server takes of its machine: the figures of a process, or of a cgroup (v2)."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """One reading: seconds of CPU since the beginning, bytes, numbers; None where it cannot be known."""

    cpu_seconds: float | None = None
    rss_bytes: float | None = None
    open_files: float | None = None
    threads: float | None = None

    def over(self, other: Usage) -> Usage:
        """Returns this reading, with the other's figures where this one has none."""
        return Usage(
            other.cpu_seconds if self.cpu_seconds is None else self.cpu_seconds,
            other.rss_bytes if self.rss_bytes is None else self.rss_bytes,
            other.open_files if self.open_files is None else self.open_files,
            other.threads if self.threads is None else self.threads,
        )


def of_process(process: psutil.Process) -> Usage:
    """Returns the usage of one process without its children; all None once it is gone or another has its id."""
    if not process.is_running():
        return Usage()
    cpu = rss = files = threads = None
    with suppress(psutil.Error, OSError):
        times = process.cpu_times()
        cpu, rss = times.user + times.system, float(process.memory_info().rss)
        threads = float(process.num_threads())
    with suppress(psutil.Error, OSError):  # the descriptors of somebody else's process are not shown
        files = float(process.num_fds())
    return Usage(cpu, rss, files, threads)


def of_cgroup(folder: Path) -> Usage:
    """Returns the usage of everything in a cgroup: memory is what processes map, not the file cache; it knows no descriptors."""
    microseconds = _table(folder / "cpu.stat").get("usage_usec")
    memory = _table(folder / "memory.stat")
    threads = None
    with suppress(OSError, ValueError):
        threads = float((folder / "pids.current").read_text())
    return Usage(
        None if microseconds is None else microseconds / 1e6,
        float(memory["anon"] + memory.get("file_mapped", 0)) if "anon" in memory else None,
        None,
        threads,
    )


def absent(pid: str, cgroup: str) -> list[str]:
    """Returns a mistake for a process and a cgroup that are not on this machine; what is no id at all is told elsewhere."""
    mistakes = []
    if re.fullmatch(r"\s*[1-9][0-9]{0,6}\s*", pid) and not psutil.pid_exists(int(pid)):
        mistakes.append(
            f"MOP_SERVER_PID (--mop-server-pid): {pid.strip()!r} is no process here; allowed: the id of the server's process"
        )
    if cgroup and "usage_usec" not in _table(Path(cgroup) / "cpu.stat"):
        mistakes.append(
            f"MOP_SERVER_CGROUP (--mop-server-cgroup): {cgroup!r} is no cgroup v2: it has no cpu.stat with usage_usec; "
            "allowed: the folder of one under /sys/fs/cgroup"
        )
    return mistakes


def _table(file: Path) -> dict[str, int]:
    """Returns a file of lines `name number`; empty when it cannot be read."""
    try:
        rows = [line.split() for line in file.read_text().splitlines()]
        return {row[0]: int(row[1]) for row in rows if len(row) == 2}
    except (OSError, ValueError):
        return {}
