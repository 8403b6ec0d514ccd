"""The real processes of the end-to-end tests: a server, and Locust's master, workers or single process.

Each process that is started leads a session of its own. So everything that it starts in turn is found by that session, an
orphan too, and is ended by its id.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import ProxyHandler, build_opener

import psutil

ROOT = Path(__file__).resolve().parents[2]
LOCUSTFILES = ROOT / "locustfiles"
START_SECONDS = 60.0  # for a process to be up on a busy machine
END_SECONDS = 60.0  # for a run of a few seconds to be over
OURS = ("MOP_", "LOCUST_", "_MOP_")  # variables that would change a run
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

_direct = build_opener(ProxyHandler({}))


class StillRunning(AssertionError):
    """A process that did not end in its time; the text has what it wrote."""


def environment(folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """This process's variables without those that change a run, and those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS) and name.lower() not in PROXIES}
    return {**kept, "HOME": str(folder), "PYTHONUNBUFFERED": "1", **given}


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether nobody listens on the port, under any loopback address."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as probe:
            if probe.connect_ex((address, port)) == 0:
                return False
    return True


def until(condition: Callable[[], object], seconds: float = START_SECONDS, what: str = "") -> None:
    """Waits until the condition holds; AssertionError when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain: {what or condition}")
        time.sleep(0.05)


def fetch(url: str, form: bytes | None = None) -> bytes:
    """The body at a URL, past every proxy; a POST when there is a form."""
    with _direct.open(url, form, timeout=10) as response:
        return bytes(response.read())


class Started:
    """One process that was started, with its output in a file; `name` says what it is in messages."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(folder, variables),
                cwd=folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id, which is also that of its session and of its group."""
        return self._popen.pid

    @property
    def output(self) -> str:
        """What it, and whatever it started, wrote so far to stdout and stderr."""
        return self._log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        """Whether the process itself has not ended."""
        return self._popen.poll() is None

    def wait(self, seconds: float = END_SECONDS) -> int:
        """Waits for the end and returns the exit code, negative for a signal; StillRunning when it is not over in time."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise StillRunning(f"{self.name} runs after {seconds:.0f} s:\n{self.output[-4000:]}") from None

    def says(self, text: str, seconds: float = START_SECONDS) -> None:
        """Waits until the output contains the text."""
        end = time.monotonic() + seconds
        while text not in self.output:
            if time.monotonic() > end or not self.running:
                raise AssertionError(f"{self.name} never said {text!r}:\n{self.output[-4000:]}")
            time.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process alone."""
        self._popen.send_signal(number)

    def signal_group(self, number: signal.Signals) -> None:
        """Sends a signal to the process and all that it started; SIGINT is what Ctrl-C in a terminal does."""
        os.killpg(self.pid, number)

    def family(self) -> list[psutil.Process]:
        """Everything that lives in the process's session: itself, its children, its orphans; no zombies."""
        found = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue
        return found

    def end(self) -> None:
        """Ends the whole family, by their ids."""
        family = self.family()
        for process in family:
            _kill(process, signal.SIGCONT)
            _kill(process, signal.SIGTERM)
        _, alive = psutil.wait_procs([process for process in family if process.pid != self.pid], timeout=0.5)
        try:
            self._popen.wait(5)
        except subprocess.TimeoutExpired:
            alive.append(psutil.Process(self.pid))
        for process in [*alive, *self.family()]:
            _kill(process, signal.SIGKILL)
        self._popen.wait(5)


