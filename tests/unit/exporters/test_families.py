"""A reading as counters, gauges and histograms."""

from __future__ import annotations

from typing import Any

import pytest

from mop_locust.exporters.families import HELP, Family, families
from mop_locust.metrics.instruments import BUILT_IN
from tests.unit.exporters.readings import a_reading, a_run

LIST = {"method": "tools/list", "scenario": "calls", "transport": "http"}
CALL = {"method": "tools/call", "scenario": "calls", "tool": "find", "transport": "http"}


def named(**more: Any) -> dict[str, Family]:
    """The families of a reading by name; no name is twice there."""
    found = families(a_reading(**more))
    by_name = {family.name: family for family in found}
    assert len(by_name) == len(found)
    return by_name


def numbers(family: Family) -> dict[str, float]:
    """The numbers of a family with at most one label, by its value."""
    return {"".join(labels.values()): value for labels, value in family.numbers}


def test_every_built_in_metric_is_explained() -> None:
    """In one sentence."""
    assert set(HELP) == {instrument.name for instrument in BUILT_IN}
    assert all(text.endswith(".") for text in HELP.values())


def test_counters_by_outcome_and_rates_by_failure() -> None:
    """Every exchange once, under its outcome."""
    found = named()
    assert list(found["calls"].numbers) == [
        ({**CALL, "outcome": "timeout"}, 1),
        ({**CALL, "outcome": "tool_error"}, 1),
        ({**LIST, "outcome": "ok"}, 4),
    ]
    assert list(found["call_failures"].numbers) == [(CALL, 2), (LIST, 0)]
    assert list(found["call_failures_events"].numbers) == [(CALL, 2), (LIST, 4)]
    assert list(found["http_responses"].numbers) == [({**LIST, "status": "200"}, 2)]
    assert found["calls"].label_names == ["method", "outcome", "scenario", "tool", "transport"]


def test_times_are_in_seconds_and_the_rest_in_its_own_unit() -> None:
    """A label that means something already is not given away."""
    found = named()
    latency = found["call_latency"]
    assert (latency.kind, latency.unit) == ("histogram", "seconds")
    (labels, histogram) = latency.histograms[0]
    assert (labels, histogram.count, histogram.total) == (LIST, 4, 60_004_701)
    length = found["answer_length"]
    assert (length.unit, length.help) == ("characters", "answer_length of the scenario.")
    assert [labels for labels, _ in length.histograms] == [{"tag_le": "x", "scenario": "calls"}]


def test_a_metric_of_the_scenario_never_takes_one_of_ours_away() -> None:
    """It has one that is called as the gauge of the users."""
    found = named()
    assert numbers(found["users"]) == {"0": 12, "1": 8}
    assert (found["custom_users"].kind, found["custom_users"].numbers) == ("counter", [({"scenario": "calls"}, 3)])


def test_the_verdict_and_the_run() -> None:
    """One of the states is 1."""
    found = named()
    assert numbers(found["verdict_state"]) == {"PASSED": 0, "CROSSED": 1, "NO_DATA": 0}
    assert numbers(found["verdict_validity"]) == {"valid": 1, "degraded": 0, "incomplete": 0, "invalid": 0}
    assert numbers(found["threshold_passed"]) == {"tools_call_failures: rate<0.5": 1, "call_latency: p(95)<1": 0}
    assert numbers(found["verdict_exit_code"]) == {"": 3}
    assert numbers(found["run_active"]) == {"": 0}
    assert numbers(found["workers"]) == {"running": 0, "finished": 1, "lost": 0, "stopped": 1}
    assert numbers(found["run_planned_duration"]) == {"": 60}


def test_the_target_is_shown_without_what_may_be_secret() -> None:
    """No user, no query."""
    reading = a_reading()
    reading.summary["run"]["target"]["http"] = "https://me:CANARY@host:1/mcp?key=CANARY"
    reading.summary["run"]["server"] = {"name": "a\x1b[31m", "version": "1"}
    (info,) = [family for family in families(reading) if family.name == "run_info"]
    (labels, value) = info.numbers[0]
    assert (labels["target_http"], labels["target_websocket"], value) == ("https://host:1/mcp", "", 1)
    assert (labels["server_name"], labels["server_version"]) == ("a [31m", "1")


def test_the_master_where_there_is_one() -> None:
    """Its own figures, in base units; what is not known is left out."""
    reading = a_reading()
    reading.summary["master"] = {"cpu_percent": 12.0, "rss_bytes": None, "open_files": None, "loop_lag_ms": None}
    reading.summary["workers"][0]["loop_lag_ms"] = {"p50": 1.0, "p99": 2.0, "max": 3.0}
    found = {family.name: family for family in families(reading)}
    assert numbers(found["master_cpu"]) == {"": 0.12}
    assert "master_resident_memory" not in found
    assert "master_loop_lag_p99" not in found
    assert numbers(found["worker_loop_lag_p99"]) == {"0": 0.002}
    reading.summary["master"]["loop_lag_ms"] = {"p50": 1.0, "p99": 4.0, "max": 3.0}
    assert numbers({family.name: family for family in families(reading)}["master_loop_lag_p99"]) == {"": 0.004}
    del reading.summary["master"]
    assert not [family.name for family in families(reading) if family.name.startswith("master")]


@pytest.mark.parametrize("samples", [[], None])
def test_a_server_that_was_not_looked_at_has_no_figures(samples: list[Any] | None) -> None:
    """No series that would read as 0."""
    reading = a_reading()
    if samples is not None:
        reading.summary["server_side"] = {"samples": samples}  # type: ignore[typeddict-unknown-key]
    assert not [family.name for family in families(reading) if family.name.startswith("server")]


def test_the_servers_own_side_is_that_of_the_newest_look() -> None:
    """Its own counters stand under one bounded label."""
    reading = a_reading()
    sample = {"at_s": 5.0, "cpu_percent": 40.0, "rss_bytes": 1e6, "open_files": 9.0, "threads": None, "active_sessions": 3.0}
    samples = [{**sample, "metrics": {}}, {**sample, "cpu_percent": 80.0, "metrics": {"mop_requests_total": 7.0}}]
    reading.summary["server_side"] = {"samples": samples}  # type: ignore[typeddict-unknown-key]
    found = {family.name: numbers(family) for family in families(reading) if family.name.startswith("server")}
    assert found == {
        "server_cpu": {"": 0.8},
        "server_resident_memory": {"": 1e6},
        "server_open_files": {"": 9},
        "server_active_sessions": {"": 3},
        "server_metric": {"mop_requests_total": 7},
    }


def test_gauges_of_a_worker_that_is_not_in_the_summary_are_left_out() -> None:
    """It would have no name."""
    assert numbers(named(gauges={"w1": {"users": 1.0}, "stranger": {"users": 9.0}})["users"]) == {"0": 1}
    assert "users" not in named(gauges={})
    assert numbers({family.name: family for family in families(a_reading(a_run(finished=False)))}["run_active"]) == {"": 1}
