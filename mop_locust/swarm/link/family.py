"""The child processes of `--processes`: none outlives its parent, whatever ended that."""

from __future__ import annotations

import atexit
import contextlib
import time

import psutil

LEAVE_SECONDS, TERM_SECONDS = 3.0, 12.0  # to leave by themselves; to close their sessions after SIGTERM


def end_children_at_exit() -> None:
    """Ends the children that are still there when this process exits.

    Locust's own way takes a child that still runs for one that is gone. It runs after this one and reaps what ended here, so
    nothing is reaped here.
    """
    parent = psutil.Process().pid

    def end() -> None:
        if psutil.Process().pid != parent:
            return
        children = psutil.Process().children()
        if _gone(children, LEAVE_SECONDS):
            return
        for child in _running(children):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.terminate()
        if _gone(children, TERM_SECONDS):
            return
        for child in _running(children):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    atexit.register(end)


def _running(children: list[psutil.Process]) -> list[psutil.Process]:
    return [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def _gone(children: list[psutil.Process], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while _running(children):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
