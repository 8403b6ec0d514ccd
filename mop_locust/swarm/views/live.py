"""The run that goes on, as the page /mop shows it: worked out at most once a second, whoever looks and however many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import gevent
from gevent.lock import RLock

from mop_locust.client.exchange import monotonic_us
from mop_locust.report import headline
from mop_locust.report.course import CourseRow, merged_row
from mop_locust.report.document import encode_json
from mop_locust.report.html import beside, fragments
from mop_locust.report.text import CUT_PROSE, html
from mop_locust.swarm.judging.conductor import Conductor
from mop_locust.swarm.judging.run import Run

FRESH_US: Final = 1_000_000


class _Kept(NamedTuple):
    folds: int
    revision: int
    row: CourseRow


class LiveRun:
    """What is new of a run since a reader asked last.

    A window is brought down to a row again only when something was added to it; each change gets the next revision.
    """

    def __init__(self, conductor: Conductor, clock_us: Callable[[], int] = monotonic_us) -> None:
        self._conductor = conductor
        self._clock_us = clock_us
        self._made_us = -FRESH_US
        self._refreshing = RLock()
        self._parts: dict[str, str] = {}
        self._beside: dict[str, object] = {"server": [], "workers": {}}
        self._title = ""
        self._course = ""  # the run and the width of its windows: when it changes, all rows are others
        self._revision = 0
        self._rows: dict[int, _Kept] = {}

    def answer(self, since: str) -> bytes:
        """Returns the JSON for a reader who has all up to `since`, the mark that the last answer held; "" for none."""
        with self._refreshing:
            if self._clock_us() - self._made_us >= FRESH_US:
                self._refresh()
                self._made_us = self._clock_us()
        course, _, revision = since.rpartition("/")
        known = int(revision) if course == self._course and revision.isdecimal() and len(revision) < 16 else -1
        return encode_json(
            {
                "title": self._title,
                "parts": self._parts,
                "whole": known < 0,
                "rows": [kept.row for kept in self._rows.values() if kept.revision > known],
                "since": f"{self._course}/{self._revision}",
                **self._beside,
            }
        )

    def _refresh(self) -> None:
        summary, run = self._conductor.live(), self._conductor.run
        self._parts = {"refused": _refused(self._conductor.refused), "reports": _reports(self._conductor)}
        self._title = "mop-locust"
        if summary is None or run is None:
            self._parts["head"] = "<h1>mop-locust</h1>\n<p>No run yet. Start one in Locust's own page: it will show here.</p>\n"
            return
        self._parts |= fragments(summary)
        self._beside = beside(summary)
        self._title = html(f"{headline.verdict_words(summary)}: {summary['run']['scenario']}")
        self._take_windows(run)

    def _take_windows(self, run: Run) -> None:
        course = f"{run.id}-{run.merge.windows.width}"
        if course != self._course:
            self._course, self._rows = course, {}
        self._revision += 1
        for window in run.merge.windows:
            kept = self._rows.get(window.index)
            if kept is None or kept.folds != window.folds:
                self._rows[window.index] = _Kept(window.folds, self._revision, merged_row(window))
                gevent.sleep(0)  # a window takes some milliseconds, and 300 are others at once when their width doubles


def _refused(mistakes: list[str]) -> str:
    if not mistakes:
        return ""
    items = "".join(f"<li>{html(mistake, CUT_PROSE)}</li>" for mistake in mistakes)
    return f'<div class="verdict">\n<p><strong>Nothing was started</strong></p>\n<ul>{items}</ul>\n</div>\n'


def _reports(conductor: Conductor) -> str:
    """Links to the folders that this process wrote, the newest first; a folder's name holds no character that means anything."""
    return "".join(
        f'<li><a href="mop/report/{html(name)}/report.html">{html(name)}</a></li>\n' for name in reversed(conductor.folders)
    )
