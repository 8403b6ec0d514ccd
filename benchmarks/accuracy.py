"""`make accuracy`: the latencies that are reported beside the times that the server really held its answers.

    python -m benchmarks.accuracy [--only http,sse] [--delays '20,1|20:0.1'] [--rising 20,40]

It is the shipped path that is measured: `locust -f` headless on one core, `mop-locust serve --delay` on another, a fresh server
for each run. The load is moderate, and users pause for a random time, so that they do not queue behind each other: that would be
latency too, and none of the server's. The second table is about that: users without a pause, until the client's core is full.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.accuracy_table import Accuracy, Quantiles, Reading, Row, Step, failed, render
from benchmarks.cpu import Spent, spend
from benchmarks.machine import machine, versions
from benchmarks.result import keep
from benchmarks.servers import HTTP_SECONDS, KEY, ROOT, Server, embedded, plain_environment
from mop_locust.config.table import SETTINGS
from mop_locust.metrics.summary import MetricSummary
from mop_locust.report.document import SummaryDocument, SummaryError, read_summary

HERE = ROOT / "benchmarks"
MARGIN_SECONDS = 60.0  # beyond its length, for a client to start and to end on a busy machine
CHECK_SECONDS = 3  # a client of ours tells its CPU each second
RISING_DELAY, RISING_SECONDS = "20", 4
RISING_USERS = (40, 80, 120, 160, 200, 240, 280, 320)
LIMITS = ("MOP_MAX_CPU_PERCENT", "MOP_MAX_LOOP_LAG_MS")


class Load(msgspec.Struct, frozen=True):
    """So many users with a pause of 0 to twice `pause_ms`, for so many seconds."""

    users: int
    pause_ms: int
    seconds: int

    def thinned(self, share: float) -> Load:
        """The same with a share of the users."""
        return Load(max(2, round(self.users * share)), self.pause_ms, self.seconds)

    def shortened(self) -> Load:
        """The same for CHECK_SECONDS, or so much longer that each user gets several of the slowest answers."""
        return Load(self.users, self.pause_ms, max(CHECK_SECONDS, self.seconds - 2))


class Way(msgspec.Struct, frozen=True):
    """One transport: its scenario, what the server calls it, the metric that reports it.

    `share` of a load's users are its moderate load, `library` names the independent client.
    """

    name: str
    file: str
    held: str
    metric: str
    share: float
    library: dict[str, str]
    server_options: tuple[str, ...] = ()


LOADS = {
    "1": Load(4, 5, 3),
    "5": Load(8, 10, 3),
    "20": Load(20, 20, 3),
    "100": Load(60, 50, 3),
    "1000": Load(100, 100, 6),
    "20~5": Load(20, 20, 3),
    # wrk adds samples of its own for each that took more than twice the mean time between two requests: hence the pause.
    "1|20:0.1": Load(10, 15, 3),
}
LIST = "call_latency{method:tools/list,scenario:held_list,transport:http}"
PING = "call_latency{method:ping,scenario:held_ping,transport:websocket}"
STREAM = "sse_first_byte_latency"
REQUESTS = {"MOP_HTTP_CLIENT": "requests"}
WAYS = (
    Way("http", "held_list", "http tools/list", LIST, 1.0, REQUESTS),
    Way("websocket", "held_ping", "websocket ping", PING, 1.0, {"MOP_WS_CLIENT": "websocket-client"}),
    Way("sse", "held_stream", "http GET", STREAM, 0.5, REQUESTS, ("--sse-ends-early",)),
)
LIBRARY_SHARE = 0.3  # the libraries cost several times our CPU


def held(server: Server, name: str) -> Quantiles:
    """What the server held under that name until now; ValueError when that was nothing."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=HTTP_SECONDS)
    try:
        connection.request("GET", "/counts")
        figures = json.loads(connection.getresponse().read())["held"].get(name)
    finally:
        connection.close()
    if figures is None:
        raise ValueError(f"the server held no {name}")
    return Quantiles(figures["count"], *(figures[key] / 1000 for key in ("p50_us", "p95_us", "p99_us")))


