"""The metrics of a scenario, by name."""

from __future__ import annotations

import pytest

from mop_locust.client.exchange import Exchanges
from mop_locust.client.meters import CounterMeter, RateMeter, TrendMeter, meter
from mop_locust.metrics.instruments import Counter, Instrument, Rate, Trend
from tests.unit.client.memory import TAGS, Taken, client, clients

OWN: dict[str, Instrument] = {
    "hits": Counter("hits"),
    "misses": Counter("misses"),
    "empty": Rate("empty"),
    "size": Trend("size", unit="characters"),
}


def test_meters_feed_what_was_declared(taken: Taken) -> None:
    """Counters add, rates take a verdict, trends take their unit and keep thousandths."""
    exchanges = Exchanges("tests", taken, 5.0, {})
    meter(CounterMeter, OWN, "hits", exchanges).add()
    meter(CounterMeter, OWN, "hits", exchanges).add(5)
    meter(RateMeter, OWN, "empty", exchanges).add(True)
    meter(RateMeter, OWN, "empty", exchanges).add(False)
    meter(TrendMeter, OWN, "size", exchanges).add(12.3456)
    assert taken.counts == [("hits", TAGS, 1), ("hits", TAGS, 5)]
    assert taken.rates == [("empty", TAGS, True), ("empty", TAGS, False)]
    assert taken.trends == [("size", TAGS, 12346)]


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        (CounterMeter, "x", "no counter 'x': declare it on the user class, metrics = [Counter('x')]; there are hits, misses"),
        (RateMeter, "hits", "no rate 'hits': declare it on the user class, metrics = [Rate('hits')]; there are empty"),
        (TrendMeter, "", "no trend '': declare it on the user class, metrics = [Trend('')]; there are size"),
    ],
)
def test_an_undeclared_name_tells_what_there_is(
    taken: Taken, kind: type[CounterMeter] | type[RateMeter] | type[TrendMeter], name: str, sentence: str
) -> None:
    """The error says how to declare the metric and which ones of its kind there are; one of another kind is none."""
    with pytest.raises(KeyError) as caught:
        meter(kind, OWN, name, Exchanges("tests", taken, 5.0, {}))
    assert caught.value.args == (sentence,)


def test_the_client_has_a_door_to_each_kind(taken: Taken) -> None:
    """`counter`, `rate` and `trend` of the client find the user class's instruments."""
    user = clients(taken).client("tests", OWN, {})
    user.counter("misses").add(2)
    user.rate("empty").add(False)
    user.trend("size").add(1)
    assert (taken.counts, taken.rates, taken.trends) == (
        [("misses", TAGS, 2)],
        [("empty", TAGS, False)],
        [("size", TAGS, 1000)],
    )
    for door in (user.counter, user.rate, user.trend):
        with pytest.raises(KeyError, match=r"no \w+ 'nonsuch'"):
            door("nonsuch")


def test_the_built_in_metrics_can_be_fed(taken: Taken) -> None:
    """A user class has them beside its own, so a scenario may feed ws_failures without declaring it."""
    client(clients(taken)).rate("ws_failures").add(True)
    assert taken.rates == [("ws_failures", TAGS, True)]


def test_a_trend_takes_further_tags(taken: Taken) -> None:
    """Beside the scenario, in the order of their names."""
    trend = meter(TrendMeter, OWN, "size", Exchanges("tests", taken, 5.0, {}))
    trend.add(1, rule="r", area="a")
    trend.add(2)
    assert taken.trends == [("size", (("area", "a"), ("rule", "r"), ("scenario", "tests")), 1000), ("size", TAGS, 2000)]
