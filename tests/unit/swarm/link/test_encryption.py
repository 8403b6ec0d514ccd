"""The lock on Locust's own sockets: who has the key is heard, nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
import zmq
from locust.exception import RPCSendError
from locust.rpc import Message, zmqrpc

from mop_locust.config import ClusterKey
from mop_locust.swarm.link import encryption as link
from mop_locust.swarm.link import master_watch
from mop_locust.swarm.link.encryption import has_key, is_loopback, say_where_it_listens

rpc: Any = zmqrpc  # its methods carry no types
KEY, ANOTHER = ClusterKey.new().secret, ClusterKey.new().secret


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the key of what is opened next; "" for none."""
    monkeypatch.delenv("MOP_CLUSTER_KEY_FILE", raising=False)
    monkeypatch.delenv("MOP_CLUSTER_KEY", raising=False)
    monkeypatch.delenv("MOP_API_KEY_FILE", raising=False)

    def put(secret: str) -> None:
        monkeypatch.setenv("MOP_CLUSTER_KEY", secret)

    return put


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """With which codes a worker left; it stays here. A few cuts are enough to be sure."""
    codes: list[int] = []
    monkeypatch.setattr(master_watch, "leave", codes.append)
    monkeypatch.setattr(master_watch, "CUT_SECONDS", 0.3)
    return codes


@pytest.fixture
def opened() -> Iterator[list[Any]]:
    """Sockets that are closed with the test."""
    sockets: list[Any] = []
    yield sockets
    for one in sockets:
        one.close(0)


def talk(opened: list[Any], key: Callable[[str], None], masters: str, workers: str) -> tuple[bool, Any]:
    """Whether a worker's word reaches the master, and the worker's end."""
    key(masters)
    master = rpc.Server("127.0.0.1", 0)
    key(workers)
    worker = rpc.Client("127.0.0.1", master.port, "w1")
    opened += [master, worker]
    with suppress(RPCSendError):  # who is not let in may have nowhere to put it, by then
        worker.send(Message("hello", {"n": 1}, "w1"))
    with gevent.Timeout(1.0, False):
        who, message = master.recv_from_client()
        return (who, message.type, message.data) == ("w1", "hello", {"n": 1}), worker
    return False, worker


@pytest.mark.parametrize("secret", [KEY, ""], ids=["locked", "open"])
def test_who_has_the_same_key_is_heard(secret: str, opened: list[Any], key: Callable[[str], None], left: list[int]) -> None:
    heard, worker = talk(opened, key, secret, secret)
    assert heard
    assert worker.socket.get(zmq.MECHANISM) == (zmq.CURVE if secret else zmq.NULL)
    assert (worker.mop_watch.lost_at, left) == (None, [])


@pytest.mark.parametrize(("masters", "workers"), [(KEY, ANOTHER), (KEY, ""), ("", KEY), ("not a key", KEY)])
def test_nobody_else_is(
    masters: str,
    workers: str,
    opened: list[Any],
    key: Callable[[str], None],
    left: list[int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who is not let in says so once and leaves with 2. A master whose key cannot be used lets nobody in."""
    heard, _ = talk(opened, key, masters, workers)
    assert not heard
    assert left == [2]
    told = capsys.readouterr().err
    assert told.count("does not let this worker in") == 1
    assert ("it has another key, or none" in told) == bool(workers)
    assert KEY not in told


def test_a_master_that_goes_away_is_noticed_and_noticed_back(
    opened: list[Any], key: Callable[[str], None], left: list[int]
) -> None:
    """By the connection itself, at once; one that comes back on the same port makes it good."""
    heard, worker = talk(opened, key, KEY, KEY)
    assert heard
    master = opened.pop(0)
    port = master.port
    master.close(0)
    with gevent.Timeout(5):
        while worker.mop_watch.lost_at is None:
            gevent.sleep(0.02)
    first = worker.mop_watch.lost_at
    gevent.sleep(0.1)
    assert worker.mop_watch.lost_at == first
    key(KEY)
    with gevent.Timeout(5):
        while True:
            try:
                opened.append(rpc.Server("127.0.0.1", port))
                break
            except Exception:
                gevent.sleep(0.05)
        while worker.mop_watch.lost_at is not None:
            gevent.sleep(0.02)
    assert left == []


def test_a_worker_whose_master_stays_away_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """After DEAD_SECONDS, and not before."""
    monkeypatch.setattr(master_watch, "LOOK_SECONDS", 0.001)
    watch, quits = SimpleNamespace(lost_at=None), []
    runner = SimpleNamespace(client=SimpleNamespace(mop_watch=watch), quit=lambda: quits.append(1))
    looking = gevent.spawn(master_watch.leave_without_master, runner)
    gevent.sleep(0.01)
    watch.lost_at = master_watch.time.monotonic()
    gevent.sleep(0.01)
    assert quits == []
    watch.lost_at -= master_watch.DEAD_SECONDS
    looking.join(1)
    assert (quits, looking.ready()) == ([1], True)


def test_a_worker_with_a_wrong_key_does_not_even_connect(
    key: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It tells everything that is wrong with its keys."""
    key("not a key")
    monkeypatch.setenv("MOP_API_KEY", "two words")
    with pytest.raises(SystemExit) as ended:
        rpc.Client("127.0.0.1", 9, "w1")
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "MOP_CLUSTER_KEY: " in told
    assert "MOP_API_KEY: " in told
    assert "not a key" not in told


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("localhost", True),
        ("*", False),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("swarm.test", False),
    ],
)
def test_what_is_loopback(host: str, only_here: bool) -> None:
    assert is_loopback(host) == only_here


@pytest.mark.parametrize(
    ("secret", "host", "level", "told"),
    [
        ("", "127.0.0.1", logging.INFO, "the master listens on 127.0.0.1:5557, for workers of this machine"),
        ("", "*", logging.WARNING, "the master listens on every address, port 5557, without a key"),
        ("", "10.0.0.1", logging.WARNING, "the master listens on 10.0.0.1, port 5557, without a key"),
    ],
)
def test_where_the_master_listens_is_said(
    secret: str, host: str, level: int, told: str, key: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    key(secret)
    with caplog.at_level(logging.INFO, "mop_locust"):
        say_where_it_listens(host, 5557)
    [record] = caplog.records
    assert record.levelno == level
    assert record.getMessage().startswith(told)


def test_with_a_key_there_is_nothing_to_say(key: Callable[[str], None], caplog: pytest.LogCaptureFixture) -> None:
    key(KEY)
    assert has_key()
    with caplog.at_level(logging.INFO, "mop_locust"):
        say_where_it_listens("*", 5557)
    assert caplog.records == []
    assert link.LOOPBACK == "127.0.0.1"
