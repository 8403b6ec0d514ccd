"""Open load: as many sessions arrive as were ordered, on whatever workers; and a frozen server is seen as those who came saw it."""

from __future__ import annotations

import math
import os
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mop_locust.load.clock import ConstantClock, PoissonClock
from mop_locust.load.curve import Curve
from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved
from tests.e2e.processes import LocustRun, Server, until

SECOND = 1_000_000


def total(summary: dict[str, Any], name: str) -> int:
    """What a counter of the run has; 0 for one that took nothing."""
    return int(summary["metrics"].get(name, {"count": 0})["count"])


def begun(summary: dict[str, Any]) -> int:
    """The sessions that began: each is over, whatever came of it, when the run is."""
    return total(summary, "iterations")


@pytest.mark.parametrize("workers", [0, 2])
def test_rate_times_time_arrive_exactly(workers: int, server: Server, run_at: RunAt) -> None:
    """Of one scenario at a constant rate, of one on a ramp, and of one by a Poisson clock: as the arithmetic says."""
    run = run_at(server, brisk=False, MOP_WS_SLEEP_MS="50", MOP_SSE_WINDOW_MS="100", MOP_SEED="5")
    rates = "tools_call_rps=100/s,ws_connect_storm=(2s:20/s,1s:0/s,0s:120/m),sse_keep_alive=6/m"
    run.command("mixed", "--workers", str(workers), "-t", "4s", "--mop-arrivals", rates)
    assert run.wait() == 0, run.output
    summary = run.summary
    conserved(summary, server.counts(), run.statistics)
    came = {name: summary["metrics"][f"arrivals{{scenario:{name}}}"]["count"] for name in ("tools_call_rps", "ws_connect_storm")}
    assert came == {"tools_call_rps": 400, "ws_connect_storm": 32}
    assert total(summary, "arrivals") == 432, "6 a minute have their first arrival after 5 s"
    assert (begun(summary), total(summary, "dropped_iterations")) == (432, 0)
    assert (summary["verdict"]["validity"], summary["verdict"]["reasons"]) == ("valid", [])
    assert summary["metrics"]["iteration_duration_intended"]["count"] == summary["metrics"]["start_lag"]["count"] == 432
    assert "tools_call_rps: 400 sessions arrived by a constant clock, 0 of them were dropped" in summary["run"]["notes"]
    assert run.orphans() == []


def test_a_poisson_clock_is_the_same_on_two_workers_as_by_arithmetic(server: Server, run_at: RunAt) -> None:
    """A number that nobody would guess, from the seed alone."""
    run = run_at(server, brisk=False, MOP_ARRIVALS="80/s", MOP_ARRIVALS_CLOCK="poisson", MOP_SEED="5")
    run.command("tools_call_rps", "--workers", "2", "-t", "3s", "--mop-threshold", "dropped_iterations: count<1")
    assert run.wait() == 0, run.output
    ordered = PoissonClock(Curve([(0, 80)]), "5/tools_call_rps").due(3 * SECOND)
    assert ordered != 240
    assert (total(run.summary, "arrivals"), begun(run.summary)) == (ordered, ordered)
    assert len(run.summary["workers"]) == 2
    assert min(worker["exchanges"] for worker in run.summary["workers"]) > 240


def test_what_cannot_begin_is_dropped_and_the_run_invalid(server: Server, run_at: RunAt) -> None:
    """Three users of half a second begin six sessions a second, and not the other fourteen."""
    run = run_at(server, brisk=False, MOP_ARRIVALS="20/s", MOP_MAX_USERS="3", MOP_WS_SLEEP_MS="500")
    run.command("ws_connect_storm", "--workers", "2", "-t", "3s")
    assert run.wait() == 4, run.output
    summary = run.summary
    dropped = total(summary, "dropped_iterations")
    assert begun(summary) + dropped == total(summary, "arrivals") == 60
    assert 15 <= begun(summary) <= 18
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
    run.master("tools_call_rps", 1, "-t", "9s")
    run.worker("tools_call_rps")
    until(lambda: server.counts_now()["sessions_opened"] > 20, what="the load")
    run.worker("tools_call_rps")
    assert run.wait() == 0, run.output
    summary = run.summary
    assert (total(summary, "arrivals"), begun(summary)) == (450, 450)
    assert summary["verdict"]["validity"] == "valid", summary["verdict"]
    exchanges = sorted(worker["exchanges"] for worker in summary["workers"])
    assert len(exchanges) == 2
    assert exchanges[0] > 50, "the late one had its part"
    conserved(summary, server.counts(), run.statistics)


