"""What must be alike."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mop_locust.compare.conditions import conditions, differences, not_comparable
from tests.unit.report.sample_summary import dead_summary, green_summary, red_summary, told_summary


def changed(place: str, value: Any) -> Any:
    """The run that tells everything, with another value at a dotted place."""
    summary: Any = copy.deepcopy(told_summary())
    *path, last = place.split(".")
    part = summary
    for name in path:
        part = part[name]
    part[last] = value
    return summary


def test_runs_of_the_same_conditions_have_no_difference() -> None:
    """Ids, times, pids and figures are none."""
    other = changed("run.id", "another")
    other["run"]["started"] = "2027-01-01T00:00:00Z"
    assert differences([told_summary(), other], [told_summary()]) == []


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        ("run.users", 40, "users: 20 in the base, 40 in the new runs"),
        ("run.workers", 0, "workers: 2 in the base, 0 in the new runs"),
        ("run.scenarios", ["mixed"], "scenario: tools_call_rps in the base, mixed in the new runs"),
        ("run.planned_seconds", None, "planned time: 1m00s in the base, none in the new runs"),
        ("run.options.MOP_RPS_LISTS", 2, "option MOP_RPS_LISTS: 1 in the base, 2 in the new runs"),
        ("run.options.MOP_TIMEOUT_MS", "5", "option MOP_TIMEOUT_MS: not given in the base, 5 in the new runs"),
        ("run.suite_version", "0.2.0", "suite version: 0.1.0 in the base, 0.2.0 in the new runs"),
        ("run.target.websocket", "ws://h/ws", "endpoints: http in the base, http and websocket in the new runs"),
        ("provenance.suite_sha256", "ef" * 32, "suite hash: abababababab in the base, efefefefefef in the new runs"),
        ("provenance.packages.gevent", "1.0", "version of gevent: 26.9.0 in the base, 1.0 in the new runs"),
        (
            "provenance.machines.load-1.cores",
            64,
            (
                "host: load-1 (2 cores of Example CPU, Linux 6.1.0) in the base, "
                "load-1 (64 cores of Example CPU, Linux 6.1.0) in the new runs"
            ),
        ),
    ],
)
def test_each_condition_that_differs_is_named(place: str, value: Any, sentence: str) -> None:
    """With its values on both sides."""
    assert differences([told_summary()], [changed(place, value)]) == [sentence]


@pytest.mark.parametrize("name", ["MOP_BASE_URL", "MOP_HTTP_BASE", "MOP_REPORTS", "MOP_THRESHOLDS", "MOP_SERVER_COMMIT"])
def test_what_is_compared_or_only_judged_is_no_condition(name: str) -> None:
    """Two servers have two addresses."""
    assert differences([told_summary()], [changed(f"run.options.{name}", "other")]) == []


def test_a_difference_within_one_side_counts_too() -> None:
    """Its values are all told, up to three."""
    runs = [changed("run.users", users) for users in (20, 30)]
    assert differences(runs, [told_summary()]) == ["users: 20 or 30 in the base, 20 in the new runs"]
    many = [changed("run.users", users) for users in (1, 2, 3, 4)]
    assert differences(many, [told_summary()]) == ["users: 4 different values in the base, 20 in the new runs"]


def test_a_run_that_noted_less_differs_in_what_it_did_not_note() -> None:
    """Where it ran is unknown, so it cannot be the same place."""
    found = differences([green_summary()], [told_summary()])
    assert any(sentence.startswith("host: not given in the base, load-1") for sentence in found)


def test_the_second_host_is_a_condition_of_its_own() -> None:
    """Workers elsewhere."""
    summary: Any = told_summary()
    summary["provenance"]["machines"]["load-2"] = summary["provenance"]["machines"]["load-1"]
    assert conditions(summary)["host 2"] == "load-2 (2 cores of Example CPU, Linux 6.1.0)"


def test_figures_that_prove_nothing_are_not_compared() -> None:
    """Each run with its folder and its first reason; a degraded one only when that is allowed; one that measured nothing."""
    degraded: Any = green_summary()
    degraded["verdict"] |= {"validity": "degraded", "reasons": ["stopped after 3 s of 60 s", "and more"]}
    silent: Any = green_summary()
    silent["verdict"]["validity"] = "invalid"
    runs = {"a/1": green_summary(), "a/2": red_summary(), "b/1": degraded, "b/2": dead_summary(), "b/3": silent}
    strict = not_comparable(runs, allow_degraded=False)
    assert strict == [
        "a/2: the run is incomplete: worker 1 was lost at 0:44; at most 1 s of its samples is missing.",
        "b/1: the run is degraded: stopped after 3 s of 60 s",
        "b/2: nothing was measured",
        "b/3: the run is invalid: no reason was noted",
    ]
    assert not_comparable(runs, allow_degraded=True) == [strict[0], *strict[2:]]


def test_a_package_that_was_not_there_is_no_condition() -> None:
    """Only those that were."""
    summary: Any = told_summary()
    del summary["provenance"]["packages"]["gevent"]
    assert {name for name in conditions(summary) if name.startswith("version of")} == {"version of python", "version of locust"}
