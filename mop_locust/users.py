"""The Locust user classes that people subclass: one a transport, each with a measuring `client`."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from gevent import GreenletExit, get_hub, getcurrent, sleep
from locust import User
from locust.exception import RescheduleTaskImmediately, StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from mop_locust.client import Client, Clients
from mop_locust.client.arrival import SinceArrival
from mop_locust.client.exchange import monotonic_us
from mop_locust.config import Settings
from mop_locust.metrics.instruments import BUILT_IN, Counter, Instrument, Rate, Trend
from mop_locust.protocol.errors import MopError

BACKOFF = (1.0, 2.0, 4.0, 5.0)  # seconds after the first, the second, ... failure in a row; the last stays


class MopUser(User):
    """A simulated user of an MCP server; a failed exchange ends its iteration, and it still waits its pause.

    What a scenario declares on its class:
    `scenario`: the name in metrics, reports and thresholds (default: the class's name);
    `metrics`: metrics of its own; `thresholds`: metric -> expressions in k6's words;
    `feeds`: MCP method -> the rate that takes one value an exchange of it;
    `users_setting`, `duration_setting`, `iterations_setting`: which settings give the number of users, the duration and the
    shared number of iterations where the command line does not;
    `stages`: the stages of the load, as in MOP_STAGES, which takes their place;
    `metric_tags`: the names of the tags that its own metrics carry beside the scenario;
    `check_settings`: from the texts of all settings, what is wrong with those that this scenario alone needs;
    `look_ahead`: a look of its own at the server before the load, which adds to the preflight's findings;
    `must_look`: it cannot run without that look, so MOP_PREFLIGHT=off leaves nothing out;
    `voided_by`: labels of failed checks after which no figure of the run can be believed.
    """

    abstract = True
    scenario: ClassVar[str] = ""
    transport: ClassVar[str] = ""
    metrics: ClassVar[Sequence[Counter | Rate | Trend]] = ()
    thresholds: ClassVar[Mapping[str, Sequence[str]]] = {}
    feeds: ClassVar[Mapping[str, str]] = {}
    users_setting: ClassVar[str] = ""
    duration_setting: ClassVar[str] = ""
    iterations_setting: ClassVar[str] = ""
    stages: ClassVar[str] = ""
    metric_tags: ClassVar[Sequence[str]] = ()
    check_settings: ClassVar[Callable[[Mapping[str, str]], list[str]] | None] = None
    look_ahead: ClassVar[Callable[[Client, Settings, set[str], Any], None] | None] = None
    must_look: ClassVar[bool] = False
    voided_by: ClassVar[frozenset[str]] = frozenset()
    instruments: ClassVar[Mapping[str, Instrument]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "scenario" not in cls.__dict__:
            cls.scenario = cls.__name__
        cls.instruments = {instrument.name: instrument for instrument in (*BUILT_IN, *cls.metrics)}
        cls.tasks = [_iteration(task) for task in cls.tasks]
        if "wait_time" in cls.__dict__:  # Locust's way to say it, `wait_time = between(1, 2)`; see `wait_time` below
            wait_time = cls.__dict__["wait_time"]
            delattr(cls, "wait_time")
            for name in ("pause", "pause_after_failure"):
                setattr(cls, name, wait_time)

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        load = getattr(environment, "mop", None)
        if load is None:
            raise RuntimeError(
                "mop_locust is not active: take the user classes from mop_locust itself, not from mop_locust.users"
            )
        self._load = load
        clients: Clients = load.clients
        self.settings: Settings = clients.settings
        self._pool: Any = load.pools.get(self.scenario)  # of open load: None where users repeat by themselves
        self._since = SinceArrival(clients.recorder) if self._pool is not None else None
        self._arrival_us: int | None = None
        self.client: Client = clients.client(self.scenario, self.instruments, self.feeds, self._since)
        self.failed_in_a_row = 0
        self._waiting: Any = None
        self._woken = False
        self._iterations = self.client.counter("iterations")
        self._start_lag = self.client.trend("start_lag")
        if self._since is not None:
            self._duration = self.client.trend("iteration_duration")
            self._duration_intended = self.client.trend("iteration_duration_intended")

    def pause(self) -> float:
        """Returns the seconds to wait after an iteration that went well."""
        return 0.0

    def pause_after_failure(self) -> float:
        """Returns the seconds to wait after a failed iteration, 1 doubling to 5: a dead target is not hammered."""
        return BACKOFF[min(self.failed_in_a_row, len(BACKOFF)) - 1]

    def wait_time(self) -> float:
        """Waits, after a task of a nested task set or one that raised, and leaves Locust nothing to wait for."""
        if self._since is None and (seconds := self._next_pause()) > 0:
            self._take_pause(seconds)
        return 0.0

    def _take_pause(self, seconds: float) -> None:
        """Waits so that `stop` can end it: Locust would kill a user that waits, and cut the next exchange of one just waking."""
        planned = time.monotonic() + seconds
        if self._wait(seconds):
            self._start_lag.add((time.monotonic() - planned) * 1000)

    def _wait(self, seconds: float) -> bool:
        """Returns whether all the time went by.

        An Event with its Timeout would be seven objects more for the garbage collector, for each of many users.
        """
        if self._woken:
            return False
        timer = get_hub().loop.timer(seconds)
        try:
            timer.start(self._go_on, update=True)
            self._stand_still()
        finally:
            timer.close()
        return not self._woken

    def _stand_still(self) -> None:
        """Waits for `_go_on`."""
        hub, self._waiting = get_hub(), getcurrent()
        try:
            while hub.switch() is not self:
                pass  # a switch by anybody else
        finally:
            self._waiting = None

    def _go_on(self) -> None:
        if self._waiting is not None:
            self._waiting.switch(self)

    def _next_pause(self) -> float:
        return self.pause_after_failure() if self.failed_in_a_row else self.pause()

    def stop(self, force: bool = False) -> bool:
        """Stops the user: after its iteration, or at once when it waits for the next one; `force` kills it.

        One that is stopping already goes on with that: fewer users can be asked for at the moment when the run ends.
        """
        if not force and self._state == LOCUST_STATE_STOPPING:
            return False
        if not force and self._state == LOCUST_STATE_WAITING:
            self._state = LOCUST_STATE_STOPPING
            self._woken = True
            get_hub().loop.run_callback(self._go_on)
            return False
        return bool(super().stop(force))

    def on_stop(self) -> None:
        """Closes the user's connection when the user is stopped."""
        self.client.close()

    def iterate(self, task: Callable[[MopUser], object]) -> None:
        """Runs one iteration, if one is left: a shared number of iterations is shared by all users of all workers.

        With open load it waits for an arrival first, and knows no other pause.
        """
        if self._since is not None:
            self._iterate_on_arrival(task, self._since)
            raise RescheduleTaskImmediately
        shared = bool(self.iterations_setting)
        if shared and not self._load.take_iteration(self.scenario):
            raise StopUser
        before = self.client.exchanges
        try:
            task(self)
        except MopError:
            self.failed_in_a_row += 1  # counted by the client already, with its class
        except Exception:
            self._end_iteration(shared)  # a fault of the scenario, which Locust reports, or its way to stop: over all the same
            raise
        else:
            self.failed_in_a_row = 0
        self._end_iteration(shared)
        if self._state == LOCUST_STATE_STOPPING:
            return
        seconds = self._next_pause()
        if seconds > 0:
            self._state = LOCUST_STATE_WAITING
            self._take_pause(seconds)
            if self._state == LOCUST_STATE_STOPPING:
                raise StopUser
            self._state = LOCUST_STATE_RUNNING
        elif self.client.exchanges == before:
            sleep(0)  # an exchange has let the others run, and nothing else has
        # Locust's own wait, of 0 s by now, would go round the event loop once more for nothing.
        raise RescheduleTaskImmediately

    def arrive(self, intended_us: int) -> bool:
        """Ends the wait for an arrival; False when the user is being stopped. The time is of the monotonic clock."""
        if self._state != LOCUST_STATE_WAITING:
            return False
        self._arrival_us = intended_us
        get_hub().loop.run_callback(self._go_on)
        return True

    def _iterate_on_arrival(self, task: Callable[[MopUser], object], since: SinceArrival) -> None:
        since.intended_us = intended_us = self._next_arrival()
        began_us = monotonic_us()
        self._start_lag.add((began_us - intended_us) / 1000)
        try:
            task(self)
        except MopError:
            self.failed_in_a_row += 1
        except Exception:
            self._iterations.add()
            raise
        else:
            self.failed_in_a_row = 0
            ended_us = monotonic_us()
            self._duration.add((ended_us - began_us) / 1000)
            self._duration_intended.add((ended_us - intended_us) / 1000)
        self._iterations.add()

    def _next_arrival(self) -> int:
        """Waits for an arrival as Locust waits between two tasks; StopUser when the user is stopped without one."""
        arrival: int | None = self._pool.take(self)
        if arrival is None:
            self._state = LOCUST_STATE_WAITING
            try:
                self._stand_still()
            except GreenletExit:
                if self._arrival_us is not None:
                    self._pool.dropped()
                raise
            arrival, self._arrival_us = self._arrival_us, None
            if arrival is None:
                raise StopUser
            if self._state == LOCUST_STATE_WAITING:
                self._state = LOCUST_STATE_RUNNING
        return arrival

    def _end_iteration(self, shared: bool) -> None:
        self._iterations.add()
        if shared:
            self._load.iteration_done(self.scenario)


class MopHttpUser(MopUser):
    """A user of the Streamable HTTP transport: `self.client.session()`."""

    abstract = True
    transport = "http"


class MopSseUser(MopUser):
    """A user of the event stream of an HTTP session: `session.stream()`."""

    abstract = True
    transport = "sse"


class MopWebSocketUser(MopUser):
    """A user of the WebSocket transport: `self.client.connect()`."""

    abstract = True
    transport = "websocket"


def _iteration(task: Any) -> Any:
    """Returns a task that runs as one iteration of its user; nested task sets and wrapped tasks stay as they are."""
    if isinstance(task, type) or hasattr(task, "iteration_of"):
        return task

    @functools.wraps(task)
    def iteration(user: MopUser) -> None:
        user.iterate(task)

    iteration.iteration_of = task  # type: ignore[attr-defined]  # marks it as wrapped
    return iteration
