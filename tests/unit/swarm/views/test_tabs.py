"""The tabs of ours in Locust's own page."""

from __future__ import annotations

from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.views.tabs import TABLES, TABS, tab_rows
from tests.unit.swarm.judging.test_document import made
from tests.unit.swarm.runs import exchange, heard, ledger, made_run, word


def told(run: Run) -> dict[str, list[dict[str, object]]]:
    """The rows of each tab."""
    summary = made(run, "call_failures: rate<0.1", "sse_failures: rate<0.1")
    return {tab["key"]: tab["data"] for tab in tab_rows(summary, run)}


def seen() -> Run:
    """A run with two methods, a failure and two open sessions."""
    run = made_run(workers=1)
    own = ledger(run)
    own.gauge("open_sessions", 2.0)
    for at in range(4):
        own.record(exchange(1 + at, duration_us=2000, first_byte_us=1500))
    own.record(exchange(2, "http_status", "HTTP 500", method="initialize"))
    heard(run, word(own, 60.0))
    return run


def test_each_tab_has_a_table_of_the_same_name() -> None:
    """Locust looks for the table and the rows under the key of the tab."""
    assert [tab["key"] for tab in TABS] == [table["key"] for table in TABLES] == list(told(seen()))
    assert tab_rows(None, None) == [{"key": tab["key"], "data": []} for tab in TABS]


def test_the_calls_and_what_is_open() -> None:
    """In the order of a session; numbers are numbers, so that Locust can sort them."""
    calls = told(seen())["mop"]
    columns = [{column["key"] for column in table["structure"]} for table in TABLES if table["key"] == "mop"]
    assert {frozenset(row) for row in calls[:2]} == {frozenset(columns[0])}
    assert [(row["call"], row["count"], row["failed"], row["p50"], row["max"]) for row in calls[:2]] == [
        ("initialize", 1, 100.0, "-", "-"),
        ("tools/list", 4, 0.0, 2.0, 2.0),
    ]
    assert calls[2:] == [{"scenario": "", "transport": "", "call": "sessions open now", "count": 2}]


def test_the_thresholds_and_the_verdict() -> None:
    """The verdict stands under them, with its reasons."""
    rows = told(seen())["thresholds"]
    assert [(row["metric"], row["state"], row["found"]) for row in rows[:2]] == [
        ("call_failures", "crossed", "20.00 % of 5"),
        ("sse_failures", "no data", "-"),
    ]
    assert rows[2]["metric"] == "verdict"
    assert rows[2]["state"] == "CROSSED, valid, exit code 3"
    assert str(rows[2]["found"]).startswith("CROSSED: 20.00 % of 5 calls failed (limit 10 %)")


def test_the_load_generators() -> None:
    """One row a worker; what is not known is no zero."""
    assert told(seen())["generators"] == [
        {"worker": "0 0", "state": "finished", "exchanges": 5, "cpu": "-", "late": "-", "worst": "-"}
    ]
