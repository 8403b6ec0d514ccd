"""The run that goes on, for whoever looks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.views.live import FRESH_US, LiveRun
from tests.unit.swarm.judging.test_document import made
from tests.unit.swarm.runs import exchange, ledger, made_run, word


class Judge:
    """What a LiveRun asks of a conductor."""

    def __init__(self, run: Run | None) -> None:
        self.run = run
        self.refused: list[str] = []
        self.folders: dict[str, Path] = {}
        self.looks = 0

    def live(self) -> Any:
        """The run as a summary."""
        self.looks += 1
        return None if self.run is None else made(self.run, "call_failures: rate<0.5")


class Watch:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_us = 0

    def __call__(self) -> int:
        return self.now_us


def looked(run: Run | None) -> tuple[Judge, Watch, LiveRun]:
    """A judge, a clock, and a live run of both."""
    judge, watch = Judge(run), Watch()
    return judge, watch, LiveRun(judge, watch)  # type: ignore[arg-type]


def ask(live: LiveRun, since: str = "") -> Any:
    """One answer."""
    return json.loads(live.answer(since))


def test_before_the_first_run_there_is_a_word_and_no_row() -> None:
    """And whatever was refused."""
    judge, _, live = looked(None)
    judge.refused = ["MOP_TIMEOUT_MS: '<b>' is not a number"]
    answer = ask(live)
    assert (answer["title"], answer["rows"], answer["whole"]) == ("mop-locust", [], True)
    assert "No run yet" in answer["parts"]["head"]
    assert "<li>MOP_TIMEOUT_MS: &#x27;&lt;b&gt;&#x27; is not a number</li>" in answer["parts"]["refused"]


def test_a_reader_gets_all_and_then_what_changed() -> None:
    """A window to which a late worker adds is sent again, the others are not."""
    run = made_run(finished=False, ended_us=0)
    first, second = ledger(run, "w1"), ledger(run, "w2")
    for at in (0.5, 1.5, 2.5):
        first.record(exchange(at))
    second.record(exchange(0.6, "http_status", "HTTP 500"))
    run.take(word(first, 3.0, final=False))
    _, watch, live = looked(run)
    answer = ask(live)
    assert answer["whole"]
    assert [(row["start_s"], row["calls"]) for row in answer["rows"]] == [(0, {"http": 1}), (1, {"http": 1}), (2, {"http": 1})]
    assert answer["title"] == "PASSED, valid, so far: calls"
    assert {"head", "thresholds", "calls", "workers"} <= set(answer["parts"])
    watch.now_us += FRESH_US
    assert ask(live, answer["since"])["rows"] == []
    run.take(word(second, 1.0, final=False))
    watch.now_us += FRESH_US
    later = ask(live, answer["since"])
    assert not later["whole"]
    assert [(row["start_s"], row["calls"], row["failures"]) for row in later["rows"]] == [(0, {"http": 2}, {"http_status": 1})]


def test_it_is_worked_out_once_a_second_whoever_looks() -> None:
    """A hundred readers cost no more than one."""
    judge, watch, live = looked(made_run())
    for _ in range(100):
        ask(live)
    assert judge.looks == 1
    watch.now_us += FRESH_US - 1
    ask(live)
    assert judge.looks == 1
    watch.now_us += 1
    ask(live)
    assert judge.looks == 2


def test_a_mark_of_another_run_or_of_nobody_gives_the_whole() -> None:
    """As does a change of the windows' width."""
    run = made_run()
    own = ledger(run)
    own.record(exchange())
    run.take(word(own, 60.0))
    judge, watch, live = looked(run)
    since = ask(live)["since"]
    assert not ask(live, since)["whole"]
    for strange in ("", "/1", "other-1/1", "r-1-1/x", "r-1-1/-5", f"r-1-1/{'9' * 40}", "<script>"):
        assert ask(live, strange)["whole"], strange
        assert len(ask(live, strange)["rows"]) == len(ask(live)["rows"]) > 0
    judge.run = made_run(id="r-2")
    watch.now_us += FRESH_US
    answer = ask(live, since)
    assert (answer["whole"], answer["rows"]) == (True, [])


def test_the_reports_are_linked_newest_first() -> None:
    """By the names of their folders."""
    judge, _, live = looked(made_run())
    judge.folders = {"20270115T080000Z-calls": Path("a"), "20270115T090000Z-calls": Path("b")}
    assert ask(live)["parts"]["reports"] == (
        '<li><a href="mop/report/20270115T090000Z-calls/report.html">20270115T090000Z-calls</a></li>\n'
        '<li><a href="mop/report/20270115T080000Z-calls/report.html">20270115T080000Z-calls</a></li>\n'
    )