def by_users(way: Way, delay: str, load: Load, library: Mapping[str, str] | None = None) -> Reading:
    """One run of our users, with our client or a library; ValueError with a sentence when it gave no figures."""
    with tempfile.TemporaryDirectory(prefix="mop-accuracy-") as name, embedded("--delay", delay, *way.server_options) as server:
        folder = Path(name)
        size = ["-u", str(load.users), "-r", str(load.users), "-t", f"{load.seconds}s", "-H", server.base]
        quiet = ["--headless", "--only-summary", "--loglevel", "WARNING"]
        words = [sys.executable, "-m", "locust", "-f", str(HERE / "scenarios" / f"{way.file}.py"), *quiet, *size]
        told = {"MOP_REPORTS": str(folder / "reports"), "MOP_PREFLIGHT": "off", "PAUSE_MS": str(load.pause_ms), **(library or {})}
        spent = spend(words, _environment(told), folder, load.seconds + MARGIN_SECONDS)
        return read(_summary(folder, spent), way.metric, held(server, way.held))


def read(summary: SummaryDocument, metric: str, true: Quantiles) -> Reading:
    """The reading of a run in one process; ValueError when calls failed or a figure is missing."""
    verdict, found = summary["verdict"], summary["metrics"].get(metric)
    if verdict["state"] != "PASSED" or found is None or not found["count"]:
        raise ValueError(f"{verdict['state']}, {metric} has {found['count'] if found else 0} values: {verdict['reasons']}")
    worker = summary["workers"][0]
    lag, used = worker["loop_lag_ms"], [gauges["cpu_percent"] for gauges in _gauges(summary) if "cpu_percent" in gauges]
    if lag is None or not used:
        raise ValueError("the run was too short for figures of the client's own")
    cpu = sum(used) / len(used)
    return Reading(true, _quantiles(found), cpu, lag["p99"], verdict["validity"], tuple(verdict["reasons"]))


def _gauges(summary: SummaryDocument) -> list[dict[str, float]]:
    return [gauges for window in summary["windows"] for gauges in window["gauges"].values()]


def _quantiles(found: MetricSummary) -> Quantiles:
    return Quantiles(found["count"], found["p50"], found["p95"], found["p99"])


def _summary(folder: Path, spent: Spent) -> SummaryDocument:
    files = list((folder / "reports").glob("*/summary.json"))
    try:
        if len(files) == 1:
            return read_summary(files[0])
        why = f"{len(files)} run folders"
    except SummaryError as error:
        why = str(error)
    raise ValueError(f"{why}, exit code {spent.exit_code}; its last words: {' '.join(spent.output.split())[-300:]!r}")


def by_wrk(program: str, way: Way, delay: str, load: Load) -> Reading:
    """One run of wrk, whose own figure for the CPU is that of the whole process; ValueError as `by_users`."""
    with tempfile.TemporaryDirectory(prefix="mop-accuracy-") as name, embedded("--delay", delay) as server:
        size = ["-t1", f"-c{load.users}", f"-d{load.seconds}s", "--latency"]
        words = [program, *size, "-s", str(HERE / "wrk" / f"{way.file}.lua"), server.http_url]
        told = {"SESSION": server.open_session(), "KEY": KEY, "PAUSE_MS": str(load.pause_ms)}
        spent = spend(words, _environment(told), Path(name), load.seconds + MARGIN_SECONDS)
        found = re.search(rf"^{way.file} (\d+) (\d+) (\d+) (\d+)$", spent.output, re.MULTILINE)
        if spent.exit_code or found is None or "Non-2xx" in spent.output or "Socket errors" in spent.output:
            raise ValueError(f"exit code {spent.exit_code}; its last words: {' '.join(spent.output.split())[-300:]!r}")
        count, p50, p95, p99 = (int(text) for text in found.groups())
        return Reading(held(server, way.held), Quantiles(count, p50 / 1000, p95 / 1000, p99 / 1000), 100 * spent.cpu / spent.wall)


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    return {**plain_environment(), "PYTHONPATH": str(ROOT), **added}


