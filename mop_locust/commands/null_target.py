"""The fastest target that there is here: the embedded server, in a process of its own, without delay or fault."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

END_SECONDS = 5.0


@contextmanager
def null_target() -> Iterator[tuple[str, str]]:
    """Starts it on a free loopback port and ends it; gives its HTTP and WebSocket address. OSError when it does not start."""
    words = [sys.executable, "-m", "mop_locust.server", "--port", "0", "--keep-alive-seconds", "0.1"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}
    # A session of its own: Ctrl-C is for the run, which ends first.
    server = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=kept,
        start_new_session=True,
    )
    try:
        assert server.stdout is not None
        addresses = server.stdout.readline().split()[-2:]
        if len(addresses) < 2:
            raise OSError("the embedded server did not start")
        yield addresses[0], addresses[1]
    finally:
        server.terminate()
        try:
            server.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        assert server.stdout is not None
        server.stdout.close()
