"""The totals of many workers added up series by series: with all of them read at once, a busy run is many megabytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import NamedTuple, TypeVar

import msgspec

from mop_locust.metrics.accumulators import Accumulator, TrendTotal
from mop_locust.metrics.histogram import Histogram, Whole
from mop_locust.metrics.tally import CustomKey, ErrorKey, ErrorTotal, ExchangeKey, ExchangeTotal, Tally, check_key, check_place

Source = tuple[str, int]
"""A worker and its epoch."""

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


class _Packed(msgspec.Struct, array_like=True):
    """A tally whose series are still bytes: its fields are those of `Tally`."""

    exchanges: dict[ExchangeKey, msgspec.Raw]
    customs: dict[CustomKey, msgspec.Raw]
    errors: dict[ErrorKey, ErrorTotal]
    overflowed: Whole


_PACKED = msgspec.msgpack.Decoder(_Packed)
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
        packed = {source: _read(source, _PACKED.decode, raw) for source, raw in sources.items()}
        for place in _all_keys(tally.exchanges for tally in packed.values()):
            self.total.exchanges[place] = self._exchange(place, {source: tally.exchanges for source, tally in packed.items()})
        for key in _all_keys(tally.customs for tally in packed.values()):
            self.total.customs[key] = self._custom(key, {source: tally.customs for source, tally in packed.items()})
        for tally in packed.values():
            self.total.fold(Tally(errors=tally.errors, overflowed=tally.overflowed))

    def own(self, source: Source) -> OwnFigures:
        """What one of the sources says of itself."""
        return OwnFigures(self._exchanges[source], *(vital.get(source) for vital in self._vitals.values()))

    def _exchange(self, place: ExchangeKey, packed: Mapping[Source, Mapping[ExchangeKey, msgspec.Raw]]) -> ExchangeTotal:
        def read(raw: msgspec.Raw) -> ExchangeTotal:
            exchange = _EXCHANGE.decode(raw)
            check_place(place)
            exchange.check()
            return exchange

        def note(source: Source, exchange: ExchangeTotal) -> None:
            self._exchanges[source] += exchange.count

        whole = _sum(place, packed, read, note)
        for histogram in whole.histograms:
            histogram.freeze()
        return whole

    def _custom(self, key: CustomKey, packed: Mapping[Source, Mapping[CustomKey, msgspec.Raw]]) -> Accumulator:
        def read(raw: msgspec.Raw) -> Accumulator:
            custom = _CUSTOM.decode(raw)
            check_key(key)
            custom.check()
            if self.kinds.setdefault(key[0], custom.kind) != custom.kind:
                raise ValueError("of another kind")
            return custom

        def note(source: Source, custom: Accumulator) -> None:
            name, tags = key
            if not tags and name in self._vitals and isinstance(custom, TrendTotal):
                own = self._vitals[name][source] = custom.histogram.copy()
                own.freeze()

        whole = _sum(key, packed, read, note)
        if isinstance(whole, TrendTotal):
            whole.histogram.freeze()
        return whole


Key = TypeVar("Key", ExchangeKey, CustomKey)


def _all_keys(series: Iterable[Mapping[Key, msgspec.Raw]]) -> Iterable[Key]:
    return dict.fromkeys(chain.from_iterable(series))


def _sum(
    key: Key,
    packed: Mapping[Source, Mapping[Key, msgspec.Raw]],
    read: Callable[[msgspec.Raw], Part],
    note: Callable[[Source, Part], None],
) -> Part:
    """One series over all sources that have it."""
    whole: Part | None = None
    for source, series in packed.items():
        if key in series:
            part = _read(source, read, series[key])
            note(source, part)
            if whole is None:
                whole = part
            else:
                whole.fold(part)  # type: ignore[arg-type]  # of one kind: `read` refuses another
    assert whole is not None, "a key is that of one of the sources"
    return whole


Value = TypeVar("Value")


def _read(source: Source, read: Callable[[msgspec.Raw], Value], raw: msgspec.Raw) -> Value:
    try:
        return read(raw)
    except (ValueError, RecursionError):
        raise Unreadable(source) from None
