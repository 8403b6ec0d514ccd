"""Every measurement goes into the ledger, and the same exchange into Locust's own statistics."""

from __future__ import annotations

from typing import Any

import pytest
from gevent import GreenletExit
from locust.env import Environment
from locust.event import Events
from locust.runners import LocalRunner

from mop_locust.metrics.accumulators import CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.totals import Totals
from mop_locust.protocol.errors import Disconnected, ExchangeTimeout
from mop_locust.swarm.events import add_events
from mop_locust.swarm.generating.batched_statistics import BatchedStatistics
from mop_locust.swarm.generating.recorder import Cancelled, LedgerRecorder
from tests.unit.swarm.runs import STARTED_US, exchange, ledger, made_run, word


class Heard:
    """A recorder with a real ledger, a real runner of Locust's and its real events, and what their listeners heard."""

    def __init__(self, *, listens: bool = True) -> None:
        self.events = Events()
        add_events(self.events)
        self.runner = LocalRunner(Environment(events=self.events))
        self.runner.greenlet.kill()
        self.requests: list[dict[str, Any]] = []
        if listens:
            self.listen()
        self.own = ledger(made_run())
        self.recorder = LedgerRecorder(self.own, self.events, BatchedStatistics(self.runner.stats))

    def listen(self) -> None:
        """Somebody beside Locust listens from now on."""
        self.events.request.add_listener(lambda **fired: self.requests.append(fired))

    def counted(self) -> tuple[int, int]:
        """The requests and failures in Locust's statistics, after what waited was handed over."""
        self.recorder.statistics.hand_over()
        return self.runner.stats.num_requests, self.runner.stats.num_failures

    def totals(self) -> Totals:
        """What the ledger counted."""
        return Totals.of(word(self.own, 10).totals)


def test_an_exchange_is_a_request_of_locusts_too() -> None:
    """Its figures are the ledger's: milliseconds, bytes, the method and the tool as the name."""
    heard = Heard()
    heard.recorder.exchange(exchange(duration_us=2500, received=77), None)
    heard.recorder.exchange(exchange(method="tools/call", tool="search"), None)
    first, second = heard.requests
    assert first == {
        "request_type": "http",
        "name": "tools/list",
        "response_time": 2.5,
        "response_length": 77,
        "exception": None,
        "context": {},
    }
    assert second["name"] == "tools/call search"
    assert heard.totals().select("calls") == CounterTotal(2, {"ok": 2})


@pytest.mark.parametrize(
    ("error", "kind"), [(Disconnected("reset"), Disconnected), (GreenletExit(), Cancelled), (KeyboardInterrupt(), Cancelled)]
)
def test_an_error_is_one_that_locust_can_show(error: BaseException, kind: type[Exception]) -> None:
    """What is no Exception, as the end of a greenlet, is shown as a cancelled exchange."""
    heard = Heard()
    heard.recorder.exchange(exchange(outcome="cancelled" if kind is Cancelled else "disconnected"), error)
    assert type(heard.requests[0]["exception"]) is kind


def test_where_only_locust_listens_it_counts_all_and_no_event_is_fired() -> None:
    """But for what did not end well, which has its error with it."""
    heard = Heard(listens=False)
    fired: list[dict[str, Any]] = []
    heard.events.request.fire = lambda **request: fired.append(request)  # type: ignore[method-assign]
    heard.recorder = LedgerRecorder(heard.own, heard.events, BatchedStatistics(heard.runner.stats))
    heard.recorder.exchange(exchange(), None)
    heard.recorder.exchange(exchange(outcome="disconnected"), Disconnected("reset"))
    assert [type(request["exception"]) for request in fired] == [Disconnected]
    assert heard.counted() == (1, 0)
    assert heard.totals().select("calls") == CounterTotal(2, {"ok": 1, "disconnected": 1})


def test_who_begins_to_listen_in_the_middle_gets_every_event_from_then_on_and_locust_counts_each_once() -> None:
    """Whoever comes and goes."""
    heard = Heard(listens=False)
    heard.recorder.exchange(exchange(), None)
    heard.listen()
    heard.recorder.exchange(exchange(duration_us=3000), None)
    heard.recorder.exchange(exchange(outcome="timeout"), ExchangeTimeout("no answer"))
    heard.events.request.remove_listener(heard.events.request._handlers[-1])
    heard.recorder.exchange(exchange(), None)
    assert [request["response_time"] for request in heard.requests] == [3.0, 2.0]
    assert heard.counted() == (4, 1)


def test_who_listens_gets_each_sample() -> None:
    """`mop_sample`, also when the listener came later than the recorder."""
    heard = Heard()
    samples: list[Sample] = []
    heard.recorder.exchange(exchange(), None)
    heard.events.mop_sample.add_listener(lambda sample: samples.append(sample))  # type: ignore[attr-defined]
    sample = exchange(2)
    heard.recorder.exchange(sample, None)
    assert samples == [sample]


def test_metrics_go_into_the_ledger_alone() -> None:
    """Counters, rates and trends are no requests."""
    heard = Heard()
    heard.recorder.count("hits", (), 3, STARTED_US)
    heard.recorder.rate("tools_call_failures", (), True, STARTED_US)
    heard.recorder.trend("answer_length", (), 1500, STARTED_US)
    totals = heard.totals()
    assert totals.select("hits") == CounterTotal(3)
    assert totals.select("tools_call_failures") == RateTotal(1, 1)
    assert isinstance(length := totals.select("answer_length"), TrendTotal)
    assert (length.unit, length.histogram.max) == ("characters", 1500)
    assert heard.requests == []
