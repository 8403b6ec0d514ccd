"""What was seen of the server in the course of a run, in bounded memory; no clock and no socket."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from mop_locust.report.document import ServerSample, ServerSide
from mop_locust.report.text import plain
from mop_locust.server_side.usage import Usage

MOST_SAMPLES: Final = 300
MOST_NOTES: Final = 20
SHORTEST_S: Final = 0.5  # a system counts CPU in ticks of 10 ms: over less time their number says little

_PEAKS: Final = ("cpu_percent", "rss_bytes", "open_files", "threads")


@dataclass
class Page:
    """What became of the questions for one page; a failure is the first one: when, and why."""

    path: str
    asked: int = 0
    answered: int = 0
    failure: tuple[float, str] | None = None

    @property
    def there(self) -> bool | None:
        """Whether it ever answered; None when it was never asked."""
        return self.answered > 0 if self.asked else None

    def sentence(self) -> str:
        """Says what was missing of it, in whole words; nothing when nothing was."""
        if self.failure is None:
            return ""
        when, why = self.failure
        if not self.answered:
            return f"no {self.path} there: {why}"
        return f"{self.path} failed {self.asked - self.answered} of {self.asked} times, first after {when:.1f} s: {why}"


class Course:
    """The samples of one run, at most `most`: when there would be more, neighbours become one, and so do those that follow.

    Of two the later one is kept, with the larger figures of the process: a peak is not lost.
    """

    def __init__(self, pid: int = 0, cgroup: str = "", most: int = MOST_SAMPLES) -> None:
        self.pid = pid
        self.cgroup = cgroup
        self.pages = {path: Page(path) for path in ("/health", "/metrics")}
        self.samples: list[ServerSample] = []
        self._most = most
        self._notes: list[str] = []
        self._taken = 0
        self._stride = 1
        self._cpu: tuple[float, float] | None = None
        self._status = ""

    def note(self, sentence: str) -> None:
        """Keeps a sentence for the reader, once, and only so many."""
        if sentence not in self._notes and len(self._notes) < MOST_NOTES:
            self._notes.append(sentence)

    def answered(self, path: str) -> None:
        """Notes that a page was asked and answered."""
        page = self.pages[path]
        page.asked += 1
        page.answered += 1

    def failed(self, path: str, at_s: float, why: str) -> None:
        """Notes that a page was asked in vain."""
        page = self.pages[path]
        page.asked += 1
        page.failure = page.failure or (at_s, plain(why))

    def read_health(self, body: bytes, at_s: float) -> float | None:
        """Returns the `active_sessions` of a health page, None where it tells none; a status that changes is noted."""
        health: Any = None
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            health = msgspec.json.decode(body)
        if not isinstance(health, dict):
            return None
        status = health.get("status")
        if isinstance(status, str):
            if self._status and status != self._status:
                self.note(f"/health said {plain(status, 40)!r} after {at_s:.1f} s")
            self._status = status
        sessions = health.get("active_sessions")
        if isinstance(sessions, bool) or not isinstance(sessions, int | float) or not math.isfinite(sessions):
            return None
        return float(sessions)

    def add(self, at_s: float, usage: Usage, sessions: float | None = None, metrics: dict[str, float] | None = None) -> None:
        """Adds one look at the server, so many seconds after the run began."""
        sample: ServerSample = {
            "at_s": round(at_s, 3),
            "cpu_percent": self._percent(at_s, usage.cpu_seconds),
            "rss_bytes": usage.rss_bytes,
            "open_files": usage.open_files,
            "threads": usage.threads,
            "active_sessions": sessions,
            "metrics": metrics or {},
        }
        if self._taken % self._stride:
            self.samples[-1] = _joined(self.samples[-1], sample)
        else:
            self.samples.append(sample)
        self._taken += 1
        if len(self.samples) > self._most:
            pairs = [self.samples[start : start + 2] for start in range(0, len(self.samples), 2)]
            self.samples = [_joined(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
            self._stride *= 2

    def _percent(self, at_s: float, cpu_seconds: float | None) -> float | None:
        """Returns the mean use of a core since the last figure."""
        if cpu_seconds is None:
            return None
        if self._cpu is None:
            self._cpu = (at_s, cpu_seconds)
            return None
        since, before = self._cpu
        if at_s - since < SHORTEST_S:
            return None
        self._cpu = (at_s, cpu_seconds)
        return round(max(0.0, cpu_seconds - before) / (at_s - since) * 100, 1)

    def to_json(self) -> ServerSide:
        """Returns everything as the part of the summary that it is."""
        missing = [sentence for page in self.pages.values() if (sentence := page.sentence())]
        return {
            "health": self.pages["/health"].there,
            "metrics": self.pages["/metrics"].there,
            "pid": self.pid or None,
            "cgroup": self.cgroup or None,
            "notes": [*missing, *self._notes],
            "samples": list(self.samples),
        }


def _joined(earlier: ServerSample, later: ServerSample) -> ServerSample:
    sample = later.copy()
    for name in _PEAKS:
        figures = [figure for figure in (earlier[name], later[name]) if figure is not None]
        sample[name] = max(figures, default=None)
    return sample
