"""The load side of a process: one ledger a run, a last word that stays, time kept for closing sessions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from locust.event import Events
from locust.stats import RequestStats

from mop_locust.client.exchange import monotonic_us
from mop_locust.config import ApiKey
from mop_locust.load.roster import Roster
from mop_locust.metrics.accumulators import CounterTotal
from mop_locust.metrics.snapshot import Snapshot
from mop_locust.metrics.totals import Totals
from mop_locust.swarm.events import add_events
from mop_locust.swarm.generating.generator import Generator
from mop_locust.swarm.order import RunOrder
from tests.unit.client.memory import settings
from tests.unit.swarm.runs import Calls, exchange

HTTP, SOCKET = "http://127.0.0.1:9/mcp", "ws://127.0.0.1:9/ws"


def made(stop_timeout: float = 10.0) -> tuple[Generator, Any]:
    """A generator of a process, and its environment."""
    events = Events()
    add_events(events)
    environment = SimpleNamespace(
        events=events,
        user_classes=[Calls],
        stop_timeout=stop_timeout,
        runner=SimpleNamespace(user_count=7, stats=RequestStats()),
    )
    return Generator(environment, "w1", ApiKey("k")), environment


def hits(snapshot: Snapshot | None) -> int:
    """How much the scenario's own counter has."""
    assert snapshot is not None
    total = Totals.of(snapshot.totals).select("hits")
    return total.count if isinstance(total, CounterTotal) else 0


def test_without_a_run_there_is_nothing_to_tell_or_to_end() -> None:
    """A worker that waits reports nothing of ours."""
    generator, _ = made()
    assert (generator.snapshot(), generator.finish(), generator.finished, generator.ledger) == (None, None, True, None)
    generator.reset()


def test_locust_gets_its_statistics_with_each_snapshot_and_the_rest_with_the_last() -> None:
    """What waits at a reset came before it, and counts nowhere."""
    generator, environment = made()
    generator.begin(RunOrder("r-1", HTTP, SOCKET, 0, False), settings(), monotonic_us())
    counted = []
    try:
        for step in (generator.snapshot, generator.reset, generator.snapshot, generator.finish):
            generator.clients.recorder.exchange(exchange(), None)
            step()
            counted.append(environment.runner.stats.num_requests)
    finally:
        generator.finish()
    assert counted == [1, 1, 2, 3]


def test_a_run_has_its_ledger_and_its_last_word() -> None:
    """Snapshots are cumulative; the final one is the same however often it is asked for."""
    generator, _ = made()
    generator.begin(RunOrder("r-1", HTTP, SOCKET, 5_000_000, True), settings(), monotonic_us())
    try:
        assert generator.clients.send_initialized is True
        user = generator.clients.client("calls", Calls.instruments, {})
        user.counter("hits").add(2)
        first = generator.snapshot()
        assert first is not None
        assert (first.run_id, first.worker, first.epoch, first.final) == ("r-1", "w1", 1, False)
        assert first.at_us >= 5_000_000
        assert first.gauges == {"open_sessions": 0.0, "open_sockets": 0.0, "open_streams": 0.0, "users": 7.0}
        user.counter("hits").add(3)
    finally:
        last = generator.finish()
    assert (hits(first), hits(last), generator.finished) == (2, 5, True)
    assert last is not None
    assert last.final
    assert generator.finish() is last
    assert generator.snapshot() is last


def test_each_run_begins_from_nothing() -> None:
    """Another ledger, another epoch."""
    generator, _ = made()
    for epoch in (1, 2):
        generator.begin(RunOrder(f"r-{epoch}", HTTP, SOCKET, 0, False), settings(), monotonic_us())
        generator.clients.client("calls", Calls.instruments, {}).counter("hits").add(epoch)
        last = generator.finish()
        assert last is not None
        assert (last.run_id, last.epoch, hits(last)) == (f"r-{epoch}", epoch, epoch)


@pytest.mark.parametrize(("stop_timeout", "for_users"), [(10.0, 8.0), (5.0, 4.0), (100.0, 98.0), (0.0, 0.0)])
def test_a_fifth_of_the_stop_timeout_is_kept_for_closing(stop_timeout: float, for_users: float) -> None:
    """Two seconds at most; Locust gets it back after the run."""
    generator, environment = made(stop_timeout)
    generator.begin(RunOrder("r", HTTP, SOCKET, 0, False), settings(MOP_TIMEOUT_MS="60000"), monotonic_us())
    try:
        generator.leave_time_to_close()
        assert environment.stop_timeout == for_users
        assert 0.1 <= generator.clients.closing_timeout() <= max(0.1, min(60.0, stop_timeout))
    finally:
        generator.finish()
    assert environment.stop_timeout == stop_timeout


def test_open_load_has_a_clock_of_the_run_and_pools_that_grow_by_locusts_users() -> None:
    """The clock is that of the order; the end of the run ends it; another run without arrivals has none."""
    generator, environment = made()
    spawned: list[dict[str, int]] = []
    environment.runner.spawn_users = spawned.append
    environment.runner.user_greenlets = []
    order = RunOrder("r", HTTP, SOCKET, 2_000_000, False, rosters=(Roster(0, ("w2",)),))
    generator.begin(order, settings(MOP_ARRIVALS="1000/s"), monotonic_us())
    try:
        assert generator.pools.keys() == {"calls"}
        generator.turn(Roster(0, ("w1",)))
        with gevent.Timeout(10):
            while not spawned:
                gevent.sleep(0.001)
        assert spawned[0] == {"Calls": 1}
    finally:
        generator.leave_time_to_close()
        last = generator.finish()
    assert last is not None
    totals = Totals.of(last.totals)
    came, dropped = totals.select("arrivals"), totals.select("dropped_iterations")
    assert came == dropped
    assert isinstance(came, CounterTotal)
    assert came.count > 0
    generator.begin(RunOrder("r2", HTTP, SOCKET, 0, False), settings(), monotonic_us())
    generator.turn(Roster(0, ("w1",)))
    assert generator.pools == {}
    generator.finish()
