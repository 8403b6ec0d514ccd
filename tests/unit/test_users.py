"""The user classes: iterations, the pause after them, stopping while they wait, and iterations that all users share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import GreenletExit
from gevent.event import Event
from gevent.pool import Group
from locust import TaskSet, constant, tag, task
from locust.env import Environment
from locust.exception import RescheduleTask, RescheduleTaskImmediately, StopUser
from locust.user.task import LOCUST_STATE_WAITING

from mop_locust.client import Clients
from mop_locust.metrics.instruments import BUILT_IN, Counter, Rate
from mop_locust.protocol.errors import CheckFailed
from mop_locust.users import MopHttpUser, MopSseUser, MopUser, MopWebSocketUser
from tests.unit.client.memory import Taken, clients

LONG = 3600.0  # seconds; a test that waits them out has failed


class Load:
    """The load side of a process as far as a user knows it: clients, and a stock of shared iterations."""

    def __init__(self, taken: Taken, left: int = 0) -> None:
        self.clients: Clients = clients(taken)
        self.left, self.pools = left, dict[str, Any]()
        self.done: list[str] = []

    def take_iteration(self, scenario: str) -> bool:
        """Whether one more may begin."""
        self.left -= 1
        return self.left >= 0

    def iteration_done(self, scenario: str) -> None:
        """One is over."""
        self.done.append(scenario)


class Crowd:
    """Builds and runs users in one Locust environment."""

    def __init__(self, taken: Taken, left: int = 0) -> None:
        self.environment = Environment()
        self.load = Load(taken, left)
        self.environment.mop = self.load  # type: ignore[attr-defined]  # as the suite's own plugin does
        self.group = Group()

    def user(self, cls: type[MopUser]) -> Any:
        """A user that does not run."""
        return cls(self.environment)

    def running(self, cls: type[MopUser]) -> Any:
        """A user that runs in a greenlet of its own."""
        user = self.user(cls)
        user.start(self.group)
        return user

    def until(self, condition: Callable[[], bool]) -> None:
        """Lets the users run until the condition holds."""
        with gevent.Timeout(10):
            while not condition():
                gevent.sleep(0.001)

    def join(self) -> None:
        """Waits for the end of all users."""
        assert self.group.join(timeout=10), "a user did not end"


@pytest.fixture
def taken() -> Taken:
    """An empty recorder."""
    return Taken()


@pytest.fixture
def crowd(taken: Taken) -> Iterator[Crowd]:
    """An environment whose users are gone at the end."""
    made = Crowd(taken)
    yield made
    made.group.kill()


def tasks_of(cls: type[MopUser]) -> list[str]:
    """The names of a class's tasks."""
    return [each.__name__ for each in cls.tasks]


def once(user: Any) -> None:
    """Runs one iteration and its pause, after which Locust is to ask for the next one at once."""
    with pytest.raises(RescheduleTaskImmediately):
        type(user).tasks[0](user)


def iterations(taken: Taken) -> int:
    """How many iterations were counted."""
    return sum(n for name, _, n in taken.counts if name == "iterations")


class Listing(MopHttpUser):
    """A scenario with two tasks, one of weight 2."""

    metrics = (Counter("hits"), Rate("empty"))

    @task(2)
    def often(self) -> str:
        return "often"

    @task
    def rarely(self) -> str:
        return "rarely"


def test_a_scenario_has_the_name_it_declares_or_that_of_its_class() -> None:
    """A subclass does not inherit the name: two scenarios must not share their figures by accident."""

    class Named(Listing):
        scenario = "lists"

    class Heir(Named):
        pass

    assert (Listing.scenario, Named.scenario, Heir.scenario) == ("Listing", "lists", "Heir")


def test_the_three_kinds_are_abstract_and_know_their_transport() -> None:
    """Only their subclasses are run."""
    kinds = (MopUser, MopHttpUser, MopSseUser, MopWebSocketUser)
    assert [(kind.abstract, kind.transport) for kind in kinds] == [(True, ""), (True, "http"), (True, "sse"), (True, "websocket")]
    assert (Listing.abstract, Listing.transport) == (False, "http")


def test_a_class_knows_the_built_in_metrics_and_its_own() -> None:
    """By name, so that a meter is one look-up away."""
    assert set(Listing.instruments) == {instrument.name for instrument in BUILT_IN} | {"hits", "empty"}
    assert Listing.instruments["empty"] == Rate("empty")


def test_a_user_outside_a_run_says_what_is_wrong() -> None:
    """Taken from mop_locust.users alone, nothing joins the suite to Locust."""
    with pytest.raises(RuntimeError, match="take the user classes from mop_locust itself"):
        Listing(Environment())


