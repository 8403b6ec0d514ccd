"""The scenario `mission`: against the reference server, one without the mission, one with another, and the real one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved
from tests.e2e.processes import Server, Started, free_port, until

MISSION = """\
id: two-rules
name: Two rules
description: Guidance for searches, and for all that is a proxy.
templates:
  - id: sources
    name: Sources
    description: Asks for them.
    categories: [search]
    priority: 2
    enabled: true
    content: Prefer primary sources, and give the date of each.
    perception_affinity: []
    paradox_resistance: 0.8
    metadata: {}
  - id: short
    name: Short
    description: Asks for it.
    categories: []
    priority: 1
    enabled: true
    content: Be short.
    perception_affinity: []
    paradox_resistance: 0.8
    metadata: {}
rules:
  - id: search-tools
    name: Search tools
    enabled: true
    conditions:
      tool_patterns: ["exa_"]
      environment_vars: {}
      file_signals: []
      perception_states: []
    actions: {template_ids: [sources, short], transform_type: Prepend, perception_lock: false}
    perception_scope: []
    paradox_handling: Coexist
  - id: proxies
    name: Proxies
    enabled: true
    conditions:
      tool_patterns: ["proxy", "research"]
      environment_vars: {}
      file_signals: []
      perception_states: []
    actions: {template_ids: [short], transform_type: Prepend, perception_lock: false}
    perception_scope: []
    paradox_handling: Coexist
