"""Delivery within bounds: in order, counted, retried, given up, never in the way."""

from __future__ import annotations

import gevent
import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from mop_locust.exporters import sink as sinks
from mop_locust.exporters.sink import NO_ANSWER, Sink, WriteError, close_all, post, unreachable
from tests.e2e.observers import closed_port, sink


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses and tries."""
    monkeypatch.setattr(sinks, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(sinks, "ATTEMPT_SECONDS", 0.05)


class Place:
    """Takes what is written, after as many failures as it is told to have; `hangs` never takes anything."""

    def __init__(self, *failures: Exception, hangs: bool = False) -> None:
        self.failures = list(failures)
        self.hangs = hangs
        self.tries = 0
        self.taken: list[int] = []

    def write(self, batch: int) -> None:
        """Takes one."""
        self.tries += 1
        if self.hangs:
            gevent.sleep(60)
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(batch)


def test_what_is_offered_arrives_in_its_order() -> None:
    """And there is nothing to say of it."""
    place = Place()
    sink = Sink("here", place.write)
    for batch in range(5):
        sink.offer(batch)
    assert close_all([sink], 5.0) == []
    assert (place.taken, sink.offered, sink.written) == ([0, 1, 2, 3, 4], 5, 5)


def test_a_sink_of_which_nothing_was_wanted_ends_at_once() -> None:
    """No wait."""
    assert close_all([Sink("here", Place().write)], 60.0) == []


def test_a_write_is_tried_three_times() -> None:
    """The third one helps."""
    place = Place(WriteError("HTTP 503", again=True), WriteError("HTTP 503", again=True))
    sink = Sink("here", place.write)
    sink.offer(1)
    assert close_all([sink], 5.0) == []
    assert (place.taken, place.tries) == ([1], 3)


def test_a_place_that_fails_gets_one_try_a_batch_until_it_takes_one() -> None:
    """Three for the first, one for the second; the third arrives."""
    place = Place(*(WriteError("HTTP 503", again=True) for _ in range(4)))
    sink = Sink("here", place.write)
    for batch in range(3):
        sink.offer(batch)
    assert close_all([sink], 5.0) == ["here: 2 of 3 writes failed: HTTP 503"]
    assert (place.taken, place.tries) == ([2], 5)


def test_what_another_try_cannot_help_is_not_tried_again() -> None:
    """A refused token, for example; and a fault of ours is called one."""
    place = Place(WriteError("HTTP 401", again=False), ValueError("odd"))
    sink = Sink("here", place.write)
    sink.offer(0)
    sink.offer(1)
    assert close_all([sink], 5.0) == ["here: 2 of 2 writes failed: a fault of mop-locust: ValueError: odd"]
    assert place.tries == 2


def test_a_place_that_hangs_is_left() -> None:
    """Each try is cut off, and so is the wait at the end."""
    place = Place(hangs=True)
    sink = Sink("here", place.write)
    sink.offer(0)
    assert close_all([sink], 5.0) == [f"here: 1 of 1 writes failed: {NO_ANSWER}"]
    assert place.tries == 3
    late = Sink("there", Place(hangs=True).write)
    late.offer(0)
    assert close_all([late], 0.01) == ["there: 1 of 1 writes failed: there was no time left"]


def test_what_waits_is_bounded_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is counted."""
    monkeypatch.setattr(sinks, "MOST_WAITING", 2)
    place = Place()
    sink = Sink("here", place.write)
    for batch in range(5):
        sink.offer(batch)
    assert close_all([sink], 5.0) == ["here: 3 of 5 writes failed: there was no time left"]
    assert place.taken == [3, 4]


def test_the_newest_stands_for_all_where_it_holds_them() -> None:
    """Nothing is lost by that."""
    place = Place()
    sink = Sink("here", place.write, newest_only=True)
    for batch in range(5):
        sink.offer(batch)
    assert close_all([sink], 5.0) == []
    assert (place.taken, sink.offered, sink.written) == ([4], 1, 1)


@pytest.mark.parametrize(("status", "again"), [(400, False), (404, False), (429, True), (500, True), (503, True), (302, False)])
def test_an_answer_that_is_no_success_is_a_failure(status: int, again: bool) -> None:
    """Only what may pass is worth another try."""
    with sink(status) as (url, bodies), pytest.raises(WriteError, match=f"^HTTP {status}$") as caught:
        post(requests.Session(), url, b"line", {})
    assert caught.value.again is again
    assert bodies == [b"line"]


def test_a_success_is_one() -> None:
    """204 is what InfluxDB says."""
    with sink(204) as (url, bodies):
        post(requests.Session(), url, b"line", {})
    assert bodies == [b"line"]


def test_a_place_that_is_not_there_is_named_by_its_reason_without_its_address() -> None:
    """The address can hold what is secret."""
    with pytest.raises(WriteError, match=r"^Connection refused$") as caught:
        post(requests.Session(), f"{closed_port()}/?secret=CANARY", b"", {})
    assert caught.value.again
    with sink(None) as (url, _), pytest.raises(WriteError, match=f"^{NO_ANSWER}$"):
        post(requests.Session(), url, b"", {})


def test_the_reason_of_an_error_is_the_innermost() -> None:
    """Where there is none, the kind of error."""
    refused = NewConnectionError(None, "Failed: [Errno 111]")  # type: ignore[arg-type]
    refused.__cause__ = OSError(111, "Connection refused")
    assert unreachable(requests.ConnectionError(MaxRetryError(None, "/?secret", refused))) == "Connection refused"  # type: ignore[arg-type]
    assert unreachable(requests.exceptions.InvalidHeader("CANARY")) == "InvalidHeader"
