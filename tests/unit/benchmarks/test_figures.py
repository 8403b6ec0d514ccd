"""From runs to figures."""

from __future__ import annotations

import pytest

from benchmarks.figures import Run, Sample, Spread, costs, doubts, faults, judge, ratios
from benchmarks.operations import OPERATIONS


def taken(peer: str, number: int, microseconds: float, claimed: int = 6000, server: str = "server") -> Sample:
    """A sample whose start costs half a second of CPU."""
    short = Run(0.5 + 1000 * microseconds / 1e6, 1000, 1000, 1.5)
    long = Run(0.5 + 6000 * microseconds / 1e6, 6000, claimed, 6.5)
    return Sample("embedded", "a", peer, number, server, short, long)


def test_the_start_drops_out_of_the_cost() -> None:
    """Half a second of start-up does not show."""
    assert taken("k6", 0, 100.0).cost == pytest.approx(100.0)


def test_runs_of_nearly_the_same_work_have_no_cost() -> None:
    """A slope over next to nothing is noise."""
    found = Sample("embedded", "a", "k6", 0, "server", Run(1.0, 1000, 1000, 1.0), Run(1.1, 1400, 1400, 2.0))
    assert found.cost is None
    assert found.why == "no slope: 1,000 operations, then 1,400: the machine was too busy"


def test_a_failed_sample_has_no_cost_and_is_told() -> None:
    """The fault stands in the remarks, once."""
    failed = [Sample("embedded", "d", "wrk", number, "server", fault="exit code 1") for number in range(3)]
    assert failed[0].cost is None
    assert faults(failed) == ["(d) wrk: exit code 1"]


def test_a_spread_is_median_least_and_most() -> None:
    """Of no values there is none."""
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0, 3)
    assert Spread.of([]) is None


def test_ratios_are_taken_within_a_round() -> None:
    """A round that was slow for both does not show, one that only one has is left out."""
    assert ratios({0: 10.0, 1: 50.0, 2: 1.0}, {0: 20.0, 1: 100.0}) == Spread(0.5, 0.5, 0.5, 2)


def test_costs_are_those_of_one_operation_and_peer() -> None:
    """By round."""
    samples = [taken("k6", 0, 100.0), taken("wrk", 0, 10.0), taken("k6", 1, 110.0)]
    assert costs(samples, "a", "k6") == pytest.approx({0: 100.0, 1: 110.0})
    assert costs(samples, "b", "k6") == {}


def test_limits_are_met_missed_or_without_figure() -> None:
    """The median of the ratios counts."""
    samples = [taken("mop-locust", 0, 39.0), taken("k6", 0, 100.0), taken("wrk", 0, 12.0)]
    found = {one.limit.peer: one.met for one in judge(samples, OPERATIONS[:1], "mop-locust")}
    assert found == {"k6": True, "FastHttpUser": None, "wrk": False}


def test_a_claim_that_the_server_does_not_confirm_is_a_doubt() -> None:
    """The worst of a peer is told; what the client itself counted confirms nothing."""
    samples = [
        taken("k6", 0, 1.0, 6050),
        taken("k6", 1, 1.0, 7000),
        taken("k6", 2, 1.0, 6500),
        taken("wrk", 0, 1.0, 9000, "client"),
    ]
    assert doubts(samples) == ["(a) k6 claims 7,000 operations, the server counted 6,000"]
