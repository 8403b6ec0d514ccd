"""The words at the head and the foot of every report."""

from __future__ import annotations

from mop_locust.report import headline
from tests.unit.report.sample_summary import dead_summary, green_summary, look, red_summary


def test_verdict_words() -> None:
    """The exit code is said where it is not 0."""
    assert headline.verdict_words(green_summary()) == "PASSED, valid"
    assert headline.verdict_words(red_summary()) == "CROSSED, incomplete, exit code 4"
    assert headline.verdict_words(dead_summary()) == "NO DATA, valid, exit code 3"


def test_run_parts() -> None:
    """Targets, server, size and length; what is not known is left out."""
    assert headline.run_parts(green_summary()) == [
        "http://localhost:8000/mcp",
        "meta-orchestration-protocol 0.1.4",
        "20 users on 2 workers",
        "1m00s",
    ]
    both = dead_summary()
    both["run"]["target"]["websocket"] = "ws://localhost:8000/ws"
    assert headline.run_parts(both) == [
        "http://localhost:8000/mcp",
        "ws://localhost:8000/ws",
        "1 user in one process",
        "0s of 1m00s",
    ]


def test_length_names_the_plan_only_when_it_was_missed() -> None:
    """Less than a second early is as planned, and so is a run without a plan."""
    summary = green_summary()
    summary["run"]["seconds"] = 59.1
    assert headline.length(summary) == "59s"
    summary["run"]["seconds"] = 12.3
    assert headline.length(summary) == "12s of 1m00s"
    summary["run"]["planned_seconds"] = None
    assert headline.length(summary) == "12s"


def test_workers_text() -> None:
    """A range of CPU, the worst lag, and who is missing."""
    summary = green_summary()
    assert headline.workers_text(summary) == "Workers at 31 % of a core, loop lag P99 0.9 ms."
    summary["workers"][0]["cpu_percent"] = 12.0
    assert headline.workers_text(summary) == "Workers at 12 to 31 % of a core, loop lag P99 0.9 ms."
    summary["workers"].pop()
    assert headline.workers_text(summary) == "Worker at 12 % of a core, loop lag P99 0.9 ms."
    summary["run"]["workers"] = 0
    assert headline.workers_text(summary) == "The process at 12 % of a core, loop lag P99 0.9 ms."
    summary["workers"][0]["cpu_percent"] = None
    assert headline.workers_text(summary) == "Loop lag P99 0.9 ms."
    summary["workers"][0] |= {"loop_lag_ms": None, "state": "lost"}
    assert headline.workers_text(summary) == "1 of 1 worker did not finish."
    assert headline.workers_text(dead_summary()) == ""


def test_server_text() -> None:
    """Peaks of CPU and of open sessions; the first and the last of what grows, once where they read the same; nothing unknown."""
    summary = green_summary()
    assert headline.server_text(summary) == (
        "Server: CPU up to 31 % of a core, RSS 33.9 MiB to 41.2 MiB, 16 to 18 descriptors, up to 20 open sessions (last 1)."
    )
    summary["server_side"]["samples"] = [look(0.0, None, 1e9, None, 1.0), look(5.0, None, 1e9, None, None)]
    assert headline.server_text(summary) == "Server: RSS 953.7 MiB, up to 1 open session (last 1)."
    summary["server_side"]["samples"] = [
        look(float(at), None, None, None, open_) for at, open_ in enumerate((0.0, 1234.0, 3.0, None))
    ]
    assert headline.server_text(summary) == "Server: up to 1,234 open sessions (last 3)."
    summary["server_side"]["samples"] = [look(0.0, None, None, None, 0.0)]
    assert headline.server_text(summary) == "Server: no open session at any look."
    summary["server_side"]["samples"] = []
    assert headline.server_text(summary) == headline.server_text(dead_summary()) == ""


def test_remarks_name_what_is_not_there_of_the_server() -> None:
    """Behind the run's own notes."""
    summary = red_summary()
    summary["server_side"]["notes"] = ["no /metrics there: HTTP 404"]
    assert headline.remarks(summary)[-2:] == [
        "note: 20 of 20 streams were ended by the server after 0 ms: keep-alive was not observed.",
        "server: no /metrics there: HTTP 404",
    ]


def test_remarks_say_nothing_twice() -> None:
    """Reasons, findings of a failed preflight and notes, without those that the first sentence holds already."""
    assert headline.remarks(green_summary()) == []
    assert headline.remarks(dead_summary()) == []
    assert headline.remarks(red_summary()) == [
        "incomplete: worker 1 was lost at 0:44; at most 1 s of its samples is missing.",
        "note: 20 of 20 streams were ended by the server after 0 ms: keep-alive was not observed.",
    ]
    summary = dead_summary()
    summary["preflight"]["findings"].insert(0, "HTTP: 4 tools.")
    assert headline.remarks(summary) == ["preflight: HTTP: 4 tools."]
