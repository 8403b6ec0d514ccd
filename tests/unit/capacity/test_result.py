"""A search as a whole: the sentence, the exit code, the curve, the JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mop_locust.capacity.ceiling import Ceiling
from mop_locust.capacity.result import Capacity, conclude, points, rate_text
from mop_locust.capacity.search import Answer, Plan, Search
from mop_locust.capacity.step import Step
from tests.unit.capacity.open_runs import step

HELD, SERVER, GENERATOR = Answer
WHY = "P95 is 312 ms (limit 250 ms)"


def found(plan: Plan, steps: Sequence[Step], *, ceiling: float = 0.0, gone: str = "", workers: int = 2) -> Capacity:
    """The result of these steps, which are those that the search wants."""
    search = Search(plan)
    for one in steps:
        assert one.rate == search.rate
        search.tell(one.answer)
    own = Ceiling(ceiling, 1.5, "null/one") if ceiling else None
    return conclude(
        search, steps, scenario="storm", targets=["ws://a/ws"], workers=workers, step_seconds=10, ceiling=own, gone=gone
    )


UP_TO_20 = [step(10), step(20)]
FAILED_AT_40 = [*UP_TO_20, step(40, SERVER, "once"), step(40, SERVER, WHY, 312)]


def test_the_server_is_the_limit() -> None:
    """What it holds, and what is wrong at the next rate; the last step there tells it."""
    capacity = found(Plan(10, 40, 0.5), [*FAILED_AT_40, step(30), step(30)], ceiling=1000)
    assert capacity.sentence == f"storm: the server holds 30/s; at 40/s {WHY}."
    assert (capacity.exit_code, capacity.holds, capacity.fails, capacity.limit, capacity.sure) == (0, 30, 40, SERVER, True)


def test_near_the_generator_s_own_ceiling_it_is_said() -> None:
    """From four fifths of it on."""
    capacity = found(Plan(10, 40, 0.5), [*FAILED_AT_40, step(30), step(30)], ceiling=37)
    assert capacity.sentence == (
        f"storm: the server holds 30/s; at 40/s {WHY}; that is near the generator's own ceiling of about 37/s: "
        "look again with more workers."
    )


def test_the_last_rate_of_all_holds() -> None:
    """Then no limit was found, and none was looked for."""
    capacity = found(Plan(10, 20, 0.5), [*UP_TO_20, step(20)])
    assert capacity.sentence == "storm: the server holds 20/s, the most that was tried."
    assert (capacity.exit_code, capacity.fails, capacity.limit) == (0, None, None)


def limited(why: str, workers: int = 2, ceiling: float = 0.0) -> Capacity:
    """A search that the generator ended at 20/s."""
    steps = [step(10), step(20, GENERATOR, why), step(20, GENERATOR, why), step(15), step(15)]
    return found(Plan(10, 20, 0.5), steps, workers=workers, ceiling=ceiling)


def test_the_generator_is_the_limit() -> None:
    """With what to do about it, and what the server holds at least."""
    assert limited("a process used 61 % of a core", ceiling=19).sentence == (
        "storm: the generator is the limit at 20/s: use more workers (--workers 4); the server holds at least 15/s; "
        "a process used 61 % of a core; its own ceiling is about 19/s."
    )
    assert limited("late", workers=0).sentence.startswith(
        "storm: the generator is the limit at 20/s: use more workers (--workers 2)"
    )
    assert limited("5 users, too few").sentence.startswith(
        "storm: the generator is the limit at 20/s: use more users (--mop-max-users); "
    )
    assert limited("late").exit_code == 4


def test_the_generator_holds_nothing_itself() -> None:
    """Nothing is said of the server then."""
    steps = [step(rate, GENERATOR, "late") for rate in (10, 5, 2.5, 1.25, 0.625) for _ in range(2)]
    capacity = found(Plan(10, 20, 0.5), steps)
    assert capacity.sentence == "storm: the generator is the limit at 0.625/s: use more workers (--workers 4); late."
    assert (capacity.exit_code, capacity.holds) == (4, None)


def test_a_server_that_holds_nothing() -> None:
    """Ends with 3."""
    steps = [step(rate, SERVER, WHY) for rate in (10, 5, 2.5, 1.25, 0.625) for _ in range(2)]
    capacity = found(Plan(10, 20, 0.5), steps)
    assert capacity.sentence == f"storm: the server does not hold 0.625/s, the least that was tried: {WHY}."
    assert capacity.exit_code == 3


def test_a_search_that_was_ended() -> None:
    """By the time: what held is no result, and before anything held there is nothing to tell."""
    capacity = found(Plan(10, 40, 0.5), UP_TO_20)
    assert capacity.sentence == "storm: not found: the time was over; the server holds 20/s, seen once."
    assert capacity.exit_code == 4
    early = found(Plan(10, 40, 0.5), [step(10, SERVER, WHY), step(10, SERVER, WHY)])
    assert (early.sentence, early.exit_code) == ("storm: not found: the time was over.", 4)


def test_steps_that_contradict_each_other() -> None:
    """Until no step is left."""
    search, steps = Search(Plan(10, 20, 0.5)), [step(10), step(20)]
    for one in steps:
        search.tell(one.answer)
    while search.rate is not None:
        answer = (SERVER, HELD, SERVER)[(len(steps) - 2) % 3]
        steps.append(step(search.rate, answer, WHY))
        search.tell(answer)
    capacity = found(Plan(10, 20, 0.5), steps)
    assert len(steps) == Plan(10, 20, 0.5).most_steps
    assert capacity.sentence == "storm: not found: the steps contradict each other."
    assert capacity.exit_code == 4


def test_a_target_that_is_gone() -> None:
    """After which rate, and what was seen before; ends with 3."""
    capacity = found(Plan(10, 40, 0.5), [*UP_TO_20, step(40, SERVER, WHY)], gone="connection refused")
    assert capacity.sentence == (
        "storm: the target no longer answers after 40/s: connection refused; the server holds 20/s, seen once."
    )
    assert capacity.exit_code == 3
    never = found(Plan(10, 40, 0.5), [], gone="connection refused")
    assert (never.sentence, never.exit_code) == ("storm: the target does not answer: connection refused.", 3)


def test_the_curve_leaves_out_what_the_generator_spoiled() -> None:
    """And takes the median where a rate was tried more than once."""
    steps = [step(40, p95=90), step(10, p95=20), step(40, SERVER, WHY, 100), step(80, GENERATOR, "late", 500), step(5, p95=None)]
    assert points(steps) == [(10, 20), (40, 95)]


def test_the_knee_is_of_the_curve() -> None:
    """Flat to 20/s, steep after it."""
    assert found(Plan(10, 40, 0.5), [*FAILED_AT_40, step(30, p95=150), step(30, p95=150)]).knee == 20


def test_a_rate_as_it_is_read() -> None:
    """Whole where it is whole."""
    assert [rate_text(rate) for rate in (2300, 12.5, 0.625)] == ["2,300/s", "12.5/s", "0.625/s"]


def test_json_has_all_of_it() -> None:
    """With the steps in the order in which they were made."""
    told = json.loads(found(Plan(10, 20, 0.5), [*UP_TO_20, step(20)], ceiling=900).to_json())
    assert (told["schema"], told["holds"], told["exit_code"]) == (1, 20, 0)
    assert told["plan"] == {"first": 10, "last": 20, "resolution": 0.5}
    assert told["ceiling"] == {"rate": 900, "cost_ms": 1.5, "run": "null/one"}
    assert [one["rate"] for one in told["steps"]] == [10, 20, 20]
    assert told["steps"][0]["answer"] == "held"
    assert told["steps"][0]["intended"] == {"p50": 10, "p95": 20, "p99": 40}
