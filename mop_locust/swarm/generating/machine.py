"""The machine that a process runs on, with the limits that a load generator meets."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
from pathlib import Path

import psutil

from mop_locust.report.provenance import Machine


def machine() -> Machine:
    """Returns this machine, and the limits of this process."""
    soft, hard = (None if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
    return {
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "cpu": _cpu(Path("/proc/cpuinfo")),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "nofile_soft": soft,
        "nofile_hard": hard,
        "ephemeral_ports": _ports(Path("/proc/sys/net/ipv4/ip_local_port_range")),
    }


def _cpu(file: Path) -> str:
    with contextlib.suppress(OSError):
        for line in file.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model", "cpu model"):
                return value.strip()
    return platform.processor()


def _ports(file: Path) -> list[int]:
    with contextlib.suppress(OSError, ValueError):
        return [int(word) for word in file.read_text().split()]
    return []
