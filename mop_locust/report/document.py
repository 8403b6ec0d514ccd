"""The shape of `summary.json`, from which every other report can be made again."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, NotRequired, TypedDict

import msgspec

from mop_locust.metrics.summary import ErrorRow, MetricSummary, WindowRow
from mop_locust.report.provenance import Provenance
from mop_locust.verdict.drift import DriftState
from mop_locust.verdict.judge import VerdictJson
from mop_locust.verdict.windows import State

SCHEMA: Final = 1

OptionValue = str | int | float | bool | list[str] | None


class TargetUrls(TypedDict):
    """The base addresses of the run; None where the transport was not used."""

    http: str | None
    websocket: str | None


class ServerName(TypedDict):
    """What the server called itself in its answer to `initialize`: text of the server, not to be trusted."""

    name: str
    version: str


class Run(TypedDict):
    """What was run, on what, and for how long; `options` are redacted, `notes` are whole sentences."""

    id: str
    scenario: str
    scenarios: list[str]
    target: TargetUrls
    server: ServerName | None
    users: int
    workers: int  # 0 = one process
    planned_seconds: float | None
    seconds: float
    started: str  # UTC, ISO 8601
    ended: str  # "" while the run goes on
    stopped_by: str
    load_seconds: NotRequired[float]  # from the start until the load was stopped; what came later was still measured
    suite_version: str
    options: dict[str, OptionValue]
    notes: list[str]


class VerdictPart(VerdictJson):
    """The judgement; `sentence` is what is said first when the run is red, else empty."""

    sentence: str


class LagMs(TypedDict):
    """Quantiles of the loop lag of one worker in milliseconds."""

    p50: float
    p99: float
    max: float


class Worker(TypedDict):
    """One load generator process and what speaks for or against it."""

    id: str
    index: int
    host: str
    pid: int
    state: Literal["running", "finished", "lost", "stopped"]
    first_s: float | None
    last_s: float | None
    sequence: int
    gaps: int
    exchanges: int
    cpu_percent: float | None  # mean, of a core or of what the cgroup allows where that is less
    loop_lag_ms: LagMs | None
    clock_offset_s: float | None
    rss_bytes: NotRequired[float | None]
    open_files: NotRequired[float | None]
    gc_pause_max_ms: NotRequired[float | None]
    cpu_percent_peak: NotRequired[float | None]  # of the readings of a second each
    rss_bytes_peak: NotRequired[float | None]


class Master(TypedDict):
    """The judging process of a run with workers, as it was while it judged."""

    cpu_percent: float | None
    rss_bytes: float | None
    open_files: float | None
    loop_lag_ms: LagMs | None
    cpu_percent_peak: NotRequired[float | None]
    readings: NotRequired[dict[str, list[tuple[float, float]]]]  # of memory and descriptors: seconds since the run began, value


class PreflightExchange(TypedDict):
    """One exchange of the preflight, outside every metric."""

    transport: str
    method: str
    outcome: str
    duration_ms: float
    error: str


class Preflight(TypedDict):
    """The look at the target before the run: `state` is passed, failed or off; of the findings, what is wrong stands last."""

    state: str
    findings: list[str]
    exchanges: list[PreflightExchange]


class ServerSample(TypedDict):
    """One look at the server: seconds since the run began; None and no entry for what could not be known.

    `cpu_percent` is the mean of a core since the look before, `active_sessions` and `metrics` are the server's own figures.
    """

    at_s: float
    cpu_percent: float | None
    rss_bytes: float | None
    open_files: float | None
    threads: float | None
    active_sessions: float | None
    metrics: dict[str, float]


class ServerSide(TypedDict):
    """The server's own side: whether it answered at `/health` and `/metrics` (None: never asked), whose usage was read."""

    health: bool | None
    metrics: bool | None
    pid: int | None
    cgroup: str | None
    notes: list[str]
    samples: list[ServerSample]


class StagePart(TypedDict):
    """One stage of the load: its planned seconds and target, how long it was measured, and its own metrics.

    `unit` is what the target counts: users, where it is absent too, or arrivals/s.
    """

    name: str
    start_s: int
    planned_seconds: int
    target: float
    unit: NotRequired[str]
    seconds: float
    metrics: dict[str, MetricSummary]


class DriftCourse(TypedDict):
    """What became of one course: slopes are in `unit` an hour, None where there is none; `least` is the least that matters."""

    subject: Literal["server", "ourselves"]
    what: str
    state: DriftState
    unit: str
    per_hour: float | None
    low: float | None
    high: float | None
    least: float | None
    sentence: str


class DriftPart(TypedDict):
    """The verdict on drift, over the settled part of the run: seconds since it began."""

    state: State
    from_s: float
    to_s: float
    courses: list[DriftCourse]


class SummaryDocument(TypedDict):
    """The whole of `summary.json`; times are milliseconds where a name says `ms`, seconds where it says `s`."""

    schema: int
    run: Run
    verdict: VerdictPart
    metrics: dict[str, MetricSummary]
    windows: list[WindowRow]
    errors: list[ErrorRow]
    workers: list[Worker]
    preflight: Preflight
    master: NotRequired[Master]
    provenance: NotRequired[Provenance]
    before_reset: NotRequired[dict[str, MetricSummary]]
    stages: NotRequired[list[StagePart]]
    server_side: NotRequired[ServerSide]  # not of a run that never began
    drift: NotRequired[DriftPart]


class SummaryError(ValueError):
    """A `summary.json` that cannot be read; the text is one sentence for the user."""


class _Envelope(TypedDict):
    schema: int


def read_summary(path: Path) -> SummaryDocument:
    """Read a `summary.json`; SummaryError for a missing file, garbage, an unknown schema or a wrong shape."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SummaryError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        schema = msgspec.json.decode(content, type=_Envelope)["schema"]
    except msgspec.ValidationError as error:
        raise SummaryError(f"{path} is not the summary of a run: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SummaryError(f"{path} is not JSON: {error}.") from error
    if schema != SCHEMA:
        raise SummaryError(f"{path} has schema {schema}; this version of mop-locust reads schema {SCHEMA}.")
    try:
        return msgspec.json.decode(content, type=SummaryDocument)
    except msgspec.ValidationError as error:
        raise SummaryError(f"{path} has schema {SCHEMA} but a wrong shape: {error}.") from error


def encode_summary(summary: SummaryDocument) -> bytes:
    """The bytes of `summary.json`: one line for each top-level member, so that a person can look at it and diff it."""
    members = (encode_json(name) + b": " + encode_json(value) for name, value in summary.items())
    return b"{\n" + b",\n".join(members) + b"\n}\n"


def encode_json(value: object) -> bytes:
    """Compact JSON: a lone surrogate, which no reader need accept, becomes U+FFFD; NaN and infinity become null."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(value))


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(member) for member in value]
    return value
