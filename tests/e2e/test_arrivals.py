"""Open load: as many sessions arrive as were ordered, on whatever workers; a frozen server is seen as those who came saw it."""

from __future__ import annotations

import math
import os
import signal
import time
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from mop_locust.load.clock import ConstantClock, PoissonClock
from mop_locust.load.curve import Curve
from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved
from tests.e2e.processes import Server, until

SECOND = 1_000_000


def total(summary: dict[str, Any], name: str) -> int:
    """What a counter of the run has; 0 for one that took nothing."""
    return int(summary["metrics"].get(name, {"count": 0})["count"])


def begun(summary: dict[str, Any]) -> int:
    """The sessions that began: each is over, whatever came of it, when the run is."""
    return total(summary, "iterations")


CURVES = {
    "tools_call_rps": Curve([(0, 100)]),
    "ws_connect_storm": Curve([(2, 20), (1, 0), (0, 2)]),
    "sse_keep_alive": Curve([(0, 1)]),
}


@pytest.mark.parametrize(("workers", "clock"), [(0, "constant"), (2, "poisson")])
def test_as_many_arrive_as_the_arithmetic_says(workers: int, clock: str, server: Server, run_at: RunAt) -> None:
    """At a constant rate, on a ramp with a jump, once a second; by a Poisson clock as many as the seed alone tells."""
    run = run_at(server, brisk=False, MOP_WS_SLEEP_MS="50", MOP_SSE_WINDOW_MS="100", MOP_SEED="5", MOP_ARRIVALS_CLOCK=clock)
    rates = "tools_call_rps=100/s,ws_connect_storm=(2s:20/s,1s:0/s,0s:120/m),sse_keep_alive=60/m"
    threshold = ("--mop-threshold", "dropped_iterations: count<1")
    run.command("mixed", "--workers", str(workers), "-t", "4s", "--mop-arrivals", rates, *threshold)
    assert run.wait() == 0, run.output
    summary = run.summary
    conserved(summary, server.counts(), run.statistics)
    ordered = {
        name: (PoissonClock(curve, f"5/{name}") if clock == "poisson" else ConstantClock(curve)).due(4 * SECOND)
        for name, curve in CURVES.items()
    }
    came = {name: summary["metrics"][f"arrivals{{scenario:{name}}}"]["count"] for name in CURVES}
    assert came == ordered
    if clock == "constant":
        assert ordered == {"tools_call_rps": 400, "ws_connect_storm": 32, "sse_keep_alive": 4}
    else:
        assert ordered["tools_call_rps"] != 400
    assert (begun(summary), total(summary, "dropped_iterations")) == (sum(ordered.values()), 0)
    assert (summary["verdict"]["validity"], summary["verdict"]["reasons"]) == ("valid", [])
    assert (
        summary["metrics"]["iteration_duration_intended"]["count"] == summary["metrics"]["start_lag"]["count"] == begun(summary)
    )
    note = f"tools_call_rps: {ordered['tools_call_rps']} sessions arrived by a {clock} clock, 0 of them were dropped"
    assert note in summary["run"]["notes"]
    assert len(summary["workers"]) == max(1, workers)
    assert min(worker["exchanges"] for worker in summary["workers"]) > 400, "each has its part"
    assert run.orphans() == []


def test_what_cannot_begin_is_dropped_and_the_run_invalid(server: Server, run_at: RunAt) -> None:
    """Three users of half a second begin six sessions a second or a few more, and not the other fourteen."""
    run = run_at(server, brisk=False, MOP_ARRIVALS="20/s", MOP_MAX_USERS="3", MOP_WS_SLEEP_MS="500")
    run.single("ws_connect_storm", "-t", "3s")
    assert run.wait() == 4, run.output
    summary = run.summary
    dropped = total(summary, "dropped_iterations")
    assert begun(summary) + dropped == total(summary, "arrivals") == 60
    assert 3 <= begun(summary) <= 21, "3 users, 7 times at most"
    assert summary["verdict"]["validity"] == "invalid"
    [reason] = summary["verdict"]["reasons"]
    assert reason.startswith(f"the load of ws_connect_storm did not arrive as ordered: {dropped} of 60 sessions (")
    assert reason.endswith("could not begin (limit 1.0 %; at most 3 users, MOP_MAX_USERS)")


