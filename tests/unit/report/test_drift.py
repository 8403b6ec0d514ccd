"""The verdict on drift of whole summaries, and how each course is told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mop_locust.report.drift import add_drift, judge_drift, settled
from mop_locust.report.sentence import red_sentence
from tests.unit.report.sample_summary import dead_summary, green_summary
from tests.unit.report.soak_summary import MIB, soaked, steady

KEEPS_CALM = {
    "the server's memory",
    "the server's descriptors",
    "the server's sessions",
    "the median latency over http",
    "the memory of the master",
    "the descriptors of the master",
    "the memory of worker 0",
    "the descriptors of worker 0",
    "the memory of worker 1",
    "the descriptors of worker 1",
    "the users",
}


def told(summary: Any) -> dict[str, Any]:
    """The courses by what they are of."""
    return {course["what"]: course for course in judge_drift(summary)["courses"]}


def test_an_hour_at_rest_is_flat_from_end_to_end() -> None:
    """Every course of the server and of ourselves, and nothing else."""
    drift = judge_drift(soaked())
    assert (drift["state"], drift["from_s"], drift["to_s"]) == ("PASSED", 628.0, 3600.0)
    assert {course["what"]: course["state"] for course in drift["courses"]} == dict.fromkeys(KEEPS_CALM, "flat")
    assert [course["subject"] for course in drift["courses"]] == ["server"] * 4 + ["ourselves"] * 7


def test_memory_that_grows_is_told_with_its_interval() -> None:
    """In MiB an hour."""
    summary = soaked(memory=steady(40 * MIB, 0.2 * MIB, per_hour=12.3 * MIB))
    assert judge_drift(summary)["state"] == "CROSSED"
    course = told(summary)["the server's memory"]
    assert (course["state"], course["unit"]) == ("drifting", "bytes")
    assert 11.9 * MIB < course["low"] < course["per_hour"] < course["high"] < 12.7 * MIB
    assert course["least"] == pytest.approx(2 * MIB / 2964 * 3600)
    words = r"the server's memory grows by 12\.\d MiB/h \(95 % interval 1[12]\.\d to 12\.\d\)"
    assert re.fullmatch(words, course["sentence"]), course["sentence"]


def test_what_is_flat_is_told_with_what_would_count() -> None:
    """So that a reader knows what could have been seen."""
    courses = told(soaked(memory=steady(40 * MIB), latency=steady(2)))
    assert courses["the server's memory"]["sentence"] == (
        "the server's memory is flat: +0.0 MiB/h (95 % interval 0.0 to 0.0; 2.4 MiB/h would count)"
    )
    assert courses["the median latency over http"]["sentence"] == (
        "the median latency over http is flat: +0.00 ms/h (95 % interval 0.00 to 0.00; 1.21 ms/h would count)"
    )
    assert courses["the descriptors of the master"]["sentence"] == (
        "the descriptors of the master are flat: +0 descriptors/h (95 % interval 0 to 0; 6 descriptors/h would count)"
    )


def test_a_fall_of_memory_is_flat_and_has_its_sign() -> None:
    """It is given back."""
    sentence = told(soaked(memory=steady(60 * MIB, 0.1 * MIB, per_hour=-20 * MIB)))["the server's memory"]["sentence"]
    assert re.match(r"the server's memory is flat: -(19|20)\.\d MiB/h \(95 % interval -\d\d\.\d to -\d\d\.\d; ", sentence), (
        sentence
    )


@pytest.mark.parametrize(
    ("curve", "what", "words"),
    [
        ("files", "the server's descriptors", "the server's descriptors grow by 40 descriptors/h (95 % interval 40 to 40)"),
        ("sessions", "the server's sessions", "the server's sessions grow by 40 sessions/h (95 % interval 40 to 40)"),
        ("gauge", "the server's open_sessions", "the server's open_sessions grow by 40 sessions/h (95 % interval 40 to 40)"),
        ("latency", "the median latency over http", "the median latency over http grows by 40.00 ms/h"),
    ],
)
def test_each_course_of_the_server_can_drift(curve: str, what: str, words: str) -> None:
    """Its own counts of sessions are two: on the page of its health, and as a metric of such a name."""
    summary = soaked(**{curve: steady(10, per_hour=40)})
    course = told(summary)[what]
    assert course["state"] == "drifting"
    assert re.sub(r"\b(39|40)\.\d+ ms", "40.00 ms", course["sentence"]).startswith(words), course["sentence"]


@pytest.mark.parametrize("who", ["master", "worker"])
def test_we_can_drift_too(who: str) -> None:
    """The master's memory, or that of each worker."""
    summary = soaked(**{who: steady(90 * MIB, 0.1 * MIB, per_hour=30 * MIB)})
    assert judge_drift(summary)["state"] == "CROSSED"
    drifting = [course["what"] for course in judge_drift(summary)["courses"] if course["state"] == "drifting"]
    assert drifting == (["the memory of the master"] if who == "master" else ["the memory of worker 0", "the memory of worker 1"])


