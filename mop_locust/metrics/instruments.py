"""The declarations of metrics, and the catalogue that says which metrics and tags a run can have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from mop_locust.metrics.labels import NAME

Kind = Literal["counter", "rate", "trend"]


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"a metric name is a letter or _ and then up to 63 letters, digits or _, not {name!r}")


@dataclass(frozen=True, slots=True)
class Counter:
    """A sum that only grows. ValueError for a bad name."""

    kind: ClassVar[Kind] = "counter"
    name: str

    def __post_init__(self) -> None:
        _check_name(self.name)


@dataclass(frozen=True, slots=True)
class Rate:
    """The share of events that failed. ValueError for a bad name."""

    kind: ClassVar[Kind] = "rate"
    name: str

    def __post_init__(self) -> None:
        _check_name(self.name)


@dataclass(frozen=True, slots=True)
class Trend:
    """A distribution of values, kept in thousandths of the unit. ValueError for a bad name."""

    kind: ClassVar[Kind] = "trend"
    name: str
    unit: str = "ms"

    def __post_init__(self) -> None:
        _check_name(self.name)


Instrument = Counter | Rate | Trend

BUILT_IN: tuple[Instrument, ...] = (
    Counter("calls"),
    Rate("call_failures"),
    Trend("call_latency"),
    Trend("call_latency_failed"),
    Trend("call_latency_timeout"),
    Trend("connect_latency"),
    Trend("upgrade_latency"),
    Trend("first_byte_latency"),
    Trend("session_duration"),
    Trend("sse_first_byte_latency"),
    Trend("sse_first_event_latency"),
    Trend("sse_keepalive_gap"),
    Trend("sse_stream_lifetime"),
    Counter("sse_early_ends"),
    Counter("sse_keepalives"),
    Counter("http_responses"),
    Counter("bytes_sent"),
    Counter("bytes_received"),
    Counter("iterations"),
    Counter("arrivals"),
    Counter("dropped_iterations"),
    Trend("iteration_duration"),
    Trend("iteration_duration_intended"),
    Trend("time_to_answer"),
    Rate("ws_failures"),
    Rate("tools_call_failures"),
    Rate("sse_failures"),
    Trend("start_lag"),
    Trend("ceiling_wait"),
    Trend("loop_lag"),
    Trend("gc_pause"),
)


class Catalogue:
    """The metrics of a run, the built-in ones and the declared, with the tags that can occur.

    `tags` maps each tag name to its possible values, None for any. ValueError when a name is declared in two ways.
    """

    def __init__(self, instruments: Iterable[Instrument], tags: Mapping[str, frozenset[str] | None]) -> None:
        self.instruments: dict[str, Instrument] = {instrument.name: instrument for instrument in BUILT_IN}
        self.tags = dict(tags)
        for instrument in instruments:
            known = self.instruments.setdefault(instrument.name, instrument)
            if known != instrument:
                raise ValueError(f"metric {instrument.name} is declared as {instrument} and as {known}")
