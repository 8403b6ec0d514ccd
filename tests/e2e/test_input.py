"""What a user gives wrong is told before any load, all of it at once, with exit code 2; the key is told to nobody."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.conservation import conserved
from tests.e2e.processes import LocustRun, Server, until

SHORT = ("-u", "4", "-t", "2s")
CANARY = "canary-7f3a91c2-never-to-be-seen"
CLUSTER_KEY = "canary-of-the-swarm-" + "never-to-be-seen-either"
WEB_PASSWORD = "canary-of-the-web-ui"
SECRETS = (CANARY, CLUSTER_KEY, WEB_PASSWORD)

WRONG = {
    "MOP_HTTP_BASE": "ftp://127.0.0.1/mcp",
    "MOP_BASE_URL": "ws:///ws",
    "MOP_RPS_VUS": "many",
    "MOP_SSE_VUS": "0",
    "MOP_TIMEOUT_MS": "1.5",
    "MOP_WS_DURATION": "1x",
    "MOP_TLS_CA": "/nowhere/ca.pem",
    "MOP_RPS_TOOL_ARGS": "[1]",
    "MOP_SERVER_PID": "4194304",  # one more than the kernel gives
    "MOP_SERVER_CGROUP": "/nowhere",
}
WRONG_THRESHOLDS = {
    "nothing_known": "nothing_known: rate<1",  # no such metric
    "ws_failures": "ws_failures: p(95)<1",  # a rate has no percentiles
    "calls": "calls: count>>1",  # does not parse
    "call_latency{method": "call_latency{method:tools/list: p(95)<1",  # does not parse either
}


def nothing_was_sent(server: Server) -> bool:
    """Whether the server saw no exchange at all."""
    counts = server.counts()
    return not counts["received"] and not counts["sockets_opened"]


@pytest.mark.parametrize("workers", [0, 2])
def test_all_mistakes_are_told_at_once(workers: int, server: Server, run_at: RunAt) -> None:
    """Settings, thresholds and the key: one message, each named with its value and what is allowed."""
    run = run_at("", **WRONG, MOP_THRESHOLDS=";".join(WRONG_THRESHOLDS.values()), MOP_API_KEY=f"{CANARY}\nsecond line")
    run.command("mixed", "--workers", str(workers), *SHORT)
    assert run.wait() == 2, run.output
    output = run.output
    for name, value in WRONG.items():
        [line] = [line for line in output.splitlines() if f"{name} (" in line]
        assert f"--{name.lower().replace('_', '-')}" in line
        assert value in line
        assert "allowed: " in line
    missing = [name for name in [*WRONG_THRESHOLDS, "MOP_API_KEY"] if name not in output]
    assert missing == [], output
    assert CANARY not in output
    assert "second line" not in output
    assert "Traceback" not in output
    assert nothing_was_sent(server)
    assert run.orphans() == []
    assert not run.summaries()


def test_each_wrong_threshold_is_told(server: Server, run_at: RunAt) -> None:
    """Alone, so that no other mistake hides them; those of the option and of the variable together."""
    run = run_at(server, MOP_THRESHOLDS=";".join([WRONG_THRESHOLDS["nothing_known"], WRONG_THRESHOLDS["calls"]]))
    rest = [WRONG_THRESHOLDS["ws_failures"], WRONG_THRESHOLDS["call_latency{method"]]
    run.single("mixed", *SHORT, *(word for text in rest for word in ("--mop-threshold", text)))
    assert run.wait() == 2, run.output
    assert [name for name in WRONG_THRESHOLDS if name not in run.output] == [], run.output
    assert "Traceback" not in run.output
    assert nothing_was_sent(server)


def test_a_key_with_a_line_break_is_told_and_not_shown(server: Server, run_at: RunAt) -> None:
    run = run_at(server, MOP_API_KEY=f"{CANARY}\nsecond line")
    run.single("tools_call_rps", *SHORT)
    assert run.wait() == 2, run.output
    assert "MOP_API_KEY: the key has a line break" in run.output
    assert CANARY not in run.output
    assert "Traceback" not in run.output
    assert nothing_was_sent(server)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nonsense", *SHORT), "'nonsense'"),
        (("./missing.py", "nonsense", "tools_call_rps", *SHORT), "./missing.py"),
        ((), "no scenario named"),
        (SHORT, "no scenario named"),
    ],
)
def test_an_unknown_scenario_lists_those_there_are(words: tuple[str, ...], told: str, server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    run.mop_locust("run", *words)
    assert run.wait() == 2, run.output
    assert told in run.output
    there_are = ("ws_connect_storm", "tools_call_rps", "sse_keep_alive", "mixed", "all")
    assert [name for name in there_are if name not in run.output] == [], run.output
    assert "Traceback" not in run.output
    assert nothing_was_sent(server)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("-t", "1x"), "1x"),
        (("--workers", "two"), "'two'"),
        (("--mop-nonsense", "1"), "--mop-nonsense"),
        (("--mop-timeout-ms", "-1"), "MOP_TIMEOUT_MS (--mop-timeout-ms): '-1'"),
        (("-H", "localhost:8000"), "localhost:8000"),
    ],
)
def test_a_wrong_option_ends_with_2(options: tuple[str, ...], told: str, server: Server, run_at: RunAt) -> None:
    run = run_at("")
    run.command("tools_call_rps", *options)
    assert run.wait() == 2, run.output
    assert told in run.output
    assert "Traceback" not in run.output
    assert nothing_was_sent(server)


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("exa_search_example", '{"query": 5}', ["MOP_RPS_TOOL_ARGS", "query"]),
        ("exa_search_example", "{}", ["MOP_RPS_TOOL_ARGS", "'query' is a required property"]),
        ("no_such_tool", "{}", ["MOP_RPS_TOOL", "'no_such_tool'", "exa_search_example"]),
    ],
)
def test_the_arguments_of_a_tool_are_checked_before_the_run(
    tool: str, arguments: str, told: list[str], server: Server, run_at: RunAt
) -> None:
    """Against the tool's inputSchema, as the server itself lists it."""
    run = run_at(server, MOP_RPS_TOOL=tool, MOP_RPS_TOOL_ARGS=arguments)
    run.single("tools_call_rps", *SHORT)
    assert run.wait() == 2, run.output
    assert [text for text in told if text not in run.output] == [], run.output
    counts = server.counts()
    assert "http tools/call" not in counts["received"]
    assert counts["sessions_opened"] == counts["sessions_deleted"] == 1
    assert "Traceback" not in run.output


