"""The ledger of one worker: samples go in one by one, cumulative snapshots come out.

A sample touches only the window of the current second; a window is added to the totals when it closes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.instruments import BUILT_IN, Counter, Instrument, Rate, Trend
from mop_locust.metrics.labels import Tags, normalise_error, printable, sorted_tags
from mop_locust.metrics.sample import FAILURES, OUTCOMES, Sample
from mop_locust.metrics.snapshot import Snapshot, SnapshotError, Window, decode_snapshot, pack
from mop_locust.metrics.tally import CustomKey, ErrorKey, ErrorTotal, ExchangeKey, ExchangeTotal, Tally

__all__ = ["OTHER", "Ledger", "Snapshot", "SnapshotError", "Window", "decode_snapshot", "normalise_error"]

WINDOW_US = 1_000_000

MOST_PENDING = 120
"""How many closed windows wait for the master; a worker that was not heard for so long has stopped anyway."""

LARGEST_COUNT = 2**40

OTHER = "other"
"""The tag value of the one series, and the label of the one class, that takes what is above the limits."""

_OTHER_EXCHANGE: ExchangeKey = (OTHER, OTHER, OTHER, OTHER)
_OTHER_CUSTOM: dict[str, Instrument] = {
    "counter": Counter("other_counter"),
    "rate": Rate("other_rate"),
    "trend": Trend("other_trend"),
}
_OUTCOMES = frozenset(OUTCOMES)
_FAILED = frozenset(FAILURES) - {"timeout"}
_NO_ERROR = frozenset({"ok", "cancelled"})
_MOST_TEXTS = 256


class Ledger:
    """Counts what one worker (one `epoch` of it) measures in one run.

    `origin_us` is the monotonic microsecond at which the run began. At most `max_series` series and `max_errors` classes
    of errors are kept apart; the rest goes to "other" and is counted. `instruments` are the declared custom metrics; a
    metric that was not declared takes its kind from its first use.
    """

    def __init__(
        self,
        run_id: str,
        worker: str,
        epoch: int,
        origin_us: int,
        *,
        max_series: int = 1000,
        max_errors: int = 50,
        instruments: Iterable[Instrument] = (),
    ) -> None:
        self.run_id = run_id
        self.worker = worker
        self.epoch = epoch
        self.sequence = 0
        self.resets = 0
        self.origin_us = origin_us
        self._max_series = max_series
        self._max_errors = max_errors
        declared = (*BUILT_IN, *instruments, *_OTHER_CUSTOM.values())
        self._instruments: dict[str, Instrument] = {instrument.name: instrument for instrument in declared}
        self._known: set[object] = set()
        self._classes = 0
        self._texts: dict[str, str] = {}
        self._totals = Tally()
        self._before: Tally | None = None
        self._gauges: dict[str, float] = {}
        self._closed: list[Window] = []
        self._dropped = 0
        self._carried = Tally()
        self._window = Tally()
        self._open(0)

    def __repr__(self) -> str:
        return f"<Ledger {self.worker} epoch={self.epoch} sequence={self.sequence} second={self._index}>"

    def record(self, sample: Sample) -> None:
        """Add one exchange to the window of its end, or to the current one when it comes late.

        ValueError for an outcome outside OUTCOMES. Hot path: nothing is allocated but the key and the integers.
        """
        outcome = sample.outcome
        if outcome not in _OUTCOMES:
            raise ValueError(f"unknown outcome {outcome!r}; one of {', '.join(OUTCOMES)}")
        duration = sample.duration_us
        end = sample.start_us + duration - self.origin_us
        if end >= self._turn_us:
            self._turn(end // WINDOW_US)
        series = self._exchanges.get((sample.scenario, sample.transport, sample.method, sample.tool))
        if series is None:
            series = self._exchange(sample)
        if outcome == "ok":
            series.latency.record(duration)
        else:
            self._not_ok(sample, series, end)
        outcomes = series.outcomes
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if sample.connect_us >= 0:
            series.connect.record(sample.connect_us)
        if sample.first_byte_us >= 0:
            series.first_byte.record(sample.first_byte_us)
        # A negative number is a fault of the caller; it would make the whole snapshot unreadable.
        if sample.sent > 0:
            series.sent += sample.sent
        if sample.received > 0:
            series.received += sample.received
        status = sample.status
        if status > 0:
            statuses = series.statuses
            statuses[status] = statuses.get(status, 0) + 1

    def count(self, name: str, tags: Tags, n: int, at_us: int) -> None:
        """Add n (0 to 2**40; 0 makes the series known) to a counter. ValueError when the metric is of another kind."""
        if not 0 <= n <= LARGEST_COUNT:
            raise ValueError(f"a counter takes 0 to 2**40, not {n}")
        total = self._custom(Counter, name, tags, at_us)
        assert isinstance(total, CounterTotal)
        total.count += n

    def rate(self, name: str, tags: Tags, failed: bool, at_us: int) -> None:
        """Add one event to a rate. ValueError when the metric is of another kind."""
        total = self._custom(Rate, name, tags, at_us)
        assert isinstance(total, RateTotal)
        total.count += 1
        if failed:
            total.failures += 1

    def trend(self, name: str, tags: Tags, value: int, at_us: int) -> None:
        """Add a value in thousandths of the unit (us for ms) to a trend. ValueError when the metric is of another kind."""
        total = self._custom(Trend, name, tags, at_us)
        assert isinstance(total, TrendTotal)
        total.histogram.record(value)

    def gauge(self, name: str, value: float) -> None:
        """Set a gauge; its last value stays and stands in the current window. ValueError when it is not finite."""
        if not math.isfinite(value):
            raise ValueError(f"gauge {name} takes a finite number, not {value}")
        self._gauges[name] = self._window_gauges[name] = float(value)

    def snapshot(self, now_us: int, wall_us: int, *, final: bool = False) -> Snapshot:
        """All until now, the open window included; `final` closes that too, so that every window is on its way."""
        end = now_us - self.origin_us
        if end >= self._turn_us:
            self._turn(end // WINDOW_US)
        if final:
            self._turn(self._index + 1)
        totals = Tally()
        totals.fold(self._totals)
        totals.fold(self._window)
        self.sequence += 1
        return Snapshot(
            run_id=self.run_id,
            worker=self.worker,
            epoch=self.epoch,
            sequence=self.sequence,
            final=final,
            at_us=end,
            wall_us=wall_us,
            packed_totals=pack(totals),
            packed_before=pack(self._before),
            resets=self.resets,
            windows=self._closed.copy(),
            windows_dropped=self._dropped,
            gauges=self._gauges.copy(),
            packed_open_window=pack(self._open_window()),
        )

    def _open_window(self) -> Window | None:
        """What the current second holds so far, as the window that it would be; None for nothing."""
        tally = Tally()
        tally.fold(self._carried)
        tally.fold(self._window)
        return None if tally == Tally() else Window(self._index, tally, self._window_gauges.copy())

    def acknowledge(self, window_index: int) -> None:
        """Drop the closed windows up to this one: the master has them."""
        self._closed = [window for window in self._closed if window.index > window_index]

    def reset(self) -> None:
        """Move all that was counted so far into `before`; the windows go on, they show the whole course of the run."""
        # A new tally each time: snapshots already handed out share the old one.
        before = Tally()
        before.fold(self._before or Tally())
        before.fold(self._totals)
        before.fold(self._window)
        self._before = before
        self._totals = Tally()
        self._classes = 0
        self._carried.fold(self._window)
        self._window = Tally()
        self._exchanges = self._window.exchanges
        self.resets += 1

    def _open(self, index: int) -> None:
        self._index = index
        self._turn_us = (index + 1) * WINDOW_US
        self._window = Tally()
        self._window_gauges: dict[str, float] = {}
        self._exchanges = self._window.exchanges

    def _turn(self, index: int) -> None:
        """Close the open window and open another one."""
        content = self._window
        self._totals.fold(content)
        if self._carried != Tally():
            self._carried.fold(content)
            content, self._carried = self._carried, Tally()
        if content.exchanges or content.customs or self._window_gauges:
            self._closed.append(Window(self._index, content, self._window_gauges))
            if len(self._closed) > MOST_PENDING:
                del self._closed[0]
                self._dropped += 1
        self._open(index)

    def _exchange(self, sample: Sample) -> ExchangeTotal:
        """The series of a sample that the open window does not hold under the sample's own texts."""
        place = self._place(sample)
        if place is _OTHER_EXCHANGE:
            self._totals.overflowed += 1
        return self._exchanges.setdefault(place, ExchangeTotal())

    def _place(self, sample: Sample) -> ExchangeKey:
        """The key of a sample's series: its own, or the one for all above the limit."""
        place = (sample.scenario, sample.transport, sample.method, sample.tool)
        if place in self._known:
            return place
        scenario, transport, method, tool = place
        place = (printable(scenario), printable(transport), printable(method), printable(tool))
        return place if self._admit(place) else _OTHER_EXCHANGE

    def _admit(self, key: object) -> bool:
        if key in self._known:
            return True
        if len(self._known) >= self._max_series:
            return False
        self._known.add(key)
        return True

    def _custom(self, kind: type[Instrument], name: str, tags: Tags, at_us: int) -> Accumulator:
        end = at_us - self.origin_us
        if end >= self._turn_us:
            self._turn(end // WINDOW_US)
        total = self._window.customs.get((name, tags))
        if total is not None and total.kind == kind.kind:
            return total
        instrument = self._instruments.get(name) or kind(name)
        if not isinstance(instrument, kind):
            raise ValueError(f"metric {name} is a {instrument.kind}, not a {kind.kind}")
        key: CustomKey = (name, sorted_tags(tags))
        if self._admit(key):
            self._instruments.setdefault(name, instrument)
        else:
            self._totals.overflowed += 1
            # The names that nobody declared can be without end as well.
            if name in self._instruments:
                key = (name, tuple((tag, OTHER) for tag, _ in key[1]))
            else:
                key = (_OTHER_CUSTOM[kind.kind].name, ())
        return self._window.customs.setdefault(key, _empty(instrument))

    def _not_ok(self, sample: Sample, series: ExchangeTotal, end: int) -> None:
        outcome = sample.outcome
        if outcome in _FAILED:
            series.failed.record(sample.duration_us)
        elif outcome == "timeout":
            series.timeout.record(sample.duration_us)
        if outcome not in _NO_ERROR:
            self._error(sample, end)

    def _error(self, sample: Sample, end: int) -> None:
        text = sample.error
        label = self._texts.get(text)
        if label is None:
            label = normalise_error(text)
            if len(self._texts) < _MOST_TEXTS:
                self._texts[text] = label
        label = label or sample.outcome
        place = self._place(sample)
        key: ErrorKey = (*place, sample.outcome, label)
        errors = self._totals.errors
        if key not in errors and label != OTHER:
            if self._classes < self._max_errors:
                self._classes += 1
            else:
                key = (*place, sample.outcome, OTHER)
        error = errors.get(key)
        if error is None:
            errors[key] = ErrorTotal(1, end, end)
        else:
            error.fold(ErrorTotal(1, end, end))


def _empty(instrument: Instrument) -> Accumulator:
    if isinstance(instrument, Counter):
        return CounterTotal()
    if isinstance(instrument, Rate):
        return RateTotal()
    return TrendTotal(unit=instrument.unit)
