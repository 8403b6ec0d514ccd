"""A judged run as the document of all reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mop_locust.config.stages import Stage
from mop_locust.metrics.accumulators import CounterTotal, TrendTotal
from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.totals import Totals
from mop_locust.preflight import Findings
from mop_locust.report.document import SummaryDocument, encode_summary, read_summary
from mop_locust.server_side import Course
from mop_locust.server_side.usage import Usage
from mop_locust.swarm.judging.document import document, notes
from mop_locust.swarm.judging.roll import Hello
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.judging.validity import validity
from mop_locust.verdict.judge import judge
from mop_locust.verdict.threshold import parse_all
from tests.unit.swarm.runs import SECOND, STARTED_US, Calls, Storm, Streams, exchange, heard, ledger, made_run, word, worked


def made(run: Run, *thresholds: str) -> SummaryDocument:
    """The document of a run, judged by these thresholds."""
    parsed, mistakes = parse_all(thresholds)
    assert mistakes == []
    totals = run.merge.totals()
    return document(run, totals, judge(totals, parsed, seconds=run.seconds, validity=validity(run, totals)), "calls")


def test_what_was_run_and_for_how_long() -> None:
    """Times in UTC, options as they were given."""
    run = made_run(findings=Findings(server_name="tiny", server_version="1.2"))
    worked(run, "local", exchange())
    told = made(run)["run"]
    suite_version = told.pop("suite_version")  # type: ignore[misc]
    assert suite_version.count(".") >= 1
    assert told == {
        "id": "r-1",
        "scenario": "calls",
        "scenarios": ["calls"],
        "target": {"http": "http://localhost:8000/mcp", "websocket": None},
        "server": {"name": "tiny", "version": "1.2"},
        "users": 20,
        "workers": 0,
        "planned_seconds": 60.0,
        "seconds": 60.0,
        "started": "2027-01-15T08:00:00.000Z",
        "ended": "2027-01-15T08:01:00.000Z",
        "stopped_by": "run time",
        "load_seconds": 60.0,
        "options": {"MOP_RPS_VUS": "20"},
        "notes": [],
    }


@pytest.mark.parametrize(("cls", "http", "websocket"), [(Storm, False, True), (Streams, True, False), (Calls, True, False)])
def test_only_the_endpoints_that_were_used_are_named(cls: type, http: bool, websocket: bool) -> None:
    """A reader must not think that both were tested."""
    run = made_run(cls)
    target = made(run)["run"]["target"]
    assert target == {
        "http": run.settings.http_base if http else None,
        "websocket": run.settings.base_url if websocket else None,
    }
    both = made(made_run(Storm, Calls))["run"]
    assert (None in both["target"].values(), both["scenarios"]) == (False, ["calls", "storm"])


def early(n: int, *lifetimes_ms: int, keepalives: int = 0) -> Totals:
    """Totals of streams: so many ended early, of these lifetimes."""
    totals, histogram = Totals(), Histogram()
    for lifetime in lifetimes_ms:
        histogram.record(lifetime * 1000)
    totals.add(("sse_early_ends", ()), CounterTotal(n))
    if lifetimes_ms:
        totals.add(("sse_stream_lifetime", ()), TrendTotal(histogram))
    if keepalives:
        totals.add(("sse_keepalives", ()), CounterTotal(keepalives))
    return totals


def test_streams_that_the_server_ended_early_are_named() -> None:
    """How many of how many, after how long (the median), and whether any keep-alive was seen."""
    assert notes(early(2, 100, 100, 5000, 5000, 100)) == [
        "2 of 5 streams were ended by the server after 100 ms: keep-alive was not observed"
    ]
    assert notes(early(1200, *[30] * 1300, keepalives=1)) == ["1,200 of 1,300 streams were ended by the server after 30 ms"]
    assert notes(early(1)) == ["1 of 0 streams were ended by the server after 0 ms: keep-alive was not observed"]


def test_without_early_ends_there_is_no_note() -> None:
    """Neither with a count of none nor without streams at all."""
    assert notes(early(0, 5000)) == []
    assert notes(Totals()) == []


def test_a_late_worker_and_the_runs_own_notes_are_told() -> None:
    """A worker that joined in the middle is named; a first report after some seconds is a usual one."""
    run = made_run(workers=2, notes=["the statistics were reset"])
    worked(run, "w1", exchange(), from_s=2.5)
    worked(run, "w2", exchange(26), from_s=25.25)
    assert made(run)["run"]["notes"] == ["worker w2 joined after 25.2 s", "the statistics were reset"]


def test_each_worker_has_its_row() -> None:
    """Sorted by name: what it did, how it ended, what speaks for or against it."""
    run = made_run(workers=3)
    run.hellos["w1"] = Hello("host-1", 4711, "abcd", -0.25, 2)
    own = ledger(run, "w1")
    own.record(exchange(0.5))
    own.record(exchange(1.5, outcome="timeout", error="no answer"))
    own.gauge("cpu_percent", 15.0)
    own.gauge("rss_bytes", 64e6)
    own.gauge("open_files", 40)
    own.trend("gc_pause", (), 7_000, STARTED_US + SECOND)
    for lag_us in (100, 100, 200):
        own.trend("loop_lag", (), lag_us, STARTED_US + SECOND)
    heard(run, word(own, 2, final=False))
    own.gauge("cpu_percent", 48.0)
    word(own, 3, final=False)  # a report that never arrived
    heard(run, word(own, 60))
    worked(run, "w3", exchange(), until_s=20)
    worked(run, "w2", until_s=30, final=False)
    first, second, third = made(run)["workers"]
    assert first == {
        "id": "w1",
        "index": 2,
        "host": "host-1",
        "pid": 4711,
        "state": "finished",
        "first_s": 2.0,
        "last_s": 60.0,
        "sequence": 3,
        "gaps": 1,
        "exchanges": 2,
        "cpu_percent": 31.5,
        "loop_lag_ms": {"p50": 0.1, "p99": 0.2, "max": 0.2},
        "clock_offset_s": -0.25,
        "rss_bytes": 64e6,
        "open_files": 40.0,
        "gc_pause_max_ms": 7.0,
        "cpu_percent_peak": 48.0,
        "rss_bytes_peak": 64e6,
    }
    assert (second["id"], second["state"], second["exchanges"], second["cpu_percent"]) == ("w2", "lost", 0, None)
    assert (second["host"], second["pid"], second["clock_offset_s"], second["loop_lag_ms"]) == ("", 0, None, None)
    assert (third["id"], third["state"], third["last_s"], third["exchanges"]) == ("w3", "stopped", 20.0, 1)


def test_the_master_has_its_figures_where_there_is_one() -> None:
    """A single process judges itself, and stands among the workers."""
    run = made_run(workers=1)
    run.trend("loop_lag", (), 1500, 0)
    for cpu, memory in ((2.0, 50e6), (4.0, 60e6)):
        run.gauge("cpu_percent", cpu)
        run.gauge("rss_bytes", memory)
    master = made(run)["master"]
    readings = master.pop("readings")
    assert [value for _, value in readings["rss_bytes"]] == [50e6, 60e6]
    assert readings["open_files"] == []
    assert master == {
        "cpu_percent": 3.0,
        "rss_bytes": 60e6,
        "open_files": None,
        "loop_lag_ms": {"p50": 1.5, "p99": 1.5, "max": 1.5},
        "cpu_percent_peak": 4.0,
    }
    assert "master" not in made(made_run(workers=0))


def test_what_was_seen_of_the_server_stands_beside_it() -> None:
    """While the run goes on too; a run that never began has none."""
    run = made_run()
    assert "server_side" not in made(run)
    run.server = Course(pid=4711)
    run.server.add(1.0, Usage(threads=2.0), 3.0, {"calls_total": 7.0})
    for finished in (True, False):
        run.finished = finished
        side = made(run)["server_side"]
        assert (side["pid"], side["samples"][0]["metrics"]) == (4711, {"calls_total": 7.0})


def test_the_errors_are_rows_by_class() -> None:
    """The most frequent first, with the seconds of the first and the last."""
    run = made_run()
    worked(
        run,
        "local",
        exchange(1, outcome="http_status", error="HTTP 503"),
        exchange(2, outcome="timeout", error="no answer", duration_us=500_000),
        exchange(4, outcome="timeout", error="no answer", duration_us=500_000),
    )
    rows = made(run)["errors"]
    assert [(row["method"], row["outcome"], row["error"], row["count"]) for row in rows] == [
        ("tools/list", "timeout", "no answer", 2),
        ("tools/list", "http_status", "HTTP 503", 1),
    ]
    assert (rows[0]["scenario"], rows[0]["transport"], rows[0]["tool"]) == ("calls", "http", "")
    assert (rows[0]["first_s"], rows[0]["last_s"]) == (2.5, 4.5)


def test_the_metrics_and_windows_are_those_of_all_workers() -> None:
    """Merged: counts add up, and each second has its own row."""
    run = made_run(workers=2)
    worked(run, "w1", exchange(0.5), exchange(2.5))
    worked(run, "w2", exchange(2.6))
    summary = made(run)
    assert summary["metrics"]["calls"]["count"] == 3
    assert summary["metrics"]["calls"]["outcomes"] == {"ok": 3}
    series = "calls{method:tools/list,scenario:calls,transport:http}"
    assert [(row["start_s"], row["series"][series]["count"]) for row in summary["windows"]] == [(0, 1), (2, 2)]


def test_the_preflight_is_told_with_what_is_wrong_last() -> None:
    """Its exchanges beside its findings, outside every metric."""
    findings = Findings(
        sentences=["fine"],
        target_faults=["gone"],
        mistakes=["yours"],
        exchanges=[exchange(method="initialize", duration_us=1500), exchange(outcome="http_status", error="HTTP 500")],
    ).close()
    told = made(made_run(findings=findings))["preflight"]
    assert (told["state"], told["findings"]) == ("failed", ["fine", "gone", "yours"])
    assert told["exchanges"] == [
        {"transport": "http", "method": "initialize", "outcome": "ok", "duration_ms": 1.5, "error": ""},
        {"transport": "http", "method": "tools/list", "outcome": "http_status", "duration_ms": 2.0, "error": "HTTP 500"},
    ]


def test_a_run_without_preflight_says_so() -> None:
    """And knows no server."""
    summary = made(made_run())
    assert summary["preflight"] == {"state": "off", "findings": [], "exchanges": []}
    assert summary["run"]["server"] is None
    assert made(made_run(findings=Findings()))["run"]["server"] is None


def test_the_verdict_has_its_sentence_when_it_is_red() -> None:
    """And none when it is green."""
    run = made_run()
    worked(run, "local", exchange(), exchange(outcome="timeout", error="no answer"))
    green, red = made(run, "call_failures: rate<0.9"), made(run, "call_failures: rate<0.1")
    assert (green["verdict"]["state"], green["verdict"]["exit_code"], green["verdict"]["sentence"]) == ("PASSED", 0, "")
    assert (red["verdict"]["state"], red["verdict"]["exit_code"]) == ("CROSSED", 3)
    assert red["verdict"]["sentence"].startswith("CROSSED: 50.00 % of 2 calls failed")


def test_what_came_before_a_reset_is_kept_apart() -> None:
    """The figures cover what followed; without a reset there is no such member."""
    run = made_run()
    own = ledger(run, "local")
    own.record(exchange(1))
    own.reset()
    own.record(exchange(20))
    own.record(exchange(21))
    heard(run, word(own, 60))
    summary = made(run)
    assert summary["metrics"]["calls"]["count"] == 2
    assert summary["before_reset"]["calls"]["count"] == 1
    plain = made_run()
    worked(plain, "local", exchange())
    assert "before_reset" not in made(plain)


def test_the_document_can_be_written_and_read_back(tmp_path: Path) -> None:
    """Shape and values are those that the reports read."""
    run = made_run(Calls, Storm, findings=Findings(sentences=["fine"]), workers=1)
    worked(run, "w1", exchange(), exchange(outcome="check", error="short", tool="search"))
    summary = made(run, "call_failures: rate<0.9")
    path = tmp_path / "summary.json"
    path.write_bytes(encode_summary(summary))
    assert read_summary(path) == summary


def test_a_run_that_goes_on_has_no_end_and_leaves_its_windows_out() -> None:
    """Whoever looks at it live asks for the windows apart; its workers are running."""
    run = made_run(finished=False, stopping_us=0)
    run.take(word(ledger(run, "local"), 1, final=False))
    told = made(run)
    assert (told["run"]["ended"], told["windows"], [worker["state"] for worker in told["workers"]]) == ("", [], ["running"])


@pytest.mark.parametrize(("values", "unit"), [({}, "users"), ({"MOP_ARRIVALS": "steady=60s:5/s"}, "arrivals/s")])
def test_each_stage_has_its_target_and_its_figures(values: dict[str, str], unit: str) -> None:
    """What the target counts stands beside it."""
    run = replace(made_run(values=values), stages=(Stage("jump", 0, 5.0), Stage("steady", 60, 5.0)))
    worked(run, "local", exchange(0.5), exchange(59.5))
    totals = run.merge.totals()
    verdict = judge(totals, [], seconds=run.seconds, validity=validity(run, totals))
    jump, steady = document(run, totals, verdict, "calls", run.stage_parts())["stages"]
    assert (jump.pop("metrics"), jump["seconds"]) == ({}, 0.0)  # type: ignore[misc]
    assert steady.pop("metrics")["calls"]["count"] == 2  # type: ignore[misc]
    assert steady == {
        "name": "steady",
        "start_s": 0,
        "planned_seconds": 60,
        "target": 5.0,
        "unit": unit,
        "seconds": 60.0,
    }
