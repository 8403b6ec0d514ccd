"""Shared iterations: given out exactly, taken back from who is lost, finished once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mop_locust.swarm.generating.iterations import IterationStock


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
    stock.lost("lost")
    stock.lost("lost")
    assert [stock.take("s", "other"), stock.take("s", "other")] == [True, True]
    assert stock.take("s", "other") is False
    stock.done("s", "lost")
    stock.done("s", "other")
    assert finished.times == 0
    stock.done("s", "other")
    assert finished.times == 1


def test_what_a_lost_worker_held_is_given_up_when_the_users_were_told_that_none_is_left() -> None:
    """They have stopped: waiting for somebody to take it would idle until the longest duration is over."""
    finished = Finished()
    stock = IterationStock({"s": 2}, finished)
    assert stock.take("s", "lost")
    assert stock.take("s", "other")
    assert stock.take("s", "other") is False
    stock.done("s", "other")
    assert finished.times == 0
    stock.lost("lost")
    stock.lost("lost")
    assert (finished.times, stock.finished) == (1, True)
    assert stock.take("s", "other") is False


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
    """Whoever takes, is done or is lost in whatever order: each is left, held, done or given up, and the end comes once."""
    finished = Finished()
    stock = IterationStock({"s": total}, finished)
    held = dict.fromkeys("abc", 0)
    left, done, given_up = total, 0, 0
    for event, worker in events:
        if event == "t":
            taken = stock.take("s", worker)
            assert taken == (left > 0)
            held[worker] += taken
            left -= taken
        elif event == "d":
            stock.done("s", worker)
            done += held[worker] > 0
            held[worker] = max(0, held[worker] - 1)
        else:
            stock.lost(worker)
            left, given_up = (left + held[worker], given_up) if left else (left, given_up + held[worker])
            held[worker] = 0
        assert done + given_up + left + sum(held.values()) == total
        assert stock.finished == (done + given_up == total)
    for worker, n in held.items():
        for _ in range(n):
            stock.done("s", worker)
    while stock.take("s", "d"):
        stock.done("s", "d")
    assert (finished.times, stock.finished) == (1, True)
