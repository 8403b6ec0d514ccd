"""Frames on the master's port that no worker of the run sent: they change no figure and stop nothing."""

from __future__ import annotations

import random
import time

import msgpack
import zmq

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved
from tests.e2e.processes import Server, until


def message(kind: str, data: object, node: str) -> bytes:
    """A message of Locust's."""
    return msgpack.packb((kind, data, node))


def test_foreign_frames_change_no_figure_and_are_counted(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    master = run.with_workers("tools_call_rps", 2, "-u", "6", "-t", "8s")
    until(lambda: sum(server.counts_now()["answered"].values()) > 60, what="load")
    context = zmq.Context()
    peer = context.socket(zmq.DEALER)
    peer.setsockopt(zmq.IDENTITY, b"stranger")
    peer.setsockopt(zmq.LINGER, 0)
    peer.connect(f"tcp://127.0.0.1:{run.port}")
    noise = random.Random(7)
    entry = {"name": "fake", "method": "http", "num_requests": 10**6, "response_times": {1: 10**6}}
    frames = [
        b"\xc1",
        b"",
        *(noise.randbytes(size) for size in (1, 7, 64, 1000)),
        msgpack.packb(1),
        msgpack.packb(["stats"]),
        message("stats", {"stats": [entry], "stats_total": entry, "errors": {}}, "stranger"),
        message("stats", {"mop": b"\xc1nonsense"}, "stranger"),
        message("heartbeat", None, "stranger"),
        message("spawning_complete", {"wrong": 1}, "stranger"),
        message("mop_hello", {"wrong": True}, "stranger"),
        message("mop_iteration", {}, "stranger"),
        message("exception", {}, "stranger"),
    ]
    for frame in frames:
        peer.send(frame)
    time.sleep(1.0)
    peer.close()
    context.term()
    assert master.wait() == 0, run.output
    summary = run.summary
    conserved(summary, server.counts(), run.statistics)
    assert [worker["state"] for worker in summary["workers"]] == ["finished", "finished"]
    [note] = [note for note in summary["run"]["notes"] if note.startswith("turned away at the master's port")]
    assert "undecodable frames" in note
    assert "messages of clients that never registered" in note
    assert summary["verdict"]["validity"] == "valid", summary["verdict"]
