"""One run as the judging side sees it: reports taken in, workers lost or gone early, the time that the figures cover."""

from __future__ import annotations

import dataclasses
import logging

import pytest

from mop_locust.client.exchange import monotonic_us
from mop_locust.config.stages import parse_stages, read_users
from mop_locust.metrics.accumulators import CounterTotal
from mop_locust.swarm.judging.run import LEFT_EARLY_US, Run
from mop_locust.users import MopUser
from mop_locust.verdict.threshold import parse_all
from tests.unit.swarm.runs import SECOND, STARTED_US, Calls, Storm, Streams, exchange, heard, ledger, made_run, word, worked


def calls(run: Run) -> int:
    """How many exchanges the run knows."""
    total = run.merge.totals().select("calls")
    return total.count if isinstance(total, CounterTotal) else 0


def test_a_report_is_taken_in_and_its_windows_acknowledged() -> None:
    """The encoded snapshot of a worker counts; the answer is the last closed second."""
    run = made_run()
    own = ledger(run)
    own.record(exchange(0.2))
    own.record(exchange(3.2))
    assert run.receive("w1", word(own, 4.5, final=False).encode()) == 3
    assert calls(run) == 2
    assert (run.has_final("w1"), run.has_final("w2"), run.lost()) == (False, False, ["w1"])


def test_a_doubled_or_late_report_changes_nothing() -> None:
    """Snapshots are cumulative: the newest counts."""
    run = made_run()
    own = ledger(run)
    own.record(exchange(0.2))
    first = word(own, 1, final=False)
    own.record(exchange(1.2))
    second = word(own, 2)
    for snapshot in (second, second, first):
        run.take(snapshot)
    assert calls(run) == 2
    assert run.has_final("w1")


def test_a_report_of_another_run_changes_nothing() -> None:
    """It came late: from the run before."""
    run, before = made_run(), made_run(Calls, id="r-0")
    run.merge.run_id = run.id
    own = ledger(before)
    own.record(exchange())
    assert run.take(word(own, 2)) is None
    assert (calls(run), run.merge.workers, run.last_us, run.lost()) == (0, {}, {}, [])


def test_an_unreadable_report_is_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """It takes nothing away from what is known, and it is not passed over in silence."""
    run = made_run()
    with caplog.at_level(logging.WARNING, "mop_locust"):
        assert run.receive("w1", b"garbage") is None
    assert run.unreadable == 1
    assert caplog.messages[0].startswith("a report of w1 could not be read: ")


def test_a_worker_without_a_last_word_is_lost() -> None:
    """Only those that took part: one that never reported is missing, which is another matter."""
    run = made_run(workers=3)
    worked(run, "w1", exchange(), final=False)
    worked(run, "w2", exchange())
    assert run.lost() == ["w1"]
    assert run.left_early() == []


@pytest.mark.parametrize(
    ("early_us", "early"), [(0, False), (LEFT_EARLY_US, False), (LEFT_EARLY_US + 1, True), (30 * SECOND, True)]
)
def test_a_worker_that_said_goodbye_well_before_the_end_left_early(early_us: int, early: bool) -> None:
    """Ctrl-C in a terminal reaches all processes within a moment, and none of them left."""
    run = made_run()
    worked(run, "w1", exchange())
    run.last_us["w1"] = run.stopping_us - early_us
    assert run.left_early() == (["w1"] if early else [])


def test_before_the_end_is_before_the_stop_began() -> None:
    """Draining takes a while: the worker that was quick with it did not leave early. Without a stop the end itself counts."""
    run = made_run()
    worked(run, "w1", exchange(), until_s=55)
    run.stopping_us = STARTED_US + 55 * SECOND
    assert run.left_early() == []
    run.stopping_us = 0
    assert run.left_early() == ["w1"]


def test_the_seconds_run_from_the_start_or_the_reset_to_the_end() -> None:
    """What came before a reset is not in the figures, so its time is not either."""
    run = made_run()
    assert run.seconds == 60.0
    run.reset_us = STARTED_US + 20 * SECOND
    assert run.seconds == 40.0


def test_a_run_that_goes_on_counts_its_time_until_now() -> None:
    """And `begin` sets it to zero."""
    run = made_run(ended_us=0)
    run.begin()
    assert 0 <= run.elapsed_us <= run.seconds * 1e6 + SECOND
    assert run.started_us != STARTED_US
    run.end()
    assert run.ended_us >= run.started_us
    assert run.seconds == (run.ended_us - run.started_us) / 1e6


def test_the_mean_cpu_is_that_of_the_windows() -> None:
    """Each worker's own seconds; None before the first figure."""
    run = made_run()
    own = ledger(run)
    own.gauge("cpu_percent", 20.0)
    own.record(exchange(1.0))
    own.gauge("cpu_percent", 40.0)
    heard(run, word(own, 2))
    worked(run, "w2", exchange())
    assert run.mean_cpu("w1") == 30.0
    assert run.mean_cpu("w2") is None


