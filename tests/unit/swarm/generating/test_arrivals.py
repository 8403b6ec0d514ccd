"""Open load in one process: what begins, in what order, what is dropped, and that nothing is counted twice or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from mop_locust.client.exchange import monotonic_us
from mop_locust.load.clock import Arrival, ConstantClock, PoissonClock
from mop_locust.load.curve import Curve
from mop_locust.load.roster import Roster
from mop_locust.swarm.generating.arrivals import TOO_LATE_US, ArrivalClock, Pool, clocks
from mop_locust.swarm.order import RunOrder
from tests.unit.client.memory import Taken, settings

SECOND = 1_000_000


class User:
    """A user that takes arrivals as long as it is not stopped."""

    def __init__(self, stopped: bool = False) -> None:
        self.stopped = stopped
        self.taken: list[int] = []

    def arrive(self, intended_us: int) -> bool:
        """Takes an arrival."""
        if not self.stopped:
            self.taken.append(intended_us)
        return not self.stopped


def counted(taken: Taken) -> Counter[str]:
    """What the counters have."""
    found: Counter[str] = Counter()
    for name, tags, n in taken.counts:
        assert tags == (("scenario", "calls"),)
        found[name] += n
    return found


def pool(taken: Taken, room: int = 0) -> tuple[Pool, list[int]]:
    """A pool that may grow so often, and the list of its growing."""
    grown: list[int] = []

    def grow() -> bool:
        if len(grown) < room:
            grown.append(1)
            return True
        return False

    return Pool("calls", taken, grow), grown


def test_nothing_dropped_is_a_figure() -> None:
    """A threshold on it has data from the first moment."""
    taken = Taken()
    pool(taken)
    assert taken.counts == [("dropped_iterations", (("scenario", "calls"),), 0)]


def test_an_arrival_takes_the_user_that_was_free_last() -> None:
    """One that is being stopped is passed over."""
    taken = Taken()
    waiting, _ = pool(taken)
    first, second, gone = User(), User(), User(stopped=True)
    for user in (first, second, gone):
        assert waiting.take(user) is None
    waiting.arrive(10)
    waiting.arrive(20)
    assert (first.taken, second.taken) == ([20], [10])
    assert counted(taken) == {"arrivals": 2, "dropped_iterations": 0}


def test_a_pool_grows_and_then_drops() -> None:
    """The new user finds its arrival; the one after it could not begin."""
    taken = Taken()
    waiting, grown = pool(taken, room=1)
    waiting.arrive(10)
    waiting.arrive(20)
    assert (len(grown), counted(taken)) == (1, {"arrivals": 2, "dropped_iterations": 1})
    new = User()
    assert (waiting.take(new), waiting.take(new)) == (10, None)


def test_what_waits_for_users_that_never_come_is_dropped_at_the_end() -> None:
    """The end of the run may come before a new user's first step."""
    taken = Taken()
    waiting, _ = pool(taken, room=2)
    waiting.arrive(10)
    waiting.arrive(20)
    waiting.close()
    waiting.miss()
    assert counted(taken) == {"arrivals": 3, "dropped_iterations": 3}


def test_clocks_are_of_the_kind_and_the_seed_that_were_asked_for() -> None:
    """Each scenario draws its own sequence."""
    given = settings(MOP_ARRIVALS="a=(10s:20/s),b=5/s", MOP_SEED="9")
    constant = clocks(given.arrivals, given)
    assert {name: type(clock) for name, clock in constant.items()} == {"a": ConstantClock, "b": ConstantClock}
    assert (constant["a"].due(10 * SECOND), constant["b"].due(10 * SECOND)) == (100, 50)
    poisson = settings(MOP_ARRIVALS="b=5/s", MOP_SEED="9", MOP_ARRIVALS_CLOCK="poisson")
    own, again = clocks(poisson.arrivals, poisson)["b"], PoissonClock(Curve([(0, 5)]), "9/b")
    assert own.due(100 * SECOND) == again.due(100 * SECOND)


class Listed:
    """A clock of given instants."""

    def __init__(self, *instants: int) -> None:
        self._instants = instants

    def since(self, us: int) -> Iterator[Arrival]:
        """Those from this microsecond on."""
        return ((at, number) for number, at in enumerate(self._instants) if at >= us)

    def due(self, us: int) -> int:
        """Those before it."""
        return sum(at < us for at in self._instants)


