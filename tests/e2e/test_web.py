"""Runs from the web UI: each has a folder of its own, exact and judged by itself; a mistake in the form starts nothing."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved, exchanges
from tests.e2e.processes import LocustRun, Server, fetch, free_port, until

LOAD_SECONDS = 1.5
OWN_FILES = Path(__file__).parent / "locustfiles"


def swarm(url: str, users: int) -> None:
    """Presses Start."""
    fetch(f"{url}/swarm", urlencode({"user_count": users, "spawn_rate": users}).encode())


def run_once(run: LocustRun, server: Server, url: str, users: int) -> None:
    """Starts a run, lets it load the server, stops it, and waits for its folder."""
    folders, before = len(run.summaries()), sum(server.counts_now()["answered"].values())
    swarm(url, users)
    until(
        lambda: sum(server.counts_now()["answered"].values()) > before + 20,
        what=f"load of run {folders + 1}\n{run.output[-2000:]}",
    )
    time.sleep(LOAD_SECONDS)
    fetch(f"{url}/stop", b"")
    until(lambda: len(run.summaries()) > folders, what=f"folder {folders + 1}\n{run.output[-2000:]}")


@pytest.mark.parametrize("workers", [0, 2])
def test_each_run_from_the_web_ui_has_its_own_exact_folder(workers: int, server: Server, run_at: RunAt) -> None:
    """Start, stop, start again with other users, stop; then Ctrl-C, which judges nothing a second time."""
    run = run_at(server)
    options = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(run.port)) if workers else ()
    process, url = run.web("tools_call_rps", *options, "--stop-timeout", "2")
    for _ in range(workers):
        run.worker("tools_call_rps")
    if workers:
        until(lambda: process.output.count("reported as ready") == workers, what="workers that are ready")
    run_once(run, server, url, 3)
    conserved(run.summary, server.counts())
    run_once(run, server, url, 6)
    first, second = run.summaries()
    counts = server.counts()
    conserved([first, second], counts)
    assert counts["sessions_opened"] == counts["sessions_deleted"]
    process.signal(signal.SIGINT)
    assert run.wait() == 0, run.output
    assert len(run.summaries()) == 2
    assert (first["run"]["users"], second["run"]["users"]) == (3, 6)
    assert (first["run"]["workers"], second["run"]["workers"]) == (workers, workers)
    assert first["run"]["id"] != second["run"]["id"]
    for summary in (first, second):
        assert (summary["verdict"]["state"], summary["verdict"]["validity"]) == ("PASSED", "valid"), summary["verdict"]
        assert set(exchanges(summary)) == {("http", "initialize"), ("http", "tools/list"), ("http", "delete")}
        assert run.output.count(f"-{summary['run']['scenario']}/report.html") == 2
    assert "Traceback" not in run.output
    assert run.orphans() == []


def start(url: str, **form: object) -> Any:
    """What the start button gets for an answer."""
    return json.loads(fetch(f"{url}/swarm", urlencode({"user_count": 2, "spawn_rate": 2, **form}).encode()))


def news(url: str, since: str = "") -> Any:
    """What the page /mop gets."""
    return json.loads(fetch(f"{url}/mop/data.json?since={since}"))


def status(url: str) -> int:
    """The status of an answer, redirections followed."""
    try:
        fetch(url)
    except HTTPError as error:
        return error.code
    return 200


def test_a_mistake_in_the_form_is_told_and_starts_nothing(server: Server, run_at: RunAt) -> None:
    """All mistakes at once, in the shape that Locust's form shows; the next start, put right, runs as if nothing had been."""
    run = run_at(server)
    process, url = run.web("tools_call_rps")
    answer = start(url, mop_timeout_ms="-3", mop_thresholds="ws_failuress: rate<0.1; calls: p(95)<3", mop_rps_think_ms="7")
    assert answer["success"] is False
    told = answer["message"].split(" · ")
    assert told[0] == "Nothing was started"
    assert told[1].startswith("MOP_TIMEOUT_MS (--mop-timeout-ms): '-3' is out of range; allowed: ")
    assert any("there is no metric ws_failuress" in mistake for mistake in told)
    assert any("calls" in mistake and "p(95)" in mistake for mistake in told), told
    assert "MOP_TIMEOUT_MS" in news(url)["parts"]["refused"]
    assert start(url, user_count="many")["message"].startswith("Invalid user_count value: 'many'")
    assert start(url, run_time="soon")["message"].startswith("Valid run_time formats are")
    gone = start(url, host=f"http://127.0.0.1:{free_port()}")
    assert gone["success"] is False
    assert "connection refused" in gone["message"]
    assert json.loads(fetch(f"{url}/stats/requests"))["state"] == "ready"
    assert sum(server.counts()["answered"].values()) == 0
    assert start(url, mop_rps_think_ms="20", mop_thresholds="calls: count>3", run_time="2s", host=server.url)["success"] is True
    time.sleep(1)
    assert news(url)["parts"]["refused"] == ""
    until(lambda: len(run.summaries()) == 2, what=f"the folder of the run\n{run.output[-2000:]}")
    refused, ran = run.summaries()
    assert (refused["run"]["stopped_by"], ran["run"]["stopped_by"]) == ("preflight", "run time")
    assert ran["run"]["options"]["MOP_RPS_THINK_MS"] == "20"
    assert "MOP_TIMEOUT_MS" not in ran["run"]["options"]
    assert [result["metric"] for result in ran["verdict"]["thresholds"]] == ["calls", "tools_call_failures"]
    assert (ran["verdict"]["state"], ran["verdict"]["validity"]) == ("PASSED", "valid"), ran["verdict"]
    process.signal(signal.SIGINT)
    run.wait()
    assert "Traceback" not in run.output


