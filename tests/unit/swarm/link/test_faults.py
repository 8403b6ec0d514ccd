"""Exceptions that Locust only logs."""

from __future__ import annotations

import logging
import sys

import pytest

from mop_locust.swarm.link.faults import MOST_FAULTS, FaultWatch


@pytest.fixture
def faults() -> list[str]:
    """What the watch handed on."""
    return []


def log(watch: FaultWatch, text: str, *, error: Exception | None = None) -> None:
    """One record of Locust's log."""
    info = None
    if error is not None:
        try:
            raise error
        except Exception:
            info = sys.exc_info()
    watch.handle(logging.LogRecord("locust", logging.ERROR, "x.py", 1, text, None, info))


def test_a_caught_exception_is_handed_on_as_one_line(faults: list[str]) -> None:
    """Where it was caught and what it was: from the record, or from the last line of the traceback in its text."""
    watch = FaultWatch(faults.append)
    log(watch, "Uncaught exception in event handler: \nTraceback (most recent call last):\n  ...\nKeyError: 'x'\n")
    log(watch, "Unhandled exception in greenlet: <Greenlet at 0x1>", error=ValueError("no"))
    assert faults == ["uncaught exception in event handler: KeyError: 'x'", "unhandled exception in greenlet: ValueError: no"]


def test_other_errors_of_the_log_are_none(faults: list[str]) -> None:
    """Only what Locust caught in a place of its own."""
    watch = FaultWatch(faults.append)
    log(watch, "Connection to the master was lost")
    log(watch, "something said: Uncaught exception in event handler")
    assert (faults, watch.count) == ([], 0)


def test_the_same_fault_is_handed_on_once_and_many_are_bounded(faults: list[str]) -> None:
    """All are counted."""
    watch = FaultWatch(faults.append)
    for number in range(50):
        for _ in range(2):
            log(watch, "Uncaught exception in handler: x", error=ValueError(str(number)))
    assert len(faults) == MOST_FAULTS
    assert faults[0] == "uncaught exception in handler: ValueError: 0"
    assert watch.count == 100
