"""What the lock on the link between master and workers costs: messages through Locust's own sockets, plain and locked.

    python -m benchmarks.link [--messages 3000] [--bytes 20000]

A worker and a master stand in one process, so that its CPU is the cost of both ends. 20 KB is a worker's report each second.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import locust.rpc

import mop_locust.swarm  # noqa: F401  # locks what Locust opens
from mop_locust.config import ClusterKey

rpc: Any = locust.rpc  # its methods carry no types

NAMES = ("MOP_CLUSTER_KEY", "MOP_CLUSTER_KEY_FILE")
AHEAD = 100  # messages under way at a time


def measure(messages: int, size: int) -> tuple[float, float]:
    """Returns messages a second, and the microseconds of CPU for one."""
    master = rpc.Server("127.0.0.1", 0)
    worker = rpc.Client("127.0.0.1", master.port, "worker")
    report = rpc.Message("stats", {"mop": os.urandom(size)}, "worker")
    worker.send(report)
    master.recv_from_client()
    began, cpu = time.monotonic(), time.process_time()

    for _ in range(0, messages, AHEAD):
        for _ in range(AHEAD):
            worker.send(report)
        for _ in range(AHEAD):
            master.recv_from_client()
    took, spent = time.monotonic() - began, time.process_time() - cpu
    worker.close(0)
    master.close(0)
    return messages / took, spent / messages * 1e6


def main() -> None:
    """Measures both, one after the other, three times."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.link")
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--bytes", type=int, default=20_000)
    chosen = parser.parse_args()
    for name in NAMES:
        os.environ.pop(name, None)
    for _ in range(3):
        for kind, key in (("plain", ""), ("locked", ClusterKey.new().secret)):
            os.environ["MOP_CLUSTER_KEY"] = key
            rate, cost = measure(chosen.messages, chosen.bytes)
            print(f"{kind:8} {rate:10,.0f} messages a second {cost:8.0f} us CPU a message, both ends")


if __name__ == "__main__":
    main()