def test_tasks_are_wrapped_once_with_their_weights() -> None:
    """An inherited task is the same object; one of the subclass is wrapped beside it."""

    class More(Listing):
        @task
        def third(self) -> None:
            pass

    assert tasks_of(Listing) == ["often", "often", "rarely"]
    assert tasks_of(More) == ["often", "often", "rarely", "third"]
    assert More.tasks[:3] == Listing.tasks
    for wrapped in More.tasks:
        assert not hasattr(wrapped.iteration_of, "iteration_of")


def test_tasks_may_be_given_as_locust_gives_them(crowd: Crowd, taken: Taken) -> None:
    """A dictionary of weights and functions outside the class become iterations too."""
    ran = []

    def outside(user: MopUser) -> None:
        ran.append(user)

    class Given(MopHttpUser):
        tasks = {outside: 3}

    assert tasks_of(Given) == ["outside"] * 3
    user = crowd.user(Given)
    once(user)
    assert ran == [user]
    assert iterations(taken) == 1


def test_nested_task_sets_stay_as_they_are() -> None:
    """They have iterations of their own, and Locust looks for the class itself."""

    class Browsing(TaskSet):
        @task
        def page(self) -> None:
            pass

    class Nested(MopHttpUser):
        tasks = [Browsing]

    assert Nested.tasks == [Browsing]
    assert not hasattr(Browsing.tasks[0], "iteration_of")


def test_tags_of_locust_stay_on_the_tasks() -> None:
    """`--tags` finds what was tagged."""

    class Tagged(MopHttpUser):
        @tag("slow")
        @task
        def one(self) -> None:
            pass

    assert Tagged.tasks[0].locust_tag_set == {"slow"}


def test_an_iteration_that_went_well_is_counted(crowd: Crowd, taken: Taken) -> None:
    """One more in `iterations`, with the scenario's tag; failures in a row are over."""
    user = crowd.user(Listing)
    user.failed_in_a_row = 3
    once(user)
    assert taken.counts == [("iterations", (("scenario", "Listing"),), 1)]
    assert user.failed_in_a_row == 0
    assert (crowd.load.left, crowd.load.done) == (0, []), "without shared iterations nobody is asked for one"


def failing(error: BaseException) -> type[MopUser]:
    """A scenario whose task ends with this error."""

    class Failing(MopHttpUser):
        iterations_setting = "sse_iterations"

        def pause_after_failure(self) -> float:
            return 0.0

        @task
        def fail(self) -> None:
            raise error

    return Failing


def test_an_error_of_an_exchange_ends_the_iteration_and_no_more(crowd: Crowd, taken: Taken) -> None:
    """Locust sees no exception: the client has counted it already."""
    crowd.load.left = 2
    cls = failing(CheckFailed("short"))
    user = crowd.user(cls)
    for row in (1, 2):
        once(user)
        assert user.failed_in_a_row == row
    assert iterations(taken) == 2
    assert crowd.load.done == ["Failing"] * 2


@pytest.mark.parametrize("error", [KeyError("x"), RescheduleTask(), StopUser()])
def test_any_other_exception_goes_on_to_locust_after_the_iteration(crowd: Crowd, taken: Taken, error: Exception) -> None:
    """A fault of the scenario is Locust's to report; a shared iteration is over all the same, or the run would never end."""
    crowd.load.left = 1
    cls = failing(error)
    user = crowd.user(cls)
    with pytest.raises(type(error)):
        cls.tasks[0](user)
    assert (iterations(taken), crowd.load.done, user.failed_in_a_row) == (1, ["Failing"], 0)


def test_an_iteration_that_the_end_of_the_run_cuts_is_none(crowd: Crowd, taken: Taken) -> None:
    """A killed user has not finished it, so it is neither counted nor done."""
    crowd.load.left = 1
    cls = failing(GreenletExit())
    with pytest.raises(GreenletExit):
        cls.tasks[0](crowd.user(cls))
    assert (iterations(taken), crowd.load.done) == (0, [])


def test_the_pause_after_failures_doubles_to_five_seconds(crowd: Crowd) -> None:
    """1, 2, 4, 5, 5 seconds, and no end to it: not even after a day of failures."""
    user = crowd.user(Listing)
    seconds = []
    for row in (1, 2, 3, 4, 5, 6, 100, 10_000):
        user.failed_in_a_row = row
        seconds.append(user.pause_after_failure())
    assert seconds == [1, 2, 4, 5, 5, 5, 5, 5]
    assert user.pause() == 0


def test_locusts_wait_time_becomes_the_pause_after_every_iteration(crowd: Crowd) -> None:
    """`wait_time = between(1, 2)` is how a locustfile says it: ours stays in its place, so that `stop` can end the waiting."""

    class Paced(Listing):
        wait_time = constant(7)

    class Heir(Paced):
        pass

    for cls in (Paced, Heir):
        user = crowd.user(cls)
        assert cls.wait_time is MopUser.wait_time
        assert (user.pause(), user.pause_after_failure()) == (7, 7)


