"""A recorder of open load: it hands everything on, and adds how long after its arrival somebody had an answer."""

from __future__ import annotations

import pytest

from mop_locust.client.arrival import SinceArrival
from mop_locust.client.exchange import Tags
from mop_locust.metrics.sample import Sample
from tests.unit.client.memory import Taken


def sample(method: str = "initialize", outcome: str = "ok") -> Sample:
    """An exchange from 1,000 to 1,700 us of the clock."""
    return Sample("calls", "http", method, outcome, 1000, 700)


def test_a_good_answer_is_timed_from_the_intended_beginning_of_its_session() -> None:
    """Each exchange of the session: what somebody who came then waited for it."""
    taken = Taken()
    recorder = SinceArrival(taken)
    recorder.intended_us = 200
    for method in ("initialize", "tools/list", "initialize"):
        recorder.exchange(sample(method), None)

    def place(method: str) -> Tags:
        return (("method", method), ("scenario", "calls"), ("transport", "http"))

    assert taken.trends == [("time_to_answer", place(method), 1500) for method in ("initialize", "tools/list", "initialize")]
    assert [method for method, *_ in taken.ends] == ["initialize", "tools/list", "initialize"]


@pytest.mark.parametrize(
    ("method", "outcome"), [("delete", "ok"), ("close", "ok"), ("initialize", "timeout"), ("ping", "cancelled")]
)
def test_a_goodbye_and_no_answer_are_handed_on_alone(method: str, outcome: str) -> None:
    """After a session nobody waits for anything."""
    taken, error = Taken(), ValueError("x")
    SinceArrival(taken).exchange(sample(method, outcome), error)
    assert (taken.trends, taken.ends, taken.errors) == ([], [(method, outcome, "")], [error])


def test_everything_else_goes_to_the_recorder_behind() -> None:
    """Counters, rates and trends."""
    taken = Taken()
    recorder = SinceArrival(taken)
    recorder.count("a", (), 1, 0)
    recorder.rate("b", (), True, 0)
    recorder.trend("c", (), 2, 0)
    assert (taken.counts, taken.rates, taken.trends) == ([("a", (), 1)], [("b", (), True)], [("c", (), 2)])
