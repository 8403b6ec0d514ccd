"""The totals of many workers added up series by series: with all of them read at once, a busy run is many megabytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from mop_locust.metrics.accumulators import Accumulator, TrendTotal
from mop_locust.metrics.histogram import Histogram, Whole
from mop_locust.metrics.tally import CustomKey, ErrorKey, ErrorTotal, ExchangeKey, ExchangeTotal, Tally, check_key, check_place

Source = tuple[str, int]
"""A worker and its epoch."""

Packed = tuple[Source, msgspec.Raw]
"""What one source has of a series."""

Part = TypeVar("Part", ExchangeTotal, Accumulator)


class Unreadable(ValueError):
    """The bytes of one of the sources are no totals, contradict themselves, or have a metric of another kind than is known."""

    def __init__(self, source: Source) -> None:
        super().__init__(f"the totals of {source[0]} cannot be used")
        self.source = source


class OwnFigures(NamedTuple):
    """What a worker measured of itself since the last reset, and how many exchanges it made."""

    exchanges: int = 0
    loop_lag: Histogram | None = None
    gc_pause: Histogram | None = None


class _PackedTally(msgspec.Struct, array_like=True):
    """A tally whose series are still bytes: its fields are those of `Tally`."""

    exchanges: dict[ExchangeKey, msgspec.Raw]
    customs: dict[CustomKey, msgspec.Raw]
    errors: dict[ErrorKey, ErrorTotal]
    overflowed: Whole


_PACKED = msgspec.msgpack.Decoder(_PackedTally)
_EXCHANGE = msgspec.msgpack.Decoder(ExchangeTotal)
_CUSTOM: msgspec.msgpack.Decoder[Accumulator] = msgspec.msgpack.Decoder(Accumulator)


class SeriesSum:
    """The sum of packed tallies as `total`, which is frozen, the figures of each source's own, and the kinds of all metrics.

    Unreadable, with the source at fault, when one of them cannot be used; `kinds` are those that are known already.
    """

    def __init__(self, sources: Mapping[Source, msgspec.Raw], kinds: Mapping[str, str]) -> None:
        self.total = Tally()
        self.kinds = dict(kinds)
        self._exchanges = dict.fromkeys(sources, 0)
        self._vitals: dict[str, dict[Source, Histogram]] = {"loop_lag": {}, "gc_pause": {}}
        packed = {source: _read(_unpacked, source, raw) for source, raw in sources.items()}
        for place, raws in _by_series({source: tally.exchanges for source, tally in packed.items()}).items():
            self.total.exchanges[place] = self._exchange(place, raws)
        for key, raws in _by_series({source: tally.customs for source, tally in packed.items()}).items():
            self.total.customs[key] = self._custom(key, raws)
        for tally in packed.values():
            self.total.fold(Tally(errors=tally.errors, overflowed=tally.overflowed))

    def own(self, source: Source) -> OwnFigures:
        """What one of the sources says of itself."""
        return OwnFigures(self._exchanges[source], *(vital.get(source) for vital in self._vitals.values()))

    def _exchange(self, place: ExchangeKey, raws: Sequence[Packed]) -> ExchangeTotal:
        def read(source: Source, raw: msgspec.Raw) -> ExchangeTotal:
            exchange = _EXCHANGE.decode(raw)
            check_place(place)
            exchange.check()
            self._exchanges[source] += exchange.count
            return exchange

        whole = _sum(raws, read)
        for histogram in whole.histograms:
            histogram.freeze()
        return whole

    def _custom(self, key: CustomKey, raws: Sequence[Packed]) -> Accumulator:
        name, tags = key

        def read(source: Source, raw: msgspec.Raw) -> Accumulator:
            custom = _CUSTOM.decode(raw)
            check_key(key)
            custom.check()
            if self.kinds.setdefault(name, custom.kind) != custom.kind:
                raise ValueError("of another kind")
            if not tags and name in self._vitals and isinstance(custom, TrendTotal):
                own = self._vitals[name][source] = custom.histogram.copy()
                own.freeze()
            return custom

        whole = _sum(raws, read)
        if isinstance(whole, TrendTotal):
            whole.histogram.freeze()
        return whole


Key = TypeVar("Key", ExchangeKey, CustomKey)


def _by_series(packed: Mapping[Source, Mapping[Key, msgspec.Raw]]) -> dict[Key, list[Packed]]:
    """What the sources have of each series."""
    found: dict[Key, list[Packed]] = {}
    for source, series in packed.items():
        for key, raw in series.items():
            found.setdefault(key, []).append((source, raw))
    return found


def _sum(raws: Sequence[Packed], read: Callable[[Source, msgspec.Raw], Part]) -> Part:
    """One series over all sources that have it, each read when it is added."""
    first, *others = raws
    whole = _read(read, *first)
    for other in others:
        whole.fold(_read(read, *other))  # type: ignore[arg-type]  # of one kind: `read` refuses another
    return whole


def _unpacked(_: Source, raw: msgspec.Raw) -> _PackedTally:
    return _PACKED.decode(raw)


Value = TypeVar("Value")


def _read(read: Callable[[Source, msgspec.Raw], Value], source: Source, raw: msgspec.Raw) -> Value:
    try:
        return read(source, raw)
    except (ValueError, RecursionError):
        raise Unreadable(source) from None
