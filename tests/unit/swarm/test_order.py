"""What the master tells its workers, there and back."""

from __future__ import annotations

import argparse

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.swarm.order import OPTION, RunOrder, give, take


@given(st.builds(RunOrder, st.text(), st.text(), st.text(), st.integers(0, 2**62), st.booleans()))
def test_an_order_comes_back_as_it_was_given(order: RunOrder) -> None:
    """It travels inside Locust's options as plain values: msgpack, as Locust writes its messages, changes nothing."""
    options = argparse.Namespace()
    give(options, order)
    travelled = argparse.Namespace(**msgspec.msgpack.decode(msgspec.msgpack.encode(vars(options))))
    assert take(travelled) == order


def test_a_later_order_replaces_the_earlier_one() -> None:
    """Each spawn message carries the newest."""
    options = argparse.Namespace()
    for elapsed in (0, 5):
        give(options, RunOrder("r", "http://h/mcp", "ws://h/ws", elapsed, True))
    assert take(options) == RunOrder("r", "http://h/mcp", "ws://h/ws", 5, True)


def test_a_master_without_the_suite_gives_no_order() -> None:
    """The worker then says so instead of measuring nothing."""
    assert take(argparse.Namespace()) is None
    assert take(argparse.Namespace(**{OPTION: None})) is None
