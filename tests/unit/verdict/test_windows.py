"""Thresholds second by second: the worst window, and when one ends the run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal, TrendTotal
from mop_locust.metrics.totals import Totals
from mop_locust.verdict.threshold import Threshold, parse
from mop_locust.verdict.windows import Abort, Found, WindowJudge
from tests.unit.metrics.strategies import histogram_of

STAGES = {"ramp": (0, 4), "steady": (4, 9)}


def counted(n: int) -> Totals:
    """A second in which `hits` grew by n; none of it for a negative number."""
    return holding("hits", CounterTotal(n)) if n >= 0 else Totals()


def slow(*milliseconds: int) -> Totals:
    """A second with calls of these times."""
    return holding("call_latency", TrendTotal(histogram_of([value * 1000 for value in milliseconds])))


def holding(name: str, total: Accumulator) -> Totals:
    """The totals of one series."""
    totals = Totals()
    totals.add((name, ()), total)
    return totals


def judged(text: str, *seconds: Totals, width: int = 1) -> tuple[Threshold, WindowJudge]:
    """The threshold, and its judge after these seconds."""
    (threshold,) = parse(text)
    judge = WindowJudge([threshold], STAGES)
    for number, totals in enumerate(seconds):
        judge.take(number * width, totals, width)
    return threshold, judge


def found(text: str, *seconds: Totals, width: int = 1) -> Found | None:
    """What decides about the threshold after these seconds."""
    threshold, judge = judged(text, *seconds, width=width)
    return judge.found(threshold)


def test_only_thresholds_that_ask_for_it_are_judged() -> None:
    """The others are judged by the totals; one of a stage that there is not has no window."""
    (plain,), (over,), (absent,) = parse("hits: count>0"), parse("hits: count>0 over 2s"), parse("hits{stage:x}: count>0 over 2s")
    assert not WindowJudge([plain, absent])
    judge = WindowJudge([plain, over, absent])
    assert judge
    assert (judge.found(plain), judge.found(over), judge.found(absent), judge.abort, judge.until) == (None, None, None, None, 0)
    judge.take(0, counted(1))
    assert judge.until == 1


@pytest.mark.parametrize(
    ("text", "value", "start", "state"),
    [
        ("hits: count<10 over 2s", 11, 1, "CROSSED"),
        ("hits: count<=11 over 2s", 11, 1, "PASSED"),
        ("hits: count>3 over 2s", 3, 3, "CROSSED"),
        ("hits: count>=3 over 2s", 3, 3, "PASSED"),
        ("hits: rate<5 over 2s", 5.5, 1, "CROSSED"),
        ("hits: count!=11 over 2s", 11, 1, "CROSSED"),
        ("hits: count==6 over 2s", 11, 1, "CROSSED"),
        ("hits: count!=99 over 2s", 6, 0, "PASSED"),
    ],
)
def test_the_worst_window_decides(text: str, value: float, start: int, state: str) -> None:
    """The highest where more is worse, the lowest where less is; the first of several that are as bad."""
    assert found(text, *map(counted, (1, 5, 6, 2, 1))) == Found(state, value, int(value * (2 if "rate" in text else 1)), start, 2)  # type: ignore[arg-type]


def test_a_counter_that_counted_nothing_is_a_figure_once_it_has_counted() -> None:
    """A target that stands still shows in no series at all. Before the first count nobody knows that there is one."""
    assert found("hits: count>0 over 2s", *map(counted, (-1, -1, 3, -1, -1))) == Found("CROSSED", 0, 0, 3, 2)
    assert found("hits: count>0 over 2s", *map(counted, (-1, -1, 3))) == Found("PASSED", 3, 3, 1, 2)
    assert found("hits: count>0 over 2s", *map(counted, (-1, -1))) is None


def test_a_window_without_calls_has_no_latency() -> None:
    """It says nothing, neither good nor bad."""
    quiet = [slow(9), Totals(), Totals(), slow(5, 7)]
    assert found("call_latency: max<8 over 2s", *quiet) == Found("CROSSED", 9.0, 1, 0, 2)
    assert found("call_latency: max<8 over 1s", *quiet[1:]) == Found("PASSED", 7.0, 2, 2, 1)
    empty = holding("call_failures", RateTotal())
    assert found("call_failures: rate<1 over 1s", empty, empty) is None


def test_a_run_shorter_than_the_window_is_the_window() -> None:
    """A window that is not whole is judged only where there is no other."""
    assert found("call_latency: max<8 over 10s", slow(9), slow(3)) == Found("CROSSED", 9.0, 2, 0, 2)
    assert found("call_latency: max<8 over 2s", slow(9), slow(3), slow(4)) == Found("CROSSED", 9.0, 2, 0, 2)


def test_a_stage_has_windows_of_its_own() -> None:
    """They lie wholly in it."""
    run = [slow(99), slow(1), slow(1), slow(98), slow(4), slow(3), slow(2), slow(2), slow(1), slow(97)]
    assert found("call_latency{stage:steady}: max<5 over 2s", *run) == Found("PASSED", 4.0, 2, 4, 2)
    assert found("call_latency{stage:steady}: max<5 over 1m", *run) == Found("PASSED", 4.0, 5, 4, 5)


def test_a_counter_of_the_run_that_takes_nothing_in_a_stage() -> None:
    """Is 0 from the first second on in which something was measured; what is measured before the stage does not help."""
    once = [counted(7), slow(1), slow(1), slow(1)]
    text = "hits{stage:steady}: count<1 over 2s"
    assert found(text, *once, slow(1), slow(2), slow(3)) == Found("PASSED", 0, 0, 4, 2)
    assert found(text, *once, Totals(), Totals(), slow(3)) == Found("PASSED", 0, 0, 5, 2)
    assert found(text, *once, Totals(), Totals(), Totals()) is None
    assert found(text, *[slow(1)] * 7) is None


def test_a_run_is_ended_from_the_delay_on() -> None:
    """What is crossed before is judged, but ends nothing; the value is that of the moment."""
    run = [slow(9), slow(9), slow(1), slow(7)]
    threshold, judge = judged("call_latency: max<5 over 1s abort after 3s", *run[:3])
    assert (judge.abort, judge.found(threshold)) == (None, Found("CROSSED", 9.0, 1, 0, 1))
    judge.take(3, run[3])
    assert judge.abort == Abort(threshold, 4, 7.0)
    assert judge.found(threshold) == Found("CROSSED", 7.0, 1, 3, 1)
    judge.take(4, slow(30))
    assert judge.abort == Abort(threshold, 4, 7.0)


def test_a_delay_shorter_than_the_window_judges_what_there_is() -> None:
    """`over 1m abort after 2s` need not wait for a minute."""
    threshold, judge = judged("call_latency: max<5 over 1m abort after 2s", slow(9))
    assert judge.abort is None
    judge.take(1, slow(1))
    assert judge.abort == Abort(threshold, 2, 9.0)


def test_without_a_window_all_since_the_beginning_counts() -> None:
    """As k6 does; as long as it holds, the totals decide in the end."""
    threshold, judge = judged("hits: count<10 abort after 2s", *map(counted, (9, 0, 0)))
    assert (judge.abort, judge.found(threshold)) == (None, None)
    judge.take(3, counted(1))
    assert judge.abort == Abort(threshold, 4, 10)
    assert judge.found(threshold) == Found("CROSSED", 10, 10, 0, 4)


def test_in_a_stage_the_delay_counts_from_its_beginning() -> None:
    """And what came before the stage does not count."""
    threshold, judge = judged("hits{stage:steady}: count<5 abort after 2s", *map(counted, (50, 50, 50, 50, 9)))
    assert judge.abort is None
    judge.take(5, counted(0))
    assert judge.abort == Abort(threshold, 6, 9)


def test_the_first_of_several_ends_the_run() -> None:
    """Whatever their order."""
    late, early = parse("hits: count<9 abort after 3s, count<5 abort after 1s")
    judge = WindowJudge([late, early])
    for second in range(4):
        judge.take(second, counted(6))
    assert judge.abort == Abort(early, 1, 6)


def test_wide_windows_are_rounded_up() -> None:
    """A stored run of more than ten minutes has no single seconds: 3 s in steps of 2 s are 4 s."""
    assert found("hits: rate<1 over 3s", *map(counted, (8, 4, 2)), width=2) == Found("CROSSED", 3.0, 12, 0, 4)


@given(st.lists(st.lists(st.integers(0, 5000), max_size=6), min_size=1, max_size=30), st.integers(1, 12))
def test_the_worst_window_is_the_worst_of_all_windows(seconds: list[list[int]], over: int) -> None:
    """Each is the merge of its seconds, so its quantile is that of its samples."""
    result = found(f"call_latency: p(95)<100 over {over}s", *(slow(*some) if some else Totals() for some in seconds))
    width = min(over, len(seconds))
    windows = [[value for some in seconds[start : start + width] for value in some] for start in range(len(seconds) - width + 1)]
    worst = max((histogram_of([v * 1000 for v in some]).quantile(0.95) / 1000 for some in windows if some), default=None)
    assert (None if result is None else result.value) == worst
