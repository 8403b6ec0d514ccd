"""What a server takes of its machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mop_locust.server_side.usage import Usage, absent, of_cgroup, of_process


@pytest.fixture
def cgroup(tmp_path: Path) -> Path:
    """The files of a cgroup as the kernel writes them."""
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n")
    (tmp_path / "memory.stat").write_text("anon 4096\nfile 1000000\nfile_mapped 8192\n")
    (tmp_path / "pids.current").write_text("7\n")
    return tmp_path


def gone() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_process() -> None:
    """This one: it has used CPU, maps memory, and has this test's file open."""
    process = psutil.Process()
    before = of_process(process)
    with open(os.devnull):
        usage = of_process(process)
    assert (usage.open_files or 0) - (before.open_files or 0) == 1
    assert usage.threads == process.num_threads()
    assert (usage.cpu_seconds or 0) >= (before.cpu_seconds or 0) > 0
    assert (usage.rss_bytes or 0) > 10e6


def test_a_process_that_has_gone() -> None:
    """Is known by nothing, and is no error."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = psutil.Process(child.pid)
    assert of_process(process).threads == 1
    child.communicate(b"\n")
    assert of_process(process) == Usage()


def test_descriptors_that_may_not_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of somebody else's process: the rest is told all the same."""

    def refuse(self: psutil.Process) -> int:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "num_fds", refuse)
    usage = of_process(psutil.Process())
    assert (usage.open_files, usage.threads) == (None, psutil.Process().num_threads())


def test_a_cgroup(cgroup: Path) -> None:
    """CPU in seconds, memory without the file cache, tasks; a controller that is off is not known."""
    assert of_cgroup(cgroup) == Usage(2.5, 12288, None, 7)
    (cgroup / "memory.stat").unlink()
    (cgroup / "pids.current").write_text("max\n")
    assert of_cgroup(cgroup) == Usage(2.5)
    assert of_cgroup(cgroup / "no") == Usage()


def test_a_cgroup_over_a_process(cgroup: Path) -> None:
    """With both given, the descriptors are the process's and the rest the cgroup's."""
    assert of_cgroup(cgroup).over(Usage(1.0, 1.0, 9.0, 1.0)) == Usage(2.5, 12288, 9.0, 7)
    assert Usage().over(Usage(1.0, 2.0, 3.0, 4.0)) == Usage(1.0, 2.0, 3.0, 4.0)


def test_what_is_not_on_this_machine_is_a_mistake(cgroup: Path) -> None:
    """Each with variable, option, value and what is allowed; no word about what is no number, which is told elsewhere."""
    pid = gone()
    assert absent("", "") == absent(f" {os.getpid()} ", str(cgroup)) == absent("x", "") == absent("0", "") == []
    path = cgroup / "no"
    assert absent(str(pid), str(path)) == [
        f"MOP_SERVER_PID (--mop-server-pid): '{pid}' is no process here; allowed: the id of the server's process",
        (
            f"MOP_SERVER_CGROUP (--mop-server-cgroup): '{path}' is no cgroup v2: it has no cpu.stat with usage_usec; "
            "allowed: the folder of one under /sys/fs/cgroup"
        ),
    ]
