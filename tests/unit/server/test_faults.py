"""What a fault is, when it strikes, and that connections, a seed and the end of a server are as they should be."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mop_locust.server.faults import FAULTS, Fault, Faults, Place, explain_faults, read_fault
from mop_locust.server.options import Options, add_arguments, read_options
from mop_locust.server.spoiler import next_id

from .conftest import body
from .faulty import SHORT, Start, connected, initialize, read_to_end, request


def test_a_fault_is_a_name_and_a_rate() -> None:
    """The rate is 1 unless it is given."""
    assert read_fault("stall") == Fault("stall", 1.0)
    assert read_fault("500:0.25") == Fault("500", 0.25)


@pytest.mark.parametrize("text", ["stal", "stall:", "stall:2", "stall:-1", "stall:nan", "stall:x", ""])
def test_anything_else_is_refused(text: str) -> None:
    """With what is allowed."""
    with pytest.raises(ValueError, match=r"there are refuse, reset|allowed: a number from 0 to 1"):
        read_fault(text)


def test_every_fault_is_one_sentence_of_the_help() -> None:
    """On the command line."""
    for fault, kind in FAULTS.items():
        assert kind.sentence.endswith(".")
        assert f"  {fault}\n      {kind.sentence}" in explain_faults()
    command = [sys.executable, "-m", "mop_locust.server", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]).stdout
    assert explain_faults() in shown


def test_the_options() -> None:
    """Faults and methods add up; the rate of a fault that is given wrong is told on the command line."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    line = ["--fault", "stall", "--fault", "500:0.5", "--fault-on", "ping", "--fault-on", "GET", "--fault-seed", "7"]
    options = read_options(parser.parse_args(line), {})
    assert options == Options(faults=(Fault("stall"), Fault("500", 0.5)), fault_on=("ping", "GET"), fault_seed=7)
    with pytest.raises(argparse.ArgumentError, match="'stal' is no fault; there are refuse"):
        parser.parse_args(["--fault", "stal"])


def test_the_seed_decides_what_is_struck() -> None:
    """The same seed gives the same course; the share is about the rate; 0 is never and 1 always."""

    def course(rate: float, seed: int) -> list[bool]:
        faults = Faults([Fault("stall", rate)], (), seed)
        return [faults.draw({Place.ANSWER}) == "stall" for _ in range(1000)]

    assert course(0.3, 1) == course(0.3, 1)
    assert course(0.3, 1) != course(0.3, 2)
    assert 200 < sum(course(0.3, 1)) < 400
    assert not any(course(0.0, 1))
    assert all(course(1.0, 1))


def test_a_fault_strikes_only_where_it_can_and_what_was_chosen() -> None:
    """The first that strikes counts; a connection has no method that could have been chosen."""
    faults = Faults([Fault("bad-frame"), Fault("stall"), Fault("refuse")], ["ping"], 0)
    assert faults.draw({Place.FRAME}, "ping") == "bad-frame"
    assert faults.draw({Place.ANSWER}, "ping") == "stall"
    assert faults.draw({Place.ANSWER}, "initialize") == ""
    assert faults.draw({Place.UPGRADE}, "ping") == ""
    assert faults.draw({Place.CONNECTION}) == "refuse"
    assert not Faults([], (), 0)


@pytest.mark.parametrize(
    ("given", "wanted"), [(b"1", b"2"), (b"99", b"100"), (b'"user-9"', b'"user-10"'), (b'"a1b2c"', b'"a1b3c"'), (b"null", b"1")]
)
def test_the_next_id(given: bytes, wanted: bytes) -> None:
    """The last number in an id, and one more."""
    assert next_id(given) == wanted


def test_refuse_takes_no_connection(start: Start) -> None:
    """The port is the server's and nobody listens; it still ends in good order."""
    server = start("--fault", "refuse")
    with pytest.raises(ConnectionRefusedError):
        connected(server)
    assert server.end() == 0


def test_refuse_of_a_share_resets_connections(start: Start) -> None:
    """Some are taken and reset, the others are served."""
    server = start("--fault", "refuse:0.5", "--fault-seed", "3")
    ends = []
    for _ in range(20):
        try:
            with connected(server) as connection:
                connection.sendall(request("OPTIONS", {"Connection": "close"}))
                ends.append(read_to_end(connection)[1])
        except (ConnectionResetError, BrokenPipeError):
            ends.append("reset")
    assert set(ends) == {"reset", "end"}


def test_the_same_seed_gives_the_same_faults_at_the_wire(start: Start) -> None:
    """Two servers, the same course of answers."""

    def course() -> list[int]:
        server = start("--fault", "500:0.5", "--fault-seed", "9")
        return [initialize(server).status_code for _ in range(12)]

    first = course()
    assert set(first) == {200, 500}
    assert course() == first


def test_a_server_with_stalled_answers_ends_at_once(start: Start) -> None:
    """Streams and sockets that wait do not hold it."""
    server = start("--fault", "stall", "--fault-on", "GET", "--fault-on", "ping")
    session, _ = server.initialize()
    socket = server.socket()
    socket.send(body("ping"))
    with connected(server) as connection:
        connection.sendall(request("GET", session))
        connection.settimeout(SHORT)
        assert read_to_end(connection)[1] == "open"
        assert server.end(signal.SIGINT) == 0