def test_the_pool_grows_to_what_is_needed(tmp_path: Path, run_at: RunAt) -> None:
    """One user from the start, and a server that takes 300 ms for each of three answers: some twenty are needed for 20/s."""
    with Server(tmp_path, "--delay", "300") as server:
        run = run_at(server, brisk=False, MOP_ARRIVALS="20/s")
        run.command("tools_call_rps", "-u", "1", "-t", "3s")
        assert run.wait() == 0, run.output
    summary = run.summary
    assert (begun(summary), total(summary, "dropped_iterations")) == (60, 0)
    users = max(window["gauges"][worker]["users"] for window in summary["windows"] for worker in window["gauges"])
    assert 6 <= users <= 60
    assert summary["metrics"]["iteration_duration_intended"]["p50"] >= 600


def test_a_worker_that_joins_late_takes_its_part_and_nothing_is_lost(server: Server, run_at: RunAt) -> None:
    """From the instant on that the master names; before it the first one has all."""
    run = run_at(server, brisk=False, MOP_ARRIVALS="50/s")
    run.master("tools_call_rps", 1, "-t", "8s")
    run.worker("tools_call_rps")
    until(lambda: server.counts_now()["sessions_opened"] > 20, what="the load")
    run.worker("tools_call_rps")
    assert run.wait() == 0, run.output
    summary = run.summary
    assert (total(summary, "arrivals"), begun(summary)) == (400, 400)
    assert summary["verdict"]["validity"] == "valid", summary["verdict"]
    exchanges = sorted(worker["exchanges"] for worker in summary["workers"])
    assert len(exchanges) == 2
    assert exchanges[0] > 50, "the late one had its part"
    conserved(summary, server.counts(), run.statistics)


def test_a_worker_that_dies_takes_its_arrivals_with_it_and_they_are_told(server: Server, run_at: RunAt) -> None:
    """Until the others have its part; the run is incomplete, and says how many never came."""
    run = run_at(server, brisk=False, MOP_ARRIVALS="50/s")
    run.master("tools_call_rps", 2, "-t", "11s")
    first, _ = run.worker("tools_call_rps"), run.worker("tools_call_rps")
    until(lambda: server.counts_now()["sessions_opened"] > 50, what="the load")
    first.signal(signal.SIGKILL)
    assert run.started[0].wait() == 4, run.output
    summary = run.summary
    missing = 550 - total(summary, "arrivals")
    assert 50 < missing < 300, "half of them, for the seconds until the master had given up the worker"
    assert summary["verdict"]["validity"] == "incomplete"
    assert f"of the 550 arrivals of tools_call_rps {missing} never came: workers came or went" in summary["verdict"]["reasons"]


def test_what_contradicts_is_told_before_the_load(server: Server, run_at: RunAt) -> None:
    """Every mistake at once, with code 2."""
    run = run_at(server, brisk=False, MOP_SSE_ITERATIONS="6")
    run.single("mixed", "--mop-arrivals", "nobody=5/s,sse_keep_alive=1/s", "-t", "2s")
    assert run.wait() == 2, run.output
    assert "no scenario 'nobody' in this run; there are sse_keep_alive, tools_call_rps, ws_connect_storm" in run.output
    assert "MOP_SSE_ITERATIONS and MOP_ARRIVALS contradict each other" in run.output
    assert server.counts()["sessions_opened"] == 0


# --- a frozen server

LASTS, FREEZE_AT, FROZEN = 10, 4, 1.0  # seconds: of each scenario's turn, after its beginning, without an answer
ON_THE_WAY = 0.02  # seconds from an arrival to its answer

