"""What is neither this machine nor in a private network is loaded only where the user says so: nothing is sent before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.processes import Server

HERE = Path(__file__).parent / "locustfiles"
SHORT = ("-u", "4", "-t", "2s")
ELSEWHERE = "203.0.113.7"  # for documentation (RFC 5737): nobody's

NOT_ALLOWED = (
    f"{ELSEWHERE} is neither this machine nor in a private network; if you may load it, allow it: "
    f"--mop-allow-target {ELSEWHERE} or MOP_ALLOW_TARGETS={ELSEWHERE}"
)
IN_THE_CLEAR = (
    f"{ELSEWHERE} is reached without encryption, so MOP_API_KEY would go there in the clear; use https and wss, "
    "or say that it may: MOP_ALLOW_CLEARTEXT_KEY=1"
)


@pytest.mark.parametrize(("workers", "preflight"), [(0, "on"), (2, "off")])
def test_a_target_elsewhere_ends_with_2_before_any_load(preflight: str, workers: int, run_at: RunAt) -> None:
    """One sentence for both endpoints; with a secret key a second one, since it would go there in the clear."""
    run = run_at(f"http://{ELSEWHERE}:8000", MOP_PREFLIGHT=preflight, MOP_API_KEY="a-secret-key")
    run.command("mixed", "--workers", str(workers), *SHORT)
    assert run.wait() == 2, run.output
    lines = [line.strip() for line in run.output.splitlines() if ELSEWHERE in line]
    assert lines == [NOT_ALLOWED, IN_THE_CLEAR]
    assert "a-secret-key" not in run.output
    assert "Traceback" not in run.output
    assert run.summaries() == []
    assert run.orphans() == []


def test_check_says_the_same(run_at: RunAt) -> None:
    run = run_at("")
    run.mop_locust("check", "-H", f"http://{ELSEWHERE}:8000")
    assert run.wait() == 2, run.output
    assert f"wrong  {ELSEWHERE} is neither this machine nor in a private network" in run.output


def test_what_is_no_host_is_told(run_at: RunAt) -> None:
    run = run_at("http://127.0.0.1:9")
    run.single("tools_call_rps", *SHORT, "--mop-allow-target", "http://a.example", "--mop-allow-target", "b.example")
    assert run.wait() == 2, run.output
    assert "MOP_ALLOW_TARGETS (--mop-allow-targets): 'http://a.example,b.example' has 'http://a.example' in it" in run.output


def test_each_worker_looks_where_it_connects(server: Server, run_at: RunAt) -> None:
    """For one of the workers the target's name leads elsewhere: it sends nothing there, and the run is invalid."""
    run = run_at(f"http://localhost:{server.address.rpartition(':')[2]}")
    master = run.master("tools_call_rps", 2, *SHORT)
    run.worker("tools_call_rps")
    run.worker(HERE / "led_astray.py")
    assert master.wait() == 4, run.output
    summary = run.summary
    outcomes = summary["metrics"]["calls"]["outcomes"]
    assert set(outcomes) == {"ok", "client_fault"}, outcomes
    assert {row["error"] for row in summary["errors"]} == {"target not allowed"}
    assert summary["verdict"]["validity"] == "invalid"
    assert "target not allowed" in " ".join(summary["verdict"]["reasons"])
