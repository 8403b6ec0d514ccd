"""The eye on the server while a run goes on: asks its pages and reads its usage, beside the load and never in its way."""

from __future__ import annotations

import http.client
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import gevent
import psutil
import requests
from urllib3.exceptions import HTTPError

from mop_locust.client.exchange import monotonic_us
from mop_locust.config import ApiKey, Settings
from mop_locust.protocol.errors import HttpStatusError, MopError
from mop_locust.server_side.course import Course
from mop_locust.server_side.exposition import read_exposition
from mop_locust.server_side.usage import Usage, of_cgroup, of_process
from mop_locust.transports.deadline import Deadline
from mop_locust.transports.http import USER_AGENT
from mop_locust.transports.requests_http import as_given, fault
from mop_locust.transports.target import Target
from mop_locust.transports.wire import RECEIVE_SIZE

POLL_SECONDS: Final = 5.0
SHORTEST_POLL: Final = 1.0
GOLDEN: Final = 0.6180339887498949  # multiples of it fill the gaps between their fractions evenly
DRIFT_LOOKS: Final = 200  # as many as a verdict on drift wants of a run, where it is short
PATIENCE: Final = 2.0  # seconds for an answer while the load goes on
LAST_PATIENCE: Final = 1.0  # and at the end, which waits for it
LARGEST_BODY: Final = 1 << 20
MOST_LINES: Final = 10_000  # of an exposition: a tenth of a second's work when they are short
BREATH: Final = 2_048  # characters of it are read in one go, which takes a millisecond

_NOT_THERE: Final = (404, 405, 410, 501)
_NEEDS_KEY: Final = (401, 403)


def poll_seconds(drift: bool, planned_seconds: float | None) -> float:
    """Returns the pause between two looks: shorter than usual where a short run is to be judged for drift."""
    if not drift or planned_seconds is None:
        return POLL_SECONDS
    return min(POLL_SECONDS, max(SHORTEST_POLL, planned_seconds / DRIFT_LOOKS))


class ServerWatch:
    """Looks at the server at once, each few seconds, and one last time at the end; what it saw stands in `course`.

    Where drift is judged, the looks are scattered evenly over their pauses: users who keep step would seem to be ever more, or
    ever fewer. `url` is any endpoint of the server. The key is sent only to a page that asks for one.
    """

    def __init__(self, settings: Settings, key: ApiKey, url: str, started_us: int, planned_seconds: float | None = None) -> None:
        self.course = Course(settings.server_pid, settings.server_cgroup)
        self._started_us = started_us
        self._key = key
        self._every = poll_seconds(settings.drift, planned_seconds)
        self._scattered = settings.drift
        target = Target.parse(url)
        self._base = f"{'https' if target.tls else 'http'}://{target.host_header}"
        self._verify: bool | str = False if settings.tls_insecure else settings.tls_ca or True
        self._headers: dict[str, dict[str, str]] = {path: {} for path in self.course.pages}
        self._gone: set[str] = set()
        self._process: psutil.Process | None = None
        if settings.server_pid:
            try:
                self._process = psutil.Process(settings.server_pid)
            except psutil.Error:
                self.course.note(f"the process {settings.server_pid} is gone")
        self._greenlet = gevent.spawn(self._follow)

    def finish(self) -> None:
        """Ends the watch with one last look, which takes no longer than LAST_PATIENCE."""
        self._greenlet.kill()
        self._look(LAST_PATIENCE)

    def _follow(self) -> None:
        for number in itertools.count(1):
            self._look(PATIENCE)
            gone = (monotonic_us() - self._started_us) / 1e6
            pause = self._every - gone % self._every
            gevent.sleep(pause + number * GOLDEN % 1 * self._every if self._scattered else pause)

    def _look(self, patience: float) -> None:
        at_s = (monotonic_us() - self._started_us) / 1e6
        usage = self._usage(at_s)
        asking = [gevent.spawn(self._ask, path, patience) for path in self._headers]
        try:
            gevent.joinall(asking)
        finally:
            gevent.killall(asking, block=False)
        health, metrics = (self._told(path, asked.value, at_s) for path, asked in zip(self._headers, asking, strict=True))
        sessions = self.course.read_health(health, at_s) if health is not None else None
        figures = self._figures(metrics, at_s) if metrics is not None else {}
        if health is not None or figures or usage != Usage():
            self.course.add(at_s, usage, sessions, figures)

    def _told(self, path: str, answer: bytes | MopError | None, at_s: float) -> bytes | None:
        """Returns a page that was answered; one that is not there is not asked again."""
        if isinstance(answer, bytes):
            self.course.answered(path)
            return answer
        if answer is not None:
            self.course.failed(path, at_s, answer.label)
            if isinstance(answer, HttpStatusError) and answer.status in _NOT_THERE and not self.course.pages[path].answered:
                self._gone.add(path)
        return None

    def _figures(self, body: bytes, at_s: float) -> dict[str, float]:
        lines = body[:LARGEST_BODY].decode(errors="replace").split("\n")
        if len(body) > LARGEST_BODY or len(lines) > MOST_LINES:
            self.course.note(f"/metrics is larger than {LARGEST_BODY >> 20} MiB or {MOST_LINES:,} lines: the rest was not read")
            lines = lines[:-1][:MOST_LINES]  # the last may be cut
        try:
            return read_exposition(_breathing(lines))
        except ValueError:
            self.course.note(f"/metrics was no Prometheus text after {at_s:.1f} s")
            return {}

    def _ask(self, path: str, patience: float) -> bytes | MopError | None:
        """Returns a page's body, cut soon after LARGEST_BODY, or why there is none; None for a page that is given up."""
        if path in self._gone:
            return None
        deadline = Deadline.after(patience)
        try:
            with deadline.enforced():
                status, body = self._get(path)
                if status in _NEEDS_KEY and self._key.secret and not self._headers[path]:
                    self._headers[path] = {"Authorization": f"Bearer {self._key.secret}"}
                    status, body = self._get(path)
        except MopError as error:
            return error
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError) as error:
            return fault(error)
        return body if 200 <= status < 300 else HttpStatusError(f"HTTP {status}", status=status)

    def _get(self, path: str) -> tuple[int, bytes]:
        with requests.Session() as session:
            session.auth = as_given
            # A connection each time: one that is kept may be closed by the server in the very moment of the next question.
            headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Connection": "close", **self._headers[path]}
            with session.get(
                self._base + path, headers=headers, stream=True, allow_redirects=False, verify=self._verify
            ) as response:
                body = bytearray()
                while len(body) <= LARGEST_BODY and (piece := response.raw.read1(RECEIVE_SIZE, decode_content=False)):
                    body += piece
                return response.status_code, bytes(body)

    def _usage(self, at_s: float) -> Usage:
        usage = Usage()
        if self._process is not None:
            usage = of_process(self._process)
            if usage == Usage():
                self.course.note(f"the process {self._process.pid} was gone after {at_s:.1f} s")
                self._process = None
        return of_cgroup(Path(self.course.cgroup)).over(usage) if self.course.cgroup else usage


def _breathing(lines: list[str]) -> Iterator[str]:
    """Yields the lines, and lets the load go on in between: a large exposition is work for a good part of a second."""
    taken = 0
    for line in lines:
        yield line
        taken += len(line) + 1
        if taken >= BREATH:
            taken = 0
            gevent.sleep(0)
