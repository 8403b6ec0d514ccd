"""A soak of half a minute: flat where nothing leaks, red where sessions do; against the real MOP server where there is one."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.processes import LocustRun

SERVER = os.environ.get("MOP_SERVER_BIN", "")
needs_the_server = pytest.mark.skipif(not SERVER, reason="MOP_SERVER_BIN names no MOP server")
CODES = {"PASSED": 0, "CROSSED": 3, "NO_DATA": 3}


def courses(run: LocustRun) -> dict[str, dict[str, Any]]:
    """The courses by what they are of, without those of latency, which a busy machine moves."""
    return {course["what"]: course for course in run.summary["drift"]["courses"] if course["unit"] != "ms"}


def states(run: LocustRun) -> dict[str, str]:
    """What became of each course."""
    return {what: course["state"] for what, course in courses(run).items()}


def soak(run: LocustRun, minutes: str, *options: str) -> None:
    """Starts a soak, with two workers unless the options say otherwise."""
    run.mop_locust("soak", "--minutes", minutes, *options)


def is_consistent(run: LocustRun, code: int) -> None:
    """The code, the verdict and what is said are those of the courses, each of which is told in a sentence."""
    summary = run.summary
    assert code == CODES[summary["drift"]["state"]] == summary["verdict"]["exit_code"], run.output
    assert [course["sentence"] for course in summary["drift"]["courses"] if course["sentence"] not in run.output] == []
    assert run.orphans() == []


OF_OURSELVES = {
    "the memory of the master": "not known",  # it takes ten minutes to settle, and says so
    "the memory of worker 0": "not known",
    "the memory of worker 1": "not known",
    "the descriptors of the master": "flat",
    "the descriptors of worker 0": "flat",
    "the descriptors of worker 1": "flat",
    "the users": "flat",
}


def test_the_embedded_server_is_flat_and_leaked_sessions_are_not(run_at: RunAt) -> None:
    """Both at once: all three scenarios, a master and two workers each, a server each, which `soak` started."""
    streams = {"MOP_SSE_ITERATIONS": "100000"}
    clean, leaking = run_at("", **streams), run_at("", MOP_LEAK_SESSIONS="1", **streams)
    for run in (clean, leaking):
        soak(run, "0.5", "-u", "15")
    calm, red = clean.wait(90), leaking.wait(90)
    is_consistent(clean, calm)
    is_consistent(leaking, red)
    of_server = ("memory", "descriptors", "sessions", "casial_active_sessions", "mop_server_sessions_open")
    assert states(clean) == {**{f"the server's {what}": "flat" for what in of_server}, **OF_OURSELVES}
    assert clean.summary["run"]["stopped_by"] == leaking.summary["run"]["stopped_by"] == "run time"
    assert clean.summary["metrics"]["sse_stream_lifetime"]["count"] > 0
    assert red == 3
    found = courses(leaking)["the server's mop_server_sessions_open"]
    assert found["state"] == "drifting"
    opened = leaking.summary["metrics"]["calls{method:initialize,scenario:tools_call_rps,transport:http}"]["count"]
    assert found["per_hour"] == pytest.approx(opened / 30 * 3600, rel=0.35)
    sentence = r"CROSSED: .*the server's mop_server_sessions_open grows by [\d,]+ sessions/h \(95 % interval [\d,]+ to [\d,]+\)"
    assert re.search(sentence, leaking.output), leaking.output


def test_an_unreachable_target_is_red_before_any_load(run_at: RunAt) -> None:
    """Nothing ran, so that nothing is said about drift."""
    run = run_at("")
    soak(run, "0.5", "--workers", "0", "-H", "http://127.0.0.1:9")
    assert run.wait() == 3, run.output
    assert "drift" not in run.summary


@needs_the_server
def test_sessions_that_are_leaked_grow_the_real_servers_memory(run_at: RunAt) -> None:
    """It never expires one, and tells no number of those over HTTP: its memory does."""
    clean = run_at("", brisk=False, MOP_SERVER_BIN=SERVER, MOP_RPS_THINK_MS="60")
    leaking = run_at("", brisk=False, MOP_SERVER_BIN=SERVER, MOP_RPS_THINK_MS="60", MOP_LEAK_SESSIONS="1")
    for run in (clean, leaking):
        soak(run, "1.5")
    calm, red = clean.wait(150), leaking.wait(150)
    is_consistent(clean, calm)
    is_consistent(leaking, red)
    assert states(clean)["the server's memory"] == "flat"
    assert states(leaking)["the server's memory"] == "drifting"
    assert red == 3
    assert re.search(r"CROSSED: the server's memory grows by [\d.]+ MiB/h", leaking.output), leaking.output
