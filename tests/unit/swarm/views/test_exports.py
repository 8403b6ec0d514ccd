"""What is opened before a run, and what a reading of it is; the rest has real processes in tests/e2e."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, cast

import gevent
import pytest
from locust.event import EventHook

from mop_locust.config import SETTINGS
from mop_locust.swarm.judging.conductor import Conductor
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.views import exports as module
from mop_locust.swarm.views.exports import Exports
from tests.e2e.observers import sink
from tests.unit.exporters.readings import a_reading, a_run
from tests.unit.swarm.runs import STARTED_US


class Leads:
    """As a conductor with one run."""

    def __init__(self, run: Run | None = None) -> None:
        self.run = run
        self.active = run is not None and not run.finished
        self.say_last: Any = None

    def live(self) -> Any:
        """Its summary."""
        return a_reading(self.run).summary if self.run is not None else None


def exports(run: Run | None = None, **given: str) -> tuple[Exports, Leads, Any]:
    """The exports of a headless process with these options."""
    options = Namespace(**{setting.dest: setting.default for setting in SETTINGS}, headless=True, web_login=False)
    vars(options).update(given)
    hooks = Namespace(mop_window=EventHook(), quit=EventHook())  # type: ignore[no-untyped-call]
    environment = Namespace(parsed_options=options, web_ui=None, events=hooks)
    leads = Leads(run)
    return Exports(environment, cast(Conductor, leads)), leads, environment


def test_nothing_is_opened_unless_it_is_asked_for() -> None:
    """Nobody listens to the seconds either."""
    mine, leads, environment = exports()
    assert mine.open() == []
    mine.join()
    assert environment.events.mop_window._handlers == []
    assert leads.say_last == mine.close
    assert mine.reading() is None
    assert mine.close(a_reading().summary) == []


def test_what_the_table_refuses_is_told_by_the_table() -> None:
    """Not a second time, and not opened."""
    mine, _, _ = exports(mop_metrics_port="many", mop_otlp="x", mop_influx="y", mop_jsonl="a\0b")
    assert mine.open() == []


@pytest.mark.parametrize("there", [None, "raises"])
def test_without_opentelemetry_it_is_said_how_to_get_it(there: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the run."""

    def find(name: str) -> None:
        if there == "raises":
            raise ModuleNotFoundError(name)

    monkeypatch.setattr(module, "find_spec", find)
    mine, _, _ = exports(mop_otlp="http://localhost:4318")
    assert mine.open() == ["MOP_OTLP (--mop-otlp): OpenTelemetry is not installed; allowed: after pip install 'mop-locust[otlp]'"]


def test_a_process_without_otlp_never_imports_its_exporter() -> None:
    """It is an extra, and takes its time."""
    program = "import locust, sys, mop_locust.swarm.plugin; print([name for name in sys.modules if '.otlp' in name])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "[]\n"


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """So is a file that cannot be made."""
    mine, _, _ = exports(mop_jsonl=str(tmp_path / "none" / "x.jsonl"))
    (mistake,) = mine.open()
    assert mistake.endswith("cannot be written: No such file or directory; allowed: the path of a file")


def test_a_run_that_goes_on_has_its_gauges_and_one_that_ended_has_none() -> None:
    """Its totals count from the start, or from the last reset; a lost worker has no gauges."""
    run = a_run(finished=False)
    mine, _, _ = exports(run)
    run.merge.workers["w2"].final = False
    run.last_us["w2"] = 0
    reading = mine.reading()
    assert reading is not None
    assert (dict(reading.gauges), reading.since) == ({"w1": run.merge.workers["w1"].gauges}, run.started_wall)
    run.finished, run.reset_us = True, STARTED_US + 5_000_000
    reading = mine.reading()
    assert reading is not None
    assert (dict(reading.gauges), reading.since) == ({}, run.started_wall + 5)


def test_seconds_and_the_last_word_go_to_each_place_and_the_next_run_begins_anew(tmp_path: Path) -> None:
    """What was lost is said once, of its own run."""
    run = a_run()
    file = tmp_path / "runs.jsonl"
    with sink(400) as (url, bodies):
        mine, leads, environment = exports(run, mop_jsonl=str(file), mop_influx=f"{url}/write?db=x")
        assert mine.open() == []
        mine.join()
        for window in run.merge.windows:
            environment.events.mop_window.fire(run_id=run.id, window=window)
        summary = leads.live()
        assert mine.close(summary) == [f"InfluxDB at {url}/write: 5 of 5 writes failed: HTTP 400"]
        assert mine.close(summary) == [f"InfluxDB at {url}/write: 1 of 1 writes failed: HTTP 400"]
        leads.run = None
        environment.events.mop_window.fire(run_id=run.id, window=window)
        assert mine.close(summary) == []
    assert len(bodies) == 6
    assert b"worker=1 users=8.0" in bodies[3]
    assert file.read_bytes().count(b"\n") == 6


def test_the_whole_is_pushed_every_few_seconds_while_a_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then once more at the end."""
    monkeypatch.setattr(module, "PUSH_SECONDS", 0.02)
    run = a_run(finished=False)
    with sink(200) as (url, bodies):
        mine, leads, _ = exports(run, mop_otlp=url)
        assert mine.open() == []
        mine.join()
        with gevent.Timeout(10):
            while not bodies:
                gevent.sleep(0.01)
        leads.active = False
        assert mine.close(leads.live()) == []
    assert len(bodies) >= 2
