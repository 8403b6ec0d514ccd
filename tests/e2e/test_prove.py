"""`mop-locust prove`: what it prints, its exit codes, and that nothing of it stays behind; the counts of a run with faults."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import every_output_agrees, exchanges, wrong_at_server
from tests.e2e.processes import Server, Started

HERE = Path(__file__).parent / "locustfiles"
PROVE_SECONDS = 120.0


def rows(process: Started) -> dict[str, list[str]]:
    """The rows of the only table, by fault, in words."""
    return {words[0]: words[1:] for line in process.output.splitlines() if line.startswith("  ") and (words := line.split())}


def test_a_scenario_is_proven(run_at: RunAt) -> None:
    """Three faults, each counted as what it is; one that HTTP cannot have; the run without a fault is green."""
    run = run_at("")
    faults = ("reset", "is-error", "wrong-json", "bad-frame")
    process = run.mop_locust("prove", "tools_call_rps", *(word for fault in faults for word in ("--fault", fault)))
    assert process.wait(PROVE_SECONDS) == 0, process.output
    table = rows(process)
    assert list(table) == ["fault", "none", "reset", "wrong-json", "is-error", "bad-frame"]
    assert table["none"][0] == "green"
    assert table["reset"][:3] == ["tools_call_failures", "disconnected:", "reset"]
    assert table["is-error"][:3] == ["tools_call_failures", "tool_error:", "isError"]
    assert table["wrong-json"][:4] == ["tools_call_failures", "protocol:", "not", "JSON"]
    assert table["bad-frame"] == ["-"]
    assert "PROVEN. Every fault turned a threshold red" in process.output
    assert not run.reports.exists()


def test_a_stream_and_a_socket_are_struck_themselves(run_at: RunAt) -> None:
    """The stream rather than the session before it; the early end of a stream has a counter of its own."""
    run = run_at("")
    process = run.mop_locust("prove", "sse_keep_alive", "--fault", "500", "--fault", "early-end")
    assert process.wait(PROVE_SECONDS) == 0, process.output
    table = rows(process)
    assert table["500"][:6] == ["sse_failures", "http_status:", "HTTP", "500", "(sse", "stream,"]
    assert table["early-end"][:2] == ["sse_failures", "sse_early_ends:"]


def test_a_fault_that_stays_green_is_named(run_at: RunAt) -> None:
    """Exit 3, and a sentence for each, though it was counted."""
    run = run_at("")
    process = run.mop_locust("prove", str(HERE / "never_red.py"), "--fault", "500", "--fault", "huge")
    assert process.wait(PROVE_SECONDS) == 3, process.output
    table = rows(process)
    assert table["500"][:3] == ["green", "http_status:", "HTTP"]
    for fault in ("500", "huge"):
        assert table[fault][-2:] == ["NOT", "PROVEN"]
        assert f"NOT PROVEN. never_red, {fault}: every threshold stayed green." in process.output
    assert "PROVEN. Every" not in process.output


def test_a_scenario_without_thresholds_cannot_be_proven(run_at: RunAt) -> None:
    """It is named before any fault is tried."""
    run = run_at("")
    file = run.folder / "bare.py"
    file.write_text((HERE / "never_red.py").read_text().replace('{"call_failures": ["rate<=1"]}', "{}"))
    process = run.mop_locust("prove", str(file), "--fault", "500")
    assert process.wait(PROVE_SECONDS) == 3, process.output
    assert "NOT PROVEN. bare, none: there is no threshold that could turn red." in process.output
    assert "500" not in rows(process)


def test_a_scenario_that_is_not_green_cannot_be_proven(run_at: RunAt) -> None:
    """The thresholds of the environment count: this one is crossed without a fault."""
    run = run_at("", MOP_THRESHOLDS="call_latency: max<0")
    process = run.mop_locust("prove", "tools_call_rps", "--fault", "500")
    assert process.wait(PROVE_SECONDS) == 3, process.output
    assert rows(process)["none"][:2] == ["not", "green"]
    assert "NOT PROVEN. tools_call_rps, none: without a fault it is not green: CROSSED" in process.output


def test_what_cannot_be_run_is_a_mistake(run_at: RunAt) -> None:
    """Exit 2 for an unknown scenario, and for a run that came to no summary."""
    unknown = run_at("").mop_locust("prove", "no_such")
    broken = run_at("", MOP_THRESHOLDS="nonsense").mop_locust("prove", "tools_call_rps", "--fault", "500")
    assert unknown.wait(PROVE_SECONDS) == 2
    assert "no scenario or file 'no_such'" in unknown.output
    assert broken.wait(PROVE_SECONDS) == 2
    assert "tools_call_rps could not be judged: " in broken.output
    assert "Traceback" not in unknown.output + broken.output


def test_it_can_be_stopped(run_at: RunAt) -> None:
    """Exit 2 at SIGTERM, and every server and run of it is gone."""
    run = run_at("")
    process = run.mop_locust("prove", "ws_connect_storm")
    process.says("none", PROVE_SECONDS)
    before = psutil.Process(process.pid).children(recursive=True)
    assert before
    process.signal(signal.SIGTERM)
    assert process.wait() == 2, process.output
    assert "stopped; nothing is proven" in process.output
    assert "Traceback" not in process.output
    _, left = psutil.wait_procs(before, timeout=5)
    assert left == []


def test_both_ends_agree_on_what_was_answered_in_spite_of_faults(run_at: RunAt, tmp_path: Path) -> None:
    """Every fault a few times in one run: no sample is lost, and what the server says it answered can be true."""
    names = [
        *("reset", "stall", "early-end", "wrong-id", "other-id", "truncated-json", "wrong-json", "wrong-content-type"),
        *("session-404", "500", "401", "drip", "huge", "bad-frame", "close-without-handshake"),
    ]
    options = [word for name in names for word in ("--fault", f"{name}:0.02")]
    with Server(tmp_path, "--keep-alive-seconds", "0.2", *options) as server:
        run = run_at(server, MOP_PREFLIGHT="off", MOP_TIMEOUT_MS="1000", MOP_MAX_REPLY_BYTES="1048576", MOP_SSE_VUS="10")
        run.single("mixed", "-u", "45", "-t", "5s")
        assert run.wait() == 3, run.output
        summary = run.summary
        every_output_agrees(summary)
        wrong = wrong_at_server([summary], server.counts())
    # A client that refuses a frame says so with a close frame: the server counts a goodbye, the client no `close` exchange.
    wrong.pop("websocket close", None)
    assert wrong == {}
    outcomes = {outcome for counter in exchanges(summary).values() for outcome in counter}
    assert {"ok", "timeout", "disconnected", "http_status", "protocol"} <= outcomes
    assert "client_fault" not in outcomes
