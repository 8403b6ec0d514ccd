"""All series of one span of time: what a ledger fills, a snapshot carries and a merge adds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from mop_locust.metrics.accumulators import Accumulator, TrendTotal, add_counts, fold
from mop_locust.metrics.histogram import Histogram, Whole
from mop_locust.metrics.labels import NAME, Tags, printable, sorted_tags
from mop_locust.metrics.sample import FAILURES, OUTCOMES

ExchangeKey = tuple[str, str, str, str]
"""(scenario, transport, method, tool); the tool is "" where there is none."""

CustomKey = tuple[str, Tags]
"""(metric name, sorted tags)."""

ErrorKey = tuple[str, str, str, str, str, str]
"""(scenario, transport, method, tool, outcome, label)."""

_OUTCOMES = frozenset(OUTCOMES)
_EMPTY = Histogram()
_REMEMBERED = 4096  # a master sees the same keys from every worker, each second


class ExchangeTotal(msgspec.Struct, array_like=True, gc=False):
    """The exchanges of one (scenario, transport, method, tool). Times in microseconds, `sent` and `received` in bytes.

    `latency` is of the `ok` ones only, `failed` of the other failures without timeouts, `timeout` of the timed-out ones.
    """

    outcomes: dict[str, Whole] = msgspec.field(default_factory=dict)
    latency: Histogram = msgspec.field(default_factory=Histogram)
    failed: Histogram = msgspec.field(default_factory=Histogram)
    timeout: Histogram = msgspec.field(default_factory=Histogram)
    connect: Histogram = msgspec.field(default_factory=Histogram)
    first_byte: Histogram = msgspec.field(default_factory=Histogram)
    sent: Whole = 0
    received: Whole = 0
    statuses: dict[Whole, Whole] = msgspec.field(default_factory=dict)

    @property
    def count(self) -> int:
        """All exchanges, whatever their outcome."""
        return sum(self.outcomes.values())

    @property
    def failures(self) -> int:
        """The exchanges whose outcome is one of FAILURES."""
        return sum(self.outcomes.get(outcome, 0) for outcome in FAILURES)

    @property
    def histograms(self) -> tuple[Histogram, ...]:
        """All its distributions, always in the same order."""
        return self.latency, self.failed, self.timeout, self.connect, self.first_byte

    def fold(self, other: ExchangeTotal) -> None:
        """Add the exchanges of the other one."""
        add_counts(self.outcomes, other.outcomes)
        self.latency.merge(other.latency)
        self.failed.merge(other.failed)
        self.timeout.merge(other.timeout)
        self.connect.merge(other.connect)
        self.first_byte.merge(other.first_byte)
        self.sent += other.sent
        self.received += other.received
        add_counts(self.statuses, other.statuses)

    def copy(self) -> ExchangeTotal:
        """An equal one that shares nothing."""
        return ExchangeTotal(
            self.outcomes.copy(),
            self.latency.copy(),
            self.failed.copy(),
            self.timeout.copy(),
            self.connect.copy(),
            self.first_byte.copy(),
            self.sent,
            self.received,
            self.statuses.copy(),
        )

    def check(self) -> None:
        """ValueError for an unknown outcome, or when outcomes and latencies contradict each other."""
        if not self.outcomes.keys() <= _OUTCOMES:
            raise ValueError(f"unknown outcome {min(self.outcomes.keys() - _OUTCOMES)!r}")
        for histogram in self.histograms:
            if histogram != _EMPTY:
                histogram.check()
        timeouts = self.outcomes.get("timeout", 0)
        measured = (self.latency.count, self.failed.count, self.timeout.count)
        if measured != (self.outcomes.get("ok", 0), self.failures - timeouts, timeouts):
            raise ValueError("latencies do not fit the outcomes")


class ErrorTotal(msgspec.Struct, array_like=True, gc=False):
    """How often one class of error came, first and last when, in microseconds since the run began."""

    count: Whole
    first_us: int
    last_us: int

    def fold(self, other: ErrorTotal) -> None:
        """Add the errors of the other one."""
        self.count += other.count
        self.first_us = min(self.first_us, other.first_us)
        self.last_us = max(self.last_us, other.last_us)

    def copy(self) -> ErrorTotal:
        """An equal one."""
        return ErrorTotal(self.count, self.first_us, self.last_us)


class Tally(msgspec.Struct, array_like=True, gc=False):
    """Every series of a span of time; `overflowed` counts the records that found no series of their own."""

    exchanges: dict[ExchangeKey, ExchangeTotal] = msgspec.field(default_factory=dict)
    customs: dict[CustomKey, Accumulator] = msgspec.field(default_factory=dict)
    errors: dict[ErrorKey, ErrorTotal] = msgspec.field(default_factory=dict)
    overflowed: Whole = 0

    def histograms(self) -> Iterator[Histogram]:
        """Every distribution of every series, in the order of the series."""
        for exchange in self.exchanges.values():
            yield from exchange.histograms
        for custom in self.customs.values():
            if isinstance(custom, TrendTotal):
                yield custom.histogram

    def fold(self, other: Tally) -> None:
        """Add every series of the other one, which stays as it is and is not shared; TypeError when kinds differ."""
        for exchange_key, exchange in other.exchanges.items():
            if exchange_key in self.exchanges:
                self.exchanges[exchange_key].fold(exchange)
            else:
                self.exchanges[exchange_key] = exchange.copy()
        for custom_key, custom in other.customs.items():
            if custom_key in self.customs:
                fold(self.customs[custom_key], custom)
            else:
                self.customs[custom_key] = custom.copy()
        for error_key, error in other.errors.items():
            if error_key in self.errors:
                self.errors[error_key].fold(error)
            else:
                self.errors[error_key] = error.copy()
        self.overflowed += other.overflowed

    def check(self) -> None:
        """ValueError when any series contradicts itself."""
        for place, exchange in self.exchanges.items():
            check_place(place)
            exchange.check()
        for key, custom in self.customs.items():
            check_key(key)
            custom.check()


@lru_cache(_REMEMBERED)
def check_place(place: ExchangeKey) -> None:
    """ValueError for what cannot be the key of an exchange series."""
    if any(text != printable(text) for text in place):
        raise ValueError(f"not the key of a series: {place!r}")


@lru_cache(_REMEMBERED)
def check_key(key: CustomKey) -> None:
    """ValueError for what cannot be the key of a custom series."""
    name, tags = key
    if not NAME.fullmatch(name) or tags != sorted_tags(tags):
        raise ValueError(f"not the key of a series: {key!r}")
