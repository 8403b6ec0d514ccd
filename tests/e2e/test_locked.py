"""A swarm with a key: who has not that key can neither join, nor read, nor inject, nor stop anything; and is told so."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import zmq
from zmq.utils import z85

from mop_locust.config import ClusterKey
from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved
from tests.e2e.processes import LocustRun, Server, free_port, is_free, until
from tests.e2e.relay import Relay
from tests.e2e.test_border import message
from tests.e2e.test_input import CANARY

SHORT = ("-u", "4", "-t", "2s")
SAID_SECONDS = 15.0  # the start of a Python process on a busy machine, and CUT_SECONDS of attempts
CUTS = 10  # one each 0.1 to 0.2 s: longer than what a wrong key was once taken to show in, shorter than CUT_SECONDS
ANOTHER = ClusterKey.new()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The key file of a swarm."""
    file = tmp_path / "cluster.key"
    file.write_text(f"{ClusterKey.new().secret}\n")
    return file


class Peer:
    """Somebody who reaches the master's port: `server` is the public key that it takes the master's to be, "" for none."""

    def __init__(self, port: int, name: str, key: ClusterKey | None, server: bytes | None = None) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.IDENTITY, name.encode())
        self._socket.setsockopt(zmq.LINGER, 0)
        self.lets_in = 0
        if key is not None:
            secret = z85.encode(key.derived("worker"))
            self._socket.curve_secretkey, self._socket.curve_publickey = secret, zmq.curve_public(secret)
            self._socket.curve_serverkey = server or zmq.curve_public(z85.encode(key.derived("master")))
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self._socket.connect(f"tcp://127.0.0.1:{port}")

    def attack(self, victim: str) -> None:
        """Sends everything that harms a master without a key."""
        entry = {"name": "fake", "method": "http", "num_requests": 10**6, "response_times": {1: 10**6}}
        for frame in (
            message("client_ready", {"version": "2.47.0", "index": -1}, "stranger"),
            message("locustfile", None, "stranger"),
            message("stats", {"stats": [entry], "stats_total": entry, "errors": {}}, "stranger"),
            message("stats", {"stats": [entry], "stats_total": entry, "errors": {}}, victim),
            message("quit", None, victim),
            message("client_stopped", None, victim),
            b"\xc1",
            b"",
        ):
            with suppress(zmq.Again):  # the link may have been cut off already
                self._socket.send(frame, zmq.NOBLOCK)

    def heard(self, seconds: float) -> list[bytes]:
        """What the master told it in that time."""
        frames = []
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            if self._socket.poll(50):
                frames.append(self._socket.recv())
        return frames

    @property
    def was_let_in(self) -> bool:
        """Whether a handshake came about."""
        return bool(self._monitor.poll(0))

    def close(self) -> None:
        """Leaves."""
        self._socket.disable_monitor()
        self._socket.close()
        self._context.destroy(0)


def lines_to(port: int) -> Iterator[bytes]:
    """Bytes that are no ZeroMQ, each on a connection of its own."""
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" * 32
    for noise in (b"\xc1", b"GET / HTTP/1.1\r\n\r\n", greeting, greeting[:20], bytes(1000)):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            plain.sendall(noise)
            time.sleep(0.05)
        yield noise


def test_a_locked_run_is_exact_whatever_strangers_send(server: Server, run_at: RunAt, key: Path) -> None:
    """Without a key, with another key, and with the master's public key but no pair of the workers'."""
    run = run_at(server, MOP_CLUSTER_KEY_FILE=str(key))
    master = run.with_workers("tools_call_rps", 2, "-u", "6", "-t", "7s")
    until(lambda: sum(server.counts_now()["answered"].values()) > 60, what="load")
    ours = ClusterKey(key.read_text().strip())
    public = zmq.curve_public(z85.encode(ours.derived("master")))
    victim = socket.gethostname()
    peers = [
        Peer(run.port, victim, None),
        Peer(run.port, "stranger", ANOTHER),
        Peer(run.port, "insider", ANOTHER, server=public),
    ]
    for peer in peers:
        peer.attack(victim)
    assert len(list(lines_to(run.port))) == 5
    assert [peer.heard(0.7) for peer in peers] == [[], [], []]
    assert [peer.was_let_in for peer in peers] == [False, False, False]
    for peer in peers:
        peer.close()
    member = Peer(run.port, "member", ours)  # what the others failed in is possible with the key
    until(lambda: member.was_let_in, 10, what="a peer with the key")
    member.close()
    assert master.wait() == 0, run.output
    summary = run.summary
    conserved(summary, server.counts(), run.statistics)
    assert [worker["state"] for worker in summary["workers"]] == ["finished", "finished"]
    assert summary["verdict"]["validity"] == "valid", summary["verdict"]
    [note] = [note for note in summary["run"]["notes"] if note.startswith("turned away at the master's port")]
    assert "connections with another key, or none" in note
    assert "undecodable" not in note
    assert "never registered" not in note
    assert run.orphans() == []