def test_a_pause_of_ones_own_wins_over_an_inherited_wait_time(crowd: Crowd) -> None:
    """The nearest declaration counts."""

    class Paced(Listing):
        wait_time = constant(7)

    class Quick(Paced):
        def pause(self) -> float:
            return 1.0

    user = crowd.user(Quick)
    assert (user.pause(), user.pause_after_failure()) == (1, 7)


class Resting(MopHttpUser):
    """One iteration, then a rest that is longer than any test."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.asked: list[str] = []

    def pause(self) -> float:
        self.asked.append("pause")
        return LONG

    def pause_after_failure(self) -> float:
        self.asked.append("pause_after_failure")
        return LONG

    @task
    def work(self) -> None:
        self.work_it()

    def work_it(self) -> None:
        """What the iteration does."""


class Ailing(Resting):
    """Its iterations fail."""

    def work_it(self) -> None:
        raise CheckFailed("short")


@pytest.mark.parametrize(("cls", "asked"), [(Resting, "pause"), (Ailing, "pause_after_failure")])
def test_a_user_that_waits_is_woken_by_stop(crowd: Crowd, taken: Taken, cls: type[MopUser], asked: str) -> None:
    """It ends at once, without another iteration, and was not killed: its last words are its own."""
    user = crowd.running(cls)
    crowd.until(lambda: user._state == LOCUST_STATE_WAITING)
    assert user.stop() is False
    crowd.join()
    assert (iterations(taken), user.asked) == (1, [asked])


def test_a_nested_task_set_waits_as_long(crowd: Crowd) -> None:
    """Locust asks for the wait between its tasks, and `stop` ends that too."""

    class Browsing(TaskSet):
        @task
        def page(self) -> None:
            pass

    class Nested(Resting):
        tasks = [Browsing]

    user = crowd.running(Nested)
    crowd.until(lambda: user._state == LOCUST_STATE_WAITING)
    assert user.stop() is False
    crowd.join()
    assert user.asked == ["pause"]


def test_a_user_goes_on_after_its_pause_and_says_how_late(crowd: Crowd, taken: Taken) -> None:
    """One value of `start_lag` a pause that went by; who has no pause lets the others run all the same."""

    class Brief(Resting):
        def pause(self) -> float:
            self.asked.append("pause")
            return 0.001

    class Restless(Resting):
        def pause(self) -> float:
            return 0.0

    users = [crowd.running(Brief), crowd.running(Restless)]
    crowd.until(lambda: len(users[0].asked) > 5)
    for user in users:
        user.stop()
    crowd.join()
    lags = [tags for name, tags, _ in taken.trends if name == "start_lag"]
    assert lags == [(("scenario", "Brief"),)] * len(lags)
    assert len(users[0].asked) - 1 <= len(lags) <= len(users[0].asked)
    assert taken.counts.count(("iterations", (("scenario", "Restless"),), 1)) > 5


def test_a_user_in_an_iteration_ends_after_it(crowd: Crowd, taken: Taken) -> None:
    """`stop` lets it finish what it does, also when it comes twice: fewer users are asked for, and the run ends."""
    go_on = Event()

    class Busy(Resting):
        def work_it(self) -> None:
            go_on.wait(LONG)

    user = crowd.running(Busy)
    gevent.sleep(0)
    assert (user.stop(), user.stop()) == (False, False)
    assert iterations(taken) == 0
    go_on.set()
    crowd.join()
    assert (iterations(taken), user.asked) == (1, [])


def test_force_kills_a_user_that_waits(crowd: Crowd, taken: Taken) -> None:
    """Locust's own way, when the stop timeout is over."""
    user = crowd.running(Resting)
    crowd.until(lambda: user._state == LOCUST_STATE_WAITING)
    assert user.stop(force=True) is True
    crowd.join()
    assert iterations(taken) == 1


def test_a_stopped_user_closes_its_connection(crowd: Crowd) -> None:
    """Whatever it kept between its sessions is given back."""

    class Closing(Resting):
        closed = 0

        def on_stop(self) -> None:
            super().on_stop()
            self.closed += self.client._http is None

        def work_it(self) -> None:
            self.client.session()
            assert self.client._http is not None

    user = crowd.running(Closing)
    crowd.until(lambda: user._state == LOCUST_STATE_WAITING)
    user.stop()
    crowd.join()
    assert user.closed == 1


def test_shared_iterations_run_out_for_all(taken: Taken) -> None:
    """Three users share seven: exactly seven are run, whoever runs them, and then each user ends by itself."""
    crowd = Crowd(taken, left=7)

    class Sharing(MopSseUser):
        iterations_setting = "sse_iterations"

        @task
        def once(self) -> None:
            gevent.sleep(0)

    for _ in range(3):
        crowd.running(Sharing)
    crowd.join()
    assert iterations(taken) == 7
    assert crowd.load.done == ["Sharing"] * 7