def started(
    taken: Taken, clock: Any, *rosters: Roster, ago_us: int = 0, until_us: int = 0, limit: int = 5, users: int = 0
) -> tuple[ArrivalClock, list[str]]:
    """The clock of worker w1 in a run that began so long ago; and the users that it made."""
    made: list[str] = []
    order = RunOrder("r", "", "", ago_us, False, rosters=rosters or (Roster(0, ("w1",)),), until_us=until_us)
    running = ArrivalClock(
        order,
        {"calls": clock},
        "w1",
        monotonic_us() - ago_us,
        taken,
        limit=limit,
        grow=made.append,
        users=lambda: users + len(made),
    )
    return running, made


def test_each_arrival_begins_in_its_time_and_none_after_the_end() -> None:
    """Users are made until there are as many as the limit lets be."""
    taken = Taken()
    running, made = started(taken, Listed(1000, 2000, 20_000, 30_000, 60_000_000), until_us=30_000, limit=2)
    with gevent.Timeout(10):
        running.greenlet.join()
    assert (made, counted(taken)) == (["calls", "calls"], {"arrivals": 3, "dropped_iterations": 1})
    running.end()
    assert counted(taken) == {"arrivals": 3, "dropped_iterations": 3}, "the two that were made never came to it"


def test_the_end_drops_what_was_due_and_nothing_else() -> None:
    """A run that is stopped by hand has what had come until then."""
    taken = Taken()
    running, _ = started(taken, Listed(0, 1000, 60_000_000), ago_us=2000)
    running.end()
    assert counted(taken) == {"arrivals": 2, "dropped_iterations": 2}
    assert running.pools.keys() == {"calls"}


def test_a_run_that_is_nearly_at_its_planned_end_has_all_its_arrivals() -> None:
    """A worker whose clock is behind tells those it did not come to."""
    taken = Taken()
    running, _ = started(taken, Listed(1_000_000, 1_020_000), ago_us=960_000, until_us=1_030_000)
    running.end()
    assert counted(taken) == {"arrivals": 2, "dropped_iterations": 2}


def test_only_ones_own_arrivals_begin_and_a_new_roster_changes_which() -> None:
    """Numbers go round; from the instant of the new roster on the other worker is gone."""
    taken = Taken()
    running, made = started(taken, Listed(1000, 2000, 3000, 200_000, 201_000), Roster(0, ("w1", "w2")), until_us=300_000)
    running.turn(Roster(100_000, ("w1",)))
    running.turn(Roster(100_000, ("w1",)))
    with gevent.Timeout(10):
        running.greenlet.join()
    assert len(made) == 4, "the first, the third, and both of the second roster"
    assert counted(taken)["arrivals"] == 4


def test_a_worker_that_comes_late_begins_with_its_first_roster() -> None:
    """What came before is none of its business; what came since is dropped when it is too old."""
    taken = Taken()
    old = 10 * SECOND - TOO_LATE_US - 200_000
    clock = Listed(SECOND, old, 10 * SECOND - 10_000)
    rosters = Roster(0, ("w2",)), Roster(5 * SECOND, ("w1",))
    running, made = started(taken, clock, *rosters, ago_us=10 * SECOND, until_us=11 * SECOND)
    with gevent.Timeout(10):
        running.greenlet.join()
    assert (len(made), counted(taken)) == (1, {"arrivals": 2, "dropped_iterations": 1})


def test_a_worker_that_nobody_named_begins_nothing() -> None:
    """Until the master says so."""
    taken = Taken()
    running, made = started(taken, Listed(1000, 2000), Roster(0, ("w2",)), ago_us=1500, until_us=2500)
    with gevent.Timeout(10):
        running.greenlet.join()
    assert (made, counted(taken)) == ([], {"dropped_iterations": 0})


@pytest.mark.parametrize("ago_us", [0, 400_000])
def test_many_at_once_let_the_others_run(ago_us: int) -> None:
    """A process that was late does not starve the sessions that go on; and the end comes through."""
    taken = Taken()
    running, made = started(taken, Listed(*[ago_us] * 500), ago_us=ago_us, limit=1000)
    steps: list[int] = []

    def other() -> None:
        while len(made) < 500:
            steps.append(len(made))
            gevent.sleep(0)

    with gevent.Timeout(10):
        gevent.joinall([gevent.spawn(other), running.greenlet])
    assert any(0 < made_so_far < 500 for made_so_far in steps)
    assert counted(taken)["arrivals"] == 500


def test_the_end_comes_through_in_the_middle_of_a_burst() -> None:
    """What had not begun by then is dropped, and all are counted once."""
    taken = Taken()
    running, made = started(taken, Listed(*[0] * 500), limit=1000)

    def stop() -> None:
        while not made:
            gevent.sleep(0)
        running.end()

    with gevent.Timeout(10):
        gevent.spawn(stop).join()
    assert 0 < len(made) < 500
    assert counted(taken) == {"arrivals": 500, "dropped_iterations": 500}
