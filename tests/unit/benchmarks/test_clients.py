"""What is run, in which order, and what is read of what it says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.bare_sockets import sessions
from benchmarks.compare import rotated
from benchmarks.cpu import Spent, spend
from benchmarks.latency import wrk_p99
from benchmarks.memory import longest_pause_ms, source_addresses
from benchmarks.operations import OPERATIONS
from benchmarks.peers import Load, Peer, peers
from benchmarks.servers import KEY, Server, embedded, plain_environment

WRK_OUTPUT = """
  Latency Distribution
     50%  310.00us
     99%    1.23ms
  5487 requests in 3.00s, 23.10MB read
"""


def named(name: str) -> Peer:
    """The peer of that name."""
    return next(peer for peer in peers({}) if peer.name == name)


def load(folder: Path) -> Load:
    """A run of the kept session."""
    return Load(OPERATIONS[0], Server("embedded", "127.0.0.1", 8000, 1, True), 10, 3, folder)


def test_each_peer_begins_a_round_in_turn() -> None:
    """After as many rounds as peers each was first once."""
    everybody = peers({})
    firsts = [rotated(everybody, number)[0].name for number in range(len(everybody))]
    assert firsts == [peer.name for peer in everybody]


def test_wrk_is_believed_only_without_errors(tmp_path: Path) -> None:
    """Its own count is read for comparison with the server's."""
    claim = named("wrk").claim
    assert claim(load(tmp_path), Spent(0, 1.0, 0.4, 3.0, WRK_OUTPUT)) == 5487
    with pytest.raises(ValueError, match="some requests failed"):
        claim(load(tmp_path), Spent(0, 1.0, 0.4, 3.0, f"{WRK_OUTPUT}  Non-2xx or 3xx responses: 3\n"))


def test_k6_is_believed_only_without_failures(tmp_path: Path) -> None:
    """k6 calls the true values of a rate its passes: here they are the failures."""
    claim = named("k6").claim
    (tmp_path / "k6.json").write_text('{"metrics": {"failures": {"passes": 0, "fails": 100}}}')
    assert claim(load(tmp_path), Spent(0, 1.0, 0.4, 3.0, "")) == 100
    (tmp_path / "k6.json").write_text('{"metrics": {"failures": {"passes": 1, "fails": 99}}}')
    with pytest.raises(ValueError, match="1 operations failed"):
        claim(load(tmp_path), Spent(0, 1.0, 0.4, 3.0, ""))


def test_bare_sockets_do_what_the_server_counts() -> None:
    """Each session of theirs is opened, asked a ping and closed cleanly."""
    with embedded() as server:
        done = sessions(server.host, server.port, KEY, 0.2)
        counted = server.counts()
    assert done > 0
    assert [counted[name] for name in ("sockets_opened", "websocket ping", "sockets_closed_cleanly")] == [done] * 3


def test_a_peer_that_is_not_there_says_so() -> None:
    """It is named, not an error."""
    missing = {peer.name: peer.missing for peer in peers({"K6": "/nowhere/k6", "WRK": "/nowhere/wrk"})}
    assert missing["k6"] == "no k6 on the path or in K6"
    assert missing["wrk"] == "no wrk on the path or in WRK"
    assert missing["mop-locust"] == ""


@pytest.mark.parametrize(("text", "milliseconds"), [("99%    1.23ms", 1.23), ("99%  310.00us", 0.31), ("99%    2.00s", 2000.0)])
def test_the_p99_of_wrk_is_read_in_milliseconds(text: str, milliseconds: float) -> None:
    """wrk chooses the unit."""
    assert wrk_p99(text) == pytest.approx(milliseconds)


def test_wrk_without_a_p99_is_an_error() -> None:
    """It ended before its table."""
    with pytest.raises(ValueError, match="no P99"):
        wrk_p99("")


def test_the_time_of_children_is_in_what_a_command_spent(tmp_path: Path) -> None:
    """A child that was waited for burns a tenth of a second of CPU."""
    burn = "import time\nwhile time.process_time() < 0.1: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}], check=True); print('done')"
    spent = spend([sys.executable, "-c", parent], plain_environment(), tmp_path, 30.0)
    assert (spent.exit_code, spent.output) == (0, "done\n")
    assert spent.cpu >= 0.1
    assert 0 <= spent.system <= spent.cpu


def test_a_command_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    """With the code of its signal."""
    assert spend([sys.executable, "-c", "import time; time.sleep(60)"], plain_environment(), tmp_path, 0.2).exit_code == -9


def test_a_source_address_has_its_share_of_ports() -> None:
    """One is enough for 20,000 connections."""
    assert (source_addresses(20_000), source_addresses(20_001)) == ("127.0.0.1", "127.0.0.1,127.0.0.2")


def test_only_the_pauses_after_the_ramp_up_count() -> None:
    """Memory is settled once when all users are there, and that stops them."""
    windows = [
        {"start_s": second, "series": series(pause), "gauges": {"w": {"users": float(users)}}}
        for second, pause, users in ((9, 90_000, 80), (10, 150_000, 100), (11, 0, 100), (12, 7_000, 100), (13, 1_500, 60))
    ]
    assert longest_pause_ms(windows, 100) == 7.0
    assert longest_pause_ms(windows, 101) == 0.0


def series(pause: int) -> dict[str, object]:
    """The series of a second with one collection of so many microseconds, or with none."""
    return {"gc_pause": {"histogram": {"max": pause}}} if pause else {}
