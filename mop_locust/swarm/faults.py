"""Exceptions that Locust catches and only logs: in listeners, message handlers and greenlets. Each makes the run not green."""

from __future__ import annotations

import logging
from collections.abc import Callable

MOST_FAULTS = 20
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
        self.count += 1
        if record.exc_info is not None and record.exc_info[1] is not None:
            error = record.exc_info[1]
            last = f"{type(error).__name__}: {error}"
        else:
            last = text.strip().splitlines()[-1]
        fault = f"{text.split(':')[0].lower()}: {last}"[:300]
        if fault not in self._known and len(self._known) < MOST_FAULTS:
            self._known.add(fault)
            self._take(fault)
