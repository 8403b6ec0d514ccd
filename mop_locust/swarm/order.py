"""What the master tells every process of a run: it travels to the workers with Locust's own spawn message, late ones too."""

from __future__ import annotations

from typing import Any

import msgspec

from mop_locust.federation.plan import Plan
from mop_locust.load.roster import Roster


class RunOrder(msgspec.Struct, frozen=True):
    """One run: its id, where the target is, how long it has been going when the order leaves, what the preflight found.

    `workers` share the ceiling of its rate. `rosters` say whose the arrivals of open load are; after `until_us` of the run (0: no
    such time) none comes any more. `plan` is what federated calls call.
    """

    run_id: str
    http_base: str
    base_url: str
    elapsed_us: int
    send_initialized: bool
    workers: int = 1
    rosters: tuple[Roster, ...] = ()
    until_us: int = 0
    plan: Plan = Plan([])


OPTION = "mop_run"  # the name beside our options, which Locust sends to the workers before `test_start`


def give(options: Any, order: RunOrder) -> None:
    """Puts the order where Locust's spawn message takes it along."""
    setattr(options, OPTION, msgspec.to_builtins(order))


def take(options: Any) -> RunOrder | None:
    """Returns the order that came with the spawn message; None when the master does not run mop_locust."""
    order = getattr(options, OPTION, None)
    return None if order is None else msgspec.convert(order, RunOrder)
