"""A swarm over several hosts, with a network between them that delays and loses: counts are exact all the same."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mop_locust.config import ClusterKey
from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved
from tests.e2e.network import Network, missing
from tests.e2e.processes import Server

DELAY, LOSS = 0.005, 0.01
WORKERS = ("worker1", "worker2", "worker3")
CLI = (sys.executable, "-m", "mop_locust.cli")


@pytest.fixture
def network() -> Iterator[Network]:
    """Five hosts: the target, the master, three workers."""
    if lacking := missing():
        pytest.skip(f"needs {lacking}")
    with Network(("target", "master", *WORKERS), delay=DELAY, loss=LOSS) as made:
        yield made


class RemoteServer(Server):
    """The reference server on a host of the network."""

    def __init__(self, network: Network, folder: Path) -> None:
        super().__init__(folder, "--host", network.address["target"], "--keep-alive-seconds", "0.2", port=8000)
        self._command = network.at("target", self._command)
        self._network = network

    def counts_now(self) -> dict[str, object]:
        """As its own host sees it."""
        return self._network.inside("target", super().counts_now)


def test_master_and_workers_on_hosts_of_their_own(network: Network, run_at: RunAt, tmp_path: Path) -> None:
    """Each is started by its own command with the same key; nobody listens on any other network than this one."""
    key = tmp_path / "cluster.key"
    key.write_text(ClusterKey.new().secret)
    with RemoteServer(network, tmp_path) as server:
        run = run_at(server, MOP_CLUSTER_KEY_FILE=str(key))
        words = ("mixed", "--expect-workers", "3", "-u", "30", "-t", "6s", "-H", server.url)
        master = run._start("master", network.at("master", [*CLI, "master", *words]), {})
        for name in WORKERS:
            run._start(name, network.at(name, [*CLI, "worker", network.address["master"]]), {})
        assert master.wait() == 0, run.output
        assert run.wait() == 0, run.output
        summary = run.summary
        conserved(summary, server.counts())
    assert [(row["state"], row["exchanges"] > 0) for row in summary["workers"]] == [("finished", True)] * 3
    assert summary["metrics"]["call_latency{method:tools/list,scenario:tools_call_rps,transport:http}"]["p50"] >= 2 * DELAY * 1000
    assert summary["verdict"]["validity"] == "valid", summary["verdict"]
    assert network.lost > 20, "the wire did lose packets"
    assert network.carried > 1000
    assert run.orphans() == []
