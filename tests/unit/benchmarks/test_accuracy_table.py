"""The judgement of accuracy and its page."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from benchmarks.accuracy_table import (
    Accuracy,
    Limit,
    Quantiles,
    Reading,
    Row,
    Step,
    cpu_limit,
    failed,
    lag_limit,
    missed,
    render,
)

TWENTY = Quantiles(1000, 20.0, 20.5, 21.0)


@dataclass
class Course:
    """One step of a rising load in short: percent of CPU, loop lag, how far it was off in ms, what the run said."""

    cpu: float
    lag: float
    error: float
    validity: str = "valid"

    def step(self, users: int) -> Step:
        """The step."""
        return Step(users, reading(self.error, cpu=self.cpu, lag=self.lag, validity=self.validity))


def reading(
    *errors: float, held: Quantiles = TWENTY, cpu: float = 10.0, lag: float = 1.0, validity: str = "valid", count: int = 1000
) -> Reading:
    """A reading that is off by these milliseconds at P50, P95 and P99; one figure is for all three."""
    p50, p95, p99 = errors if len(errors) == 3 else errors * 3
    reported = Quantiles(count, held.p50 + p50, held.p95 + p95, held.p99 + p99)
    return Reading(held, reported, cpu, lag, validity)


def accuracy(rows: list[Row], steps: list[Step]) -> Accuracy:
    """A result with these rows and steps."""
    return Accuracy(
        date="2026-01-02T03:04:05+00:00",
        machine={"cores": "2"},
        versions={"Python": "3.11"},
        missing={"wrk": "not on the path"},
        limits={"MOP_MAX_CPU_PERCENT": "90", "MOP_MAX_LOOP_LAG_MS": "250"},
        rising_delay="20",
        rows=rows,
        steps=steps,
    )


def test_errors_in_milliseconds_and_percent() -> None:
    """Reported less held, of what was held."""
    found = reading(0.2, 0.41, -2.1)
    assert found.errors == pytest.approx((0.2, 0.41, -2.1))
    assert found.percents == pytest.approx((1.0, 2.0, -10.0))


@pytest.mark.parametrize(
    ("held", "errors", "within"),
    [
        (TWENTY, (0.29, 0.29, 0.29), True),
        (TWENTY, (-0.29, 0.0, 0.0), True),
        (TWENTY, (0.0, 0.0, 0.31), False),
        (TWENTY, (-0.31, 0.0, 0.0), False),
        (Quantiles(9, 1000.0, 1000.0, 1000.0), (9.9, 9.9, 9.9), True),
        (Quantiles(9, 1000.0, 1000.0, 1000.0), (0.0, 10.1, 0.0), False),
        (Quantiles(9, 1.0, 1.0, 1.0), (0.29, 0.29, 0.29), True),
    ],
)
def test_the_goal_is_the_larger_of_one_percent_and_0_3_ms(
    held: Quantiles, errors: tuple[float, float, float], within: bool
) -> None:
    """At each of the three quantiles."""
    assert reading(*errors, held=held).within is within


def test_the_goal_holds_below_half_a_core() -> None:
    """Above it there is nothing to meet."""
    assert reading(5.0, cpu=49.9).within is False
    assert reading(0.0, cpu=50.0).within is None


def test_off_by_more_than_ten_percent() -> None:
    """In either direction, at any quantile."""
    assert reading(2.0).off is False
    assert reading(0.0, 0.0, 2.2).off is True
    assert reading(-2.2, 0.0, 0.0).off is True


RISING = [Course(20, 2, 0.1), Course(60, 7, 1.5), Course(80, 5, 2.5), Course(99, 40, 9.0, "degraded")]


def steps(courses: list[Course]) -> list[Step]:
    """The steps of 10, 20, … users."""
    return [course.step(10 * number) for number, course in enumerate(courses, 1)]


def test_limits_lie_below_the_first_step_that_was_off() -> None:
    """A multiple of five, and how many good runs lie above it."""
    assert cpu_limit(steps(RISING)) == Limit(75, 0)
    assert lag_limit(steps(RISING)) == Limit(0, 2)  # 5 ms was off, and a run is named above its limit only
    assert lag_limit(steps([Course(1, 7, 0.1), Course(1, 5.1, 9)])) == Limit(5, 1)


def test_no_limit_where_nothing_was_off() -> None:
    """Failed steps tell nothing."""
    assert cpu_limit([*steps(RISING[:2]), Step(5, None, "no")]) is None
    assert lag_limit([]) is None


def test_limits_are_never_negative() -> None:
    """An idle client that was off would be named by no limit."""
    assert cpu_limit(steps([Course(0, 0, 9)])) == Limit(0, 0)


def test_a_verdict_that_did_not_turn() -> None:
    """Off, and valid."""
    assert [step.users for step in missed([*steps(RISING), Step(5, None, "no")])] == [30]


def test_what_must_not_be() -> None:
    """A sentence for each."""
    rows = [
        Row("http", "1", reading(0.1)),
        Row("http", "20", reading(0.5)),
        Row("http", "100", reading(5.0, cpu=70)),
        Row("sse", "5", reading(0.1, count=999)),
        Row("websocket", "5", None, faults=("websocket, delay 5, mop-locust: no",)),
    ]
    assert failed(accuracy(rows, [*steps(RISING), Step(50, None, "0 run folders")])) == [
        "websocket, delay 5, mop-locust: no",
        "50 users: 0 run folders",
        "http, delay 20: the error is above the goal",
        "sse, delay 5: the server held 1,000 answers, 999 were reported",
        "30 users: off by more than 10 %, and the run was valid",
    ]


def test_the_page() -> None:
    """Both tables, the limits, what is wrong and where it was measured."""
    rows = [
        Row("http", "1|20:0.1", reading(0.1, 0.2, -0.25), reading(0.4), reading(0.05)),
        Row("http", "20", reading(0.5)),
        Row("sse", "5", reading(0.1, cpu=55)),
        Row("websocket", "5", None, faults=("websocket, delay 5, mop-locust: no",)),
    ]
    page = render(accuracy(rows, [*steps(RISING), Step(50, None, "no run folder")])).splitlines()
    assert page[0] == "# Accuracy of latencies, 2026-01-02T03:04:05+00:00"
    held = "20.00 / 20.50 / 21.00"
    assert (
        f"| http | 1\\|20:0.1 | 1,000 | {held} | 20.10 / 20.70 / 20.75 | +0.10 / +0.20 / -0.25 | +0.5 / +1.0 / -1.2 | 10 | yes "
        "| +0.40 / +0.40 / +0.40 | +0.05 / +0.05 / +0.05 |"
    ) in page
    assert (
        f"| http | 20 | 1,000 | {held} | 20.50 / 21.00 / 21.50 | +0.50 / +0.50 / +0.50 | +2.5 / +2.4 / +2.4 | 10 | **no** |  |  |"
    ) in page
    assert any(line.startswith("| sse | 5 |") and "over half a core" in line for line in page)
    assert "| websocket | 5 |  |  |  |  |  |  |  |  |  |" in page
    off = "+2.50 / +2.50 / +2.50 | +12.5 / +12.2 / +11.9"
    assert f"| 30 | 1,000 | 80 | 5.0 | {held} | {off} | over half a core | over 10 % | valid |" in page
    assert f"| 10 | 1,000 | 20 | 2.0 | {held} | +0.10 / +0.10 / +0.10 | +0.5 / +0.5 / +0.5 | yes |  | valid |" in page
    assert "| 50 |  |  |  |  |  |  |  |  | failed |" in page
    assert "The verdict turns before a latency is off by more than 10 %: **not met** at 30 users." in page
    assert "- `MOP_MAX_CPU_PERCENT` (now 90): at most 75 %; 0 of the steps that were not off would be named too" in page
    assert "- http, delay 20: the error is above the goal" in page
    assert page[-3:] == ["- cores: 2", "- Python: 3.11", "- not there: wrk, not on the path"]


@pytest.mark.parametrize(
    ("courses", "told"),
    [
        (RISING[:2], "no step was off by so much"),
        ([Course(99, 40, 9.0, "degraded")], "met"),
    ],
)
def test_the_verdict_on_the_verdict(courses: list[Course], told: str) -> None:
    """Nothing off proves nothing."""
    page = render(accuracy([], steps(courses)))
    assert f"The verdict turns before a latency is off by more than 10 %: {told}." in page
    assert "Not as it must be" not in page


def test_reasons_stand_beside_the_validity() -> None:
    """With their figures."""
    found = msgspec.structs.replace(reading(5.0, validity="degraded"), reasons=("loop lag 300 ms", "CPU 99 %"))
    assert "| degraded; loop lag 300 ms; CPU 99 % |" in render(accuracy([], [Step(1, found)]))


def test_the_result_is_kept_as_json() -> None:
    """And read back the same."""
    result = accuracy([Row("http", "1", reading(0.1), faults=("no",))], steps(RISING))
    assert msgspec.json.decode(msgspec.json.encode(result), type=Accuracy) == result
