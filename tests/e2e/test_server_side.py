"""The server's own side of a run: what it counts itself, exactly, and what it takes; and one that tells nothing."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.processes import ROOT, Server, Started

SHORT = ("-u", "15", "-t", "2s")
COUNTED = (
    "sessions_opened",
    "sessions_deleted",
    "sockets_opened",
    "sockets_closed",
    "sockets_closed_cleanly",
    "streams_opened",
    "streams_closed",
)


@pytest.mark.parametrize("workers", [0, 1])
def test_the_last_look_has_what_the_server_counted_exactly(workers: int, server: Server, run_at: RunAt) -> None:
    """By its process id: its usage and its own figures on the time axis of the load, in the summary and every other output."""
    run = run_at(server)
    run.command("mixed", "--workers", str(workers), *SHORT, "--server-pid", str(server.pid))
    assert run.wait() == 0, run.output
    summary, counts = run.summary, server.counts()
    side = summary["server_side"]
    assert (side["health"], side["metrics"], side["pid"], side["cgroup"], side["notes"]) == (True, True, server.pid, None, [])
    first, last = side["samples"][0], side["samples"][-1]
    assert {name: last["metrics"][f"mop_server_{name}_total"] for name in COUNTED} == {name: counts[name] for name in COUNTED}
    for name in ("received", "answered"):
        assert last["metrics"][f"mop_server_{name}_total"] == sum(counts[name].values())
    assert first["metrics"]["mop_server_answered_total"] < last["metrics"]["mop_server_answered_total"]
    assert last["active_sessions"] == last["metrics"]["casial_active_sessions"] == counts["sockets_open"] == 0
    assert first["at_s"] < 1
    assert 1.9 < last["at_s"] < summary["run"]["seconds"] + 1
    assert first["cpu_percent"] is None
    assert last["cpu_percent"] > 0
    assert first["rss_bytes"] > 10e6
    assert (first["threads"], last["threads"]) == (1, 1)
    assert last["open_files"] > 3
    (folder,) = run.reports.iterdir()
    rows = list(csv.DictReader((folder / "server.csv").open()))
    assert [float(row["mop_server_answered_total"]) for row in rows] == [
        sample["metrics"]["mop_server_answered_total"] for sample in side["samples"]
    ]
    most = max(int(sample["active_sessions"]) for sample in side["samples"])
    sessions = f"up to {most} open session{'' if most == 1 else 's'} (last 0)" if most else "no open session at any look"
    for text in (run.output, (folder / "summary.md").read_text()):
        assert "Server: CPU up to " in text
        assert f" descriptors, {sessions}." in text


def test_a_server_without_both_pages_is_no_error(tmp_path: Path, run_at: RunAt) -> None:
    """Each is named once."""
    program = ROOT / "tests" / "contract" / "sdk_server.py"
    server = Started("sdk", [sys.executable, str(program)], tmp_path, {})
    try:
        server.says("http://")
        address = server.output.split()[-1]
        run = run_at(address, MOP_HTTP_BASE=f"{address}/json/mcp")
        run.single("tools_call_rps", "-u", "2", "-t", "1s")
        assert run.wait() == 0, run.output
    finally:
        server.end()
    side = run.summary["server_side"]
    assert (side["health"], side["metrics"], side["samples"]) == (False, False, [])
    assert side["notes"] == ["no /health there: HTTP 404", "no /metrics there: HTTP 404"]
    assert run.output.count("server: no /metrics there: HTTP 404") == 1
    assert run.summary["verdict"]["validity"] == "valid"
