"""What a result was measured on: figures without their machine say nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks.cpu import can_pin

PACKAGES = ("locust", "gevent", "httptools", "msgspec", "geventhttpclient", "requests", "websocket-client", "uvicorn", "uvloop")


def machine() -> dict[str, str]:
    """Processor, cores, memory, kernel, whether processes were pinned, and how busy the machine was before."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _cpu_info("model name") or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{pages / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "pinned": "server on the first core, client on the second" if can_pin() else "no: taskset or a second core is missing",
        "load average before": f"{os.getloadavg()[0]:.2f}",
    }


def versions() -> dict[str, str]:
    """Python and the packages that both sides stand on."""
    return {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def _cpu_info(name: str) -> str:
    file = Path("/proc/cpuinfo")
    if not file.exists():
        return ""
    for line in file.read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return ""
