"""`mop-locust capacity`, with real runs: a server of a known capacity, and a generator that is the limit."""

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
    """2 slots, 35 ms for each of the two answers of a session: 28.6 sessions a second, found to a half.

    A timer never wakes up early, so the server can do a little less than that, but not more.
    """
    with Server(tmp_path, "--slots", "2", "--delay", "35") as server:
        run = run_at(server)
        words = ("--from", "16", "--to", "64", "--resolution", "0.5", *SHORT)
        found = result(run, run.mop_locust("capacity", "tools_call_rps", "-H", server.url, *words), 0)
    assert (found["limit"], found["sure"]) == ("server", True)
    assert 16 <= found["holds"] < 28.6
    assert 20 < found["fails"] <= found["holds"] * 1.5
    answers = [step["answer"] for step in found["steps"] if step["rate"] == found["holds"]]
    assert answers.count("held") == 2
    for step in found["steps"]:
        assert step["iterations"] == round(step["rate"] * 3)  # all that arrived, however late they began
        assert step["intended"]["p50"] >= 70  # two answers
    assert "of the last " in next(step["why"] for step in found["steps"] if step["answer"] == "server")
    assert found["ceiling"]["rate"] > 64


def test_a_generator_that_is_the_limit_says_so(run_at: RunAt, server: Server) -> None:
    """One user and sessions of 200 ms: 4 a second are fine; for 5.9 a second it takes two."""
    run = run_at(server, MOP_MAX_USERS="1", MOP_WS_SLEEP_MS="200")
    words = ("--from", "4", "--to", "5.9", "--resolution", "0.5", *SHORT)
    found = result(run, run.mop_locust("capacity", "ws_connect_storm", "-H", server.url, *words), 4)
    assert (found["holds"], found["fails"], found["limit"]) == (4, 5.9, "generator")
    told = (
        "ws_connect_storm: the generator is the limit at 5.9/s: use more users (--mop-max-users); the server holds at least 4/s; "
    )
    assert found["sentence"].startswith(told)
    assert "arrivals were dropped: 1 user, too few where 1.2 iterations go on at once" in found["sentence"]
