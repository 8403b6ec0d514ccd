"""Every way to start a run: each measures exactly what the server answered, closes its sessions and leaves no process."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved, exchanges
from tests.e2e.processes import LocustRun, Server, Started, is_free, until

SHORT = ("-u", "4", "-t", "2s")
PORT = 8000  # where the defaults look for a server

WAYS: dict[str, Callable[[LocustRun, str], Started]] = {
    "one-process": lambda run, name: run.single(name, *SHORT),
    "processes-2": lambda run, name: run.single(name, "--processes", "2", *SHORT),
    "master-and-workers": lambda run, name: run.with_workers(name, 2, *SHORT),
    "mop-locust-run": lambda run, name: run.command(name, "--workers", "2", *SHORT),
}
WORKERS = {"one-process": 0, "processes-2": 2, "master-and-workers": 2, "mop-locust-run": 2}

HTTP = {("http", "initialize"), ("http", "delete")}
METHODS = {
    "ws_connect_storm": {("websocket", "connect"), ("websocket", "ping"), ("websocket", "close")},
    "tools_call_rps": {*HTTP, ("http", "tools/list")},
    "sse_keep_alive": {*HTTP, ("sse", "stream")},
}
RATES = {"ws_connect_storm": "ws_failures", "tools_call_rps": "tools_call_failures", "sse_keep_alive": "sse_failures"}
REPORTS = {"summary.json", "windows.csv", "server.csv", "report.html", "junit.xml", "summary.md", "manifest.json"}


def everything_closed(counts: dict[str, int]) -> bool:
    """Whether each session was deleted and each socket closed by a close frame."""
    return (
        counts["sessions_opened"] == counts["sessions_deleted"]
        and counts["sockets_opened"] == counts["sockets_closed_cleanly"]
        and not counts["streams_open"]
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scenario", METHODS)
def test_a_scenario_measures_exactly_what_the_server_answered(scenario: str, way: str, server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    WAYS[way](run, scenario)
    assert run.wait() == 0, run.output
    summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    assert set(exchanges(summary)) == METHODS[scenario]
    assert {outcome for outcomes in exchanges(summary).values() for outcome in outcomes} == {"ok"}
    assert everything_closed(counts), counts
    verdict = summary["verdict"]
    assert (verdict["state"], verdict["validity"], verdict["exit_code"]) == ("PASSED", "valid", 0), verdict
    assert [row["metric"] for row in verdict["thresholds"]] == [RATES[scenario]]
    assert summary["run"]["workers"] == WORKERS[way]
    assert [worker["state"] for worker in summary["workers"]] == ["finished"] * max(1, WORKERS[way])
    assert len({worker["pid"] for worker in summary["workers"]}) == len(summary["workers"])
    [folder] = run.reports.iterdir()
    assert {file.name for file in folder.iterdir()} == REPORTS
    assert run.started[0].output.rstrip().endswith(f"{folder.name}/report.html")
    assert "Traceback" not in run.output
    assert run.orphans() == []


def test_run_all_judges_each_of_the_three_in_its_own_folder(server: Server, run_at: RunAt) -> None:
    """`mop-locust run all` runs one scenario after the other."""
    run = run_at(server)
    run.command("all", *SHORT)
    assert run.wait() == 0, run.output
    summaries, counts = run.summaries(), server.counts()
    assert [summary["run"]["scenario"] for summary in summaries] == ["ws_connect_storm", "tools_call_rps", "sse_keep_alive"]
    conserved(summaries, counts, run.statistics)
    assert everything_closed(counts), counts
    assert run.orphans() == []


def test_mixed_goes_on_when_the_iterations_are_used_up(server: Server, run_at: RunAt) -> None:
    """The three at once, weighted 50, 20 and 5; only the streams have a shared number of iterations."""
    run = run_at(server, MOP_SSE_ITERATIONS="2", MOP_SSE_WINDOW_MS="300")
    run.command("mixed", "--workers", "2", "-u", "15", "-t", "3s")
    assert run.wait() == 0, run.output
    summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    assert everything_closed(counts), counts
    assert summary["run"]["scenario"] == "mixed"
    assert summary["run"]["scenarios"] == sorted(METHODS)
    assert summary["run"]["stopped_by"] == "run time"
    assert set(exchanges(summary)) == set.union(*METHODS.values())
    assert exchanges(summary)["sse", "stream"] == {"ok": 2}
    assert exchanges(summary)["websocket", "connect"]["ok"] >= 10
    assert sorted(row["metric"] for row in summary["verdict"]["thresholds"]) == sorted(RATES.values())
    # Each session of the client is one of the server; the preflight had one of each, outside every metric.
    metrics = summary["metrics"]
    assert metrics["session_duration"]["count"] == counts["sessions_opened"] + counts["sockets_opened"] - 2
    assert metrics["ws_failures"]["count"] == counts["sockets_opened"] - 1


@pytest.mark.parametrize(
    ("scenario", "users", "seconds"),
    [("ws_connect_storm", 50, 60), ("tools_call_rps", 20, 60), ("sse_keep_alive", 5, 600), ("mixed", 75, 600)],
)
def test_no_option_at_all_takes_the_defaults_of_the_seed(
    scenario: str, users: int, seconds: int, run_at: RunAt, tmp_path: Path
) -> None:
    """Nobody waits for the end here: Ctrl-C in the middle is said in the verdict, and loses nothing."""
    free = is_free(PORT)
    with Server(tmp_path, "--keep-alive-seconds", "0.2", port=PORT if free else 0) as server:
        run = run_at("" if free else server, brisk=False)
        process = run.single(scenario)
        until(lambda: sum(server.counts_now()["answered"].values()) > users, what="load at the server")
        process.signal(signal.SIGINT)
        assert run.wait() == 4, run.output
        summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    assert everything_closed(counts), counts
    assert (summary["run"]["users"], summary["run"]["planned_seconds"]) == (users, seconds)
    assert summary["run"]["workers"] == 0
    assert f"Ramping to {users} users at a rate of {users}.00 per second" in run.output
    assert summary["verdict"]["validity"] == "degraded"
    assert any(reason.endswith(f" s of {seconds} s") for reason in summary["verdict"]["reasons"]), summary["verdict"]


def test_locusts_own_options_and_variables_win_over_ours(server: Server, run_at: RunAt) -> None:
    """Three runs at the same time against one server: what was asked for in three ways, and the sum is exact all the same."""
    ours = {"MOP_WS_VUS": "3", "MOP_WS_DURATION": "2s"}
    by_ours, by_option = run_at(server, **ours), run_at(server, **ours)
    by_variable = run_at(server, **ours, LOCUST_USERS="5", LOCUST_SPAWN_RATE="4", LOCUST_RUN_TIME="3s")
    by_ours.single("ws_connect_storm")
    by_option.single("ws_connect_storm", "-u", "4", "-r", "2", "-t", "3s")
    by_variable.single("ws_connect_storm")
    runs = [by_ours, by_option, by_variable]
    assert [run.wait() for run in runs] == [0, 0, 0], "\n".join(run.output for run in runs)
    asked = [(run.summary["run"]["users"], run.summary["run"]["planned_seconds"]) for run in runs]
    assert asked == [(3, 2), (4, 3), (5, 3)]
    assert "Ramping to 3 users at a rate of 3.00 per second" in by_ours.output
    assert "Ramping to 4 users at a rate of 2.00 per second" in by_option.output
    assert "Ramping to 5 users at a rate of 4.00 per second" in by_variable.output
    conserved([run.summary for run in runs], server.counts())


def test_an_option_of_ours_wins_over_its_variable(server: Server, run_at: RunAt) -> None:
    """`--mop-ws-sleep-ms` and `--mop-base-url` do what their variables do; the endpoint given wins over -H."""
    run = run_at("http://127.0.0.1:9", MOP_WS_SLEEP_MS="60000")
    run.single("ws_connect_storm", *SHORT, "--mop-ws-sleep-ms", "50", "--mop-base-url", f"ws://{server.address}/ws")
    assert run.wait() == 0, run.output
    conserved(run.summary, server.counts(), run.statistics)
    assert run.summary["run"]["target"] == {"http": None, "websocket": f"ws://{server.address}/ws"}
    assert run.summary["metrics"]["session_duration"]["p50"] < 30_000
