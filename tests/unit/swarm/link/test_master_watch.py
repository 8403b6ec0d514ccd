"""What a worker makes of the events of its connection: when it has another key, and when its master is only late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
import zmq

from mop_locust.swarm.link import master_watch
from mop_locust.swarm.link.master_watch import CUT_SECONDS, MasterWatch

CUT = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
REFUSED = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
IN, GONE, NOBODY = zmq.EVENT_HANDSHAKE_SUCCEEDED, zmq.EVENT_DISCONNECTED, zmq.EVENT_CLOSED

Follow = Callable[..., tuple[MasterWatch, list[int]]]


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Follow:
    """Gives a watch these events, each with its second; returns it, and the codes with which the worker left."""

    def watched(*events: tuple[float, int], has_key: bool = True) -> tuple[MasterWatch, list[int]]:
        codes: list[int] = []
        clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
        coming = iter([*events, (0.0, zmq.EVENT_MONITOR_STOPPED)])

        def told(_: Any) -> dict[str, Any]:
            clock.now, event = next(coming)
            return {"event": event, "endpoint": b"tcp://127.0.0.1:5557"}

        monkeypatch.setattr(master_watch, "recv_monitor_message", told)
        monkeypatch.setattr(master_watch, "time", clock)
        monkeypatch.setattr(master_watch, "leave", codes.append)
        watch = MasterWatch(SimpleNamespace(get_monitor_socket=lambda _: None), has_key=has_key)
        gevent.sleep(0)
        assert codes or next(coming, None) is None, "it did not take all events"
        return watch, codes

    return watched


def cuts(first: float, last: float) -> Sequence[tuple[float, int]]:
    """Five connections a second that somebody takes and cuts."""
    return [(first + n / 5, event) for n in range(round((last - first) * 5) + 1) for event in (CUT, GONE)]


def test_who_is_cut_off_for_seconds_has_another_key(follow: Follow, capsys: pytest.CaptureFixture[str]) -> None:
    """Told once, with what else it may be: the cut itself does not tell."""
    _, codes = follow(*cuts(100, 100 + CUT_SECONDS + 1))
    assert codes == [2]
    assert capsys.readouterr().err == (
        "mop-locust: the master at 127.0.0.1:5557 does not let this worker in: it has another key, or none, or it is a proxy "
        "without a master behind it; give both the same MOP_CLUSTER_KEY_FILE (or MOP_CLUSTER_KEY)\n"
    )


def test_a_master_that_comes_meanwhile_is_joined(follow: Follow) -> None:
    """And what cuts later is no question of keys any more."""
    watch, codes = follow(*cuts(100, 100 + CUT_SECONDS - 0.2), (106, IN))
    assert (codes, watch.lost_at) == ([], None)
    watch, codes = follow(*cuts(100, 101), (102, IN), (200, GONE), *cuts(201, 300))
    assert (codes, watch.lost_at) == ([], 200)


def test_where_nobody_listens_the_time_begins_anew(follow: Follow) -> None:
    """A master that left cut us off, then its port was closed, then a proxy was there before the next one."""
    assert follow(*cuts(100, 104), (105, NOBODY), *cuts(106, 110), (111, IN))[1] == []
    assert follow(*cuts(100, 104), (105, NOBODY), *cuts(106, 112))[1] == [2]


@pytest.mark.parametrize(
    ("has_key", "why"), [(True, "it has another key, or none"), (False, "it wants a key, and this worker has none")]
)
def test_who_is_refused_knows_at_once(has_key: bool, why: str, follow: Follow, capsys: pytest.CaptureFixture[str]) -> None:
    """The first answer is enough, and nothing else can be behind it."""
    assert follow((100, REFUSED), has_key=has_key)[1] == [2]
    assert f"does not let this worker in: {why}; give both" in capsys.readouterr().err
