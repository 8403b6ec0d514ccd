"""Exceptions that Locust catches and only logs, in listeners, handlers, greenlets and tasks: each makes the run not green."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from mop_locust.protocol.errors import MopError

MOST_FAULTS = 20  # of one process; further ones are not new evidence
SIGNS = ("Uncaught exception in event handler", "Uncaught exception in handler", "Unhandled exception in greenlet")


class FaultWatch(logging.Handler):
    """Reads Locust's log for caught exceptions and hands each new one on, as one line; the rest above a limit is only counted."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._take = take
        self._known: set[str] = set()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Looks at one record of the log."""
        text = record.getMessage()
        if not text.startswith(SIGNS):
            return
        if record.exc_info is not None and record.exc_info[1] is not None:
            error = record.exc_info[1]
            last = f"{type(error).__name__}: {error}"
        else:
            last = text.strip().splitlines()[-1]
        self._note(f"{text.split(':')[0].lower()}: {last}")

    def task_raised(self, user_instance: Any, exception: BaseException, **_: Any) -> None:
        """Takes an exception that left a task: Locust's `user_error`. A `MopError` is the target's, and counted already."""
        if not isinstance(exception, MopError):
            name = type(getattr(user_instance, "user", user_instance)).__name__
            self._note(f"a task of {name} raised {type(exception).__name__}: {exception}")

    def _note(self, fault: str) -> None:
        self.count += 1
        fault = fault[:300]
        if fault not in self._known and len(self._known) < MOST_FAULTS:
            self._known.add(fault)
            self._take(fault)
