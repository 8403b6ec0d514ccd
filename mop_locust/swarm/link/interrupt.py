"""Ctrl-C without a torn exchange: Python would raise KeyboardInterrupt inside whatever user happens to run."""

from __future__ import annotations

import atexit
import signal
from collections.abc import Callable
from typing import Any

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
    # Python gives SIGINT its default back before it takes itself down: one that came then would kill, whatever the exit code.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def leave(code: int) -> None:
    """Ends the process from any greenlet: the main one exits with `code`."""
    gevent.get_hub().handle_system_error(SystemExit, SystemExit(code))


def shut_down_once(events: Any) -> Callable[[], None]:
    """Lets only the first of Locust's shutdowns run: SIGTERM starts one in a greenlet, and again each time it comes.

    The others wait for its exit, which ends the process. Call it last: `quitting` runs its listeners from the last to the first.
    Returns what lets Locust's main end as at Ctrl-C; it does nothing once main is on its way, where nobody would catch it.
    """
    begun = False

    def gate(**_: Any) -> None:
        nonlocal begun
        if begun:
            gevent.get_hub().switch()  # never comes back: the exit of the first ends the process
        begun = True

    def leave_as_interrupted() -> None:
        if not begun:
            gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())

    events.quitting.add_listener(gate)
    return leave_as_interrupted
