"""Whether the load arrived as ordered: shares that were dropped, arrivals that were nobody's, in words and in the validity."""

from __future__ import annotations

from typing import Any

import pytest

from mop_locust.swarm.judging.arrived import Arrived, arrival_notes, arrived
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.judging.validity import validity
from tests.unit.swarm.runs import SECOND, STARTED_US, Calls, heard, ledger, made_run, word

TAGS = (("scenario", "calls"),)


def ran(came: int, dropped: int = 0, **more: Any) -> Run:
    """A run of 60 s at 10/s to which so many came; their one worker was there to the end."""
    run = made_run(Calls, values={"MOP_ARRIVALS": "10/s"}, **more)
    own = ledger(run)
    own.count("arrivals", TAGS, came, STARTED_US + SECOND)
    own.count("dropped_iterations", TAGS, dropped, STARTED_US + SECOND)
    heard(run, word(own, 60.0))
    return run


def test_a_run_without_open_load_has_nothing_to_tell() -> None:
    """No note, no reason."""
    run = made_run(Calls)
    assert (arrived(run, run.merge.totals()), arrival_notes(run, run.merge.totals())) == ([], [])


def test_all_that_was_ordered_came() -> None:
    """The note is there all the same."""
    run = ran(600)
    assert arrived(run, run.merge.totals()) == [Arrived("calls", 600, 0, 600)]
    assert arrival_notes(run, run.merge.totals()) == ["calls: 600 sessions arrived by a constant clock, 0 of them were dropped"]
    assert validity(run, run.merge.totals()).state == "valid"
    assert Arrived("calls", 0, 0, 0).share == 0


@pytest.mark.parametrize(
    ("dropped", "state", "words"),
    [
        (0, "valid", ""),
        (1, "degraded", "1 of 600 sessions (0.17 %) could not begin (limit 0.1 %"),
        (6, "degraded", "6 of 600 sessions (1.00 %) could not begin (limit 0.1 %"),
        (7, "invalid", "7 of 600 sessions (1.17 %) could not begin (limit 1.0 %"),
    ],
)
def test_what_was_dropped_gates_the_validity(dropped: int, state: str, words: str) -> None:
    """A thousandth reaches into the P99.9, a hundredth into the P99."""
    run = ran(600, dropped)
    found = validity(run, run.merge.totals())
    assert (found.state, len(found.reasons)) == (state, 1 if words else 0)
    for reason in found.reasons:
        assert reason == f"the load of calls did not arrive as ordered: {words}; at most 10,000 users, MOP_MAX_USERS)"


@pytest.mark.parametrize(("came", "words"), [(590, "10 never came"), (603, "3 came twice")])
def test_what_was_nobodys_is_told(came: int, words: str) -> None:
    """The run is incomplete: a part of the load was not there."""
    run = ran(came)
    found = validity(run, run.merge.totals())
    assert (found.state, found.reasons) == ("incomplete", (f"of the 600 arrivals of calls {words}: workers came or went",))


@pytest.mark.parametrize(
    "more",
    [{"finished": False}, {"planned_seconds": None}, {"reset_us": 1}, {"stopping_us": STARTED_US + 59 * SECOND}],
    ids=["goes on", "without end", "reset", "stopped by hand"],
)
def test_where_nobody_can_know_how_many_were_ordered_nothing_is_said(more: dict[str, Any]) -> None:
    """The number holds for a whole run alone."""
    run = ran(590, **more)
    [one] = arrived(run, run.merge.totals())
    assert (one.came, one.ordered) == (590, None)
    assert not [reason for reason in validity(run, run.merge.totals()).reasons if "arrivals" in reason]