# Rates that the server makes up for within milliseconds: what it is behind afterwards is its own, and no part of the arithmetic.
TURNS = {
    "tools_call_rps": (20, "time_to_answer{method:initialize,scenario:tools_call_rps,transport:http}"),
    "ws_connect_storm": (20, "time_to_answer{method:connect,scenario:ws_connect_storm,transport:websocket}"),
    "sse_keep_alive": (10, "time_to_answer{method:stream,scenario:sse_keep_alive,transport:sse}"),
}


def turn(number: int, rate: int) -> str:
    """The stages of a scenario that has its turn after so many others."""
    return f"{LASTS * number}s:0/s,0s:{rate}/s,{LASTS}s:{rate}/s,0s:0/s"


def freeze(server: Server) -> tuple[float, float]:
    """Stops the server's process for a second; returns when, by the wall clock, read before each signal: it may take our core."""
    began = time.time()
    os.kill(server.pid, signal.SIGSTOP)
    time.sleep(FROZEN)
    ended = time.time()
    os.kill(server.pid, signal.SIGCONT)
    return began, ended


def test_a_freeze_is_seen_as_those_who_came_saw_it(server: Server, run_at: RunAt) -> None:
    """Who comes while the server stands still waits until it goes on: the P99 follows from the instants, and ours is within 2 %.

    Ten seconds at a constant rate with a freeze of one, over each transport: the answer to `initialize`, the upgrade of a
    WebSocket, the first byte of a stream.
    """
    run = run_at(server, brisk=False, MOP_WS_SLEEP_MS="0", MOP_SSE_WINDOW_MS="20")
    arrivals = ",".join(f"{scenario}=({turn(number, rate)})" for number, (scenario, (rate, _)) in enumerate(TURNS.items()))
    run.command("mixed", "--workers", "2", "-u", "200", "-t", f"{LASTS * len(TURNS)}s", "--mop-arrivals", arrivals)
    until(lambda: server.counts_now()["sessions_opened"] > 0, what="the load")
    first, freezes = time.time(), []
    for number in range(len(TURNS)):
        time.sleep(max(0.0, first + number * LASTS + FREEZE_AT - time.time()))
        freezes.append(freeze(server))
    assert run.wait() == 0, run.output
    summary = run.summary
    conserved(summary, server.counts(), run.statistics)
    ordered = sum(rate * LASTS for rate, _ in TURNS.values())
    assert (total(summary, "arrivals"), begun(summary)) == (ordered, ordered)
    origin = datetime.fromisoformat(summary["run"]["started"]).timestamp()
    for number, (scenario, (rate, name)) in enumerate(TURNS.items()):
        began, ended = (moment - origin - number * LASTS for moment in freezes[number])
        expected = quantile(waits(rate, began, ended), 0.99)
        assert expected == pytest.approx(0.9 * (ended - began), abs=1 / rate), "but for the distance of two arrivals"
        measured = summary["metrics"][name]["p99"] / 1000
        if measured != pytest.approx(expected, rel=0.02):  # who was on the way to the server when it froze waited as well
            expected = quantile(waits(rate, began - ON_THE_WAY, ended), 0.99)
        assert measured == pytest.approx(expected, rel=0.02), scenario


def waits(rate: int, began: float, ended: float) -> list[float]:
    """How long each arrival of a turn waits for a server that stands still from `began` to `ended`, in seconds of the turn."""
    clock = ConstantClock(Curve([(0, rate)]))
    instants = [at / SECOND for at, _ in takewhile(lambda arrival: arrival[0] < LASTS * SECOND, clock.since(0))]
    return [ended - at if began <= at < ended else 0.0 for at in instants]


def quantile(values: list[float], q: float) -> float:
    """The smallest value that so great a share of all does not pass."""
    return sorted(values)[math.ceil(q * len(values)) - 1]
