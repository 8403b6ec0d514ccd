"""Who shares the load of a run: told when that changes, once, and a moment before it counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from locust.runners import STATE_MISSING, STATE_RUNNING, MasterRunner

from mop_locust.config import ApiKey
from mop_locust.federation.plan import Plan
from mop_locust.load.roster import Roster
from mop_locust.preflight import Findings
from mop_locust.swarm.judging.roll import Hello, Roll
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.judging.sharing import LEAD_US, ROSTER, Sharing
from tests.unit.swarm.runs import Calls, made_run, worked


class Master(MasterRunner):
    """A master's runner as far as it is asked: its workers, and what it sends."""

    def __init__(self, *workers: str) -> None:  # not Locust's, which listens
        self.clients: Any = {name: SimpleNamespace(state=STATE_RUNNING) for name in workers}
        self.sent: list[tuple[str, Any]] = []

    def __del__(self) -> None:
        """Nothing was opened."""

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """Keeps what is sent to all."""
        self.sent.append((msg_type, data))


def made(*workers: str, **values: str) -> tuple[Sharing, Master, Roll, Run]:
    """The sharing of a run that goes on, with these workers."""
    runner = Master(*workers)
    roll = Roll(runner, ApiKey("k"))
    for name in workers:
        roll.hellos[name] = Hello("host", 1, "", 0.0, 0)
    run = made_run(Calls, values=values, finished=False, stopping_us=0)
    sharing = Sharing(runner, roll)
    sharing.begin(run)
    return sharing, runner, roll, run


def joins(runner: Master, roll: Roll, name: str) -> None:
    """A worker comes, and says who it is."""
    runner.clients[name] = SimpleNamespace(state=STATE_RUNNING)
    roll.hellos[name] = Hello("host", 1, "", 0.0, 0)


def test_a_single_process_has_all_the_arrivals() -> None:
    """And nobody to tell."""
    runner: Any = SimpleNamespace(client_id="only")
    sharing = Sharing(runner, Roll(runner, ApiKey("k")))
    run = made_run(Calls, values={"MOP_ARRIVALS": "5/s"}, finished=False)
    sharing.begin(run)
    assert (sharing.workers, sharing.rosters) == (1, (Roster(0, ("only",)),))
    sharing.look(run)
    assert sharing.rosters == (Roster(0, ("only",)),)


def test_a_worker_that_comes_takes_its_part_a_moment_later() -> None:
    """Those before it keep their places; one that has not said who it is has none."""
    sharing, runner, roll, run = made("w1", "w2", MOP_ARRIVALS="5/s")
    assert sharing.rosters == (Roster(0, ("w1", "w2")),)
    sharing.look(run)
    runner.clients["w0"] = SimpleNamespace(state=STATE_RUNNING)
    sharing.look(run)
    assert runner.sent == []
    joins(runner, roll, "w0")
    before = run.elapsed_us
    sharing.look(run)
    sharing.look(run)
    [(kind, told)] = runner.sent
    assert (kind, told["workers"]) == (ROSTER, ("w1", "w2", "w0"))
    assert before + LEAD_US <= told["since_us"] <= run.elapsed_us + LEAD_US
    assert sharing.rosters[1:] == (Roster(told["since_us"], ("w1", "w2", "w0")),)


@pytest.mark.parametrize("how", ["missing", "last word", "silent"])
def test_a_worker_that_goes_has_no_part_any_more(how: str) -> None:
    """Locust misses it, it said its last word, or nothing for five seconds."""
    sharing, runner, _, run = made("w1", "w2", MOP_ARRIVALS="5/s")
    if how == "missing":
        runner.clients["w1"].state = STATE_MISSING
    else:
        worked(run, "w1", until_s=3.0, final=how == "last word")
    sharing.look(run)
    [(_, told)] = runner.sent
    assert told["workers"] == ("w2",)


def test_nothing_changes_at_the_end_or_without_arrivals() -> None:
    """Workers leave then, as they should; and closed load needs no roster."""
    sharing, runner, roll, run = made("w1", MOP_ARRIVALS="5/s")
    joins(runner, roll, "w2")
    run.stopping_us = 1
    sharing.look(run)
    run.finished = True
    sharing.look(run)
    sharing.look(None)
    closed, master, other, plain = made("w1")
    joins(master, other, "w2")
    closed.look(plain)
    assert (runner.sent, master.sent, closed.rosters, closed.workers) == ([], [], (), 2)


def test_the_ceiling_is_shared_anew() -> None:
    """Told once, where there is one."""
    sharing, runner, roll, run = made("w1", MOP_MAX_RPS="10")
    joins(runner, roll, "w2")
    sharing.look(run)
    sharing.look(run)
    assert runner.sent == [("mop_share", {"workers": 2})]


@pytest.mark.parametrize(("wanted", "takes", "sent"), [("auto", True, True), ("auto", False, False), ("always", False, True)])
def test_an_order_says_what_the_preflight_found(wanted: str, takes: bool, sent: bool) -> None:
    """Where the target is, whether it takes `notifications/initialized`, how many share a ceiling, who takes the arrivals."""
    sharing, _, _, run = made("w1", "w2", MOP_INITIALIZED=wanted, MOP_ARRIVALS="5/s")
    run.findings = Findings(takes_initialized=takes)
    order = sharing.order(run)
    assert (order.run_id, order.http_base, order.base_url) == (run.id, run.settings.http_base, run.settings.base_url)
    assert (order.send_initialized, order.workers, order.rosters) == (sent, 2, (Roster(0, ("w1", "w2")),))
    assert (order.plan, sharing.order(made("w1")[3]).plan) == (run.findings.plan, Plan([]))
