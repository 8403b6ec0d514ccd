"""`/metrics`: a reading in Prometheus' own text formats, made when somebody asks and at no other time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from mop_locust.exporters.families import Family, families
from mop_locust.exporters.reading import Reading

FINAL_SCRAPES: Final = 2  # the first of them may meet a reader that is about to give up

StartResponse = Callable[[str, list[tuple[str, str]]], object]


def public_name(family: Family) -> str:
    """`mop_call_latency_seconds`; a counter's `_total` is the format's own."""
    unit = re.sub(r"[^a-zA-Z0-9_]+", "_", family.unit).strip("_")
    return f"mop_{family.name}_{unit}" if unit else f"mop_{family.name}"


class RunCollector(Collector):
    """Shows whatever `read` returns; nothing before the first run."""

    def __init__(self, read: Callable[[], Reading | None]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Every family, labels in the order of their names."""
        reading = self._read()
        for family in families(reading) if reading is not None else ():
            yield _metric(family)


def _metric(family: Family) -> Metric:
    name, names = public_name(family), family.label_names
    if family.kind == "histogram":
        edges = [*map(repr, family.bounds.shown), "+Inf"]
        shown = HistogramMetricFamily(name, family.help, labels=names)
        for labels, histogram in family.histograms:
            buckets = list(zip(edges, family.bounds.cumulative(histogram), strict=True))
            shown.add_metric([labels.get(label, "") for label in names], buckets, histogram.total / family.bounds.scale)
        return shown
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    numbers = kind(name, family.help, labels=names)
    for labels, value in family.numbers:
        numbers.add_metric([labels.get(label, "") for label in names], value)
    return numbers


class Page:
    """The page as a WSGI application; it counts how often the whole of it was given out, and how often since the last word."""

    def __init__(self, read: Callable[[], Reading | None]) -> None:
        self._read = read
        self._registry = CollectorRegistry()
        self._registry.register(RunCollector(read))
        self.scrapes = 0
        self.final_scrapes = 0

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answers GET and HEAD of `/metrics`."""
        if environ["PATH_INFO"] != "/metrics":
            return _plain(start_response, "404 Not Found", "the figures are at /metrics\n")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _plain(start_response, "405 Method Not Allowed", "GET only\n")
        reading = self._read()
        encode, content_type = choose_encoder(environ.get("HTTP_ACCEPT", ""))
        body: bytes = encode(self._registry)
        if environ["REQUEST_METHOD"] == "GET" and reading is not None:
            self.scrapes += 1
            self.final_scrapes += reading.ended
        start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    @property
    def awaited(self) -> bool:
        """Whether somebody who read the page during the run has yet to read the last word twice."""
        return self.scrapes > self.final_scrapes and self.final_scrapes < FINAL_SCRAPES


def _plain(start_response: StartResponse, status: str, text: str) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))])
    return [text.encode()]


def serve(page: Page, host: str, port: int) -> WSGIServer:
    """Gives out the page on a port of its own; OSError when it cannot be had."""
    server = WSGIServer((host, port), page, log=None)
    server.start()
    return server