@pytest.mark.parametrize("locked", [True, False])
def test_what_passes_between_master_and_workers_can_be_read_without_a_key_only(
    locked: bool, run_at: RunAt, key: Path, tmp_path: Path
) -> None:
    """Everything a worker and its master say goes through a relay that keeps it; the target's key is never in it."""
    with Server(tmp_path, key=CANARY) as server:
        run = run_at(server, MOP_API_KEY=CANARY, **({"MOP_CLUSTER_KEY_FILE": str(key)} if locked else {}))
        with Relay(run.port) as relay:
            run.master("tools_call_rps", 1, *SHORT)
            until(lambda: not is_free(run.port), what="a master that listens")  # the relay cuts who comes before
            run.worker("tools_call_rps", "--master-port", str(relay.port))
            assert run.wait() == 0, run.output
        conserved(run.summary, server.counts(), run.statistics)
    assert CANARY.encode() not in relay.up + relay.down
    assert key.read_bytes().strip() not in relay.up + relay.down
    assert len(relay.up) > 1000, "the worker's reports"
    assert len(relay.down) > 1000, "the master's spawn message"
    words = {"spawn": b"parsed_options", "target": server.address.encode(), "report": b"tools/list", "ready": b"client_ready"}
    seen = {name for name, word in words.items() if word in relay.up + relay.down}
    assert seen == (set() if locked else set(words))


@pytest.mark.parametrize(
    ("masters", "workers"),
    [("ours", ["another", ""]), ("", ["ours"])],
    ids=["a master with a key", "a master without"],
)
def test_a_worker_that_is_not_let_in_says_so_and_leaves(masters: str, workers: list[str], run_at: RunAt) -> None:
    """Each with 2, while the master goes on to wait, and says for how many."""
    secrets = {"ours": ClusterKey.new().secret, "another": ANOTHER.secret, "": ""}
    run = run_at("http://127.0.0.1:9")
    master = run.master("tools_call_rps", 1, *SHORT, MOP_CLUSTER_KEY=secrets[masters])
    until(lambda: not is_free(run.port), what="a master that listens")
    started = {name: run.worker("tools_call_rps", MOP_CLUSTER_KEY=secrets[name]) for name in workers}
    for name, worker in started.items():
        assert worker.wait(SAID_SECONDS) == 2, worker.output
        [line] = [line for line in worker.output.splitlines() if "does not let this worker in" in line]
        assert f"the master at 127.0.0.1:{run.port} " in line
        assert "MOP_CLUSTER_KEY_FILE" in line
        assert ("it has another key, or none" in line) == bool(name)
        assert "Traceback" not in worker.output
    if masters:
        master.says("waiting for workers: 0 of 1 are here")
    assert master.running
    assert [name for name, secret in secrets.items() if secret and secret in run.output] == []


def test_a_worker_joins_once_its_master_is_behind_what_cut_it_off(server: Server, run_at: RunAt, key: Path) -> None:
    """A proxy or a forwarded port takes connections before the master is there, and cuts each."""
    run = run_at(server, MOP_CLUSTER_KEY_FILE=str(key))
    with Relay(run.port, CUTS) as relay:
        run.master("tools_call_rps", 1, *SHORT)
        until(lambda: not is_free(run.port), what="a master that listens")  # how long it takes for that must not decide
        worker = run.worker("tools_call_rps", "--master-port", str(relay.port))
        assert run.wait() == 0, run.output
    assert relay.cuts == 0
    assert "does not let this worker in" not in worker.output
    conserved(run.summary, server.counts(), run.statistics)


