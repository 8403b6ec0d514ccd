"""`mop-locust capacity` against real servers: one of a known capacity, a generator that is the limit, a target that is not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.conftest import RunAt
from tests.e2e.processes import LocustRun, Server, Started

SECONDS = 120.0
SHORT = ("--step-seconds", "3")


def result(run: LocustRun, command: Started, code: int) -> dict[str, Any]:
    """What the search wrote, once it has ended with this code."""
    assert command.wait(SECONDS) == code, command.output
    (folder,) = run.reports.iterdir()
    assert {"capacity.html", "capacity.json", "capacity.md"} < {path.name for path in folder.iterdir()}
    found: dict[str, Any] = json.loads((folder / "capacity.json").read_bytes())
    assert found["sentence"] in command.output
    for step in found["steps"]:
        assert (folder / step["run"] / "summary.json").is_file()
    return found


def test_it_finds_the_capacity_of_a_server_that_has_one(run_at: RunAt, tmp_path: Path) -> None:
    """2 slots, 40 ms for each of the two answers of a session: 25 sessions a second.

    A timer never wakes up early, so the server can do less than that but not more; 20 % is for a busy machine.
    """
    with Server(tmp_path, "--slots", "2", "--delay", "40") as server:
        run = run_at(server)
        words = ("--from", "10", "--to", "80", "--resolution", "0.25", "--workers", "1", *SHORT)
        found = result(run, run.mop_locust("capacity", "tools_call_rps", "-H", server.url, *words), 0)
    assert (found["limit"], found["sure"]) == ("server", True)
    assert 25 * 0.8 / 1.25 <= found["holds"] <= 25 * 1.05
    assert found["fails"] <= found["holds"] * 1.25
    held = [step for step in found["steps"] if step["rate"] == found["holds"]]
    assert [step["answer"] for step in held][-2:] == ["held", "held"]
    for step in found["steps"]:
        assert step["iterations"] == round(step["rate"] * 3)  # all of them, whatever the server did
        assert step["intended"]["p99"] >= 80  # two answers of 40 ms
    assert found["ceiling"]["rate"] > 100


def test_a_generator_that_is_the_limit_says_so(run_at: RunAt, server: Server) -> None:
    """A generator that may use 1 % of a core is at its limit before any server is."""
    run = run_at(server, MOP_MAX_CPU_PERCENT="1")
    words = ("--from", "40", "--to", "40", "--resolution", "0.5", *SHORT)
    found = result(run, run.mop_locust("capacity", "tools_call_rps", "-H", server.url, *words), 4)
    assert found["limit"] == "generator"
    assert "the generator is the limit at " in found["sentence"]
    assert "use more workers (--workers 2)" in found["sentence"]


def test_too_few_users_are_the_generator_s_limit(run_at: RunAt, server: Server) -> None:
    """Sessions of 200 ms at 20/s keep 4 users busy, at 10/s 2: of 2 users there are just enough, and then too few."""
    run = run_at(server, MOP_MAX_USERS="2", MOP_WS_SLEEP_MS="200")
    words = ("--from", "5", "--to", "40", "--resolution", "0.5", "-u", "2", *SHORT)
    found = result(run, run.mop_locust("capacity", "ws_connect_storm", "-H", server.url, *words), 4)
    assert found["limit"] == "generator"
    assert "use more users (--mop-max-users)" in found["sentence"]
    assert "arrivals were dropped: 2 users are too few, since" in found["sentence"]
    assert found["holds"] is not None
    assert 4 <= found["holds"] <= 10


def test_a_target_that_is_not_there(run_at: RunAt) -> None:
    """Is told after the generator's own ceiling, and ends with 3."""
    run = run_at("http://127.0.0.1:9")
    found = result(run, run.mop_locust("capacity", "tools_call_rps", "-H", "http://127.0.0.1:9", "--step-seconds", "2"), 3)
    assert "the target does not answer: " in found["sentence"]
    assert found["steps"] == []
