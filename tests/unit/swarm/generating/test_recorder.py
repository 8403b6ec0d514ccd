"""Every measurement goes into the ledger, and the same exchange into Locust's own statistics."""

from __future__ import annotations

from typing import Any

import pytest
from gevent import GreenletExit
from locust.event import Events

from mop_locust.metrics.accumulators import CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.sample import Sample
from mop_locust.metrics.totals import Totals
from mop_locust.protocol.errors import Disconnected
from mop_locust.swarm.events import add_events
from mop_locust.swarm.generating.recorder import Cancelled, LedgerRecorder
from tests.unit.swarm.runs import STARTED_US, exchange, ledger, made_run, word


class Heard:
    """A recorder with a real ledger and Locust's real events, and what their listeners heard."""

    def __init__(self) -> None:
        self.events = Events()
        add_events(self.events)
        self.requests: list[dict[str, Any]] = []
        self.events.request.add_listener(lambda **fired: self.requests.append(fired))
        self.own = ledger(made_run())
        self.recorder = LedgerRecorder(self.own, self.events)

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
