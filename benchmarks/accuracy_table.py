"""How far reported latencies lie from the times that the server held its answers: figures, judgement, Markdown. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

GOAL_SHARE, GOAL_MS = 0.01, 0.3  # an error may be the larger of both,
GOAL_CPU = 50.0  # below this use of a core by the client
OFF = 10.0  # percent: an error that must not go with a run that calls itself valid
STEP = 5  # percent, milliseconds: a recommended limit is a multiple of this
WITHIN = {True: "yes", False: "**no**", None: "over half a core"}


class Quantiles(msgspec.Struct, frozen=True):
    """One distribution: number of values, and its P50, P95 and P99 in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float

    @property
    def values(self) -> tuple[float, float, float]:
        """P50, P95, P99."""
        return self.p50, self.p95, self.p99


class Reading(msgspec.Struct, frozen=True):
    """One run of a client: what the server held, what the client reported.

    `cpu` is percent of a core; the rest only our own client tells: loop lag P99 in ms, the run's validity and its reasons.
    """

    held: Quantiles
    reported: Quantiles
    cpu: float
    lag: float = 0.0
    validity: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[float, ...]:
        """Reported less held, in milliseconds, at P50, P95 and P99."""
        return tuple(told - true for told, true in zip(self.reported.values, self.held.values, strict=True))

    @property
    def percents(self) -> tuple[float, ...]:
        """The errors in percent of what was held."""
        return tuple(100 * error / true for error, true in zip(self.errors, self.held.values, strict=True))

    @property
    def within(self) -> bool | None:
        """Whether all three errors are within the goal; None when the client used too much of its core for the goal to hold."""
        if self.cpu >= GOAL_CPU:
            return None
        pairs = zip(self.errors, self.held.values, strict=True)
        return all(abs(error) <= max(GOAL_SHARE * true, GOAL_MS) for error, true in pairs)

    @property
    def off(self) -> bool:
        """Whether one of the three is off by more than `OFF` percent."""
        return any(abs(percent) > OFF for percent in self.percents)


class Row(msgspec.Struct, frozen=True):
    """One transport and delay: our reading, and those of the clients that check it; `faults` says what gave no figure."""

    transport: str
    delay: str
    ours: Reading | None
    library: Reading | None = None
    wrk: Reading | None = None
    faults: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """One step of the rising load."""

    users: int
    ours: Reading | None
    fault: str = ""


class Limit(msgspec.Struct, frozen=True):
    """A limit that would have turned the verdict in each run that was off, and how many good runs it would have turned too."""

    most: int
    good_turned: int


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a reader needs to judge the figures, or to make the tables again; `date` is RFC 3339 in UTC."""

    schema: int = 1
    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    missing: dict[str, str]
    limits: dict[str, str]
    rising_delay: str
    rows: list[Row]
    steps: list[Step]


def missed(steps: Iterable[Step]) -> list[Step]:
    """The steps that were off, though their run called itself valid."""
    return [step for step in steps if step.ours is not None and step.ours.off and step.ours.validity == "valid"]


def cpu_limit(steps: Sequence[Step]) -> Limit | None:
    """The highest limit of the client's CPU in percent that names each step that was off; None when none was."""
    return _limit([(step.ours.cpu, step.ours.off) for step in steps if step.ours is not None])


def lag_limit(steps: Sequence[Step]) -> Limit | None:
    """The same of the loop lag P99, in milliseconds."""
    return _limit([(step.ours.lag, step.ours.off) for step in steps if step.ours is not None])


def _limit(found: Sequence[tuple[float, bool]]) -> Limit | None:
    bad = [value for value, off in found if off]
    if not bad:
        return None
    # A run is named when its value is above the limit: the limit lies below the least of the bad ones.
    most = max(0, math.ceil(min(bad) / STEP) - 1) * STEP
    return Limit(most, sum(value > most for value, off in found if not off))


def failed(accuracy: Accuracy) -> list[str]:
    """A sentence for each thing that must not be: no figure, an error above the goal, a verdict that did not turn."""
    lines = [fault for row in accuracy.rows for fault in row.faults]
    lines += [f"{step.users} users: {step.fault}" for step in accuracy.steps if step.fault]
    for row in accuracy.rows:
        if row.ours is not None and row.ours.within is False:
            lines.append(f"{row.transport}, delay {row.delay}: the error is above the goal")
        if row.ours is not None and row.ours.held.count != row.ours.reported.count:
            counts = f"{row.ours.held.count:,} answers, {row.ours.reported.count:,} were reported"
            lines.append(f"{row.transport}, delay {row.delay}: the server held {counts}")
    lines += [f"{step.users} users: off by more than {OFF:.0f} %, and the run was valid" for step in missed(accuracy.steps)]
    return lines


