"""The page for Prometheus: where it is, how long it stays, and that a port in use is found before the run."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from urllib.error import HTTPError

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import RunAt
from tests.e2e.processes import LocustRun, Server, Started, fetch, free_port, until
from tests.e2e.test_web import swarm

STAYS = "/metrics stays until"


def samples(url: str) -> dict[str, float]:
    """The sums over all series of each name on a page."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(fetch(url).decode()):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def started(run_at: RunAt, server: Server, linger: str) -> tuple[LocustRun, Started, str]:
    """A run in one process, 2 s long, with a page of its own."""
    port = free_port()
    run = run_at(server, MOP_METRICS_PORT=str(port), MOP_METRICS_LINGER=linger)
    return run, run.single("tools_call_rps", "-t", "2s", "-u", "3"), f"http://127.0.0.1:{port}/metrics"


def read_during_the_run(url: str, process: Started) -> None:
    """Once calls are there."""

    def has_calls() -> bool:
        try:
            return samples(url).get("mop_calls_total", 0) > 0
        except OSError:
            return False

    until(has_calls, what=f"calls on the page\n{process.output}")


def test_the_page_stays_until_its_last_values_were_read_twice(server: Server, run_at: RunAt) -> None:
    """They are those of the summary; then the process leaves at once, with the code of its verdict."""
    run, process, url = started(run_at, server, "60s")
    read_during_the_run(url, process)
    process.says(STAYS)
    assert "PASSED" in process.output.partition(STAYS)[0]
    for _ in range(2):
        assert process.running
        last = samples(url)
    assert run.wait() == 0, run.output
    assert last["mop_run_active"] == 0
    assert last["mop_calls_total"] == run.summary["metrics"]["calls"]["count"] > 0


@pytest.mark.parametrize("end", ["time", signal.SIGINT, signal.SIGTERM])
def test_the_page_leaves_when_nobody_reads_it_any_more(end: str | signal.Signals, server: Server, run_at: RunAt) -> None:
    """After the time that was given, or at a signal; the verdict stands."""
    run, process, url = started(run_at, server, "1s" if end == "time" else "60s")
    read_during_the_run(url, process)
    process.says(STAYS)
    if isinstance(end, signal.Signals):
        process.signal(end)
    assert run.wait(20) == 0, run.output
    assert run.summary["verdict"]["validity"] == "valid"


def test_a_page_that_nobody_read_holds_nothing_up(server: Server, run_at: RunAt) -> None:
    """No wait, no word of it."""
    run, process, _ = started(run_at, server, "60s")
    assert run.wait(30) == 0, run.output
    assert STAYS not in process.output


def test_every_mistake_is_told_before_the_run(server: Server, run_at: RunAt, tmp_path: Path) -> None:
    """A port in use, addresses that cannot be right, a file that cannot be: all at once, and nothing was sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = run_at(
            server,
            MOP_METRICS_PORT=str(port),
            MOP_OTLP="localhost:4318",
            MOP_INFLUX="http://localhost:8086/write?db=x&u=me&p=CANARY",
            MOP_INFLUX_TOKEN="CANARY 2",
            MOP_JSONL=str(tmp_path),
            MOP_WS_VUS="none",
        )
        run.single("tools_call_rps", "-t", "1s", "-u", "1")
        assert run.wait() == 2
    assert f"MOP_METRICS_PORT (--mop-metrics-port): 127.0.0.1:{port} cannot be listened on: Address already in use" in run.output
    assert "MOP_OTLP (--mop-otlp): 'localhost:4318' does not begin with http:// or https://" in run.output
    assert "MOP_INFLUX (--mop-influx): 'http://localhost:8086/write?***' has a user, a password or a token" in run.output
    assert f"MOP_JSONL (--mop-jsonl): {str(tmp_path)!r} cannot be written: it is not a file" in run.output
    assert "MOP_WS_VUS (--mop-ws-vus): 'none' is not a number" in run.output
    assert "CANARY" not in run.output
    assert server.counts()["answered"] == {}


def test_the_web_ui_has_the_page_under_its_own_port(server: Server, run_at: RunAt) -> None:
    """Empty before the first run; then the figures."""
    run = run_at(server)
    process, url = run.web("tools_call_rps")
    assert fetch(f"{url}/metrics") == b""
    swarm(url, 2)
    read_during_the_run(f"{url}/metrics", process)
    assert samples(f"{url}/metrics")["mop_users_planned"] == 2


def test_with_a_login_the_page_is_on_its_own_port_only(server: Server, run_at: RunAt) -> None:
    """Whoever has no password sees nothing in the web UI."""
    port = free_port()
    run = run_at(server, MOP_METRICS_PORT=str(port))
    _, url = run.web("tools_call_rps", "--web-login")
    with pytest.raises(HTTPError, match="404"):
        fetch(f"{url}/metrics")
    assert fetch(f"http://127.0.0.1:{port}/metrics") == b""
