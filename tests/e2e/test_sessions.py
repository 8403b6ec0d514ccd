"""The life of sessions: shared iterations, streams that end early, sessions closed in the middle of a run or left on purpose."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved, exchanges
from tests.e2e.processes import Server, until


def test_iterations_are_shared_exactly_and_end_the_run(server: Server, run_at: RunAt) -> None:
    """Two workers, four users, seven iterations: the odd ones are given to whoever asks first."""
    run = run_at(server, MOP_SSE_ITERATIONS="7")
    run.command("sse_keep_alive", "--workers", "2", "-u", "4")
    assert run.wait() == 0, run.output
    summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    assert exchanges(summary)["sse", "stream"] == {"ok": 7}
    assert summary["metrics"]["iterations"]["count"] == summary["metrics"]["sse_failures"]["count"] == 7
    assert (summary["run"]["stopped_by"], summary["run"]["planned_seconds"]) == ("iterations", 600)
    assert counts["sessions_opened"] == counts["sessions_deleted"] == 8  # one is the preflight's
    assert summary["metrics"]["sse_first_byte_latency"]["count"] == 7
    assert summary["metrics"]["sse_keepalives"]["count"] >= 7
    assert "sse_early_ends" not in summary["metrics"]


def test_sessions_can_be_leaked_on_purpose(server: Server, run_at: RunAt) -> None:
    """MOP_LEAK_SESSIONS=1 leaves all but those of the preflight."""
    run = run_at(server, MOP_LEAK_SESSIONS="1")
    run.single("mixed", "-u", "15", "-t", "2s")
    assert run.wait() == 0, run.output
    summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    assert counts["sessions_deleted"] == 1
    assert counts["sessions_open"] == counts["sessions_opened"] - 1 > 0
    assert counts["sockets_closed_cleanly"] == 1
    assert ("http", "delete") not in exchanges(summary)
    assert ("websocket", "close") not in exchanges(summary)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stop_in_the_middle_closes_every_session(workers: int, server: Server, run_at: RunAt) -> None:
    """Ctrl-C while every socket is held and every stream is open, for longer than the stop timeout."""
    run = run_at(server, MOP_WS_SLEEP_MS="60000", MOP_SSE_WINDOW_MS="60000")
    command = run.command("mixed", "--workers", str(workers), "-u", "15", "--stop-timeout", "2")
    until(lambda: server.counts_now()["streams_open"] and server.counts_now()["sockets_open"] >= 10, what="open sessions")
    command.signal_group(signal.SIGINT)
    assert run.wait() == 4, run.output
    summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    assert counts["sessions_opened"] == counts["sessions_deleted"], counts
    assert counts["sockets_opened"] == counts["sockets_closed_cleanly"], counts
    assert re.fullmatch(r"stopped after \d+ s of 600 s", summary["verdict"]["reasons"][0]), summary["verdict"]["reasons"]
    assert "Traceback" not in run.output
    assert run.orphans() == []


def test_slow_exchanges_at_the_end_of_the_run_time_are_waited_for(run_at: RunAt, tmp_path: Path) -> None:
    """The default stop timeout of 10 s is enough for answers that take 700 ms: nothing is cut."""
    with Server(tmp_path, "--delay", "700") as server:
        run = run_at(server, MOP_PREFLIGHT="off")
        run.command("tools_call_rps", "--workers", "2", "-u", "6", "-t", "3s")
        assert run.wait() == 0, run.output
        summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    assert counts["received"] == counts["answered"]
    assert summary["metrics"]["calls"]["outcomes"] == {"ok": summary["metrics"]["calls"]["count"]}
    assert counts["sessions_opened"] == counts["sessions_deleted"]


def test_the_preflight_of_a_slow_target_is_no_part_of_the_run_time(run_at: RunAt, tmp_path: Path) -> None:
    """The load lasts as long as it was planned, however long the look before it took."""
    with Server(tmp_path, "--delay", "700") as server:
        run = run_at(server)
        run.command("tools_call_rps", "--workers", "1", "-u", "2", "-t", "3s")
        assert run.wait() == 0, run.output
        conserved(run.summary, server.counts(), run.statistics)
    assert run.summary["run"]["stopped_by"] == "run time"
    assert run.summary["run"]["seconds"] >= 3


def test_sigterm_is_a_stop_like_any_other(server: Server, run_at: RunAt) -> None:
    """One verdict, one folder, everything closed."""
    run = run_at(server)
    process = run.single("tools_call_rps", "-u", "4")
    until(lambda: server.counts_now()["sessions_deleted"] > 4, what="load at the server")
    process.signal(signal.SIGTERM)
    assert run.wait() == 4, run.output
    counts = server.counts()
    conserved(run.summary, counts, run.statistics)
    assert counts["sessions_opened"] == counts["sessions_deleted"]


@pytest.mark.parametrize(("required", "code", "state"), [("0", 0, "PASSED"), ("1", 3, "CROSSED")])
def test_streams_that_the_server_ends_early_are_named(
    required: str, code: int, state: str, run_at: RunAt, tmp_path: Path
) -> None:
    """The real server ends each stream at once: by default a note, with MOP_SSE_REQUIRE_KEEPALIVE=1 a failure."""
    with Server(tmp_path, "--sse-ends-early") as server:
        run = run_at(server, MOP_SSE_ITERATIONS="20", MOP_SSE_WINDOW_MS="200", MOP_SSE_REQUIRE_KEEPALIVE=required)
        run.single("sse_keep_alive", "-u", "20")  # one stream a user
        assert run.wait() == code, run.output
        summary, counts = run.summary, server.counts()
    conserved(summary, counts, run.statistics)
    # After how many milliseconds is the machine's affair; 0 on one that has nothing else to do.
    sentence = r"20 of 20 streams were ended by the server after \d+ ms: keep-alive was not observed"
    assert [re.fullmatch(sentence, note) is not None for note in summary["run"]["notes"]] == [True], summary["run"]["notes"]
    assert re.search(sentence, run.output)
    assert summary["metrics"]["sse_early_ends"]["count"] == 20
    assert summary["verdict"]["state"] == state
    failures = summary["metrics"]["sse_failures"]
    assert (failures["count"], failures["failures"]) == (20, 20 if required == "1" else 0)
    assert counts["sessions_opened"] == counts["sessions_deleted"] == 21
