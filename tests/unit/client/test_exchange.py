"""One exchange, one sample: every way to end, what it feeds, and the deadline."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import gevent
import pytest
from gevent import GreenletExit

from mop_locust.client.exchange import Exchanges, monotonic_us
from mop_locust.metrics.sample import FAILURES, OUTCOMES
from mop_locust.protocol import errors
from mop_locust.protocol.errors import (
    CheckFailed,
    ClientFault,
    ConnectError,
    Disconnected,
    ExchangeTimeout,
    HttpStatusError,
    LocalProtocolError,
    MopError,
    RemoteProtocolError,
    RpcError,
    TargetRefused,
    ToolError,
)
from mop_locust.transports import Phases
from mop_locust.transports.deadline import Deadline
from tests.unit.client.memory import TAGS, Taken

TYPED = [
    (ExchangeTimeout("no answer"), "timeout"),
    (ConnectError("refused"), "connect"),
    (Disconnected("closed 1006"), "disconnected"),
    (HttpStatusError("HTTP 503", status=503), "http_status"),
    (RemoteProtocolError("not JSON"), "protocol"),
    (RpcError("JSON-RPC -32601", code=-32601), "rpc_error"),
    (ToolError("isError"), "tool_error"),
    (CheckFailed("empty answer"), "check"),
    (ClientFault("too many open files"), "client_fault"),
    (TargetRefused("target not allowed"), "client_fault"),
]


def raising(error: BaseException) -> Callable[[Deadline], NoReturn]:
    """An operation that ends with this error."""

    def operation(_: Deadline) -> NoReturn:
        raise error

    return operation


def exchanges(taken: Taken, **feeds: str) -> Exchanges:
    """The exchanges of one user with a timeout of 5 s."""
    return Exchanges("tests", taken, 5.0, feeds)


def test_an_exchange_that_went_well_gives_its_value_and_one_sample(taken: Taken) -> None:
    """The sample carries the phases that the transport filled in, and times of one clock."""
    phases = Phases()

    def operation(_: Deadline) -> str:
        phases.connect_us, phases.first_byte_us = 11, 22
        phases.sent, phases.received, phases.status = 33, 44, 200
        return "value"

    before = monotonic_us()
    assert exchanges(taken).measure("http", "tools/call", operation, phases, tool="search") == "value"
    after = monotonic_us()
    [sample] = taken.samples
    assert (sample.scenario, sample.transport, sample.method, sample.tool) == ("tests", "http", "tools/call", "search")
    assert (sample.outcome, sample.error, taken.errors) == ("ok", "", [None])
    assert (sample.connect_us, sample.first_byte_us) == (11, 22)
    assert (sample.sent, sample.received, sample.status, sample.lag_us) == (33, 44, 200, 0)
    assert before <= sample.start_us <= sample.start_us + sample.duration_us <= after


def test_phases_of_the_exchange_before_are_forgotten(taken: Taken) -> None:
    """What an exchange did not do is -1 or 0 in its sample, whatever the one before did."""
    phases = Phases()
    phases.connect_us, phases.first_byte_us, phases.sent, phases.received, phases.status = 1, 2, 3, 4, 500
    exchanges(taken).measure("http", "ping", lambda _: None, phases)
    [sample] = taken.samples
    assert (sample.connect_us, sample.first_byte_us, sample.sent, sample.received, sample.status) == (-1, -1, 0, 0, 0)


@pytest.mark.parametrize(("error", "outcome"), TYPED, ids=[outcome for _, outcome in TYPED])
def test_a_typed_error_is_its_outcome_and_rises(taken: Taken, error: MopError, outcome: str) -> None:
    """The class alone decides the outcome; the very same error reaches the caller and the recorder."""
    with pytest.raises(type(error)) as caught:
        exchanges(taken).measure("http", "ping", raising(error), Phases())
    assert caught.value is error
    assert taken.ends == [("ping", outcome, error.label)]
    assert taken.errors == [error]


def test_every_failure_has_its_class() -> None:
    """The classes above are all there are: with ok and cancelled they make up the closed set."""
    assert {outcome for _, outcome in TYPED} == set(OUTCOMES) - {"ok", "cancelled"}
    classes = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, MopError)]
    assert {type(error) for error, _ in TYPED} == set(classes) - {MopError}


def test_an_exchange_cut_by_the_end_of_the_run_is_cancelled(taken: Taken) -> None:
    """A real greenlet, really killed while it waits."""
    user = gevent.spawn(exchanges(taken).measure, "http", "ping", lambda _: gevent.sleep(60), Phases())
    gevent.sleep(0)
    user.kill()
    assert taken.ends == [("ping", "cancelled", "end of the run")]
    assert isinstance(taken.errors[0], GreenletExit)


@pytest.mark.parametrize("fault", [KeyError("x"), LocalProtocolError("wrong use"), KeyboardInterrupt(), MemoryError()])
def test_anything_else_is_our_own_fault(taken: Taken, fault: BaseException) -> None:
    """An exception that is no MopError counts under its class, as a fault of the client, and goes on."""
    with pytest.raises(type(fault)):
        exchanges(taken).measure("http", "ping", raising(fault), Phases())
    assert taken.ends == [("ping", "client_fault", type(fault).__name__)]
    assert taken.errors == [fault]


@pytest.mark.parametrize(
    ("error", "outcome"), [(None, "ok"), *TYPED, (GreenletExit(), "cancelled"), (KeyError(), "client_fault")]
)
def test_a_feed_takes_one_value_for_what_speaks_of_the_target(taken: Taken, error: BaseException | None, outcome: str) -> None:
    """`ok` feeds a success, a failure a failure; our own faults and the end of the run feed nothing."""
    operation: Callable[[Deadline], None] = (lambda _: None) if error is None else raising(error)
    user = exchanges(taken, ping="ws_failures")
    with suppress(BaseException):
        user.measure("http", "ping", operation, Phases())
    judged = outcome == "ok" or outcome in FAILURES
    assert taken.rates == ([("ws_failures", TAGS, outcome != "ok")] if judged else [])


def test_a_method_without_a_feed_feeds_nothing(taken: Taken) -> None:
    """Only the methods that the scenario names feed its rate."""
    exchanges(taken, initialize="tools_call_failures").measure("http", "ping", lambda _: None, Phases())
    assert taken.rates == []


def test_the_deadline_is_the_timeout_or_the_one_given(taken: Taken) -> None:
    """One deadline for the whole exchange: 5 s as set for the user, 60 s where the call says so."""
    seen: list[float] = []
    user = exchanges(taken)
    for timeout in (None, 60.0):
        user.measure("http", "ping", lambda deadline: seen.append(deadline.remaining()), Phases(), timeout=timeout)
    assert seen[0] <= 5.0 < seen[1] <= 60.0


def test_a_deadline_gone_by_is_a_timeout(taken: Taken) -> None:
    """An operation that asks for the time left gets the typed error."""
    with pytest.raises(ExchangeTimeout):
        exchanges(taken).measure("http", "ping", lambda deadline: deadline.remaining("connect"), Phases(), timeout=0.0)
    assert taken.ends == [("ping", "timeout", "connect")]


def test_metrics_beside_the_samples_carry_the_scenario(taken: Taken) -> None:
    """Counters, rates and trends get the tag of the scenario and no other."""
    user = exchanges(taken)
    user.count("iterations")
    user.count("iterations", 3)
    user.rate("ws_failures", True)
    user.trend("session_duration", 1500)
    assert taken.counts == [("iterations", TAGS, 1), ("iterations", TAGS, 3)]
    assert taken.rates == [("ws_failures", TAGS, True)]
    assert taken.trends == [("session_duration", TAGS, 1500)]
    assert taken.samples == []
