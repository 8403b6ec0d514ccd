"""Shared iterations: given out exactly, taken back from who is lost, finished once."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.swarm import iterations
from mop_locust.swarm.iterations import ASK, DONE, IterationAsker, IterationStock


class Finished:
    """Counts how often the stock says that it is over."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def test_exactly_so_many_are_given_out_and_the_end_is_said_once() -> None:
    """Two workers share three; the end comes with the last that is done, not with the last that is taken."""
    finished = Finished()
    stock = IterationStock({"s": 3}, finished)
    assert [stock.take("s", worker) for worker in ("a", "b", "a", "b")] == [True, True, True, False]
    for worker in ("a", "b"):
        stock.done("s", worker)
    assert (finished.times, stock.finished) == (0, False)
    stock.done("s", "a")
    assert (finished.times, stock.finished) == (1, True)
    stock.done("s", "a")
    assert finished.times == 1


def test_a_scenario_without_shared_iterations_has_none_to_give() -> None:
    """And what nobody took cannot be done."""
    stock = IterationStock({"s": 1}, Finished())
    assert stock.take("other", "a") is False
    stock.done("s", "a")
    assert stock.finished is False
    assert stock.take("s", "a") is True


def test_what_a_lost_worker_held_goes_back() -> None:
    """Another worker does it; the lost one's own word, should it still come, counts no more."""
    finished = Finished()
    stock = IterationStock({"s": 2}, finished)
    assert stock.take("s", "lost")
    assert stock.take("s", "lost")
    stock.done("s", "lost")
    assert stock.take("s", "other") is False
    stock.lost("lost")
    stock.lost("lost")
    assert [stock.take("s", "other"), stock.take("s", "other")] == [True, False]
    stock.done("s", "lost")
    assert finished.times == 0
    stock.done("s", "other")
    assert finished.times == 1


def test_the_end_waits_for_all_scenarios() -> None:
    """Each has a number of its own."""
    finished = Finished()
    stock = IterationStock({"s": 1, "t": 1}, finished)
    assert stock.take("s", "a")
    assert stock.take("t", "a")
    stock.done("s", "a")
    assert (finished.times, stock.finished) == (0, False)
    stock.done("t", "a")
    assert (finished.times, stock.finished) == (1, True)


@given(st.integers(1, 12), st.lists(st.tuples(st.sampled_from("tdl"), st.sampled_from("abc")), max_size=80))
def test_no_order_of_events_gives_out_too_many(total: int, events: list[tuple[str, str]]) -> None:
    """Whoever takes, is done or is lost in whatever order: done is at most the total, and what is left can all be done."""
    finished = Finished()
    stock = IterationStock({"s": total}, finished)
    held = dict.fromkeys("abc", 0)
    done = 0
    for event, worker in events:
        if event == "t":
            held[worker] += stock.take("s", worker)
        elif event == "d":
            stock.done("s", worker)
            done += held[worker] > 0
            held[worker] = max(0, held[worker] - 1)
        else:
            stock.lost(worker)
            held[worker] = 0
        assert done + sum(held.values()) <= total
    for worker in held:
        stock.lost(worker)
    rest = 0
    while stock.take("s", "d"):
        stock.done("s", "d")
        rest += 1
    assert done + rest == total
    assert (finished.times, stock.finished) == (1, True)


class Post:
    """A runner whose messages are kept."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    def send_message(self, kind: str, data: Any) -> None:
        """Keeps a message."""
        self.sent.append((kind, data))


def test_a_worker_asks_the_master_for_each_and_tells_when_it_is_done() -> None:
    """Answers are matched by number, in whatever order they come; one that nobody waits for changes nothing."""
    post = Post()
    asker = IterationAsker(post)
    first, second = gevent.spawn(asker.take, "s"), gevent.spawn(asker.take, "s")
    gevent.sleep(0)
    asker.given(2, False)
    asker.given(99, True)
    asker.given(1, True)
    gevent.joinall([first, second], timeout=5)
    assert (first.value, second.value) == (True, False)
    asker.done("s")
    assert post.sent == [
        (ASK, {"scenario": "s", "number": 1}),
        (ASK, {"scenario": "s", "number": 2}),
        (DONE, {"scenario": "s"}),
    ]


def test_a_master_that_does_not_answer_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user ends instead of waiting for ever; an answer that comes too late is nobody's."""
    monkeypatch.setattr(iterations, "ANSWER_SECONDS", 0.01)
    asker = IterationAsker(Post())
    assert asker.take("s") is False
    asker.given(1, True)
