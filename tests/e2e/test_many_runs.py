"""Commands that make many runs, or take old ones: `ab`, `release`, `report`, with real servers and real runs."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

import jsonschema

from mop_locust.swarm.judging.provenance import suite_hash
from tests.e2e.conftest import RunAt
from tests.e2e.processes import ROOT, Server

SHORT = ("-u", "4", "-t", "1s")
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "summary.schema.json").read_bytes()))
MANY_SECONDS = 120.0


def keeps_the_schema(summary: dict[str, Any]) -> None:
    """A summary of a real run is as the published schema says."""
    assert [f"{list(error.absolute_path)}: {error.message}" for error in SCHEMA.iter_errors(summary)] == []


def test_ab_finds_the_slower_server_worse(run_at: RunAt, tmp_path: Path) -> None:
    """Four runs a side, in turn; each side's runs went to its server, and the slower one is worse in latency and throughput."""
    with Server(tmp_path) as fast, Server(tmp_path, "--delay", "60") as slow:
        run = run_at(fast, MOP_HTTP_BASE="http://127.0.0.1:9/mcp")  # a variable that would send both sides elsewhere
        words = ("ab", "tools_call_rps", "--a", fast.url, "--b", slow.url, "--runs", "4", "--alpha", "0.5", *SHORT)
        command = run.mop_locust(*words)
        assert command.wait(MANY_SECONDS) == 3, command.output
        served = [server.counts()["answered"]["http tools/list"] for server in (fast, slow)]
    (folder,) = run.reports.iterdir()
    told = json.loads((folder / "comparison.json").read_bytes())
    summaries = {side: [json.loads(file.read_bytes()) for file in folder.glob(f"{side}/*/summary.json")] for side in "ab"}
    listed = "calls{method:tools/list,scenario:tools_call_rps,transport:http}"
    for side, server, answered in (("a", fast, served[0]), ("b", slow, served[1])):
        assert [one["run"]["target"]["http"] for one in summaries[side]] == [f"{server.url}/mcp"] * 4
        assert sum(one["metrics"][listed]["count"] for one in summaries[side]) + 4 == answered  # and one of each preflight
    answers = {(one["measure"]["label"], one["measure"]["aggregation"]): one for one in told["findings"]}
    assert answers["http tools/list", "p(50)"]["answer"] == "worse"
    assert 50 < answers["http tools/list", "p(50)"]["change"] < 200
    assert answers["calls", "rate"]["answer"] == "worse"
    assert answers["http tools/list", "rate"]["answer"] == "same"
    assert "WORSE: " in command.output
    for summary in (*summaries["a"], *summaries["b"]):
        keeps_the_schema(summary)


def test_a_release_says_what_ran_on_what(server: Server, run_at: RunAt) -> None:
    """Two runs with a worker; command, commit, hashes, peaks of worker and master; and all of it can be made again."""
    run = run_at(server)
    long = ("-u", "4", "-t", "3s")  # CPU and memory are read once a second
    words = ("release", "tools_call_rps", "--runs", "2", "--workers", "1", "--server-commit", "0123abc", "-H", server.url, *long)
    command = run.mop_locust(*words)
    assert command.wait(MANY_SECONDS) == 0, command.output
    (folder,) = run.reports.iterdir()
    told = json.loads((folder / "release.json").read_bytes())
    assert (told["server_commit"], told["suite_sha256"]) == ("0123abc", suite_hash())
    (scenario,) = told["scenarios"]
    assert scenario["command"][:2] == ["mop-locust", "run"]
    assert scenario["command"][3:] == ["--workers", "1", "-H", server.url, *long, "--server-commit", "0123abc"]
    assert scenario["error_rate"] == {"median": 0.0, "least": 0.0, "most": 0.0}
    for peak in (scenario["peak_workers"], scenario["peak_master"]):
        assert peak["rss_bytes"] > 10e6
    runs = sorted((folder / "runs").iterdir())
    assert [f"runs/{path.name}" for path in runs] == sorted(scenario["runs"])
    for path in runs:
        manifest, summary = (json.loads((path / f"{name}.json").read_bytes()) for name in ("manifest", "summary"))
        keeps_the_schema(summary)
        assert manifest["server"]["commit"] == "0123abc"
        assert manifest["command"] == scenario["command"]
        assert manifest["packages"]["python"] == platform.python_version()
        (machine,) = manifest["machines"].values()
        assert machine["kernel"] == f"Linux {platform.release()}"
        assert machine["cores"] == len(os.sched_getaffinity(0))
    before = {file: file.read_bytes() for path in runs for file in path.iterdir()}
    for file in before:
        if file.name != "summary.json":
            file.unlink()
    again = run.mop_locust("report", str(folder / "runs"))
    assert again.wait() == 0, again.output
    assert {file: file.read_bytes() for path in runs for file in path.iterdir()} == before


def test_a_release_needs_to_know_the_commit(server: Server, run_at: RunAt) -> None:
    """The embedded server tells none."""
    run = run_at(server)
    command = run.mop_locust("release", "tools_call_rps", "--runs", "1", "-H", server.url, *SHORT)
    assert command.wait(MANY_SECONDS) == 2
    assert "the server's commit is unknown" in command.output
    (folder,) = run.reports.iterdir()
    assert not (folder / "release.md").exists()
