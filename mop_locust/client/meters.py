"""The metrics that a scenario declares, each one call away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from mop_locust.client.exchange import Exchanges, Tags
from mop_locust.metrics.instruments import Counter, Rate, Trend

M = TypeVar("M", "CounterMeter", "RateMeter", "TrendMeter")


class CounterMeter:
    """A declared counter."""

    __slots__ = ("_exchanges", "_name", "_tags")

    def __init__(self, name: str, exchanges: Exchanges, tags: Tags) -> None:
        self._name, self._exchanges, self._tags = name, exchanges, tags

    def add(self, n: int = 1) -> None:
        """Adds `n`."""
        self._exchanges.count(self._name, n, self._tags)


class RateMeter:
    """A declared rate of failures."""

    __slots__ = ("_exchanges", "_name", "_tags")

    def __init__(self, name: str, exchanges: Exchanges, tags: Tags) -> None:
        self._name, self._exchanges, self._tags = name, exchanges, tags

    def add(self, failed: bool) -> None:
        """Adds one value: failed or not."""
        self._exchanges.rate(self._name, failed, self._tags)


class TrendMeter:
    """A declared trend."""

    __slots__ = ("_exchanges", "_name", "_tags")

    def __init__(self, name: str, exchanges: Exchanges, tags: Tags) -> None:
        self._name, self._exchanges, self._tags = name, exchanges, tags

    def add(self, value: float) -> None:
        """Adds one value in the trend's unit (milliseconds unless declared otherwise), kept to a thousandth."""
        self._exchanges.trend(self._name, round(value * 1000), self._tags)


def meter(
    kind: type[M],
    instruments: Mapping[str, Counter | Rate | Trend],
    name: str,
    exchanges: Exchanges,
    tags: Mapping[str, str] | None = None,
) -> M:
    """Returns the meter of the instrument `name`, with tags beside the scenario.

    Raises KeyError, with the names there are, for an undeclared instrument.
    """
    declared = DECLARED_BY[kind]
    if not isinstance(instruments.get(name), declared):
        there_are = ", ".join(sorted(key for key, value in instruments.items() if isinstance(value, declared)))
        word = declared.__name__
        raise KeyError(
            f"no {word.lower()} {name!r}: declare it on the user class, metrics = [{word}({name!r})]; there are {there_are}"
        )
    return kind(name, exchanges, _beside(exchanges.tags, tags) if tags else exchanges.tags)


def _beside(shared: Tags, own: Mapping[str, str]) -> Tags:
    return tuple(sorted((*shared, *own.items())))


DECLARED_BY: Mapping[type, type] = {CounterMeter: Counter, RateMeter: Rate, TrendMeter: Trend}
