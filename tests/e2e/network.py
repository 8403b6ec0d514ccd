"""Hosts of their own on one machine: network namespaces, and between them a wire that delays and loses packets.

The wire is this process: each host has a TUN device whose other end is here. So nothing is asked of the kernel but TUN and
namespaces (`tc netem` is not in every kernel), and nothing outside the namespaces is touched.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
LONGEST_QUEUE = 10_000  # packets


def missing() -> str:
    """What this machine has not, of what such a network needs; "" for nothing."""
    if shutil.which("ip") is None:
        return "ip (iproute2)"
    if os.geteuid() != 0:
        return "root, for network namespaces"
    if not os.path.exists("/dev/net/tun"):
        return "/dev/net/tun"
    probe = f"mopt-{os.getpid()}-probe"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode:
        return "network namespaces"
    subprocess.run(["ip", "netns", "del", probe], check=True)
    return ""


class Network:
    """Named hosts in 10.77.0.0/24, the first has .1; packets take `delay` seconds and are lost with the chance `loss`."""

    def __init__(self, names: Sequence[str], *, delay: float, loss: float) -> None:
        self.address = {name: f"10.77.0.{number}" for number, name in enumerate(names, 1)}
        self._spaces = {name: f"mopt-{os.getpid()}-{name}" for name in names}
        self._delay, self._loss = delay, loss
        self._chance = random.Random(7)
        self._ends: dict[int, bytes] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self.carried = self.lost = 0

    def __enter__(self) -> Self:
        try:
            for name, space in self._spaces.items():
                _ip("netns", "add", space)
                end = inside(space, _open_tun)
                self._ends[end] = bytes(map(int, self.address[name].split(".")))
                _ip("-n", space, "addr", "add", f"{self.address[name]}/24", "dev", "eth0")
                _ip("-n", space, "link", "set", "eth0", "up")
                _ip("-n", space, "link", "set", "lo", "up")
        except BaseException:
            self._take_down()
            raise
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._take_down()

    def _take_down(self) -> None:
        for end in self._ends:
            os.close(end)
        for space in self._spaces.values():
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)

    def at(self, name: str, command: Sequence[str]) -> list[str]:
        """The command, as it is run on a host."""
        return ["ip", "netns", "exec", self._spaces[name], *command]

    def inside(self, name: str, call: Callable[[], T]) -> T:
        """What the call gives when it is made on a host."""
        return inside(self._spaces[name], call)

    def _carry(self) -> None:
        ends = {address: end for end, address in self._ends.items()}
        queue: list[tuple[float, int, int, bytes]] = []
        while not self._over.is_set():
            wait = min(0.05, max(0.0, queue[0][0] - time.monotonic())) if queue else 0.05
            for end in select.select(list(self._ends), [], [], wait)[0]:
                packet = os.read(end, 65536)
                target = ends.get(packet[16:20]) if packet[0] >> 4 == 4 else None
                if target is None:
                    continue  # IPv6 and whatever the hosts ask of nobody
                if self._chance.random() < self._loss or len(queue) >= LONGEST_QUEUE:
                    self.lost += 1
                    continue
                self.carried += 1
                heapq.heappush(queue, (time.monotonic() + self._delay, self.carried, target, packet))
            while queue and queue[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(queue)
                with suppress(OSError):
                    os.write(target, packet)


def inside(space: str, call: Callable[[], T]) -> T:
    """Makes the call in a thread of its own, which has the network of the namespace: that belongs to a thread, not a process."""
    found: list[T] = []
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            with open(f"/var/run/netns/{space}") as handle:
                if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            found.append(call())
        except BaseException as error:
            wrong.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if wrong:
        raise wrong[0]
    return found[0]


def _open_tun() -> int:
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", b"eth0", IFF_TUN | IFF_NO_PI))
    return end


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