def test_a_rise_that_ended_is_told_as_such() -> None:
    """A cache that was filled after half an hour."""
    summary = soaked(memory=lambda at_s: 40 * MIB + min(at_s, 1500) * 0.02 * MIB)
    course = told(summary)["the server's memory"]
    assert course["state"] == "flat"
    assert course["sentence"].startswith("the server's memory rose but did not go on: +"), course["sentence"]


def test_what_cannot_be_told_is_red_and_says_why() -> None:
    """Memory that swings by as much as would count."""
    summary = soaked(memory=steady(40 * MIB, 12 * MIB, per_hour=6 * MIB))
    assert judge_drift(summary)["state"] == "NO_DATA"
    sentence = told(summary)["the server's memory"]["sentence"]
    assert sentence.startswith("the server's memory: not known, the interval is too wide to tell: run longer: +"), sentence


def test_a_server_without_a_process_is_judged_by_the_rest() -> None:
    """What is missing is named, and what it tells itself decides."""
    summary: Any = soaked(memory=None, files=None)
    summary["server_side"] |= {"pid": None, "cgroup": None}
    assert judge_drift(summary)["state"] == "PASSED"
    assert told(summary)["the server's memory"]["sentence"] == (
        "the server's memory: not known, its process was not given (--server-pid or --server-cgroup)"
    )
    summary["server_side"]["cgroup"] = "/sys/fs/cgroup/server"
    assert told(summary)["the server's descriptors"]["sentence"] == "the server's descriptors: not known, it could not be read"


def test_a_server_that_tells_nothing_is_not_known() -> None:
    """Nothing is flat without data: no figure of the server, or a subject without one."""
    summary: Any = soaked(memory=None, files=None, sessions=None, latency=None)
    assert judge_drift(summary)["state"] == "NO_DATA"
    sentences = [course["sentence"] for course in judge_drift(summary)["courses"] if course["subject"] == "server"]
    assert sentences[2:] == [
        "the server's sessions: not known, it tells no number of them",
        "the latency: not known, no call succeeded",
    ]
    del summary["server_side"]
    assert judge_drift(summary)["state"] == "NO_DATA"


def test_a_gauge_of_sessions_is_enough() -> None:
    """Cumulative counts are none, and only so many gauges are followed."""
    summary: Any = soaked(sessions=None, gauge=steady(3))
    for sample in summary["server_side"]["samples"]:
        sample["metrics"] |= {"sessions_opened_total": sample["at_s"], **{f"session_{n}": 1.0 for n in range(9)}}
    names = [course["what"] for course in judge_drift(summary)["courses"] if course["unit"] == "sessions"]
    assert names == ["the server's open_sessions", *(f"the server's session_{n}" for n in range(4))]


def test_users_that_come_and_go_leave_nothing_to_judge() -> None:
    """Load shapes are no drift, whatever they do to memory."""
    summary = soaked(users=lambda at_s: 50.0 if at_s < 2000 else 10.0)
    drift = judge_drift(summary)
    assert drift["state"] == "NO_DATA"
    assert {course["state"] for course in drift["courses"]} == {"not known"}
    assert (
        told(summary)["the server's memory"]["sentence"]
        == "the server's memory: not known, the number of users went from 10 to 50"
    )


def test_users_that_dwindle_drift() -> None:
    """A twentieth of them and two at least: less than what would make all unsteady."""
    summary = soaked(users=lambda at_s: 200.0 - 2 * int(at_s / 400))
    assert told(summary)["the users"]["sentence"].startswith("the users fall by ")
    assert judge_drift(summary)["state"] == "CROSSED"


def test_without_users_nobody_knows_what_was_steady() -> None:
    """A run of other users than ours, or an old summary."""
    summary: Any = soaked()
    for window in summary["windows"]:
        for gauges in window["gauges"].values():
            del gauges["users"]
    assert judge_drift(summary)["state"] == "NO_DATA"
    courses = told(summary)
    assert courses["the users"]["sentence"] == "the users: not known, no worker told how many there were"
    assert courses["the server's memory"]["sentence"] == "the server's memory: not known, nobody knows how many users there were"


