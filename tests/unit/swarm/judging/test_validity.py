"""Every reason to doubt a run, in its sentence, and the worst of them as the run's validity."""

from __future__ import annotations

import msgspec
import pytest

from mop_locust.metrics.accumulators import RateTotal
from mop_locust.metrics.snapshot import pack
from mop_locust.metrics.tally import Tally
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.judging.validity import validity
from tests.unit.swarm.runs import SECOND, STARTED_US, Calls, exchange, heard, ledger, made_run, word, worked


def found(run: Run) -> tuple[str, tuple[str, ...]]:
    """The validity of a run and its reasons."""
    result = validity(run, run.merge.totals())
    return result.state, result.reasons


def test_a_run_without_anything_to_say_against_it_is_valid() -> None:
    """Two workers that both gave their last word at the end, failures of the target included."""
    run = made_run(workers=2)
    for worker in ("w1", "w2"):
        worked(run, worker, exchange(), exchange(outcome="timeout", error="no answer"), exchange(outcome="cancelled"))
    assert found(run) == ("valid", ())


def test_a_single_process_is_valid_without_workers() -> None:
    """It is its own load generator."""
    run = made_run(workers=0)
    worked(run, "local", exchange())
    assert found(run) == ("valid", ())


def test_a_fault_of_the_load_generator_makes_a_run_invalid() -> None:
    """Their number, and what they were."""
    run = made_run()
    faults = [exchange(outcome="client_fault", error="too many open files")] * 1200
    worked(run, "local", exchange(), *faults, exchange(outcome="client_fault", error="no free port"))
    assert found(run) == (
        "invalid",
        ("1,201 exchanges failed through a limit or fault of the load generator itself: no free port, too many open files",),
    )


def test_an_exception_that_locust_caught_makes_a_run_invalid() -> None:
    """Each with its own sentence."""
    run = made_run(faults=["uncaught exception in event handler: KeyError: 'x'", "worker w1: more"])
    worked(run, "local", exchange())
    assert found(run) == ("invalid", ("uncaught exception in event handler: KeyError: 'x'", "worker w1: more"))


def test_a_lost_worker_makes_a_run_incomplete() -> None:
    """When it was last heard, and the most that can be missing."""
    run = made_run(workers=2)
    worked(run, "w1", exchange())
    worked(run, "w2", exchange(), until_s=12.34, final=False)
    assert found(run) == (
        "incomplete",
        ("worker w2 was lost: its last report came after 12.3 s; up to 1 s of its samples are missing",),
    )


def test_a_worker_that_reported_nothing_makes_a_run_incomplete() -> None:
    """Also beside one that was lost: neither hides the other."""
    run = made_run(workers=3)
    worked(run, "w1", exchange())
    assert found(run) == ("incomplete", ("2 of 3 workers reported nothing: w2, w3",))
    worked(run, "w2", exchange(), final=False)
    state, reasons = found(run)
    assert state == "incomplete"
    assert [reason.split(":")[0] for reason in reasons] == ["worker w2 was lost", "1 of 3 workers reported nothing"]


def test_a_run_that_never_began_misses_no_report() -> None:
    """The preflight found the target at fault: the workers had nothing to report, and the verdict is about the target."""
    assert found(made_run(workers=2, stopped_by="preflight")) == ("valid", ())


def test_an_unreadable_report_makes_a_run_incomplete() -> None:
    """How many there were."""
    run = made_run()
    worked(run, "local", exchange())
    for _ in range(3):
        run.receive("local", b"garbage")
    assert found(run) == ("incomplete", ("3 reports of workers could not be read",))


def test_totals_that_cannot_be_used_make_a_run_incomplete() -> None:
    """They are read when the run is judged; a worker that contradicts the others is kept out when its seconds come."""
    run = made_run(workers=3)
    worked(run, "w1", exchange())
    broken, contrary = ledger(run, "w2"), ledger(run, "w3")
    broken.record(exchange())
    run.take(msgspec.structs.replace(word(broken, 1), packed_totals=pack(Tally(customs={("a", ()): RateTotal(1, 2)}))))
    contrary.record(exchange())
    other = word(contrary, 1)
    other.windows[0].tally.customs["calls", ()] = RateTotal(1, 0)
    run.take(other)
    state, reasons = found(run)
    assert state == "incomplete"
    assert [reason for reason in reasons if "was lost" not in reason] == [
        "1 of 3 workers reported nothing: w3",
        "1 reports of workers held a metric of another kind than is known here",
        "what the last report of worker w2 says of the whole run could not be used, and is missing",
    ]


def test_dropped_seconds_make_a_run_incomplete() -> None:
    """The totals are whole, but the course of the run is not."""
    run = made_run(workers=1)
    own = ledger(run, "w1")
    for second in range(130):
        own.record(exchange(second))
    heard(run, word(own, 130))
    run.stopping_us = run.ended_us = STARTED_US + 130 * SECOND
    state, reasons = found(run)
    assert state == "incomplete"
    assert reasons == ("worker w1 dropped 10 seconds of its course, since no report got through",)


