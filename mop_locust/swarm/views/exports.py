"""Joins the exporters to a run: what was asked for is opened before it, fed while it goes on, and closed with it."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import gevent
from flask import Response, request
from gevent.event import Event

from mop_locust.config import SETTINGS
from mop_locust.exporters import influx, jsonl, prometheus
from mop_locust.exporters.reading import Reading, Second, short_names
from mop_locust.exporters.sink import Sink, close_all
from mop_locust.metrics.windows import MergedWindow
from mop_locust.report.document import SummaryDocument
from mop_locust.swarm.judging.conductor import Conductor
from mop_locust.swarm.judging.run import Run

logger = logging.getLogger("mop_locust")

PUSH_SECONDS: Final = 5.0  # between two cumulative pushes
CLOSE_SECONDS: Final = 3.0  # for all sinks together, when the run is over

_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


@dataclass
class Outlet:
    """A place that gets the run pushed: how to write there, and what of a merged second (None: nothing) and of the end."""

    place: str
    write: Callable[[Any], None]
    of_second: Callable[[Second], Any] | None
    of_reading: Callable[[Reading], Any]


class Exports:
    """What a judging process shows and sends of its runs. A sink lives as long as its run."""

    def __init__(self, environment: Any, conductor: Conductor) -> None:
        self._environment = environment
        self._conductor = conductor
        self._page = prometheus.Page(self.reading)
        self._outlets: list[Outlet] = []
        self._sinks: dict[str, Sink[Any]] = {}
        self.lingering = False

    # --- before the first run

    def open(self) -> list[str]:
        """Opens what the options ask for; returns a mistake for each that cannot be had, none for those the table refuses."""
        mistakes: list[str] = []
        if port := self._value("MOP_METRICS_PORT"):
            host = self._value("MOP_METRICS_HOST") or ""
            try:
                prometheus.serve(self._page, str(host), int(str(port)))
            except OSError as error:
                mistakes.append(
                    f"MOP_METRICS_PORT (--mop-metrics-port): {host}:{port} cannot be listened on: {error.strerror or error}; "
                    "allowed: a port that is free"
                )
        if url := str(self._value("MOP_OTLP") or ""):
            mistakes += self._open_otlp(url)
        if url := str(self._value("MOP_INFLUX") or ""):
            mistakes += self._open_influx(url)
        if path := str(self._value("MOP_JSONL") or ""):
            mistakes += self._open_jsonl(path)
        return mistakes

    def _value(self, name: str) -> object:
        setting = _BY_NAME[name]
        try:
            return setting.read(str(getattr(self._environment.parsed_options, setting.dest, setting.default) or ""))
        except ValueError:
            return None  # told with all other mistakes of the settings

    def _open_otlp(self, url: str) -> list[str]:
        try:
            there = find_spec("opentelemetry.exporter.otlp.proto.http") is not None
        except ModuleNotFoundError:
            there = False
        if not there:
            return ["MOP_OTLP (--mop-otlp): OpenTelemetry is not installed; allowed: after pip install 'mop-locust[otlp]'"]
        from mop_locust.exporters import otlp

        self._outlets.append(Outlet(f"OTLP at {otlp.endpoint(url)}", otlp.writer(url), None, lambda reading: reading))
        return []

    def _open_influx(self, url: str) -> list[str]:
        token = os.environ.get("MOP_INFLUX_TOKEN", "")
        if not re.fullmatch(r"[!-~]*", token):
            return ["MOP_INFLUX_TOKEN: has a space, a control or a non-ASCII character; allowed: visible ASCII characters"]
        place = f"InfluxDB at {url.partition('?')[0]}"
        self._outlets.append(Outlet(place, influx.writer(url, token), influx.second_lines, influx.final_lines))
        return []

    def _open_jsonl(self, path: str) -> list[str]:
        try:
            if os.path.exists(path) and not os.path.isfile(path):
                raise OSError("it is not a file")
            write = jsonl.writer(path)
        except OSError as error:
            return [
                f"MOP_JSONL (--mop-jsonl): {path!r} cannot be written: {error.strerror or error}; allowed: the path of a file"
            ]
        self._outlets.append(Outlet(f"JSON lines in {path}", write, jsonl.second_line, jsonl.final_line))
        return []

    def join(self) -> None:
        """Takes what is to be sent from Locust's events, and shows the metrics in the web UI unless that asks for a login."""
        options, web_ui = self._environment.parsed_options, self._environment.web_ui
        if web_ui is not None and not options.web_login:
            web_ui.app.add_url_rule("/metrics", "mop_metrics", lambda: Response.from_app(self._page, request.environ))
        if any(outlet.of_second is not None for outlet in self._outlets):
            self._environment.events.mop_window.add_listener(self._take)
        if any(outlet.of_second is None for outlet in self._outlets):
            gevent.spawn(self._push)
        self._conductor.say_last = self.close
        if options.headless:
            self._environment.events.quit.add_listener(lambda **_: self._linger(options))

    # --- while a run goes on

    def reading(self) -> Reading | None:
        """Returns the run as it is now; None before the first one."""
        run, summary = self._conductor.run, self._conductor.live()
        return None if run is None or summary is None else _reading(run, summary)

    def _take(self, run_id: str, window: MergedWindow, **_: Any) -> None:
        run = self._conductor.run
        if run is None:
            return
        hellos = run.hellos
        indexes = ((worker, hellos[worker].index if worker in hellos else 0) for worker in sorted(run.merge.workers))
        second = Second(run_id, window, run.started_wall + window.index, short_names(indexes))
        for outlet in self._outlets:
            if outlet.of_second is not None:
                self._sink(outlet).offer(outlet.of_second(second))

    def _push(self) -> None:
        while True:
            gevent.sleep(PUSH_SECONDS)
            if not self._conductor.active or (reading := self.reading()) is None:
                continue
            for outlet in self._outlets:
                if outlet.of_second is None:
                    self._sink(outlet).offer(outlet.of_reading(reading))

    def _sink(self, outlet: Outlet) -> Sink[Any]:
        if outlet.place not in self._sinks:
            self._sinks[outlet.place] = Sink(outlet.place, outlet.write, newest_only=outlet.of_second is None)
        return self._sinks[outlet.place]

    # --- the end

    def close(self, summary: SummaryDocument) -> list[str]:
        """Sends the last word on a run and waits for it to arrive, within bounds; says which sinks lost something."""
        run = self._conductor.run
        if run is None:
            return []
        reading = _reading(run, summary)
        for outlet in self._outlets:
            self._sink(outlet).offer(outlet.of_reading(reading))
        sinks, self._sinks = self._sinks, {}
        return close_all(sinks.values(), CLOSE_SECONDS)

    def _linger(self, options: Any) -> None:
        """Leaves the metrics there until their last values were read; a signal ends the wait."""
        if not self._page.is_awaited:
            return
        self.lingering, leave = True, Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            gevent.signal_handler(number, leave.set)
        seconds = float(str(_BY_NAME["MOP_METRICS_LINGER"].read(options.mop_metrics_linger)))
        print(f"mop-locust: /metrics stays until it was read twice more, {seconds:g} s at most", file=sys.stderr, flush=True)
        with gevent.Timeout(seconds, False):
            while self._page.is_awaited and not leave.wait(0.05):
                pass


def _reading(run: Run, summary: SummaryDocument) -> Reading:
    lost = set(run.lost())
    gauges = {worker: record.gauges for worker, record in run.merge.workers.items() if not run.finished and worker not in lost}
    since = run.started_wall + max(0, run.reset_us - run.started_us) / 1e6
    return Reading(summary, gauges, since, run.settings.protocol_version)
