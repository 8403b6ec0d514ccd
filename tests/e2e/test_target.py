"""What the preflight finds before any load, and what comes out when it does not look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved, exchanges
from tests.e2e.processes import Server, free_port

THREE = ("ws_connect_storm", "tools_call_rps", "sse_keep_alive")
KEYED = ("tools_call_rps", "sse_keep_alive")
SHORT = ("-u", "4", "-t", "2s")


def test_a_target_that_is_down_is_no_data(run_at: RunAt) -> None:
    """All three end with 3 and one sentence, and send no load; in one process, and one of them with workers."""
    url = f"http://127.0.0.1:{free_port()}"
    runs = [run_at(url) for _ in THREE]
    distributed = run_at(url)
    for run, scenario in zip(runs, THREE, strict=True):
        run.single(scenario, *SHORT)
    distributed.command("tools_call_rps", "--workers", "2", *SHORT)
    for run in runs:
        assert run.wait() == 3, run.output
        summary = run.summary
        sentence = summary["verdict"]["sentence"]
        assert (summary["verdict"]["state"], summary["verdict"]["exit_code"]) == ("NO_DATA", 3)
        assert sentence.startswith("NO DATA: no load was sent; nothing to test at ")
        assert "connection refused" in sentence
        assert run.output.count("connection refused") == 1, run.output
        assert summary["preflight"]["state"] == "failed"
        assert "calls" not in summary["metrics"]
        assert "Traceback" not in run.output
    assert distributed.wait() == 3, distributed.output
    assert distributed.summary["verdict"]["state"] == "NO_DATA"
    assert "Traceback" not in distributed.output
    assert distributed.orphans() == []


def test_a_target_that_is_down_fails_every_exchange_without_the_preflight(run_at: RunAt) -> None:
    """The load is sent, every connection is refused, and a failed iteration still waits its pause."""
    run = run_at(f"http://127.0.0.1:{free_port()}", MOP_PREFLIGHT="off", MOP_WS_SLEEP_MS="500", MOP_RPS_THINK_MS="500")
    run.command("mixed", "--workers", "2", "-u", "15", "-t", "2s")
    assert run.wait() == 3, run.output
    summary = run.summary
    assert summary["verdict"]["state"] == "CROSSED"
    assert summary["preflight"] == {"state": "off", "findings": [], "exchanges": []}
    calls = summary["metrics"]["calls"]
    assert calls["outcomes"] == {"connect": calls["count"]}
    assert 15 <= calls["count"] <= 15 * 8  # a hammered target would have seen thousands
    assert {(row["outcome"], row["error"]) for row in summary["errors"]} == {("connect", "refused")}
    assert "Traceback" not in run.output


@pytest.mark.parametrize("scenario", KEYED)
def test_a_refused_key_is_the_users_mistake(scenario: str, run_at: RunAt, tmp_path: Path) -> None:
    """Exit 2 before any load, in the words of the issue."""
    with Server(tmp_path, key="the-right-one") as server:
        run = run_at(server, MOP_API_KEY="the-wrong-one")
        run.single(scenario, *SHORT)
        assert run.wait() == 2, run.output
        assert server.counts()["sessions_opened"] == 0
        assert server.counts()["answered"] == {"http initialize": 1}
    assert "401: the server refused the key" in run.output
    assert "the-wrong-one" not in run.output
    assert "Traceback" not in run.output
    assert not run.summaries()


def test_a_server_without_the_http_transport_is_named(server: Server, run_at: RunAt) -> None:
    """404 at /mcp while the socket answers: the sentence says which scenario can run, and that one runs."""
    there = {"MOP_HTTP_BASE": f"{server.url}/elsewhere", "MOP_BASE_URL": f"ws://{server.address}/ws"}
    runs = [run_at("", **there) for _ in KEYED]
    for run, scenario in zip(runs, KEYED, strict=True):
        run.single(scenario, *SHORT)
    for run in runs:
        assert run.wait() == 3, run.output
        sentence = run.summary["verdict"]["sentence"]
        assert "no HTTP transport here" in sentence
        assert "the WebSocket scenario can run" in sentence
        assert sentence in run.output
        assert "calls" not in run.summary["metrics"]
    before = server.counts()
    run = run_at("", **there)
    run.single("ws_connect_storm", *SHORT)
    assert run.wait() == 0, run.output
    assert (
        server.counts()["sockets_opened"] - before["sockets_opened"] == exchanges(run.summary)["websocket", "connect"]["ok"] + 1
    )


def test_the_preflight_can_be_left_out(server: Server, run_at: RunAt) -> None:
    """Then the server sees nothing but the load."""
    run = run_at(server)
    run.command("mixed", "--workers", "2", "-u", "15", "-t", "2s", "--mop-preflight", "off")
    assert run.wait() == 0, run.output
    summary, counts = run.summary, server.counts()
    assert summary["preflight"] == {"state": "off", "findings": [], "exchanges": []}
    conserved(summary, counts, run.statistics)
    assert counts["sessions_opened"] == counts["sessions_deleted"]
    assert counts["answered"]["http initialize"] == exchanges(summary)["http", "initialize"]["ok"]


def test_the_preflight_is_listed_outside_every_metric(server: Server, run_at: RunAt) -> None:
    """Its exchanges are the server's count minus the load's, and its session is deleted."""
    run = run_at(server)
    run.single("tools_call_rps", *SHORT)
    assert run.wait() == 0, run.output
    found, counts = run.summary["preflight"], server.counts()
    assert found["state"] == "passed"
    methods = [row["method"] for row in found["exchanges"]]
    assert sorted(methods) == ["delete", "initialize", "notifications/initialized", "tools/list"]
    for method in ("initialize", "tools/list"):
        assert counts["answered"][f"http {method}"] == exchanges(run.summary)["http", method]["ok"] + 1
    # The MOP server refuses the notification, so the load never sends it.
    assert counts["answered"]["http notifications/initialized"] == 1
    assert run.summary["run"]["server"]["name"] in " ".join(found["findings"])


def test_a_standard_server_is_told_that_the_session_is_initialized(run_at: RunAt, tmp_path: Path) -> None:
    """The preflight found the notification taken, and every worker knows it."""
    with Server(tmp_path, "--dialect", "mcp", "--answer", "sse") as server:
        run = run_at(server)
        run.command("tools_call_rps", "--workers", "2", *SHORT)
        assert run.wait() == 0, run.output
        summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    found = exchanges(summary)
    assert found["http", "notifications/initialized"]["ok"] == found["http", "initialize"]["ok"] > 0
    assert counts["sessions_opened"] == counts["sessions_deleted"]
