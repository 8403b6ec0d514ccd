"""The load generators: which operations each can do, by which command, and what it claims to have done."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from benchmarks.cpu import Spent
from benchmarks.operations import Operation
from benchmarks.servers import KEY, ROOT, Server, plain_environment

OURS = "mop-locust"
FLOOR = "bare sockets"
HERE = ROOT / "benchmarks"


class Load(msgspec.Struct, frozen=True):
    """One run of a peer: an operation against a server by so many users for so many seconds; `folder` is its own."""

    operation: Operation
    server: Server
    users: int
    seconds: int
    folder: Path


class Peer(msgspec.Struct, frozen=True):
    """One load generator.

    `command` gives the words and the variables that are added to the environment, `claim` the operations that the peer says
    it did, and raises ValueError when it says that some failed. `missing` tells why it is not there, "" when it is.
    """

    name: str
    operations: str
    version: str
    missing: str
    command: Callable[[Load], tuple[list[str], dict[str, str]]]
    claim: Callable[[Load, Spent], int]

    def environment(self, added: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of its processes."""
        return {**plain_environment(), "PYTHONPATH": str(ROOT), "KEY": KEY, **added}


def peers(environ: Mapping[str, str]) -> list[Peer]:
    """All peers, those that are missing here too; `K6` and `WRK` name programs that are not on the path."""
    return [_ours(), _k6(environ), _wrk(environ), *_stock(), _floor()]


# --- ours


def _ours() -> Peer:
    return Peer(OURS, "abcdef", version("mop-locust"), "", _our_command, _our_claim)


def _our_command(load: Load) -> tuple[list[str], dict[str, str]]:
    file = HERE / "scenarios" / f"{load.operation.file}.py"
    return [*_locust(load), "-f", str(file)], {"MOP_REPORTS": str(load.folder / "reports")}


def _locust(load: Load) -> list[str]:
    users = str(load.users)
    words = ["--headless", "--only-summary", "--loglevel", "WARNING", "-u", users, "-r", users, "-t", f"{load.seconds}s"]
    return [sys.executable, "-m", "locust", *words, "-H", load.server.base]


def _our_claim(load: Load, spent: Spent) -> int:
    """What stands in summary.json: a run of ours may be degraded, as one that uses a whole core is, but must have PASSED.

    How sockets close is not asked: the embedded server counts the clean ends itself, and the real one gives none to anybody.
    """
    found = list((load.folder / "reports").glob("*/summary.json"))
    if len(found) != 1:
        raise ValueError(f"{len(found)} run folders, exit code {spent.exit_code}")
    summary = json.loads(found[0].read_bytes())
    rates = {name: rate for name, rate in summary["metrics"].items() if name.startswith("call_failures{")}
    failed = sum(rate["failures"] for name, rate in rates.items() if "method:close" not in name)
    if summary["verdict"]["state"] != "PASSED" or failed:
        raise ValueError(f"{summary['verdict']['state']}, {failed} calls failed: {summary['verdict']['reasons']}")
    return int(summary["metrics"]["iterations"]["count"])


# --- k6


def _k6(environ: Mapping[str, str]) -> Peer:
    program = environ.get("K6") or shutil.which("k6") or str(Path.home() / "go/bin/k6")
    told = _told(program, "version")
    found = re.search(r"v(\d[\w.]*)", told)
    missing = "" if found else "no k6 on the path or in K6"
    variables = {"K6_NO_USAGE_REPORT": "true"}

    def command(load: Load) -> tuple[list[str], dict[str, str]]:
        quiet = ["--quiet", "--no-color", "--log-output", "stderr", "--address", "", "--summary-export", "k6.json"]
        size = ["--vus", str(load.users), "--duration", f"{load.seconds}s"]
        target = {"HTTP_URL": load.server.http_url, "WS_URL": load.server.ws_url, "KEY": KEY, "SECONDS": str(load.seconds)}
        given = [word for name, value in target.items() for word in ("-e", f"{name}={value}")]
        return [program, "run", *quiet, *size, *given, str(HERE / "k6" / f"{load.operation.file}.js")], variables

    return Peer("k6", "abcdef", found[1] if found else "", missing, command, _k6_claim)