def test_a_worker_that_dies_takes_its_arrivals_with_it_and_they_are_told(server: Server, run_at: RunAt) -> None:
    """Until the others have its part; the run is incomplete, and says how many never came."""
    run = run_at(server, brisk=False, MOP_ARRIVALS="50/s")
    run.master("tools_call_rps", 2, "-t", "12s")
    first, _ = run.worker("tools_call_rps"), run.worker("tools_call_rps")
    until(lambda: server.counts_now()["sessions_opened"] > 50, what="the load")
    first.signal(signal.SIGKILL)
    assert run.started[0].wait() == 4, run.output
    summary = run.summary
    missing = 600 - total(summary, "arrivals")
    assert 50 < missing < 300, "half of them, for the seconds until the master had given up the worker"
    assert summary["verdict"]["validity"] == "incomplete"
    assert f"of the 600 arrivals of tools_call_rps {missing} never came: workers came or went" in summary["verdict"]["reasons"]


def test_what_contradicts_is_told_before_the_load(server: Server, run_at: RunAt) -> None:
    """Every mistake at once, with code 2."""
    run = run_at(server, brisk=False, MOP_SSE_ITERATIONS="6")
    run.single("mixed", "--mop-arrivals", "nobody=5/s,sse_keep_alive=1/s", "-t", "2s")
    assert run.wait() == 2, run.output
    assert "no scenario 'nobody' in this run; there are sse_keep_alive, tools_call_rps, ws_connect_storm" in run.output
    assert "MOP_SSE_ITERATIONS and MOP_ARRIVALS contradict each other" in run.output
    assert server.counts()["sessions_opened"] == 0


# --- a frozen server

RATE, LASTS, FROZEN = 100, 10, 1.0
FREEZE_AT = 4.0  # seconds of the run

SCENARIOS = {
    "tools_call_rps": "time_to_answer{method:initialize,scenario:tools_call_rps,transport:http}",
    "ws_connect_storm": "time_to_answer{method:connect,scenario:ws_connect_storm,transport:websocket}",
    "sse_keep_alive": "time_to_answer{method:stream,scenario:sse_keep_alive,transport:sse}",
}


def frozen(run: LocustRun, server: Server) -> tuple[float, float]:
    """Stops the server's process for a second when the load has gone on for a while; returns when, by the wall clock."""
    until(lambda: server.counts_now()["connections"] > 0 and opened(server) > FREEZE_AT * RATE, what="the load")
    began = time.time()
    os.kill(server.pid, signal.SIGSTOP)
    time.sleep(FROZEN)
    os.kill(server.pid, signal.SIGCONT)
    return began, time.time()


def opened(server: Server) -> int:
    """The sessions and sockets that the server has seen."""
    counts = server.counts_now()
    return int(counts["sessions_opened"]) + int(counts["sockets_opened"])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_freeze_is_seen_as_those_who_came_saw_it(scenario: str, server: Server, run_at: RunAt) -> None:
    """Who comes while the server stands still waits until it goes on: the P99 follows from the instants, and ours is within 2 %."""
    run = run_at(server, brisk=False, MOP_ARRIVALS=f"{RATE}/s", MOP_WS_SLEEP_MS="0", MOP_SSE_WINDOW_MS="1")
    master = run.command(scenario, "--workers", "2", "-t", f"{LASTS}s", "-u", "150")
    began, ended = frozen(run, server)
    assert run.wait() == 0, run.output
    assert master.running is False
    summary = run.summary
    assert (total(summary, "arrivals"), begun(summary)) == (RATE * LASTS, RATE * LASTS)
    origin = datetime.fromisoformat(summary["run"]["started"]).timestamp()
    expected = quantile(waits(began - origin, ended - origin), 0.99)
    assert expected == pytest.approx(0.9 * (ended - began), rel=0.02), "a tenth of the freeze is shorter than the slowest one of a hundred"
    measured = summary["metrics"][SCENARIOS[scenario]]["p99"] / 1000
    assert measured == pytest.approx(expected, rel=0.02)
    service = summary["metrics"]["iteration_duration"]["p99"]
    assert summary["metrics"]["iteration_duration_intended"]["p99"] >= service


def waits(began: float, ended: float) -> list[float]:
    """How long each arrival waits for a server that stands still from `began` to `ended`, in seconds of the run."""
    clock = ConstantClock(Curve([(0, RATE)]))
    instants = [at / SECOND for at, _ in zip_until(clock, LASTS * SECOND)]
    return [ended - at if began <= at < ended else 0.0 for at in instants]


def zip_until(clock: ConstantClock, us: int) -> list[tuple[int, int]]:
    """The arrivals before this microsecond."""
    found = []
    for arrival in clock.since(0):
        if arrival[0] >= us:
            break
        found.append(arrival)
    return found


def quantile(values: list[float], q: float) -> float:
    """The smallest value that so great a share of all does not pass."""
    return sorted(values)[math.ceil(q * len(values)) - 1]