perceptions: []
budgets: {per_tool_limits: {}, perception_quotas: {}, paradox_overhead: 0.1}
created_at: "2026-01-01T00:00:00Z"
updated_at: "2026-01-01T00:00:00Z"
"""
RULES = ("(none)", "proxies", "search-tools")
TOOLS = ("discover_mcp_tools", "exa_research_example", "exa_search_example", "orchestrate_mcp_proxy")
NO_MISSION = "the server runs without the mission"
BRIEF = {"MOP_MISSION_VUS": "3", "MOP_MISSION_THINK_MS": "20", "MOP_MISSION_DURATION": "2s"}


@pytest.fixture
def mission(tmp_path: Path) -> Path:
    """Two rules that meet in one tool, and a tool that neither matches."""
    path = tmp_path / "two-rules.yaml"
    path.write_text(MISSION)
    return path


def changed(path: Path, old: str, new: str) -> Path:
    """A copy of the mission with one text replaced."""
    copy = path.with_name("changed.yaml")
    assert old in MISSION
    copy.write_text(MISSION.replace(old, new))
    return copy


def binary() -> str:
    """The real server; skips the test where there is none."""
    path = os.environ.get("MOP_SERVER_BIN", "")
    if not path:
        pytest.skip("MOP_SERVER_BIN names no MOP server")
    return path


@contextmanager
def real_server(folder: Path, mission: Path | None) -> Iterator[str]:
    """The real server with a mission; gives its URL."""
    port = free_port()
    words = [] if mission is None else ["--mission", str(mission)]
    process = Started("real-server", [binary(), "start", "--port", str(port), *words], folder, {})
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < end, process.output
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.end()


def by_rule(summary: dict[str, Any], metric: str) -> dict[str, Any]:
    """The series of a metric by the value of its tag `rule`."""
    return {rule: summary["metrics"].get(f"{metric}{{rule:{rule},scenario:mission}}") for rule in RULES}


def test_calls_and_checks_the_tools_of_each_rule(mission: Path, tmp_path: Path, run_at: RunAt) -> None:
    """As many calls of each tool, each counted once for each of its rules, none of them wrong; both sides count the same."""
    with Server(tmp_path, "--mission", str(mission)) as server:
        run = run_at(server, **BRIEF, MOP_MISSION_PATH=str(mission))
        run.with_workers("mission", 2)
        assert run.wait() == 0, run.output
        summary, counts = run.summary, server.counts()
    conserved(summary, counts)
    calls = [summary["metrics"][f"calls{{method:tools/call,scenario:mission,tool:{tool},transport:websocket}}"] for tool in TOOLS]
    n = calls[0]["count"]
    assert n > 10
    assert [call["outcomes"] for call in calls] == [{"ok": n}] * 4
    assert {rule: series["count"] for rule, series in by_rule(summary, "mission_latency").items()} == {
        "(none)": n,
        "proxies": 2 * n,
        "search-tools": 2 * n,
    }
    assert summary["metrics"]["mission_mismatches"] == {"kind": "rate", "count": 4 * n, "failures": 0, "rate": 0.0}
    assert summary["metrics"]["mission_bytes"]["unit"] == "bytes"
    assert by_rule(summary, "mission_bytes")["search-tools"]["mean"] > by_rule(summary, "mission_bytes")["(none)"]["mean"]
    assert "calls exa_research_example: search-tools, proxies" in summary["preflight"]["findings"]
    assert "· search-tools" in run.output


def test_a_server_without_the_mission_gets_no_load(mission: Path, server: Server, run_at: RunAt) -> None:
    """Exit code 4, and the sentence; it was asked for one call, by the preflight."""
    run = run_at(server, **BRIEF, MOP_MISSION_PATH=str(mission))
    run.single("mission")
    assert run.wait() == 4, run.output
    summary = run.summary
    assert summary["verdict"]["validity"] == "invalid"
    assert summary["verdict"]["sentence"].startswith(f"INVALID: {NO_MISSION}")
    assert (summary["metrics"], summary["run"]["stopped_by"]) == ({}, "preflight")
    assert server.counts()["answered"]["websocket tools/call"] == 1


def test_a_server_that_took_no_notice_of_a_broken_mission(mission: Path, tmp_path: Path, run_at: RunAt) -> None:
    """The same: it runs on without one."""
    broken = changed(mission, "    perception_scope: []\n", "")
    with Server(tmp_path, "--mission", str(broken)) as server:
        run = run_at(server, **BRIEF, MOP_MISSION_PATH=str(mission))
        run.single("mission")
        assert run.wait() == 4, run.output
        assert "is not active" in server.output


def answered_calls(server: Server) -> int:
    """How many tool calls the server has answered up to now."""
    return int(server.counts_now()["answered"].get("websocket tools/call", 0))


def test_a_server_that_comes_back_without_the_mission(mission: Path, tmp_path: Path, run_at: RunAt) -> None:
    """What it answers then makes the run invalid, though most calls were right."""
    port = free_port()
    run = run_at(f"http://127.0.0.1:{port}", **{**BRIEF, "MOP_MISSION_DURATION": "60s"}, MOP_MISSION_PATH=str(mission))
    with Server(tmp_path, "--mission", str(mission), port=port) as server:
        process = run.single("mission")
        until(lambda: answered_calls(server) > 60)
    with Server(tmp_path, port=port) as server:
        until(lambda: answered_calls(server) > 0)
        process.signal(signal.SIGTERM)
        assert run.wait() == 4, run.output
    reasons = run.summary["verdict"]["reasons"]
    assert [reason.partition(":")[0] for reason in reasons if NO_MISSION in reason] == [NO_MISSION]
    assert run.summary["metrics"]["mission_latency"]["count"] > 10


@pytest.mark.parametrize(
    ("old", "new", "label"),
    [
        ('tool_patterns: ["proxy", "research"]', 'tool_patterns: ["proxy"]', "a rule was not applied"),
        ('tool_patterns: ["proxy", "research"]', "tool_patterns: []", "a rule was applied that does not match"),
        ("template_ids: [sources, short]", "template_ids: [sources]", "other templates were used"),
        ("content: Be short.", "content: Be long.", "another text was injected"),
    ],
)
def test_a_server_with_another_mission_fails_the_checks(
    old: str, new: str, label: str, mission: Path, tmp_path: Path, run_at: RunAt
) -> None:
    """Each answer that is not as the file says is a failed exchange with its class; the right ones beside it stay right."""
    with Server(tmp_path, "--mission", str(changed(mission, old, new))) as server:
        run = run_at(server, **{**BRIEF, "MOP_MISSION_DURATION": "1s"}, MOP_MISSION_PATH=str(mission))
        run.single("mission")
        assert run.wait() == 3, run.output
    summary = run.summary
    assert {(row["outcome"], row["error"]) for row in summary["errors"]} == {("check", label)}
    mismatches, failures = summary["metrics"]["mission_mismatches"], summary["metrics"]["mission_failures"]
    assert 0 < mismatches["failures"] == failures["failures"] < mismatches["count"]
    assert sum(row["count"] for row in summary["errors"]) == mismatches["failures"]
    assert any(f": {label} (" in finding for finding in summary["preflight"]["findings"])


def test_a_server_that_is_to_run_without_the_mission(mission: Path, server: Server, tmp_path: Path, run_at: RunAt) -> None:
    """It passes, by the same rules; one with a mission does not."""
    expect = {**BRIEF, "MOP_MISSION_PATH": str(mission), "MOP_MISSION_EXPECT": "without"}
    run = run_at(server, **expect)
    run.single("mission", "-t", "1s")
    assert run.wait() == 0, run.output
    assert all(series["count"] > 0 for series in by_rule(run.summary, "mission_latency").values())
    with Server(tmp_path, "--mission", str(mission)) as other:
        run = run_at(other, **expect)
        run.single("mission", "-t", "1s")
        assert run.wait() == 4, run.output
    assert run.summary["verdict"]["sentence"].startswith("INVALID: the server runs with a mission")


def test_every_mistake_of_a_mission_is_told_before_anything_is_sent(mission: Path, server: Server, run_at: RunAt) -> None:
    """With its line, beside the mistakes of other settings."""
    broken = changed(mission, "    enabled: true\n    content: Be short.\n", "    content: Be short.\n")
    run = run_at(server, **BRIEF, MOP_MISSION_PATH=str(broken), MOP_RPS_VUS="x")
    run.single("mission")
    assert run.wait() == 2
    line = broken.read_text().splitlines().index("  - id: short") + 1
    assert f"{broken}, line {line}: templates[1]: mandatory and missing: `enabled`" in run.output
    assert "MOP_RPS_VUS" in run.output
    run = run_at(server, **BRIEF)
    run.single("mission")
    assert run.wait() == 2
    assert "MOP_MISSION_PATH (--mop-mission-path): the scenario mission needs it" in run.output
    run = run_at(server, **BRIEF, MOP_MISSION_PATH=str(mission.parent))
    run.single("mission")
    assert run.wait() == 2
    assert server.counts()["received"] == {}


def paired(run: Any, code: int, *options: str) -> dict[str, Any]:
    """The document of a run of pairs."""
    run.mop_locust("run", "mission", *options)
    assert run.wait(200) == code, run.output
    (file,) = run.reports.glob("*-mission/mission.json")
    return dict(json.loads(file.read_bytes()))


def test_pairs_of_runs_for_a_folder_of_missions(mission: Path, tmp_path: Path, run_at: RunAt) -> None:
    """One table: each rule of each mission, both sides, the difference; bytes are exact, so they must have grown."""
    folder = tmp_path / "missions"
    folder.mkdir()
    (folder / "a.yaml").write_text(MISSION)
    raw = yaml.safe_load(MISSION)
    (folder / "b.yml").write_text(yaml.safe_dump({**raw, "id": "one-rule", "rules": raw["rules"][:1]}))
    run = run_at("", **{**BRIEF, "MOP_MISSION_DURATION": "1s"}, MOP_MISSION_PATH=str(folder))
    document = paired(run, 0, "--runs", "1")
    assert document["server"] == "the embedded reference server"
    rows = {(cost["mission"], cost["rule"], cost["measure"]): cost for cost in document["costs"]}
    of_bytes = {key[:2]: cost for key, cost in rows.items() if key[2] == "bytes"}
    assert sorted(of_bytes) == [("one-rule", "(none)"), ("one-rule", "search-tools"), *(("two-rules", rule) for rule in RULES)]
    for (_, rule), cost in of_bytes.items():
        assert (len(cost["base"]), len(cost["new"])) == (1, 1)
        assert cost["change"] == pytest.approx(cost["new"][0] - cost["base"][0])
        assert cost["change"] > (250 if rule == "search-tools" else 50)
        assert cost["change_low"] is None
    assert rows["two-rules", "proxies", "P50"]["change"] is not None
    assert "Too few pairs for an interval: 6 are needed." in run.output
    assert len(run.output.split("\n\n")[1].splitlines()) == 1 + len(rows)
    assert "| `two-rules` | `proxies` | P50 |" in next(run.reports.glob("*/mission.md")).read_text()
    assert run.orphans() == []


def test_pairs_end_when_the_server_takes_no_mission(mission: Path, tmp_path: Path, run_at: RunAt) -> None:
    """A server of a binary that drops the mission: 4, by the first run that is to have it; and one that is no server: 2."""
    script = tmp_path / "forgetful"
    script.write_text('#!/bin/sh\nexec python3 -m mop_locust.server --port "$3"\n')
    script.chmod(0o755)
    path = os.pathsep.join([str(Path(os.sys.executable).parent), os.environ["PATH"]])  # type: ignore[attr-defined]
    run = run_at("", **{**BRIEF, "MOP_MISSION_DURATION": "1s"}, MOP_MISSION_PATH=str(mission), PATH=path)
    run.mop_locust("run", "mission", "--server-bin", str(script), "--runs", "1")
    assert run.wait() == 4, run.output
    assert f"INVALID: {NO_MISSION}" in run.output
    script.write_text("#!/bin/sh\necho it is broken >&2\n")
    run = run_at("", **BRIEF, MOP_MISSION_PATH=str(mission))
    run.mop_locust("run", "mission", "--server-bin", str(script), "--runs", "1")
    assert run.wait() == 2
    assert "the server did not start: it is broken" in run.output


# --- the real server


def test_the_real_server_answers_what_is_expected(mission: Path, tmp_path: Path, run_at: RunAt) -> None:
    """Rules, templates and text, of each call."""
    with real_server(tmp_path, mission) as url:
        run = run_at(url, **BRIEF, MOP_MISSION_PATH=str(mission))
        run.single("mission")
        assert run.wait() == 0, run.output
    n = run.summary["metrics"]["mission_mismatches"]["count"]
    assert n > 40
    assert by_rule(run.summary, "mission_latency")["search-tools"]["count"] == pytest.approx(n / 2, abs=4)


def test_the_real_server_without_the_mission(mission: Path, tmp_path: Path, run_at: RunAt) -> None:
    """It told nobody that it did not load the broken one."""
    broken = changed(mission, "    perception_scope: []\n", "")
    assert subprocess.run([binary(), "validate", str(broken)], capture_output=True, check=False).returncode != 0
    with real_server(tmp_path, broken) as url:
        run = run_at(url, **BRIEF, MOP_MISSION_PATH=str(mission))
        run.single("mission")
        assert run.wait() == 4, run.output
    assert run.summary["verdict"]["sentence"].startswith(f"INVALID: {NO_MISSION}")


def test_pairs_with_the_real_server(mission: Path, run_at: RunAt) -> None:
    """Both sides pass, and the bytes have grown."""
    run = run_at("", **{**BRIEF, "MOP_MISSION_DURATION": "1s"}, MOP_MISSION_PATH=str(mission))
    document = paired(run, 0, "--server-bin", binary(), "--runs", "1")
    grown = {cost["rule"]: cost["change"] for cost in document["costs"] if cost["measure"] == "bytes"}
    assert sorted(grown) == list(RULES)
    assert grown["search-tools"] > grown["proxies"] > grown["(none)"] > 0
    assert run.orphans() == []