def render(accuracy: Accuracy) -> str:
    """The whole page."""
    lines = [f"# Accuracy of latencies, {accuracy.date}", "", *_HOW, ""]
    lines += [*_rows(accuracy.rows), "", "## Where it breaks", ""]
    lines += [
        f"`tools/list`, delay {accuracy.rising_delay} ms, ever more users without a pause.",
        "",
        *_steps(accuracy.steps),
        "",
    ]
    lines += [*_verdict(accuracy), ""]
    if remarks := failed(accuracy):
        lines += ["## Not as it must be", "", *(f"- {remark}" for remark in remarks), ""]
    lines += ["## Where it was measured", ""]
    lines += [f"- {name}: {value}" for name, value in {**accuracy.machine, **accuracy.versions}.items()]
    lines += [f"- not there: {name}, {reason}" for name, reason in accuracy.missing.items()]
    return "\n".join(lines) + "\n"


_HOW = (
    "The reference server stamps how long it really held each answer, from the request read whole to the answer handed to the",
    "connection (of a stream: to its first byte). The client reports what it measured. Three figures in a cell: P50, P95, P99.",
    f"Goal: within the larger of {GOAL_SHARE:.0%} and {GOAL_MS} ms while the client uses less than {GOAL_CPU:.0f} % of its core.",
    "A delay of `20~5` is 15 to 25 ms, one of `1|20:0.1` is 1 ms, and 20 ms for a tenth of the answers.",
    "",
    "The last two columns are errors of other clients in runs of their own, each against what the server held then: `requests`",
    "(over WebSocket `websocket-client`) in our users, and `wrk`. With `requests` a stream's first byte includes the connect.",
)


def _rows(rows: Sequence[Row]) -> list[str]:
    heads = ["", "delay", "answers", "held, ms", "reported, ms", "error, ms", "error, %", "client CPU, %", "within"]
    lines = [_line([*heads, "library, ms", "wrk, ms"]), _line(["---"] * 11)]
    for row in rows:
        cells = [""] * 7 if row.ours is None else _reading(row.ours)
        lines.append(_line([row.transport, row.delay.replace("|", "\\|"), *cells, _errors(row.library), _errors(row.wrk)]))
    return lines


def _reading(reading: Reading) -> list[str]:
    held, reported = _three(reading.held.values), _three(reading.reported.values)
    errors, percents = _errors(reading), _signed(reading.percents, 1)
    return [f"{reading.reported.count:,}", held, reported, errors, percents, f"{reading.cpu:.0f}", WITHIN[reading.within]]


def _steps(steps: Sequence[Step]) -> list[str]:
    heads = [
        "users",
        "answers",
        "client CPU, %",
        "loop lag P99, ms",
        "held, ms",
        "error, ms",
        "error, %",
        "within",
        "off",
        "the run",
    ]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for step in steps:
        found = step.ours
        if found is None:
            lines.append(_line([str(step.users), *[""] * 8, "failed"]))
            continue
        lines.append(
            _line(
                [
                    str(step.users),
                    f"{found.reported.count:,}",
                    f"{found.cpu:.0f}",
                    f"{found.lag:.1f}",
                    _three(found.held.values),
                    _errors(found),
                    _signed(found.percents, 1),
                    WITHIN[found.within],
                    f"over {OFF:.0f} %" if found.off else "",
                    "; ".join((found.validity, *found.reasons)),
                ]
            )
        )
    return lines


def _verdict(accuracy: Accuracy) -> list[str]:
    late = missed(accuracy.steps)
    if late:
        told = f"**not met** at {', '.join(str(step.users) for step in late)} users"
    else:
        told = "met" if any(step.ours is not None and step.ours.off for step in accuracy.steps) else "no step was off by so much"
    lines = [
        f"The verdict turns before a latency is off by more than {OFF:.0f} %: {told}.",
        "",
        "Limits for that, each alone:",
        "",
    ]
    for name, unit, limit in (
        ("MOP_MAX_CPU_PERCENT", "%", cpu_limit(accuracy.steps)),
        ("MOP_MAX_LOOP_LAG_MS", "ms", lag_limit(accuracy.steps)),
    ):
        now = f"`{name}` (now {accuracy.limits[name]})"
        if limit is None:
            lines.append(f"- {now}: no step was off, these figures give none")
        else:
            turned = f"{limit.good_turned} of the steps that were not off would be named too"
            lines.append(f"- {now}: at most {limit.most} {unit}; {turned}")
    return lines


def _errors(reading: Reading | None) -> str:
    return "" if reading is None else _signed(reading.errors, 2)


def _three(values: Iterable[float]) -> str:
    return " / ".join(f"{value:.2f}" for value in values)


def _signed(values: Iterable[float], digits: int) -> str:
    return " / ".join(f"{value:+.{digits}f}" for value in values)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
