"""A tally under the public metric names: each exchange series spread over calls, call_latency and the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal, TrendTotal, fold, total_of
from mop_locust.metrics.labels import Tags
from mop_locust.metrics.tally import CustomKey, ErrorKey, ErrorTotal, ExchangeKey, ExchangeTotal, Tally


class Totals:
    """Every series of a run by (metric name, sorted tags), its errors by class, and what overflowed the limits."""

    def __init__(self) -> None:
        self.series: dict[CustomKey, Accumulator] = {}
        self.errors: dict[ErrorKey, ErrorTotal] = {}
        self.overflowed = 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Totals):
            return NotImplemented
        return (self.series, self.errors, self.overflowed) == (other.series, other.errors, other.overflowed)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"<Totals series={len(self.series)} errors={len(self.errors)} overflowed={self.overflowed}>"

    @classmethod
    def of(cls, tally: Tally) -> Totals:
        """The totals of a tally, which they share: it must not be changed any more while they are read.

        TypeError when a custom series has a built-in name of another kind.
        """
        totals = cls()
        for key, total in expand(tally):
            known = totals.series.get(key)
            totals.series[key] = total if known is None else total_of((known, total))
        totals.errors = {key: error.copy() for key, error in tally.errors.items()}
        totals.overflowed = tally.overflowed
        return totals

    def add(self, key: CustomKey, total: Accumulator) -> None:
        """Add to one series; what is given is not shared. TypeError when the kinds differ."""
        known = self.series.get(key)
        if known is None:
            self.series[key] = total.copy()
        else:
            fold(known, total)

    def fold(self, other: Totals) -> None:
        """Add all that the other one holds, which is not shared."""
        for key, total in other.series.items():
            self.add(key, total)
        for error_key, error in other.errors.items():
            if error_key in self.errors:
                self.errors[error_key].fold(error)
            else:
                self.errors[error_key] = error.copy()
        self.overflowed += other.overflowed

    def select(self, name: str, tags: Mapping[str, str] | Tags = ()) -> Accumulator | None:
        """The sum of all series of a metric that carry these tags, in a copy; None when there is none."""
        wanted = set(dict(tags).items())
        result: Accumulator | None = None
        for (metric, carried), total in self.series.items():
            if metric == name and wanted.issubset(carried):
                if result is None:
                    result = total.copy()
                else:
                    fold(result, total)
        return result

    def sorted_errors(self) -> list[tuple[ErrorKey, ErrorTotal]]:
        """The classes of errors, the most frequent first."""
        return sorted(self.errors.items(), key=lambda item: (-item[1].count, item[0]))


def merge_totals(parts: Iterable[Totals]) -> Totals:
    """The sum of totals, none of which is changed or shared."""
    result = Totals()
    for part in parts:
        result.fold(part)
    return result


def expand(tally: Tally) -> Iterator[tuple[CustomKey, Accumulator]]:
    """Every series of a tally under its public name; histograms are shared, series without a sample left out."""
    for place, exchange in tally.exchanges.items():
        yield from _expand_exchange(place, exchange)
    yield from tally.customs.items()


def _expand_exchange(place: ExchangeKey, exchange: ExchangeTotal) -> Iterator[tuple[CustomKey, Accumulator]]:
    scenario, transport, method, tool = place
    head: Tags = (("method", method), ("scenario", scenario))
    tail: Tags = (("tool", tool), ("transport", transport)) if tool else (("transport", transport),)
    tags = head + tail
    yield ("calls", tags), CounterTotal(exchange.count, exchange.outcomes)
    judged = exchange.failures + exchange.outcomes.get("ok", 0)
    if judged:
        yield ("call_failures", tags), RateTotal(judged, exchange.failures)
    for name, histogram in (
        ("call_latency", exchange.latency),
        ("call_latency_failed", exchange.failed),
        ("call_latency_timeout", exchange.timeout),
        ("connect_latency", exchange.connect),
        ("first_byte_latency", exchange.first_byte),
    ):
        if histogram.count:
            yield (name, tags), TrendTotal(histogram)
    for status, n in exchange.statuses.items():
        yield ("http_responses", (*head, ("status", str(status)), *tail)), CounterTotal(n)
    for name, size in (("bytes_sent", exchange.sent), ("bytes_received", exchange.received)):
        if size:
            yield (name, tags), CounterTotal(size)
