"""The master's port: what may not pass changes nothing but a count."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from locust.exception import RPCError
from locust.rpc import Message

from mop_locust.swarm.link.border import MALFORMED, UNREADABLE, UNREGISTERED, Border


class Port:
    """A runner with a socket that gives these, and what it handled."""

    def __init__(self, *incoming: Any) -> None:
        self._incoming = list(incoming)
        self.clients = {"w1": object()}
        self.handled: list[tuple[str, str]] = []
        self.late: list[tuple[str, Any]] = []
        self.server = SimpleNamespace(recv_from_client=self.receive)
        self.border = Border(self, lambda worker, data: self.late.append((worker, data)))

    def receive(self) -> tuple[str, Any]:
        """The next frame."""
        item = self._incoming.pop(0)
        if isinstance(item, Exception):
            raise item
        return "w1", item

    def handle_message(self, client_id: str, message: Message) -> None:
        """Locust's own handling, which does not take everything."""
        if message.type == "strange":
            raise KeyError("user_count")
        self.handled.append((client_id, message.type))


def test_messages_of_the_workers_pass() -> None:
    """Nothing is turned away, and nothing is said."""
    port = Port()
    for kind in ("stats", "heartbeat", "client_ready"):
        port.handle_message("w1", Message(kind, {}, "w1"))
    assert port.handled == [("w1", "stats"), ("w1", "heartbeat"), ("w1", "client_ready")]
    assert port.border.sentence() == ""


def test_frames_that_cannot_be_read_are_passed_over() -> None:
    """The listener goes on with the next one; an error of the connection itself is Locust's to handle."""
    port = Port(ValueError("no msgpack"), UnicodeDecodeError("utf-8", b"", 0, 1, "x"), "good", RPCError("closed"))
    assert port.server.recv_from_client() == ("w1", "good")
    assert port.border.turned_away == {UNREADABLE: 2}
    with pytest.raises(RPCError):
        port.server.recv_from_client()


def test_a_report_in_the_name_of_another_is_turned_away() -> None:
    """Nobody speaks for a worker but itself."""
    port = Port()
    for kind in ("stats", "heartbeat", "quit", "client_stopped"):
        port.handle_message("intruder", Message(kind, {}, "w1"))
    assert port.handled == []
    assert port.border.turned_away == {MALFORMED: 4}


def test_a_report_of_nobody_goes_another_way() -> None:
    """It may be of a worker that Locust forgot: who knows the run decides. Locust itself would stumble over it."""
    port = Port()
    port.handle_message("w9", Message("stats", {"mop": b"x"}, "w9"))
    assert (port.handled, port.late) == ([], [("w9", {"mop": b"x"})])
    assert port.border.turned_away == {UNREGISTERED: 1}


def test_only_a_greeting_and_a_goodbye_pass_from_anybody() -> None:
    """What a worker says before it is registered, or after it was forgotten."""
    port = Port()
    for kind in ("client_ready", "locustfile", "quit", "heartbeat", "spawning_complete", "mop_fault"):
        port.handle_message("w9", Message(kind, {}, "w9"))
    assert [kind for _, kind in port.handled] == ["client_ready", "locustfile", "quit"]
    assert (port.border.turned_away, port.late) == ({UNREGISTERED: 3}, [])


def test_a_message_that_locust_cannot_take_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """The first of each kind is said, the others only counted."""
    port = Port()
    with caplog.at_level(logging.WARNING, "mop_locust"):
        for _ in range(3):
            port.handle_message("w1", Message("strange", None, "w1"))
    assert port.border.turned_away == {MALFORMED: 3}
    assert len(caplog.messages) == 1
    assert "'strange': KeyError: 'user_count'" in caplog.messages[0]


def test_the_sentence_for_the_report() -> None:
    """Kinds sorted, with their numbers."""
    port = Port(ValueError(), "good")
    port.server.recv_from_client()
    port.handle_message("w9", Message("stats", {}, "w9"))
    assert port.border.sentence() == (
        f"turned away at the master's port, without effect on any figure: 1 {UNREGISTERED}, 1 {UNREADABLE}"
    )
