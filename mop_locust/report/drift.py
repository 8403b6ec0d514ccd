"""The verdict on drift of a finished run: each course of its summary over the settled part, a sentence each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import groupby
from statistics import median
from typing import Final, Literal, NamedTuple

from mop_locust.metrics.summary import WindowRow
from mop_locust.report import figures
from mop_locust.report.course import course_row
from mop_locust.report.document import DriftCourse, DriftPart, ServerSample, SummaryDocument
from mop_locust.report.text import plain
from mop_locust.verdict.drift import HOUR, Drift, Least, judge_course, nothing, state_of, unjudged
from mop_locust.verdict.exit_codes import code_of
from mop_locust.verdict.slope import Point
from mop_locust.verdict.windows import State

WARM_UP_SHARE: Final = 0.25
LONGEST_WARM_UP_S: Final = 600.0
MOST_SESSION_METRICS: Final = 5
UNSTEADY: Final = 0.1  # of the users, over nine tenths of the settled part
STATES: Final[tuple[State, ...]] = ("CROSSED", "NO_DATA", "PASSED")  # the worst first

_CUMULATIVE: Final = ("_total", "_count", "_sum")


class Kind(NamedTuple):
    """What is followed of a subject: the unit of its values, the least slope that matters, and how long it takes to settle."""

    unit: str
    least: Least
    settles_s: float = 0


MEMORY: Final = Kind("bytes", Least(growth=2 * 2**20, share=0.05))
OWN_MEMORY: Final = MEMORY._replace(settles_s=600)  # a master keeps ever more seconds of the course until it has 600
DESCRIPTORS: Final = Kind("descriptors", Least(growth=5, share=0.05))
SESSIONS: Final = Kind("sessions", Least(growth=5, share=0.05))
LATENCY: Final = Kind("ms", Least(growth=1, share=0.05))
USERS: Final = Kind("users", Least(growth=2, share=0.05, falling=True))

Subject = Literal["server", "ourselves"]


class Course(NamedTuple):
    """One course of the run; `missing` says why there is none."""

    subject: Subject
    what: str
    kind: Kind
    points: list[Point]
    missing: str = ""


def add_drift(summary: SummaryDocument, allow_degraded: bool) -> None:
    """Adds the verdict on drift to a summary, and to the verdict that stands there: the worse state of both counts."""
    summary["drift"] = drift = judge_drift(summary)
    verdict = summary["verdict"]
    verdict["state"] = min(verdict["state"], drift["state"], key=STATES.index)
    verdict["exit_code"] = code_of(verdict["state"], verdict["validity"], allow_degraded).value


def judge_drift(summary: SummaryDocument) -> DriftPart:
    """The verdict on each course over the settled part of the run."""
    from_s, to_s = settled(summary)
    courses = [_cut(course, from_s, to_s) for course in _courses(summary)]
    unsteady = _unsteady([point.value for course in courses if course.kind is USERS for point in course.points])
    judged = [(course, _judge(course, unsteady)) for course in courses]
    by_subject = [[drift for _, drift in group] for _, group in groupby(judged, key=lambda pair: pair[0].subject)]
    return {
        "state": state_of(by_subject),
        "from_s": round(from_s, 1),
        "to_s": round(to_s, 1),
        "courses": [_told(course, drift) for course, drift in judged],
    }


def settled(summary: SummaryDocument) -> tuple[float, float]:
    """From when to when the run is judged, in seconds: once all users are there, after a warm-up, to the end of the load."""
    users = _users(summary["windows"])
    seen = max((window["start_s"] + window["width_s"] for window in summary["windows"]), default=0)
    end = min(float(seen), summary["run"]["planned_seconds"] or math.inf)
    complete = max((point.value for point in users), default=0.0)
    begin = next((point.at_s for point in users if point.value >= complete), 0.0)
    return begin + min(LONGEST_WARM_UP_S, WARM_UP_SHARE * max(0.0, end - begin)), end


def _cut(course: Course, from_s: float, to_s: float) -> Course:
    """The course over the settled part alone."""
    begin = max(from_s, course.kind.settles_s)
    points = [point for point in course.points if begin <= point.at_s < to_s]
    if course.points and not points and begin > from_s:
        return course._replace(points=points, missing=f"it settles for {figures.span(begin)}: run longer")
    return course._replace(points=points)


def _judge(course: Course, unsteady: str) -> Drift:
    if not course.points:
        return nothing(course.missing)
    if unsteady:
        return unjudged(unsteady)
    return judge_course(course.points, course.kind.least)


def _unsteady(users: list[float]) -> str:
    """Says that the number of users was not the same throughout: what it changes is no drift."""
    ordered = sorted(users)
    if not ordered:
        return "nobody knows how many users there were"
    low, high = ordered[len(ordered) // 20], ordered[-1 - len(ordered) // 20]
    if high - low > max(1.0, UNSTEADY * median(ordered)):
        return f"the number of users went from {figures.number(low)} to {figures.number(high)}"
    return ""


# --- what there is to follow


def _courses(summary: SummaryDocument) -> Iterator[Course]:
    """All courses, those of the server first; at least one of each kind, be it missing."""
    yield from _of_the_server(summary)
    yield from _latencies(summary["windows"])
    yield from _of_ourselves(summary)
    yield Course("ourselves", "the users", USERS, _users(summary["windows"]), "no worker told how many there were")


def _of_the_server(summary: SummaryDocument) -> Iterator[Course]:
    side = summary.get("server_side")
    samples = side["samples"][:-1] if side else []  # the last look came when the load was over
    given = side is not None and (side["pid"] is not None or side["cgroup"] is not None)
    missing = "it could not be read" if given else "its process was not given (--server-pid or --server-cgroup)"
    memory = [Point(sample["at_s"], sample["rss_bytes"]) for sample in samples if sample["rss_bytes"] is not None]
    yield Course("server", "the server's memory", MEMORY, memory, missing)
    files = [Point(sample["at_s"], sample["open_files"]) for sample in samples if sample["open_files"] is not None]
    yield Course("server", "the server's descriptors", DESCRIPTORS, files, missing)
    yield from _sessions(samples)


def _sessions(samples: list[ServerSample]) -> Iterator[Course]:
    """The numbers of sessions that the server itself tells: on its health page, and each gauge of such a name."""
    health = [Point(sample["at_s"], sample["active_sessions"]) for sample in samples if sample["active_sessions"] is not None]
    names = sorted({name for sample in samples for name in sample["metrics"] if _counts_sessions(name)})
    if health or not names:
        yield Course("server", "the server's sessions", SESSIONS, health, "it tells no number of them")
    for name in names[:MOST_SESSION_METRICS]:
        points = [Point(sample["at_s"], sample["metrics"][name]) for sample in samples if name in sample["metrics"]]
        yield Course("server", f"the server's {plain(name)}", SESSIONS, points)


def _counts_sessions(name: str) -> bool:
    return "session" in name.lower() and not name.lower().endswith(_CUMULATIVE)


def _latencies(windows: list[WindowRow]) -> Iterator[Course]:
    """The median latency of each transport: the tail is a matter of thresholds, and every neighbour on the machine moves it."""
    found: dict[str, list[Point]] = {}
    for row in map(course_row, windows):
        for transport, (middle, _, _) in row["latency"].items():
            found.setdefault(transport, []).append(Point(row["start_s"] + row["width_s"] / 2, middle))
    for transport, points in sorted(found.items()):
        yield Course("server", f"the median latency over {transport}", LATENCY, points, "no call succeeded once it had settled")
    if not found:
        yield Course("server", "the latency", LATENCY, [], "no call succeeded")


def _of_ourselves(summary: SummaryDocument) -> Iterator[Course]:
    """Memory and descriptors of the master and of each worker, or of the only process."""
    seen: dict[str, Mapping[str, list[Point]]] = {}
    if "master" in summary:
        readings = summary["master"].get("readings", {})
        seen["the master"] = {name: [Point(*point) for point in points] for name, points in readings.items()}
    for worker in sorted(summary["workers"], key=lambda worker: worker["index"]):
        name = f"worker {worker['index']}" if summary["run"]["workers"] else "our process"
        gauges = [(_middle(window), window["gauges"].get(worker["id"], {})) for window in summary["windows"]]
        seen[name] = {
            gauge: [Point(at_s, values[gauge]) for at_s, values in gauges if gauge in values]
            for gauge in ("rss_bytes", "open_files")
        }
    for name, courses in seen.items():
        yield Course("ourselves", f"the memory of {name}", OWN_MEMORY, courses.get("rss_bytes", []), "it was not read")
        yield Course("ourselves", f"the descriptors of {name}", DESCRIPTORS, courses.get("open_files", []), "they were not read")


def _users(windows: list[WindowRow]) -> list[Point]:
    """How many users there were; a worker that tells nothing in a window has as many as before."""
    last: dict[str, float] = {}
    points = []
    for window in windows:
        last |= {worker: gauges["users"] for worker, gauges in window["gauges"].items() if "users" in gauges}
        if last:
            points.append(Point(_middle(window), sum(last.values())))
    return points


def _middle(window: WindowRow) -> float:
    return window["start_s"] + window["width_s"] / 2


# --- how it is told


def _told(course: Course, drift: Drift) -> DriftCourse:
    found = drift.slope
    return {
        "subject": course.subject,
        "what": course.what,
        "state": drift.state,
        "unit": course.kind.unit,
        "per_hour": found and found.estimate * HOUR,
        "low": found and found.low * HOUR,
        "high": found and found.high * HOUR,
        "least": drift.least and drift.least * HOUR,
        "sentence": _sentence(course, drift),
    }


def _sentence(course: Course, drift: Drift) -> str:
    unit, found = course.kind.unit, drift.slope
    if found is None or drift.least is None:
        return f"{course.what}: not known, {drift.reason}"
    change = rate(abs(found.estimate), unit)
    interval = f"95 % interval {_number(found.low * HOUR, unit)} to {_number(found.high * HOUR, unit)}"
    if drift.state == "drifting":
        grow = "falls" if found.estimate < 0 else "grows"
        return f"{_plural(course.what, grow)} by {change} ({interval})"
    sign = "-" if found.estimate < 0 else "+"
    figure = f"{sign}{change} ({interval}; {rate(drift.least, unit)} would count)"
    if drift.settled:
        rose = "rose" if found.estimate >= 0 else "fell"
        return f"{course.what} {rose} but did not go on: {figure}"
    if drift.state == "flat":
        return f"{course.what} {'are' if _is_plural(course.what) else 'is'} flat: {figure}"
    return f"{course.what}: not known, {drift.reason}: {figure}"


def rate(per_second: float, unit: str) -> str:
    """A slope as `12.3 MiB/h`, `40 sessions/h`, `0.12 ms/h`."""
    return f"{_number(per_second * HOUR, unit)} {'MiB' if unit == 'bytes' else unit}/h"


def _number(value: float, unit: str) -> str:
    text = f"{value / 2**20:,.1f}" if unit == "bytes" else f"{value:,.2f}" if unit == "ms" else f"{value:,.0f}"
    return text.lstrip("-") if not text.strip("-0.,") else text


def _is_plural(what: str) -> bool:
    return what.startswith("the descriptors") or what.endswith(("descriptors", "sessions", "users"))


def _plural(what: str, verb: str) -> str:
    return f"{what} {verb.removesuffix('s') if _is_plural(what) else verb}"
