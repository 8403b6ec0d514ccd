"""How many `tools/list` a second the reference server answers on one core, and what one of them costs.

    python -m benchmarks.server_throughput [--seconds 3] [--connections 16]

The server runs on the first core and the client on the last one (`taskset`, if it is there and there are two cores). The client
is `wrk` if it is installed, else a plain socket loop of our own, which is slower than the server: then the CPU time tells. On a
machine that is busy with other work the rate is too low, and the CPU time is too high by half or more.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from benchmarks.whole import add_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

GOAL = 15_000
LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
START = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}'
HEADERS = {
    "Authorization": "Bearer DEMO_KEY_PUBLIC",
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
}


def pinned(command: list[str], core: int) -> list[str]:
    """The command on one core, where that can be had."""
    cores = sorted(os.sched_getaffinity(0))
    if shutil.which("taskset") and len(cores) > 1:
        return ["taskset", "-c", str(cores[core]), *command]
    return command


@contextmanager
def server() -> Iterator[tuple[psutil.Process, str, int]]:
    """A server process, its host and port."""
    command = pinned([sys.executable, "-m", "mop_locust.server", "--port", "0"], 0)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = re.search(r"http://([^:]+):(\d+)/mcp", process.stdout.readline())
        if address is None:
            raise SystemExit("the server did not start")
        yield psutil.Process(process.pid), address[1], int(address[2])
    finally:
        process.terminate()
        process.wait(10)


def open_session(host: str, port: int) -> str:
    """The id of a fresh session."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("POST", "/mcp", START, HEADERS)
    session = connection.getresponse().getheader("mcp-session-id")
    connection.close()
    if session is None:
        raise SystemExit("the server opened no session")
    return session


def with_wrk(host: str, port: int, headers: dict[str, str], seconds: int, connections: int) -> None:
    """Load by wrk; what it says is not needed, the server counts."""
    lines = ['wrk.method = "POST"', f"wrk.body = {json.dumps(LIST)}"]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("\n".join(lines))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, f"http://{host}:{port}/mcp"]
        subprocess.run(pinned(command, -1), check=True, capture_output=True)


def with_sockets(host: str, port: int, headers: dict[str, str], seconds: int, connections: int) -> None:
    """Load by plain sockets: each sends its next request when its last answer, whose size is known by then, is complete."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"POST /mcp HTTP/1.1\r\nHost: {host}\r\n{head}Content-Length: {len(LIST)}\r\n\r\n{LIST}".encode()
    with selectors.DefaultSelector() as selector:
        size = 0
        clients = [socket.create_connection((host, port), timeout=10) for _ in range(connections)]
        left = dict.fromkeys(clients, 0)
        for client in clients:
            client.sendall(request)
            if not size:
                size = _answer_size(client)
                client.sendall(request)
            left[client] = size
            selector.register(client, selectors.EVENT_READ, client)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for key, _ in selector.select(0.1):
                ready: socket.socket = key.data
                left[ready] -= len(ready.recv(65536))
                if left[ready] == 0:
                    left[ready] = size
                    ready.sendall(request)
        for client in clients:
            client.close()


def _answer_size(client: socket.socket) -> int:
    """The bytes of the whole answer that comes next; all answers to the same request have the same size."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    missing = int(length[1]) - len(rest)
    while missing:
        missing -= len(client.recv(missing))
    return len(head) + 4 + int(length[1])


def answered(host: str, port: int) -> int:
    """How many tools/list the server has answered."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("GET", "/counts")
    counts = json.load(connection.getresponse())
    connection.close()
    return int(counts["answered"].get("http tools/list", 0))


def main() -> None:
    """Measure once and print the figures."""
    parser = argparse.ArgumentParser(description="Throughput of the reference server.")
    add_whole(parser, "--seconds", 3, 1, 60)
    add_whole(parser, "--connections", 16, 1, 256)
    options = parser.parse_args()
    client = with_wrk if shutil.which("wrk") else with_sockets
    with server() as (process, host, port):
        headers = {**HEADERS, "Mcp-Session-Id": open_session(host, port)}
        client(host, port, headers, 1, options.connections)
        before, count, began = process.cpu_times(), answered(host, port), time.monotonic()
        client(host, port, headers, options.seconds, options.connections)
        after, seconds = process.cpu_times(), time.monotonic() - began
        count = answered(host, port) - count
    cpu = after.user + after.system - before.user - before.system
    a_core = count / cpu
    print(f"client            {client.__name__.removeprefix('with_')}, {options.connections} connections, {seconds:.1f} s")
    print(f"tools/list        {count / seconds:,.0f} a second; the server had {cpu / seconds:.0%} of a core")
    print(f"CPU a request     {cpu / count * 1e6:.1f} us")
    print(f"on a whole core   {a_core:,.0f} a second (goal {GOAL:,}: {'met' if a_core >= GOAL else 'NOT met'})")


if __name__ == "__main__":
    main()