def test_a_worker_with_another_key_is_named_before_the_load(server: Server, run_at: RunAt) -> None:
    run = run_at(server)
    run.master("tools_call_rps", 2, *SHORT)
    run.worker("tools_call_rps")
    run.worker("tools_call_rps", MOP_API_KEY=CANARY)
    assert run.started[0].wait() == 2, run.output
    [line] = [line for line in run.started[0].output.splitlines() if "MOP_API_KEY: worker " in line]
    assert "has another key than the master" in line
    assert CANARY not in run.output
    assert nothing_was_sent(server)
    assert "Traceback" not in run.output
    assert run.orphans() == []


def key_seen_in(run: LocustRun) -> list[str]:
    """The files of a run, its outputs and logs among them, that contain a key or the password."""
    contents = {str(file): file.read_bytes() for file in run.folder.rglob("*") if file.is_file()}
    return [file for file, content in contents.items() if any(secret.encode() in content for secret in SECRETS)]


def command_lines() -> list[list[str]]:
    """The command lines of every process of the machine."""
    found = []
    for process in psutil.process_iter():
        try:
            found.append(process.cmdline())
        except psutil.Error:
            continue
    return found


def test_the_key_is_seen_nowhere(run_at: RunAt, tmp_path: Path) -> None:
    """A run that goes well and says all it can; one that fails at every exchange; one whose key is refused."""
    with Server(tmp_path, key=CANARY) as server, Server(tmp_path, key="another") as other:
        everything = ("--loglevel", "DEBUG", "--logfile", "locust.log", "--html", "locust.html", "--csv", "locust")
        password = tmp_path / "password"
        password.write_text(f"{WEB_PASSWORD}\n")
        more = {"MOP_CLUSTER_KEY": CLUSTER_KEY, "MOP_WEB_USER": "operator", "MOP_WEB_PASSWORD_FILE": str(password)}
        good, bad, refused = (run_at(at, MOP_API_KEY=CANARY, **more) for at in (server, other, other))
        good.command("mixed", "--workers", "2", "-u", "15", "-t", "3s", *everything)
        bad.single("mixed", "-u", "15", "-t", "3s", "--mop-preflight", "off", *everything)
        refused.single("tools_call_rps", *SHORT, *everything)
        until(lambda: server.counts_now()["sessions_deleted"] > 1 and other.counts_now()["received"], what="load")
        assert [words for words in command_lines() if any(secret in " ".join(words) for secret in SECRETS)] == []
        assert [run.wait() for run in (good, bad, refused)] == [0, 3, 2], "\n".join(run.output for run in (good, bad, refused))
        conserved(good.summary, server.counts())
    assert [file for run in (good, bad, refused) for file in key_seen_in(run)] == []
    assert "HTTP 401" in {row["error"] for row in bad.summary["errors"]}


def test_the_key_can_stand_in_a_file(run_at: RunAt, tmp_path: Path) -> None:
    """MOP_API_KEY_FILE, with the line end that editors put there; and a file that is not there."""
    file = tmp_path / "key"
    file.write_text(f"{CANARY}\n")
    with Server(tmp_path, key=CANARY) as server:
        run, missing = run_at(server, MOP_API_KEY_FILE=str(file)), run_at(server, MOP_API_KEY_FILE=str(tmp_path / "none"))
        run.single("tools_call_rps", *SHORT)
        assert run.wait() == 0, run.output
        conserved(run.summary, server.counts(), run.statistics)
        missing.single("tools_call_rps", *SHORT)
        assert missing.wait() == 2, missing.output
    assert "MOP_API_KEY_FILE" in missing.output
    assert key_seen_in(run) == key_seen_in(missing) == []