def _k6_claim(load: Load, spent: Spent) -> int:
    file = load.folder / "k6.json"
    if spent.exit_code or not file.exists():
        raise ValueError(f"exit code {spent.exit_code}")
    failures = json.loads(file.read_bytes())["metrics"]["failures"]
    if failures["passes"]:  # of a rate, k6 calls the true ones so: the failures
        raise ValueError(f"{failures['passes']} operations failed")
    return int(failures["fails"])


# --- wrk


def _wrk(environ: Mapping[str, str]) -> Peer:
    program = environ.get("WRK") or shutil.which("wrk") or "wrk"
    found = re.search(r"wrk \S*?(\d[\w.]*)", _told(program, "--version"))
    missing = "" if found else "no wrk on the path or in WRK"

    def command(load: Load) -> tuple[list[str], dict[str, str]]:
        script = HERE / "wrk" / f"{load.operation.file}.lua"
        size = ["-t1", f"-c{load.users}", f"-d{load.seconds}s", "--latency"]
        return [program, *size, "-s", str(script), load.server.http_url], {"SESSION": load.server.open_session()}

    return Peer("wrk", "af", found[1] if found else "", missing, command, _wrk_claim)


def _wrk_claim(_: Load, spent: Spent) -> int:
    found = re.search(r"(\d+) requests in", spent.output)
    if spent.exit_code or found is None:
        raise ValueError(f"exit code {spent.exit_code}")
    if "Non-2xx" in spent.output or "Socket errors" in spent.output:
        raise ValueError("some requests failed")
    return int(found[1])


# --- Locust's own users


def _stock() -> Iterator[Peer]:
    for name, package, operations, file, prefix in (
        ("FastHttpUser", "locust", "abcf", "http_users.py", "Fast"),
        ("HttpUser", "locust", "abcf", "http_users.py", "Plain"),
        ("websocket-client", "websocket-client", "de", "websocket_users.py", ""),
    ):
        number, missing = _package(package)
        yield Peer(name, operations, number, missing, _stock_command(file, prefix), _stock_claim)


def _stock_command(file: str, prefix: str) -> Callable[[Load], tuple[list[str], dict[str, str]]]:
    def command(load: Load) -> tuple[list[str], dict[str, str]]:
        # Without a stop timeout Locust kills its users, and websocket-client swallows the kill when it meets it in `close`.
        words = ["-f", str(HERE / "stock" / file), "--json-file", str(load.folder / "stock"), "--stop-timeout", "10"]
        return [*_locust(load), *words, prefix + load.operation.class_name], {}

    return command


_LAST = {"a": "tools/list", "b": "delete", "c": "delete", "d": "close", "e": "ping", "f": "tools/call"}


def _stock_claim(load: Load, spent: Spent) -> int:
    file = load.folder / "stock.json"
    if spent.exit_code or not file.exists():
        raise ValueError(f"exit code {spent.exit_code}")
    entries = json.loads(file.read_bytes())
    failed = sum(entry["num_failures"] for entry in entries)
    if failed:
        raise ValueError(f"{failed} requests failed")
    return sum(entry["num_requests"] for entry in entries if entry["name"] == _LAST[load.operation.key])


# --- what nothing in Python can be below


def _floor() -> Peer:
    return Peer(FLOOR, "d", platform.python_version(), "", _floor_command, _floor_claim)


def _floor_command(load: Load) -> tuple[list[str], dict[str, str]]:
    where = [load.server.host, str(load.server.port), str(load.seconds)]
    return [sys.executable, "-m", "benchmarks.bare_sockets", *where], {}


def _floor_claim(_: Load, spent: Spent) -> int:
    found = re.search(r"(\d+) sessions", spent.output)
    if spent.exit_code or found is None:
        raise ValueError(f"exit code {spent.exit_code}")
    return int(found[1])


# --- what is there


def _package(name: str) -> tuple[str, str]:
    try:
        return version(name), ""
    except PackageNotFoundError:
        return "", f"the package {name} is not installed"


def _told(program: str, option: str) -> str:
    """What a program says of its version, "" when there is no such program."""
    if shutil.which(program) is None:
        return ""
    with os.popen(f"'{program}' {option} 2>&1") as answer:
        return answer.read(2000)
