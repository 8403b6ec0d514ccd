"""The metrics that a scenario declares, each one call away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from mop_locust.client.exchange import Exchanges
from mop_locust.metrics.instruments import Counter, Rate, Trend

M = TypeVar("M", "CounterMeter", "RateMeter", "TrendMeter")


class CounterMeter:
    """A declared counter."""

    __slots__ = ("_exchanges", "_name")

    def __init__(self, name: str, exchanges: Exchanges) -> None:
        self._name, self._exchanges = name, exchanges

    def add(self, n: int = 1) -> None:
        """Adds `n`."""
        self._exchanges.count(self._name, n)


class RateMeter:
    """A declared rate of failures."""

    __slots__ = ("_exchanges", "_name")

    def __init__(self, name: str, exchanges: Exchanges) -> None:
        self._name, self._exchanges = name, exchanges

    def add(self, failed: bool) -> None:
        """Adds one value: failed or not."""
        self._exchanges.rate(self._name, failed)


class TrendMeter:
    """A declared trend."""

    __slots__ = ("_exchanges", "_name")

    def __init__(self, name: str, exchanges: Exchanges) -> None:
        self._name, self._exchanges = name, exchanges

    def add(self, value: float, **tags: str) -> None:
        """Adds one value in the trend's unit (milliseconds unless declared otherwise), kept to a thousandth.

        The names of the tags are those that the scenario declares as `metric_tags`.
        """
        self._exchanges.trend(self._name, round(value * 1000), tuple(tags.items()))


def meter(kind: type[M], instruments: Mapping[str, Counter | Rate | Trend], name: str, exchanges: Exchanges) -> M:
    """Returns the meter of the instrument `name`; raises KeyError, with the names there are, for an undeclared one."""
    declared = DECLARED_BY[kind]
    if not isinstance(instruments.get(name), declared):
        there_are = ", ".join(sorted(key for key, value in instruments.items() if isinstance(value, declared)))
        word = declared.__name__
        raise KeyError(
            f"no {word.lower()} {name!r}: declare it on the user class, metrics = [{word}({name!r})]; there are {there_are}"
        )
    return kind(name, exchanges)


DECLARED_BY: Mapping[type, type] = {CounterMeter: Counter, RateMeter: Rate, TrendMeter: Trend}