def test_a_worker_that_left_degrades_a_run() -> None:
    """It said its last word, so nothing is missing; but the load was not what was asked for."""
    run = made_run(workers=2)
    worked(run, "w1", exchange())
    worked(run, "w2", exchange(), until_s=20)
    assert found(run) == ("degraded", ("worker w2 left after 20.0 s; the others went on without it",))


@pytest.mark.parametrize(
    ("seconds", "reasons"),
    [(10, ("stopped after 10 s of 60 s",)), (58.9, ("stopped after 59 s of 60 s",)), (59.0, ()), (60, ()), (61, ())],
)
def test_a_run_that_was_stopped_by_hand_before_its_time_is_degraded(seconds: float, reasons: tuple[str, ...]) -> None:
    """A second before the end is the end."""
    run = made_run(stopped_by="user", stopping_us=STARTED_US + int(seconds * SECOND))
    worked(run, "local", exchange(), until_s=seconds)
    assert found(run) == ("degraded" if reasons else "valid", reasons)


@pytest.mark.parametrize("change", [{"headless": False}, {"planned_seconds": None}, {"stopped_by": "iterations"}])
def test_a_stop_by_hand_is_how_some_runs_end(change: dict[str, object]) -> None:
    """In the web UI, without a planned time, and of course when the iterations were done."""
    run = made_run(**{"stopped_by": "user", "stopping_us": STARTED_US + 10 * SECOND, **change})
    worked(run, "local", exchange(), until_s=10)
    assert found(run) == ("valid", ())


def lagging(run: Run, worker: str, *lags_ms: int) -> None:
    """A worker whose loop was so late."""
    own = ledger(run, worker)
    own.record(exchange())
    for lag in lags_ms:
        own.trend("loop_lag", (), lag * 1000, STARTED_US + SECOND)
    heard(run, word(own, 60))


def test_a_load_generator_that_stood_still_degrades_a_run() -> None:
    """Its longest stall, with the limit; the lag that comes with it is not told twice."""
    run = made_run(workers=2)
    lagging(run, "w1", *[1] * 200)
    lagging(run, "w2", 2500, 900)
    assert found(run) == ("degraded", ("worker w2 stood still for 2.5 s (limit 2 s)",))


def test_a_load_generator_that_was_late_degrades_a_run() -> None:
    """Its P99; in a single process it is not called a worker. The limit is a setting."""
    run = made_run()
    lagging(run, "local", *[1500] * 100)
    [reason] = found(run)[1]
    assert reason.startswith("the load generator was late: loop lag P99 1")
    assert reason.endswith(f" ms (limit {run.settings.max_loop_lag * 1000:.0f} ms)")
    relaxed = made_run(values={"MOP_MAX_LOOP_LAG_MS": "1600"})
    lagging(relaxed, "local", *[1500] * 100)
    assert found(relaxed) == ("valid", ())


def test_a_master_that_stood_still_degrades_a_run() -> None:
    """It reads the reports, so its own loop counts too."""
    run = made_run(workers=1)
    worked(run, "w1", exchange())
    run.trend("loop_lag", (), 3 * SECOND, 0)
    assert found(run) == ("degraded", ("the master stood still for 3.0 s (limit 2 s)",))


def test_a_load_generator_without_cpu_to_spare_degrades_a_run() -> None:
    """On average over the run; the limit is a setting."""
    for limit, expected in (("90", True), ("96", False)):
        run = made_run(workers=1, values={"MOP_MAX_CPU_PERCENT": limit})
        own = ledger(run, "w1")
        own.gauge("cpu_percent", 95.4)
        own.record(exchange())
        heard(run, word(own, 60))
        sentence = "worker w1 used 95 % of a core (limit 90 %): it, not the target, may set the pace"
        assert found(run) == (("degraded", (sentence,)) if expected else ("valid", ()))


def test_the_worst_counts_and_all_reasons_are_told() -> None:
    """Invalid before incomplete before degraded, in the reasons as well."""
    run = made_run(workers=3, faults=["a fault"])
    worked(run, "w1", exchange(), until_s=20)
    worked(run, "w2", exchange(), until_s=30, final=False)
    state, reasons = found(run)
    assert state == "invalid"
    assert [reason.partition(":")[0] for reason in reasons] == [
        "a fault",
        "worker w2 was lost",
        "1 of 3 workers reported nothing",
        "worker w1 left after 20.0 s; the others went on without it",
    ]
    run.faults.clear()
    assert found(run)[0] == "incomplete"


def test_a_check_that_voids_the_run_makes_it_invalid() -> None:
    """With how many answers said so; other failed checks, and the same label of another outcome, do not."""

    class Watched(Calls):
        voided_by = frozenset({"the wrong server"})

    run = made_run(Watched)
    worked(
        run,
        "local",
        exchange(),
        exchange(outcome="check", error="another"),
        exchange(outcome="protocol", error="the wrong server"),
    )
    assert found(run) == ("valid", ())
    run = made_run(Watched)
    samples = [exchange(outcome="check", error="the wrong server", method=method) for method in ("tools/list", "ping", "ping")]
    worked(run, "local", exchange(), *samples)
    assert found(run) == ("invalid", ("the wrong server: so said 3 answers",))
    run = made_run(Calls)
    worked(run, "local", *samples)
    assert found(run) == ("valid", ())
