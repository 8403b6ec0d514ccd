"""What a run at one rate shows: who is the limit, and the figures of the step."""

from __future__ import annotations

from typing import Any

import pytest

from mop_locust.capacity.search import Answer
from mop_locust.capacity.step import Latency, backlog, read_step
from mop_locust.report.document import SummaryDocument
from tests.unit.capacity.open_runs import open_run

DROPPED_REASON = "the load of x did not arrive as ordered: 500 of 1,000 sessions could not begin"


def judged(summary: SummaryDocument, calm_ms: float | None = None) -> tuple[Answer, str]:
    """Who was the limit of a run at 100/s, and why."""
    step = read_step(100, "steps/one", summary, calm_ms)
    return step.answer, step.why


def invalid(summary: SummaryDocument, *reasons: str) -> SummaryDocument:
    """The run as one that cannot be stood behind."""
    summary["verdict"]["validity"] = "degraded"
    summary["verdict"]["reasons"] = list(reasons)
    return summary


def test_the_figures_of_a_step() -> None:
    """Iterations, dropped, failures, both latencies, and the worst load generator."""
    step = read_step(100, "steps/one", open_run(), None)
    assert (step.rate, step.answer, step.why, step.run) == (100, Answer.HELD, "", "steps/one")
    assert (step.iterations, step.dropped, step.failed) == (1000, 0, 0.0)
    metrics = open_run()["metrics"]
    assert step.intended == Latency(*(metrics["iteration_duration_intended"][name] for name in ("p50", "p95", "p99")))  # type: ignore[literal-required]
    assert step.served == Latency(*(metrics["iteration_duration"][name] for name in ("p50", "p95", "p99")))  # type: ignore[literal-required]
    assert step.mean_ms == pytest.approx(15.2, abs=0.1)
    assert (step.cpu_percent, step.loop_lag_p99_ms) == (31.2, 0.9)


def test_a_step_of_which_nothing_was_seen() -> None:
    """Zero counts, and None for the rest."""
    summary: Any = open_run()
    summary["metrics"], summary["windows"] = {}, []
    summary["workers"] = [worker | {"cpu_percent": None, "loop_lag_ms": None} for worker in summary["workers"]]
    summary["run"]["planned_seconds"] = None
    step = read_step(100, "steps/one", summary, None)
    assert (step.iterations, step.dropped) == (0, 0)
    assert (step.failed, step.intended, step.served, step.mean_ms, step.cpu_percent, step.loop_lag_p99_ms) == (None,) * 6
    summary["metrics"] = {"iteration_duration": {"kind": "trend", "count": 0, "unit": "ms"}}
    assert read_step(100, "steps/one", summary, None).served is None


def test_a_crossed_threshold_is_the_server_s() -> None:
    """With the sentence of the verdict."""
    summary = open_run()
    summary["verdict"] |= {"state": "CROSSED", "sentence": "CROSSED: P95 of x is 312 ms (limit 250 ms)."}
    assert judged(summary) == (Answer.SERVER, "P95 of x is 312 ms (limit 250 ms)")


def test_a_server_that_falls_behind_holds_nothing() -> None:
    """5 of 100 a second left over; 3 of 100 may be, and so may a few of few."""
    assert backlog(open_run(over=5)) == (25, 500)
    assert judged(open_run(over=5)) == (Answer.SERVER, "it falls behind: 25 of the last 500 arrivals were left over")
    assert judged(open_run(over=3)) == (Answer.HELD, "")
    few = open_run(rate=1)
    few["windows"][7]["series"]["iterations{scenario:tools_call_rps}"]["count"] = -2
    assert backlog(few) == (3, 5)
    assert judged(few) == (Answer.HELD, "")


def test_a_hiccup_at_the_end_of_a_short_run_is_none() -> None:
    """A tenth of a second of arrivals: in a run of 4 s more than 3 % of its half."""
    for left, answer in ((10, Answer.HELD), (11, Answer.SERVER)):
        summary = open_run()
        summary["run"]["planned_seconds"] = 4.0
        summary["windows"][3]["series"]["iterations{scenario:tools_call_rps}"]["count"] = 100 - left
        assert backlog(summary) == (left, 200)
        assert judged(summary)[0] is answer


def test_a_backlog_that_does_not_grow_is_none() -> None:
    """Sessions that take long go on at the end in any case: only the second half of a run counts."""
    summary = open_run()
    for second in range(5):
        summary["windows"][second]["series"]["iterations{scenario:tools_call_rps}"]["count"] = 0
    assert backlog(summary) == (0, 500)


def test_a_generator_at_its_limit_goes_first() -> None:
    """Its measurement says nothing about the server, whatever the thresholds say."""
    summary = invalid(open_run(over=50, dropped=10), "the generator used 80 % of a core", DROPPED_REASON, "late")
    summary["verdict"]["state"] = "CROSSED"
    assert judged(summary) == (Answer.GENERATOR, f"the generator used 80 % of a core; {DROPPED_REASON}; late")


def test_so_few_dropped_that_the_run_is_valid_matter_to_nobody() -> None:
    """1 of 1,000: a reason beside them is another one."""
    assert judged(open_run(dropped=1)) == (Answer.HELD, "")
    assert judged(invalid(open_run(dropped=1), "late")) == (Answer.GENERATOR, "late")


@pytest.mark.parametrize("words", [DROPPED_REASON, "half of them found nobody", ""])
def test_dropped_arrivals_are_known_by_their_figures(words: str) -> None:
    """2 of 1,000 are a reason, in whatever words."""
    assert judged(invalid(open_run(dropped=2), words)) == (
        Answer.SERVER,
        "2 of 1,000 arrivals were dropped: the server held all 20 users",
    )
    assert judged(invalid(open_run(dropped=2), words, words))[0] is Answer.GENERATOR


def test_what_a_calm_server_would_not_have_dropped_is_the_server_s() -> None:
    """100/s of 0.1 s keep 10 users busy: with 15 there were enough, and none was free."""
    assert judged(invalid(open_run(dropped=500, users=16), DROPPED_REASON), 100.0) == (
        Answer.SERVER,
        "500 of 1,000 arrivals were dropped: the server held all 16 users",
    )
    unknown = invalid(open_run(dropped=500, users=16), DROPPED_REASON)
    assert judged(unknown)[0] is Answer.SERVER  # no rate held yet, so nothing is known of a calm one


def test_too_few_users_are_the_generator_s() -> None:
    """14 for 10 at once, half as many again being wanted."""
    assert judged(invalid(open_run(dropped=500, users=14), DROPPED_REASON), 100.0) == (
        Answer.GENERATOR,
        "500 of 1,000 arrivals were dropped: 14 users, too few where 10.0 iterations go on at once",
    )


def test_a_generator_that_stood_still_let_them_pass() -> None:
    """By its loop lag."""
    summary: Any = invalid(open_run(dropped=100, users=50), DROPPED_REASON)
    summary["workers"][1]["loop_lag_ms"]["max"] = 1300.0
    assert judged(summary, 100.0) == (
        Answer.GENERATOR,
        "100 of 1,000 arrivals were dropped: a load generator stood still for 1.3 s",
    )