def _kill(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


class Server:
    """The reference server in a process of its own, on a free port unless one is given; `with` starts and ends it."""

    def __init__(self, folder: Path, *options: str, port: int = 0, key: str = "") -> None:
        self._folder = folder
        self._command = [sys.executable, "-m", "mop_locust.server", "--port", str(port), *options]
        self._variables = {"MOP_SERVER_KEY": key} if key else {}
        self._process: Started | None = None
        self.address = ""

    def __enter__(self) -> Self:
        name = f"server-{len(list(self._folder.glob('server-*.log')))}"
        self._process = Started(name, self._command, self._folder, self._variables)
        self._process.says("/mcp ws")
        self.address = self._process.output.partition("//")[2].partition("/")[0]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process is not None
        self._process.end()

    @property
    def url(self) -> str:
        """What -H takes."""
        return f"http://{self.address}"

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process is not None
        return self._process.pid

    @property
    def output(self) -> str:
        """What the server wrote."""
        assert self._process is not None
        return self._process.output

    def counts(self) -> dict[str, Any]:
        """What the server received and answered, once two readings agree: the last goodbyes may be on their way."""
        before: dict[str, Any] = {}
        for _ in range(50):
            now = self.counts_now()
            del now["connections"]  # each reading is one
            if now == before and not now["sockets_open"] and not now["streams_open"]:
                break
            before = now
            time.sleep(0.1)
        return before

    def counts_now(self) -> dict[str, Any]:
        """What the server received and answered up to now."""
        return dict(json.loads(fetch(f"{self.url}/counts")))


class LocustRun:
    """The processes of one load test, with a folder of their own; `close` ends whatever is left of them.

    `target` is what -H takes ("" gives none); the variables are those of every process of the run.
    """

    def __init__(self, folder: Path, target: str = "", **variables: str) -> None:
        self.folder = folder
        self.reports = folder / "reports"
        self.port = free_port()
        self._target = ["-H", target] if target else []
        self._variables = {"MOP_REPORTS": str(self.reports), **variables}
        self.started: list[Started] = []
        folder.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Ends whatever still runs."""
        for process in self.started:
            process.end()

    # --- what can be started

    def single(self, file: str | Path, *options: str) -> Started:
        """`locust -f FILE --headless` in one process, or whatever the options make of it (`--processes 2`)."""
        ports = ("--master-bind-port", str(self.port), "--master-port", str(self.port)) if "--processes" in options else ()
        return self._locust("locust", file, "--headless", *self._statistics, *self._target, *ports, *options)

    def master(self, file: str | Path, workers: int, *options: str, **variables: str) -> Started:
        """A headless master that waits for so many workers; the variables are its own."""
        words = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(self.port))
        expected = ("--expect-workers", str(workers))
        return self._locust(
            "master", file, "--headless", *words, *expected, *self._statistics, *self._target, *options, **variables
        )

    def worker(self, file: str | Path, *options: str, **variables: str) -> Started:
        """A worker of that master; the variables are its own."""
        words = ("--worker", "--master-host", "127.0.0.1", "--master-port", str(self.port))
        return self._locust("worker", file, *words, *options, **variables)

    def with_workers(self, file: str | Path, workers: int, *options: str) -> Started:
        """A master and its workers, each on a command line of its own; returns the master."""
        master = self.master(file, workers, *options)
        for _ in range(workers):
            self.worker(file)
        return master

    def web(self, file: str | Path, *options: str) -> tuple[Started, str]:
        """A process with the web UI, and the UI's URL once it answers."""
        port = free_port()
        process = self._locust("web", file, "--web-host", "127.0.0.1", "--web-port", str(port), *self._target, *options)
        until(lambda: not process.running or not is_free(port), what=f"the web UI on port {port}")
        assert process.running, process.output
        return process, f"http://127.0.0.1:{port}"

    def command(self, scenarios: str | Sequence[str], *options: str) -> Started:
        """`mop-locust run SCENARIO …`."""
        names = [scenarios] if isinstance(scenarios, str) else list(scenarios)
        return self.mop_locust("run", *names, *self._statistics, *self._target, *options)

    def mop_locust(self, *words: str) -> Started:
        """Any `mop-locust` command."""
        return self._start("mop-locust", [sys.executable, "-m", "mop_locust.cli", *words], {})

    def _locust(self, name: str, file: str | Path, *options: str, **variables: str) -> Started:
        path = file if isinstance(file, Path) else LOCUSTFILES / f"{file}.py"
        return self._start(name, [sys.executable, "-m", "locust", "-f", str(path), *options], variables)

    def _start(self, name: str, command: Sequence[str], variables: Mapping[str, str]) -> Started:
        process = Started(f"{name}-{len(self.started)}", command, self.folder, {**self._variables, **variables})
        self.started.append(process)
        return process

    @property
    def _statistics(self) -> tuple[str, str]:
        return "--json-file", str(self.folder / "statistics")

    # --- how it ends

    def wait(self, seconds: float = END_SECONDS) -> int:
        """Waits for everything that was started; returns the exit code of the first, which is the one that judges."""
        code = self.started[0].wait(seconds)
        for process in self.started[1:]:
            process.wait(seconds)
        return code

    def orphans(self, seconds: float = 5.0) -> list[str]:
        """The command lines of what still runs so long after the end: there should be none."""
        end = time.monotonic() + seconds
        while (left := list(self._family())) and time.monotonic() < end:
            time.sleep(0.1)
        return [f"{process.pid} {' '.join(process.cmdline())}" for process in left]

    def _family(self) -> Iterator[psutil.Process]:
        for process in self.started:
            yield from process.family()

    # --- what it left behind

    @property
    def output(self) -> str:
        """What all its processes wrote."""
        return "\n".join(process.output for process in self.started)

    def summaries(self) -> list[dict[str, Any]]:
        """The content of each summary.json, in the order of the runs."""
        found = [json.loads(file.read_bytes()) for file in self.reports.glob("*/summary.json")]
        return sorted(found, key=lambda summary: str(summary["run"]["started"]))

    @property
    def summary(self) -> dict[str, Any]:
        """The only summary.json; AssertionError when there is none, or more than one."""
        found = self.summaries()
        assert len(found) == 1, f"{len(found)} run folders, not one:\n{self.output[-4000:]}"
        return found[0]

    @property
    def statistics(self) -> list[dict[str, Any]]:
        """Locust's own statistics of the last run, an entry a request type and name."""
        return list(json.loads((self.folder / "statistics.json").read_bytes()))