def row(way: Way, delay: str, wrk: str) -> Row:
    """All clients on one transport and delay; `wrk` is the program, "" when there is none."""
    load, faults = LOADS[delay].thinned(way.share), []

    def tried(who: str, measure: Callable[[], Reading]) -> Reading | None:
        try:
            return measure()
        except (ValueError, RuntimeError, OSError) as error:
            faults.append(f"{way.name}, delay {delay}, {who}: {error}")
            return None

    thin = load.thinned(LIBRARY_SHARE).shortened()
    return Row(
        transport=way.name,
        delay=delay,
        ours=tried("mop-locust", lambda: by_users(way, delay, load)),
        library=tried("library", lambda: by_users(way, delay, thin, way.library)),
        wrk=tried("wrk", lambda: by_wrk(wrk, way, delay, load.shortened())) if wrk and way.name == "http" else None,
        faults=tuple(faults),
    )


def step(users: int) -> Step:
    """One step of the rising load."""
    try:
        return Step(users, by_users(WAYS[0], RISING_DELAY, Load(users, 0, RISING_SECONDS)))
    except (ValueError, RuntimeError, OSError) as error:
        return Step(users, None, str(error))


def _said(reading: Reading | None) -> str:
    if reading is None:
        return "FAILED"
    errors = " / ".join(f"{error:+.2f}" for error in reading.errors)
    return f"error {errors} ms at P50, P95, P99; client CPU {reading.cpu:.0f} %"


def _chosen(text: str, allowed: Sequence[str]) -> list[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if wrong := [word for word in words if word not in allowed]:
        raise argparse.ArgumentTypeError(f"{', '.join(wrong)}: allowed are {', '.join(allowed)}")
    return words


def _users(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not all(word.isdecimal() and 0 < int(word) <= 2000 for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers from 1 to 2000")
    return [int(word) for word in words]


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    ways, delays = [way.name for way in WAYS], list(LOADS)
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy", description="Reported latencies beside the true ones.")
    parser.add_argument("--only", type=lambda text: _chosen(text, ways), default=ways, metavar="http,sse", help="transports")
    parser.add_argument("--delays", type=lambda text: _chosen(text, delays), default=delays, metavar="1,20")
    parser.add_argument("--rising", type=_users, default=list(RISING_USERS), metavar="20,40", help="users of the second table")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Measures, prints the tables and keeps them; 1 when something is not as it must be."""
    options = _options(arguments)
    wrk = shutil.which(os.environ.get("WRK") or "wrk") or ""
    missing = {} if wrk else {"wrk": "not on the path or in WRK"}
    began, place = datetime.now(UTC), machine()
    rows, steps = [], []
    for way in WAYS:
        for delay in options.delays if way.name in options.only else ():
            rows.append(row(way, delay, wrk))
            print(f"{way.name:<9} delay {delay:<8} {_said(rows[-1].ours)}", flush=True)
    for users in options.rising:
        steps.append(step(users))
        print(f"{users:>4} users, delay {RISING_DELAY}  {_said(steps[-1].ours)}", flush=True)
    accuracy = Accuracy(
        date=began.isoformat(timespec="seconds"),
        machine=place,
        versions=versions(),
        missing=missing,
        limits={setting.name: setting.default for setting in SETTINGS if setting.name in LIMITS},
        rising_delay=RISING_DELAY,
        rows=rows,
        steps=steps,
    )
    table = render(accuracy)
    file = keep(f"accuracy-{began:%Y%m%dT%H%M%SZ}", accuracy, table)
    print(f"\n{table}\n{file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}")
    return 1 if failed(accuracy) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