@pytest.mark.parametrize("locked", [True, False], ids=["another key", "no key"])
def test_a_worker_takes_no_false_master(locked: bool, run_at: RunAt, key: Path) -> None:
    """What listens in the master's place hears nothing from it, and can order nothing."""
    run = run_at("http://127.0.0.1:9", MOP_CLUSTER_KEY_FILE=str(key))
    context = zmq.Context()
    false = context.socket(zmq.ROUTER)
    false.setsockopt(zmq.LINGER, 0)
    if locked:
        false.curve_secretkey = z85.encode(ANOTHER.derived("master"))
        false.curve_server = True
    false.bind(f"tcp://127.0.0.1:{run.port}")
    worker = run.worker("tools_call_rps")
    try:
        assert worker.wait() == 2, worker.output
        assert not false.poll(0), "the worker said something"
    finally:
        false.close()
        context.destroy(0)
    assert "does not let this worker in" in worker.output


def listening_at(run: LocustRun) -> set[str]:
    """The addresses at which anything of the run listens on its port."""
    found = [c for process in run.started[0].family() for c in process.net_connections("tcp")]
    return {str(c.laddr.ip) for c in found if c.status == psutil.CONN_LISTEN and c.laddr.port == run.port}


@pytest.mark.parametrize(
    ("given", "host", "addresses", "told"),
    [
        (False, "", {"127.0.0.1"}, ""),
        (False, "0.0.0.0", {"0.0.0.0"}, "without a key: whoever reaches it can join"),
        (True, "", {"::"}, ""),
    ],
    ids=["no key", "no key, all addresses", "a key"],
)
def test_without_a_key_the_master_listens_on_loopback_unless_told_otherwise(
    given: bool, host: str, addresses: set[str], told: str, run_at: RunAt, key: Path
) -> None:
    run = run_at("http://127.0.0.1:9", **({"MOP_CLUSTER_KEY_FILE": str(key)} if given else {}))
    where = ("--master-bind-host", host) if host else ()
    run.mop_locust("master", "tools_call_rps", "--master-bind-port", str(run.port), "--expect-workers", "1", *where)
    until(lambda: listening_at(run), what="a master that listens")
    assert listening_at(run) == addresses
    if told:
        run.started[0].says(told)
    else:
        time.sleep(1.0)  # what it would say, it says at once
        assert "without a key" not in run.output


def test_a_wrong_cluster_key_is_told_with_all_other_mistakes(run_at: RunAt, tmp_path: Path) -> None:
    """By the master before it waits for anybody, and by a worker before it connects; the value is not shown."""
    run = run_at("http://127.0.0.1:9", MOP_CLUSTER_KEY="too-short-to-be-one", MOP_API_KEY="two\nlines")
    master = run.master("tools_call_rps", 1, *SHORT, MOP_RPS_VUS="many")
    worker = run.worker("tools_call_rps")
    assert (master.wait(), worker.wait()) == (2, 2), run.output
    assert [told for told in ("MOP_CLUSTER_KEY: ", "MOP_API_KEY: ", "MOP_RPS_VUS") if told not in master.output] == []
    assert [told for told in ("MOP_CLUSTER_KEY: ", "MOP_API_KEY: ") if told not in worker.output] == []
    assert "too-short" not in run.output
    assert "Traceback" not in run.output


def test_a_swarm_from_the_three_commands(server: Server, run_at: RunAt, tmp_path: Path) -> None:
    """keygen, master, and two workers that name no scenario; SIGTERM to a command leaves nobody behind."""
    run = run_at(server, MOP_CLUSTER_KEY_FILE=str(tmp_path / "keys" / "cluster.key"))
    made = run.mop_locust("keygen", str(tmp_path / "keys"))
    assert made.wait() == 0, made.output
    assert (tmp_path / "keys" / "cluster.key").stat().st_mode & 0o777 == 0o600
    port = str(run.port)
    master = run.mop_locust(
        "master", "mixed", "--master-bind-port", port, "--expect-workers", "2", "-u", "15", "-t", "3s", "-H", server.url
    )
    workers = run.mop_locust("worker", f"127.0.0.1:{port}", "--processes", "2")
    assert master.wait() == 0, run.output
    assert workers.wait() == 0, run.output
    conserved(run.summary, server.counts())
    assert run.summary["run"]["workers"] == 2
    alone = run.mop_locust("worker", f"127.0.0.1:{free_port()}", "--processes", "2")
    until(lambda: len(alone.family()) == 3, what="two workers that look for their master")
    time.sleep(2.0)  # for them to have come so far
    alone.signal(signal.SIGTERM)
    alone.wait()
    assert run.orphans() == []
