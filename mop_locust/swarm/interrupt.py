"""Ctrl-C without a torn exchange: Python would raise KeyboardInterrupt inside whatever user happens to run."""

from __future__ import annotations

import signal
from collections.abc import Callable

import gevent


def on_interrupt(end: Callable[[], None]) -> None:
    """Calls `end` in a greenlet of its own at the first SIGINT; the next ones change nothing, since `end` is bounded in time."""
    begun = False

    def interrupt() -> None:
        nonlocal begun
        if not begun:
            begun = True
            end()

    gevent.signal_handler(signal.SIGINT, interrupt)


def leave(code: int) -> None:
    """Ends the process from any greenlet: the main one exits with `code`."""
    gevent.get_hub().handle_system_error(SystemExit, SystemExit(code))


def leave_as_interrupted() -> None:
    """Lets Locust's main end as at Ctrl-C, with its own shutdown."""
    gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())