def test_the_masters_own_lag_is_kept_apart() -> None:
    """Its garbage collection delays no exchange, and its figures are in no metric of the run."""
    run = made_run()
    run.trend("loop_lag", (), 1500, 0)
    run.trend("gc_pause", (), 99_000, 0)
    run.gauge("cpu_percent", 12.5)
    assert (run.master_lag.count, run.master_lag.max) == (1, 1500)
    run.gauge("cpu_percent", 14.5)
    assert [value for _, value in run.gauges["cpu_percent"].points] == [12.5, 14.5]
    assert calls(run) == 0


def going_on(*, silent_s: float, workers: int = 2) -> Run:
    """A run of now with one worker that was last heard so many seconds ago."""
    run = made_run(workers=workers, finished=False, stopping_us=0, ended_us=0, started_us=monotonic_us() - 60 * SECOND)
    run.take(word(ledger(run), 50, final=False))
    run.last_us["w1"] = monotonic_us() - int(silent_s * SECOND)
    return run


@pytest.mark.parametrize(("silent_s", "lost"), [(1.0, []), (6.0, ["w1"])])
def test_while_a_run_goes_on_a_worker_that_fell_silent_is_lost(silent_s: float, lost: list[str]) -> None:
    """None has said its last word yet, so only silence tells."""
    run = going_on(silent_s=silent_s)
    assert (run.lost(), run.silent(), run.left_early()) == (lost, ["w2"], [])


def test_an_expected_worker_may_take_its_time_at_the_start() -> None:
    """It is missing only when it has said nothing for some seconds, or when the run is over."""
    run = going_on(silent_s=0)
    run.started_us = monotonic_us()
    assert run.silent() == []
    run.finished = True
    assert run.silent() == ["w2"]


def test_a_worker_that_left_a_run_that_goes_on_left_early() -> None:
    """It said its last word and the others work."""
    run = going_on(silent_s=3)
    run.take(word(ledger(run, epoch=2), 57))
    run.last_us["w1"] = monotonic_us() - 3 * SECOND
    assert run.left_early() == ["w1"]


@pytest.mark.parametrize(
    ("classes", "endpoint"),
    [
        ((Calls,), "http://localhost:8000/mcp"),
        ((Storm,), "ws://localhost:8000/ws"),
        ((Storm, Streams), "http://localhost:8000/mcp"),
    ],
)
def test_the_endpoint_is_one_that_the_load_goes_to(classes: tuple[type[MopUser], ...], endpoint: str) -> None:
    """A storm of sockets says nothing about whoever listens at the default HTTP address."""
    assert made_run(*classes).endpoint == endpoint


def staged(*thresholds: str, workers: int = 1, **more: object) -> Run:
    """A run of two stages, ten seconds and twenty, whose windows are judged by these thresholds."""
    parsed, mistakes = parse_all(thresholds)
    assert mistakes == []
    run = made_run(workers=workers)
    stages = parse_stages("ramp=10s:5,steady=20s:5", read_users)
    changes: dict[str, object] = {"stages": stages, "thresholds": parsed, **more}
    return dataclasses.replace(run, **changes)  # type: ignore[arg-type]


def test_each_stage_has_its_samples_and_its_seconds() -> None:
    """What came after the end of the stages is of the last, and the sum is the whole."""
    run = staged()
    worked(run, "w1", *(exchange(at) for at in (1, 9.5, 10, 29, 31, 59)))
    parts = run.stage_parts()
    assert {name: (part.seconds, part.totals.select("calls").samples) for name, part in parts.items()} == {  # type: ignore[union-attr]
        "ramp": (10.0, 2),
        "steady": (50.0, 4),
    }
    run.ended_us = STARTED_US + 7 * SECOND
    assert {name: part.seconds for name, part in run.stage_parts().items()} == {"ramp": 7.0, "steady": 0.0}
    assert made_run().stage_parts() == {}


def test_a_second_is_judged_when_all_workers_have_told_of_it_or_it_is_old() -> None:
    """A worker that is missing, or has said its last word, is not waited for."""
    run = staged("calls: count<3 over 2s", workers=2, stopping_us=0, ended_us=0, finished=False)
    run.started_us = monotonic_us() - 20 * SECOND
    nobody, second = (lambda _: False), (lambda worker: worker == "w2")
    assert run.settled(nobody) == 15  # nothing was heard yet
    first = ledger(run)
    heard(run, word(first, 19.2, final=False))
    assert run.settled(nobody) == 15
    heard(run, word(ledger(run, "w2"), 17.9, final=False))
    assert (run.settled(nobody), run.settled(second)) == (17, 19)
    heard(run, word(ledger(run, "w2", 2), 18.5, final=True))
    run.merge.records["w2", 1].final = True
    assert run.settled(nobody) == 19


def test_windows_are_judged_up_to_the_second_in_which_the_load_was_stopped() -> None:
    """What comes while the last sessions close counts in the figures, and in no window."""
    run = staged("calls: count>0 over 1s")
    run.stopping_us = STARTED_US + int(3.5 * SECOND)
    worked(run, "w1", *(exchange(at) for at in (0.1, 1.1, 2.1)))
    run.judge_windows(lambda _: False)
    assert run.windows.until == 3
    (threshold,) = run.thresholds
    found = run.windows.found(threshold)
    assert found is not None
    assert (found.state, found.value) == ("PASSED", 1)
    unasked = staged()
    unasked.judge_windows(lambda _: False)
    assert (bool(unasked.windows), unasked.windows.until) == (False, 0)
