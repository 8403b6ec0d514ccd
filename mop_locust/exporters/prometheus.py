"""`/metrics`: a reading in Prometheus' text format 0.0.4, made when somebody asks and at no other time.

The text is made here because it is made between two exchanges when a run has one process only: prometheus_client takes many
times as long for it. It serves the tests as a second reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import gevent
from gevent.pywsgi import WSGIServer

from mop_locust.exporters.families import Family, Labels, families
from mop_locust.exporters.reading import Reading

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MOST_READERS: Final = 64  # connections that are served at a time; others wait
FINAL_SCRAPES: Final = 2  # the first of them may meet a reader that is about to give up

_ESCAPED: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})

StartResponse = Callable[[str, list[tuple[str, str]]], object]


def public_name(family: Family) -> str:
    """`mop_call_latency_seconds`, `mop_calls_total`."""
    unit = re.sub(r"[^a-zA-Z0-9_]+", "_", family.unit).strip("_")
    name = f"mop_{family.name}_{unit}" if unit else f"mop_{family.name}"
    return f"{name}_total" if family.kind == "counter" else name


def exposition(reading: Reading) -> str:
    """The text of a reading."""
    return "".join(line for family in families(reading) for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    name = public_name(family)
    yield f"# HELP {name} {family.help}\n# TYPE {name} {family.kind}\n"
    for labels, value in family.numbers:
        yield f"{name}{_braced(labels)} {value!r}\n"
    for labels, histogram in family.histograms:
        joined = "".join(f"{text}," for text in _texts(labels))
        *upto, count = family.bounds.cumulative(histogram)
        for bound, n in zip(family.bounds.shown, upto, strict=True):
            yield f'{name}_bucket{{{joined}le="{bound!r}"}} {n}\n'
        yield f'{name}_bucket{{{joined}le="+Inf"}} {count}\n'
        yield f"{name}_sum{_braced(labels)} {histogram.total / family.bounds.scale!r}\n"
        yield f"{name}_count{_braced(labels)} {count}\n"


def _braced(labels: Labels) -> str:
    return f"{{{','.join(_texts(labels))}}}" if labels else ""


def _texts(labels: Mapping[str, str]) -> list[str]:
    return [f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels.items()]


class Page:
    """The page as a WSGI application; it counts how often the figures of a run were read, and how often its last word was."""

    def __init__(self, read: Callable[[], Reading | None]) -> None:
        self._read = read
        self.scrapes = 0
        self.final_scrapes = 0

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answers GET and HEAD of `/metrics`; before the first run the page is empty."""
        if environ["PATH_INFO"] != "/metrics":
            return _answer(start_response, "404 Not Found", "the figures are at /metrics\n")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _answer(start_response, "405 Method Not Allowed", "GET or HEAD\n")
        reading = self._read()
        if reading is None:
            return _answer(start_response, "200 OK", "")
        if environ["REQUEST_METHOD"] == "GET":
            self.scrapes += 1
            self.final_scrapes += reading.ended
        gevent.sleep(0)  # the page in three parts: an exchange of the same process waits for one of them only
        reading.prepare()
        gevent.sleep(0)
        return _answer(start_response, "200 OK", exposition(reading))

    @property
    def is_awaited(self) -> bool:
        """Whether somebody who read the page during the run has yet to read the last word twice."""
        return self.scrapes > self.final_scrapes and self.final_scrapes < FINAL_SCRAPES


def _answer(start_response: StartResponse, status: str, text: str) -> list[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
    return [body]


def serve(page: Page, host: str, port: int) -> WSGIServer:
    """Gives out the page on a port of its own; OSError when it cannot be had."""
    server = WSGIServer((host, port), page, log=None, spawn=MOST_READERS)
    server.start()
    return server
