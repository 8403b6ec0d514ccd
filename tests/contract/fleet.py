"""The servers of the suite: each a process of its own on a free port, started when a test first asks for it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.contract.authority import Authority
from tests.contract.targets import KEEP_ALIVE_SECONDS, PROCESS_MOP, PROCESS_REAL, PROCESS_SDK

ROOT: Final = Path(__file__).resolve().parents[2]
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 5.0
HELD_MS: Final = 60_000
BIG_TOOL_BYTES: Final = 1_048_576
BIG_TOOLS: Final = 2
BINARY_VARIABLE: Final = "MOP_SERVER_BIN"

_ADDRESS: Final = re.compile(r"https?://([\w.:]+)")
_KEEP_ALIVE: Final = ("--keep-alive-seconds", str(KEEP_ALIVE_SECONDS))
_BIG: Final = ("--tools", str(BIG_TOOLS), "--tool-bytes", str(BIG_TOOL_BYTES))

# The reference server's options, by the name of the process.
REFERENCE: Final = {
    PROCESS_MOP: ("--dialect", "mop", *_KEEP_ALIVE),
    "mcp-json": ("--dialect", "mcp", "--answer", "json", *_KEEP_ALIVE),
    "mcp-sse": ("--dialect", "mcp", "--answer", "sse", *_KEEP_ALIVE),
    "early": ("--sse-ends-early",),
    "held": ("--delay", str(HELD_MS)),
    "big-json": _BIG,
    "passing": (),
    "big-sse": ("--dialect", "mcp", "--answer", "sse", *_BIG),
}


@dataclass
class Running:
    """A server that runs: `address` is host and port."""

    address: str
    process: subprocess.Popen[bytes]


class Fleet:
    """All servers of a test run, by name."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self._directory = directory
        self._authority = authority
        self._running: dict[str, Running] = {}

    def address(self, name: str) -> str:
        """The address of a server, which is started if it does not run; skips the test when it cannot be had here."""
        if name not in self._running:
            self._running[name] = self._real() if name == PROCESS_REAL else self._start(name, self._command(name))
        return self._running[name].address

    def _command(self, name: str) -> list[str]:
        if name == PROCESS_SDK:
            return [sys.executable, str(Path(__file__).with_name("sdk_server.py"))]
        if name == "tls":
            options: tuple[str, ...] = ("--tls", str(self._authority.certificate), str(self._authority.key))
        else:
            options = REFERENCE[name]
        return [sys.executable, "-m", "mop_locust.server", "--port", "0", *options]

    def _start(self, name: str, command: list[str]) -> Running:
        log = self._directory / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=_environment())
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            said = _ADDRESS.search(log.read_text())
            if said is not None:
                return Running(said[1], process)
            time.sleep(0.02)
        _stop(process)
        raise RuntimeError(f"the server {name!r} did not start:\n{log.read_text()}")

    def _real(self) -> Running:
        """The MOP server itself, which does not tell its port: a free one is chosen for it."""
        binary = os.environ.get(BINARY_VARIABLE)
        if not binary:
            pytest.skip(f"{BINARY_VARIABLE} names no MOP server")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [binary, "start", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
            except OSError:
                time.sleep(0.02)
            else:
                return Running(f"127.0.0.1:{port}", process)
        _stop(process)
        raise RuntimeError(f"the MOP server {binary!r} did not start")

    def end(self, name: str, number: signal.Signals) -> None:
        """End one server by a signal; it starts anew when it is asked for again."""
        process = self._running.pop(name).process
        process.send_signal(number)
        process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """End all servers."""
        for running in self._running.values():
            _stop(running.process)
        self._running.clear()


def _environment() -> dict[str, str]:
    """What the servers inherit: nothing that was meant for the suite."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MOP_")}


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