def test_the_page_follows_a_run_and_links_its_report(server: Server, run_at: RunAt) -> None:
    """What it shows adds up to the summary; of the reports only those of this process can be had."""
    run = run_at(server)
    other = run.reports / "20200101T000000Z-of-another-process"
    other.mkdir(parents=True)
    (other / "report.html").write_text("secret")
    (run.folder / "report.html").write_text("secret")
    process, url = run.web("tools_call_rps", "--web-base-path", "/load")
    url += "/load"
    assert "No run yet" in news(url)["parts"]["head"]
    run_once(run, server, url, 3)
    folder = next(path.parent.name for path in run.reports.glob("*/summary.json"))
    until(lambda: folder in news(url)["parts"]["reports"], what="the report's link")
    answer, summary = news(url), run.summary
    assert sum(row["calls"]["http"] for row in answer["rows"]) == summary["metrics"]["calls"]["count"]
    assert answer["title"] == "PASSED, valid: tools_call_rps"
    assert [part["key"] for part in json.loads(fetch(f"{url}/stats/requests"))["extended_stats"]] == [
        "mop",
        "thresholds",
        "generators",
    ]
    for name in ("report.html", "summary.json", "manifest.json"):
        assert fetch(f"{url}/mop/report/{folder}/{name}") == (run.reports / folder / name).read_bytes()
    for path in (f"{other.name}/report.html", f"{folder}/../../report.html", "..%2Freport.html", f"{folder}/x", "./report.html"):
        assert status(f"{url}/mop/report/{path}") in (404, 405), path
    assert status(f"{url}/mop") == 200
    assert status(f"{url}/mop/still.js") == 404
    direct = build_opener(ProxyHandler({}))
    with direct.open(f"{url}/mop/charts.js", timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        tag = answer.headers["ETag"]
    with pytest.raises(HTTPError, match="304"):
        direct.open(Request(f"{url}/mop/charts.js", headers={"If-None-Match": tag}), timeout=10)
    process.signal(signal.SIGINT)
    run.wait()


def test_a_login_closes_our_routes_too(server: Server, run_at: RunAt) -> None:
    """Whoever is not logged in gets the login page, from each of them, and starts nothing."""
    run = run_at(server)
    _, url = run.web(OWN_FILES / "behind_login.py", "--web-login")
    login = fetch(f"{url}/login")
    assert b"username_password_callback" in login
    for path in ("mop", "mop/data.json", "mop/plotly.js", "mop/live.js", "mop/report/x/report.html", "stats/requests", ""):
        assert fetch(f"{url}/{path}") == login, path
    assert fetch(f"{url}/swarm", urlencode({"user_count": 1, "spawn_rate": 1}).encode()) == login
    assert sum(server.counts()["answered"].values()) == 0
