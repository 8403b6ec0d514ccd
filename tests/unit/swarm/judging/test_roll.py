"""What the workers say of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from mop_locust.config import ApiKey
from mop_locust.swarm.generating.machine import machine
from mop_locust.swarm.judging.roll import Roll


class Runner:
    """Stands in for a master: knows the index of each worker."""

    def get_worker_index(self, worker: str) -> int:
        """The number in its name."""
        return int(worker.removeprefix("w"))


def told(**more: Any) -> dict[str, Any]:
    """What a worker tells."""
    return {"host": "load-2", "pid": 7, "wall": 0.0, "key": "abcd", **more}


@pytest.mark.parametrize(
    ("given", "known"),
    [(machine(), True), (None, False), ({"kernel": 7}, False), ("a machine", False)],
)
def test_a_machine_is_known_when_it_is_one(given: object, known: bool) -> None:
    """What an older worker leaves out, or a strange one makes up, keeps nobody from the roll: nothing is judged by it."""
    roll = Roll(Runner(), ApiKey("k"))
    roll.take("w3", told(machine=given) if given is not None else told())
    hello = roll.hellos["w3"]
    assert (hello.host, hello.pid, hello.index, hello.key_fingerprint) == ("load-2", 7, 3, "abcd")
    assert hello.machine == (machine() if known else None)
