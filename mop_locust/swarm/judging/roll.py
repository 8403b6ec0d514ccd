"""The roll of the workers: who they are, whether they belong here, since when."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

import gevent
import msgspec
from locust.runners import MasterRunner

from mop_locust.config import ApiKey
from mop_locust.report.provenance import Machine
from mop_locust.swarm.link.addresses import count_addresses
from mop_locust.swarm.refusal import Refused

HELLO_SECONDS = 5.0  # for a worker to say who it is
ASK_SECONDS = 1.0  # a worker tells by itself; one whose word was lost is asked, no sooner than it can answer
POLL_SECONDS = 0.05
LOOK_UP_SECONDS = 0.25
FIRST_WORD_SECONDS, NEXT_WORD_SECONDS = 5.0, 30.0  # of workers that are missing
SETTLED_SECONDS = 2.0  # the number of addresses behind a name is believed when it has not changed for so long

logger = logging.getLogger("mop_locust")


@dataclass
class Hello:
    """What a worker tells of itself."""

    host: str
    pid: int
    key_fingerprint: str
    clock_offset_s: float
    index: int
    machine: Machine | None = None


class Roll:
    """Calls the workers of a master by name; in a single process there are none."""

    def __init__(self, runner: Any, key: ApiKey) -> None:
        self._runner = runner
        self._key = key
        self.hellos: dict[str, Hello] = {}

    @property
    def here(self) -> list[str]:
        """The workers that Locust knows now."""
        return list(self._runner.clients) if isinstance(self._runner, MasterRunner) else []

    def take(self, worker: str, told: dict[str, Any]) -> None:
        """Takes what a worker says of itself; KeyError or TypeError when it is not what a worker says."""
        offset = round(float(told["wall"]) - time.time(), 3)
        index = self._runner.get_worker_index(worker)
        try:
            machine = msgspec.convert(told.get("machine"), Machine)
        except msgspec.ValidationError:
            machine = None  # nothing is judged by it
        self.hellos[worker] = Hello(str(told["host"]), int(told["pid"]), str(told["key"]), offset, index, machine)

    def call(self) -> None:
        """Waits until each worker has said who it is; raises Refused for one that does not, or that has another key."""
        until, ask_at = time.monotonic() + HELLO_SECONDS, time.monotonic() + ASK_SECONDS
        while unknown := self.unknown:
            if time.monotonic() > until:
                raise Refused([f"worker {worker} does not say who it is: does it run the same mop-locust?" for worker in unknown])
            if time.monotonic() > ask_at:
                ask_at += ASK_SECONDS
                self.ask()
            gevent.sleep(POLL_SECONDS)
        others = [sentence for worker in self.here if (sentence := self.other_key(worker))]
        if others:
            raise Refused(others)

    @property
    def unknown(self) -> list[str]:
        """The workers that have not said who they are."""
        return [worker for worker in self.here if worker not in self.hellos]

    def ask(self) -> None:
        """Asks the unknown workers who they are."""
        for worker in self.unknown:
            self._runner.send_message("mop_who", None, client_id=worker)

    def other_key(self, worker: str) -> str:
        """Returns a sentence when the worker has another key than this process; \"\" when it has the same."""
        theirs, ours = self.hellos[worker].key_fingerprint, self._key.fingerprint
        if theirs == ours:
            return ""
        return f"MOP_API_KEY: worker {worker} has another key than the master (hash {theirs}, not {ours})"

    def await_workers(self, least: int, name: str, longest: float) -> str:
        """Waits for `least` workers, and for as many as the name ("" for none) has addresses.

        Waits at most `longest` seconds; 0 is without end. The number of addresses counts when it has stood for a while: copies of
        a service come up one after the other. Returns what is missing in the end; \"\" for nothing.
        """
        began = time.monotonic()
        behind, since, say_at = 0, began, began + FIRST_WORD_SECONDS
        while True:
            now = time.monotonic()
            if name and (found := count_addresses(name)) != behind:
                behind, since = found, now
            there, wanted = len(self._runner.clients.ready), max(least, behind)
            if there >= wanted and (not name or (behind and now - since >= SETTLED_SECONDS)):
                return ""
            if longest and now - began > longest:
                break
            if now > say_at:
                say_at += NEXT_WORD_SECONDS
                logger.warning("waiting for workers: %d of %d are here", there, wanted)
            gevent.sleep(LOOK_UP_SECONDS if name else POLL_SECONDS)
        if name and not behind:
            return f"the name {name!r} has no address after {longest:g} s"
        if there >= wanted:
            return f"the number of addresses behind the name {name!r} was still changing after {longest:g} s"
        return f"{there} of {wanted} came within {longest:g} s, {wanted - there} are missing"

    def is_shared_out(self) -> None:
        """Tells Locust's dispatcher that it has shared the users out, so that it does for the next worker that joins or leaves.

        It forgets that itself where the users were only shared out anew.
        """
        if self._runner._users_dispatcher is not None:
            self._runner._users_dispatcher._dispatch_in_progress = False

    def dismiss(self) -> None:
        """Tells every worker that was ever here to quit: one that Locust forgot would join the next master on this port."""
        for worker in self.hellos:
            self._runner.send_message("quit", None, client_id=worker)
