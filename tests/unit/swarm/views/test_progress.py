"""How a run that goes on stands."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mop_locust.client.exchange import monotonic_us
from mop_locust.config.stages import parse_stages, read_users
from mop_locust.metrics.windows import WindowStore
from mop_locust.report.document import SummaryDocument
from mop_locust.swarm.generating.iterations import IterationStock
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.views.progress import Progress, line, look, recent_rates
from tests.unit.report.sample_summary import dead_summary, green_summary, red_summary
from tests.unit.swarm.runs import SECOND, Calls, Storm, Streams, exchange, made_run, worked


def progress(summary: SummaryDocument, **rates: float) -> Progress:
    """A look after 24 s of a minute."""
    return Progress(summary, "0:24 of 1:00", 0.4, "36s left", rates, {})


def test_the_rate_is_of_the_last_whole_seconds() -> None:
    """Five of them, without the newest, of which a worker may still be silent."""
    run = made_run(workers=2)
    early = [exchange(second + 0.5) for second in range(3)] * 10
    late = [exchange(second + 0.5) for second in (5, 6, 7, 8, 9)] * 4
    worked(run, "w1", *early, *late, exchange(10.5), until_s=11)
    worked(run, "w2", *late, until_s=10)
    assert recent_rates(run.merge.windows) == {"calls": 8.0}


def test_a_young_run_has_a_rate_over_what_there_is() -> None:
    """And none before its second window."""
    run = made_run()
    worked(run, "local", *[exchange(0.5)] * 6, exchange(1.5), exchange(2.5), until_s=3)
    assert recent_rates(run.merge.windows) == {"calls": 3.5}
    young = made_run()
    worked(young, "local", exchange(0.5), until_s=1)
    assert recent_rates(young.merge.windows) == recent_rates(WindowStore()) == {}


def test_a_pause_counts() -> None:
    """A scenario that stood still for three of the five seconds is slow."""
    run = made_run()
    worked(run, "local", *[exchange(5.5)] * 10, exchange(10.5), until_s=11)
    assert recent_rates(run.merge.windows) == {"calls": 2.0}


def test_of_a_long_run_the_windows_are_wider() -> None:
    """At least one whole window is taken."""
    run = made_run()
    run.merge.windows = WindowStore(most=4)
    worked(run, "local", *[exchange(second + 0.5) for second in range(26)], until_s=26)
    assert run.merge.windows.width == 8
    assert recent_rates(run.merge.windows) == {"calls": 1.0}


def going(
    *classes: Any, stock: IterationStock | None = None, users: dict[str, int] | None = None, ago_s: float = 24, **more: Any
) -> Progress | None:
    """A look at a run that began so long ago."""
    run: Run = made_run(*classes, finished=False, stopping_us=0, ended_us=0, **more)
    run.started_us = monotonic_us() - int(ago_s * SECOND)
    runner = SimpleNamespace(user_classes_count=users or {})
    environment = SimpleNamespace(runner=runner, user_classes=[*classes, object])
    conductor: Any = SimpleNamespace(run=run, stock=stock, live=green_summary)
    return look(environment, conductor)


def test_a_look_at_a_run_with_a_plan() -> None:
    """How long it runs and what is left of it; the users of each scenario, and of none of ours."""
    found = going(Storm, Calls, users={"Storm": 3, "Calls": 4, "object": 9})
    assert found is not None
    assert (found.time, found.left, found.users) == ("0:24 of 1:00", "36s left", {"storm": 3, "calls": 4, "": 9})
    assert found.done == pytest.approx(0.4, abs=0.05)


def test_a_look_at_a_run_without_a_plan() -> None:
    """There is nothing to draw a bar of."""
    found = going(Storm, planned_seconds=None)
    assert found is not None
    assert (found.time, found.left, found.done) == ("0:24", "until you stop it", None)


def test_a_look_at_shared_iterations() -> None:
    """They, and not the time, say how far it is; beside scenarios without, the time does."""
    stock = IterationStock({"streams": 20}, lambda: None)
    for _ in range(5):
        stock.take("streams", "w1")
        stock.done("streams", "w1")
    found = going(Streams, stock=stock)
    assert found is not None
    assert (found.time, found.left, found.done) == ("0:24 of at most 1:00", "5 of 20 iterations", 0.25)
    mixed = going(Streams, Storm, stock=stock)
    assert mixed is not None
    assert (mixed.time, mixed.left) == ("0:24 of 1:00", "36s left")


def test_a_look_at_a_run_that_ends() -> None:
    """It takes a while to close sessions; a finished one is looked at no more."""
    run = made_run(Calls, finished=False, stopping_us=0, planned_seconds=None)
    environment = SimpleNamespace(runner=SimpleNamespace(reported_user_classes_count={}), user_classes=[])
    conductor: Any = SimpleNamespace(run=run, stock=None, live=green_summary)
    run.stopping_us = 1
    found = look(environment, conductor)
    assert found is not None
    assert found.left == "ending: the last sessions close"
    run.finished = True
    assert look(environment, conductor) is None
    conductor.run = None
    assert look(environment, conductor) is None


def test_the_line_has_time_calls_rate_failures_and_p95() -> None:
    """The rate is of the last seconds, of all scenarios together; the rest is of the whole run."""
    text = line(progress(green_summary(), a=300.2, b=20.0))
    assert text == "0:24 of 1:00   18,848 calls   320 per s   0.00 % failed   P95 3.1 ms"


def test_the_line_says_what_is_wrong_so_far() -> None:
    """Thresholds that are crossed, and what makes the run less than valid."""
    text = line(progress(red_summary(), a=8.0))
    assert text.endswith("   8 per s   4.73 % failed   P95 2.7 ms   1 of 3 thresholds crossed   incomplete")


def test_a_line_before_the_first_call() -> None:
    """Nothing is divided by nothing."""
    assert line(progress(dead_summary())) == "0:24 of 1:00   0 calls   - per s   - failed   P95 -"


@pytest.mark.parametrize(("text", "time"), [("a=20s:1,b=40s:2", "0:24 of 1:00 b"), ("a=20s:1", "0:24 of 1:00")])
def test_the_stage_is_told(text: str, time: str) -> None:
    """As long as there is one."""
    told = going(Calls, stages=parse_stages(text, read_users))
    assert told is not None
    assert told.time == time


def test_before_the_first_arrival_it_is_the_first_second() -> None:
    """The clock of open load begins a moment after the order; a jump at the beginning takes no time."""
    told = going(Calls, ago_s=-0.5, stages=parse_stages("0s:5,60s:5", read_users))
    assert told is not None
    assert (told.time, told.done, told.left) == ("0:00 of 1:00 steady", 0.0, "1m00s left")