def test_a_worker_that_tells_nothing_for_a_while_has_its_users_still() -> None:
    """Its report came a moment later."""
    summary: Any = soaked()
    for window in summary["windows"][100::7]:
        del window["gauges"]["worker-1"]["users"]
    assert judge_drift(summary)["state"] == "PASSED"


def test_our_own_memory_needs_ten_minutes_to_settle() -> None:
    """A shorter soak is judged by the rest."""
    summary = soaked(seconds=180, width=1)
    assert judge_drift(summary)["state"] == "PASSED"
    assert told(summary)["the memory of worker 1"]["sentence"] == (
        "the memory of worker 1: not known, it settles for 10m00s: run longer"
    )


def test_a_run_in_one_process_has_no_master() -> None:
    """And its process is no worker."""
    summary: Any = soaked()
    del summary["master"]
    summary["run"]["workers"] = 0
    summary["workers"] = summary["workers"][:1]
    names = [course["what"] for course in judge_drift(summary)["courses"] if course["subject"] == "ourselves"]
    assert names == ["the memory of our process", "the descriptors of our process", "the users"]


def test_a_master_of_an_older_version_left_no_readings() -> None:
    """Which is said."""
    summary: Any = soaked()
    del summary["master"]["readings"]
    assert told(summary)["the memory of the master"]["sentence"] == "the memory of the master: not known, it was not read"


def test_the_settled_part_begins_when_all_users_are_there() -> None:
    """A quarter of what follows is warm-up, ten minutes at most; nothing counts after the planned end."""
    assert settled(soaked()) == (628.0, 3600.0)
    assert settled(soaked(seconds=400)) == (28 + (400 - 28) / 4, 400.0)
    summary: Any = soaked()
    summary["run"]["planned_seconds"] = None
    assert settled(summary) == (628.0, 3608.0)
    assert settled(dead_summary()) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("state", "curves", "after", "code"),
    [
        ("PASSED", {}, "PASSED", 0),
        ("PASSED", {"files": steady(20, per_hour=50)}, "CROSSED", 3),
        ("PASSED", {"users": lambda at_s: at_s}, "NO_DATA", 3),
        ("NO_DATA", {}, "NO_DATA", 3),
        ("NO_DATA", {"files": steady(20, per_hour=50)}, "CROSSED", 3),
        ("CROSSED", {"users": lambda at_s: at_s}, "CROSSED", 3),
    ],
)
def test_the_worse_of_both_verdicts_counts(state: Any, curves: Any, after: str, code: int) -> None:
    """That of the thresholds and that on drift."""
    summary = soaked(**curves)
    summary["verdict"] |= {"state": state, "exit_code": 3 if state != "PASSED" else 0}
    add_drift(summary, allow_degraded=False)
    assert (summary["verdict"]["state"], summary["verdict"]["exit_code"]) == (after, code)


@pytest.mark.parametrize(("allowed", "code"), [(False, 4), (True, 0)])
def test_a_degraded_soak_is_green_where_that_is_allowed(allowed: bool, code: int) -> None:
    """As for any other run."""
    summary = soaked()
    summary["verdict"] |= {"validity": "degraded", "reasons": ["busy"]}
    add_drift(summary, allowed)
    assert summary["verdict"]["exit_code"] == code


def test_the_red_sentence_is_that_of_the_course() -> None:
    """What has figures comes first; a threshold that was crossed comes before all."""
    summary = soaked(files=steady(20, per_hour=50))
    add_drift(summary, allow_degraded=False)
    assert red_sentence(summary) == "CROSSED: the server's descriptors grow by 50 descriptors/h (95 % interval 50 to 50)."
    summary["verdict"]["thresholds"][0] |= {"value": 0.5, "state": "CROSSED"}
    assert red_sentence(summary).endswith("; 1 course drifts as well.")
    unknown = soaked(memory=steady(40 * MIB, 12 * MIB, per_hour=6 * MIB), files=None)
    add_drift(unknown, allow_degraded=False)
    told = red_sentence(unknown)
    assert told.startswith("NO DATA: the server's memory: not known, the interval is too wide to tell"), told
    assert told.endswith("; the server's descriptors: not known, it could not be read."), told


def test_a_run_that_is_no_soak_has_no_part_of_it() -> None:
    """Drift is judged where it is asked for."""
    assert "drift" not in green_summary()
