"""The two clocks: how many arrive until when, the same ones for whoever asks, from whenever on."""

from __future__ import annotations

from itertools import islice, pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.load.clock import BLOCK, Arrival, Clock, ConstantClock, PoissonClock
from mop_locust.load.curve import Curve
from tests.unit.load.test_curve import LEGS

SECOND = 1_000_000
CLOCKS = st.builds(
    lambda legs, seed: ConstantClock(Curve(legs)) if seed is None else PoissonClock(Curve(legs), str(seed)),
    LEGS,
    st.none() | st.integers(0, 5),
)


def until(clock: Clock, us: int, since: int = 0) -> list[Arrival]:
    """The arrivals from `since` on and before `us`."""
    return list(takewhile(lambda arrival: arrival[0] < us, clock.since(since)))


def test_a_constant_clock_is_evenly_spaced() -> None:
    """Each arrival lies in the middle of its interval, so that none lies on the edge of the run."""
    assert list(islice(ConstantClock(Curve([(0, 4)])).since(0), 4)) == [(125_000, 0), (375_000, 1), (625_000, 2), (875_000, 3)]


@pytest.mark.parametrize(("rate", "seconds"), [(200, 10), (1, 1), (333, 60), (0.5, 600), (10_000, 3), (7, 86_400)])
def test_rate_times_time_arrive_exactly(rate: float, seconds: int) -> None:
    """No more and no fewer, whatever the rate."""
    assert ConstantClock(Curve([(0, rate)])).due(seconds * SECOND) == rate * seconds


def test_an_arrival_is_due_after_its_own_microsecond() -> None:
    """A third of a second less a sixth is rounded up: there and everywhere else."""
    clock = ConstantClock(Curve([(0, 3)]))
    assert next(clock.since(0)) == (166_667, 0)
    assert [clock.due(us) for us in (166_666, 166_667, 166_668)] == [0, 0, 1]


def test_a_poisson_clock_counts_to_the_very_end_of_a_block() -> None:
    """All of the first block and nothing of the second."""
    clock = PoissonClock(Curve([(0, BLOCK)]), "1")
    assert clock.due(SECOND - 1) == len(until(clock, SECOND - 1)) == clock.due(SECOND)


def test_a_clock_whose_rate_goes_to_nothing_comes_to_an_end() -> None:
    """A ramp up and down over 20 s at most at 10/s has 100 arrivals."""
    curve = Curve([(10, 10), (10, 0)])
    assert len(list(ConstantClock(curve).since(0))) == 100
    drawn = list(PoissonClock(curve, "1").since(0))
    assert 60 < len(drawn) < 140
    assert PoissonClock(curve, "1").due(10**12) == len(drawn)


@given(LEGS, st.integers(0, 200 * SECOND))
def test_a_constant_clock_counts_the_area_rounded(legs: list[tuple[float, float]], us: int) -> None:
    """At every instant, on ramps and jumps as well."""
    curve = Curve(legs)
    expected, near = curve.expected(us), curve.expected(us + 1) - curve.expected(max(0, us - 1))
    assert abs(ConstantClock(curve).due(us) - expected) <= 0.5 + near + 1e-6


@given(CLOCKS, st.integers(0, 20 * SECOND), st.integers(0, 10 * SECOND))
def test_asking_later_gives_the_rest_of_the_same(clock: Clock, since: int, longer: int) -> None:
    """The instants and numbers of one who asks from the start and of one who joins; and `due` is how many there are."""
    whole, rest = until(clock, since + longer), until(clock, since + longer, since)
    assert rest == [arrival for arrival in whole if arrival[0] >= since]
    assert whole == sorted(whole, key=lambda arrival: arrival[0])
    assert (clock.due(since + longer), clock.due(since)) == (len(whole), len(whole) - len(rest))


def test_a_poisson_clock_is_its_seeds() -> None:
    """The same text gives the same arrivals, in any process and release; another one gives others."""
    curve = Curve([(0, 100)])
    assert until(PoissonClock(curve, "1/a"), SECOND) == until(PoissonClock(curve, "1/a"), SECOND)
    assert until(PoissonClock(curve, "1/a"), SECOND) != until(PoissonClock(curve, "2/a"), SECOND)
    assert [at for at, _ in islice(PoissonClock(curve, "1/a").since(0), 3)] == [13629, 17726, 20344]


def test_a_poisson_clock_has_the_rate_and_the_spread_of_one() -> None:
    """Of 100,000 expected it is off by less than four standard deviations; the gaps spread as far as they are long on average."""
    instants = [at for at, _ in until(PoissonClock(Curve([(0, 1000)]), "7"), 100 * SECOND)]
    assert abs(len(instants) - 100_000) < 4 * 100_000**0.5
    gaps = [later - sooner for sooner, later in pairwise(instants)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(1000, rel=0.02)
    assert deviation == pytest.approx(mean, rel=0.02)
    seconds = [sum(SECOND * n <= at < SECOND * (n + 1) for at in instants) for n in range(10)]
    assert len(set(seconds)) > 5, "each second has a number of its own"


def test_blocks_meet_without_a_gap() -> None:
    """Where one random sequence ends and the next begins nothing is missing and nothing doubled."""
    instants = [at for at, _ in until(PoissonClock(Curve([(0, BLOCK)]), "3"), 400 * SECOND)]
    near = [at for at in instants if min(at % SECOND, SECOND - at % SECOND) < 50_000]
    assert len(near) / len(instants) == pytest.approx(0.1, abs=0.005)
