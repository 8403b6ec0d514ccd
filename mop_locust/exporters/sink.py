"""Delivery to a place that may be slow or down: bounded in memory, tries and time, counted, and never in the way of the run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

import gevent
import requests
from gevent.event import Event

from mop_locust.metrics.labels import normalise_error

MOST_WAITING: Final = 60
TRIES: Final = 3
PAUSE_SECONDS: Final = 0.5  # before the second try; twice as long before each further one
ATTEMPT_SECONDS: Final = 3.0
NO_ANSWER: Final = f"no answer within {ATTEMPT_SECONDS:g} s"

Batch = TypeVar("Batch")


class WriteError(Exception):
    """A write that failed; the text may be shown. `again` says whether another try could help."""

    def __init__(self, text: str, *, again: bool) -> None:
        super().__init__(normalise_error(text))
        self.again = again


class Sink(Generic[Batch]):
    """Writes batches in their order, in a greenlet of its own; `place` is what the reader of a report knows it by.

    `write` returns, or raises WriteError; it is cut off after 3 s. A batch is given up after three tries, or after one while
    the place is failing. What is offered while 60 are waiting takes the place of the oldest; where a batch holds all that those
    before it held (`newest_only`) it takes the place of the one that waits, and none is lost by that.
    """

    def __init__(self, place: str, write: Callable[[Batch], None], *, newest_only: bool = False) -> None:
        self.place = place
        self.offered = 0
        self.written = 0
        self.fault = ""
        self._write = write
        self._waiting: deque[Batch] = deque(maxlen=MOST_WAITING)
        self._newest_only = newest_only
        self._healthy = True
        self._something = Event()
        self._nothing = Event()
        self._nothing.set()
        self._greenlet = gevent.spawn(self._deliver)

    def offer(self, batch: Batch) -> None:
        """Takes a batch, to be written when its turn comes; never waits."""
        if self._newest_only and self._waiting:
            self._waiting.clear()
            self.offered -= 1
        self.offered += 1
        self._waiting.append(batch)
        self._nothing.clear()
        self._something.set()

    def close(self, until: float) -> None:
        """Waits for what is still to be written, at most until that monotonic time of gevent's loop; then nothing is any more."""
        self._nothing.wait(max(0.0, until - gevent.get_hub().loop.now()))
        self._greenlet.kill()

    def sentence(self) -> str:
        """Says what was not written, and why; "" when all was."""
        lost = self.offered - self.written
        if not lost:
            return ""
        return f"{self.place}: {lost} of {self.offered} writes failed: {self.fault or 'there was no time left'}"

    def _deliver(self) -> None:
        while True:
            self._something.wait()
            while self._waiting:
                self._healthy = self._written(self._waiting.popleft())
            self._something.clear()
            self._nothing.set()

    def _written(self, batch: Batch) -> bool:
        for attempt in range(TRIES if self._healthy else 1):
            if attempt:
                gevent.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                with gevent.Timeout(ATTEMPT_SECONDS):
                    self._write(batch)
            except gevent.Timeout:
                self.fault = NO_ANSWER
            except WriteError as error:
                self.fault = str(error)
                if not error.again:
                    return False
            except Exception as error:
                self.fault = f"a fault of mop-locust: {type(error).__name__}: {normalise_error(str(error))}"
                return False
            else:
                self.written += 1
                return True
        return False


def close_all(sinks: Iterable[Sink[Batch]], seconds: float) -> list[str]:
    """Ends sinks side by side within so many seconds; returns a sentence for each that lost something."""
    loop = gevent.get_hub().loop
    loop.update_now()
    until = loop.now() + seconds
    closed = []
    for sink in sinks:
        sink.close(until)
        closed.append(sink.sentence())
    return [sentence for sentence in closed if sentence]


def post(session: requests.Session, url: str, body: bytes, headers: dict[str, str]) -> None:
    """Sends a body; WriteError for any answer but a 2xx, and for none."""
    try:
        answer = session.post(url, data=body, headers=headers, timeout=ATTEMPT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise WriteError(unreachable(error), again=True) from None
    status = answer.status_code
    if not 200 <= status < 300:
        raise WriteError(f"HTTP {status} {answer.text[:200]}".strip(), again=status >= 500 or status == 429)


def unreachable(error: BaseException) -> str:
    """The innermost reason of a library's error, without the address that such errors repeat."""
    if isinstance(error, requests.Timeout):
        return NO_ANSWER
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        inner = [argument for argument in found.args if isinstance(argument, BaseException)]
        found = next(iter(inner), None) or getattr(found, "reason", None) or found.__cause__ or found.__context__
    return type(error).__name__
