"""A deadline is one moment, whoever asks."""

from __future__ import annotations

import time

import gevent
import pytest

from mop_locust.protocol.errors import ExchangeTimeout
from mop_locust.transports.deadline import Deadline


def test_after_counts_from_now() -> None:
    """The moment is the given seconds away, and what remains is at most that."""
    before = time.monotonic()
    deadline = Deadline.after(10)
    assert before + 10 <= deadline.at <= time.monotonic() + 10
    assert 9 < deadline.remaining() <= 10
    assert repr(Deadline.after(-5)).startswith("<Deadline in -5.0")


@pytest.mark.parametrize("at", [0.0, time.monotonic()])
def test_nothing_remains_past_it(at: float) -> None:
    """Past the deadline `remaining` raises, with the label of what was waited for."""
    with pytest.raises(ExchangeTimeout) as caught:
        Deadline(at).remaining("close frame")
    assert caught.value.label == "close frame"


def test_sooner_is_the_earlier_of_both() -> None:
    """A shorter wait is cut from the whole, a longer one is not granted."""
    deadline = Deadline.after(10)
    assert deadline.sooner(100).at == deadline.at
    assert deadline.sooner(1).at < deadline.at - 8


def test_enforced_leaves_the_block() -> None:
    """A block that waits too long is left with ExchangeTimeout; one that does not is untouched."""
    with pytest.raises(ExchangeTimeout, match="no event"), Deadline.after(0.02).enforced("no event"):
        gevent.sleep(5)
    with Deadline.after(5).enforced():
        gevent.sleep(0)


def test_enforced_does_not_begin_past_the_deadline() -> None:
    """A block is not entered when no time is left."""
    with pytest.raises(ExchangeTimeout, match="no answer"), Deadline(0.0).enforced():
        raise AssertionError("entered")
