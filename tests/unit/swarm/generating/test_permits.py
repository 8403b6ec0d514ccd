"""Permits: as many as there are, to the last one, whoever takes them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.swarm.generating.permits import ASK, BLOCKS, LARGEST_BLOCK, PermitAsker, PermitStock


class Ends:
    """Counts how often the stock says that it is used up."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@given(total=st.integers(1, 20_000), workers=st.integers(1, 8), order=st.randoms(use_true_random=False))
def test_exactly_so_many_are_given_out(total: int, workers: int, order: object) -> None:
    """Whoever asks when: the blocks add up to the total, and the end comes when the last worker has used its own up."""
    ends = Ends()
    stock = PermitStock(total, ends)
    given_out, left = 0, list(range(workers))
    while left:
        worker = order.choice(left)  # type: ignore[attr-defined]  # hypothesis's own random
        block = stock.take(f"w{worker}", workers)
        assert 0 <= block <= LARGEST_BLOCK
        given_out += block
        if not block:
            left.remove(worker)
        assert ends.times == (0 if left and given_out < total else ends.times)
    assert (given_out, ends.times) == (total, 1)


def test_blocks_leave_enough_for_the_others() -> None:
    stock = PermitStock(100, Ends())
    assert stock.take("w1", 2) == 100 // (BLOCKS * 2)


def test_the_end_waits_for_who_still_has_some() -> None:
    ends = Ends()
    stock = PermitStock(2, ends)
    assert (stock.take("w1", 1), stock.take("w2", 1), stock.take("w1", 1)) == (1, 1, 0)
    assert ends.times == 0
    assert stock.take("w2", 1) == 0
    assert ends.times == 1
    assert stock.take("w3", 1) == 0
    assert ends.times == 1


def test_a_lost_worker_is_not_waited_for() -> None:
    ends = Ends()
    stock = PermitStock(1, ends)
    stock.lost("w1")
    assert ends.times == 0
    assert (stock.take("w1", 1), ends.times) == (1, 0)
    stock.lost("w1")
    assert ends.times == 1


@pytest.mark.parametrize(("answer", "permits"), [(7, 7), (0, 0)])
def test_a_worker_asks_its_master(answer: int, permits: int) -> None:
    """One question, one answer."""
    sent = []

    def send(kind: str) -> None:
        sent.append(kind)
        asker.given(answer)

    asker = PermitAsker(SimpleNamespace(send_message=send))
    assert asker.take() == permits
    assert sent == [ASK]


def test_a_master_that_does_not_answer_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mop_locust.swarm.generating.permits.ANSWER_SECONDS", 0.01)
    assert PermitAsker(SimpleNamespace(send_message=lambda kind: None)).take() == 0
