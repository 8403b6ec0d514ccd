"""Programs that look at a run from outside, each in a process of its own: Prometheus, InfluxDB, and sinks that misbehave."""

from __future__ import annotations

import json
import math
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.processes import Started, fetch, free_port, until


def program(name: str) -> str:
    """The path of an installed program; the test is skipped, by name, without it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


class Prometheus:
    """A real Prometheus that scrapes one address each second."""

    def __init__(self, folder: Path, target: str) -> None:
        config = folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f"scrape_configs: [{{job_name: mop-locust, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        words = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}")
        self._process = Started("prometheus", [program("prometheus"), *words], folder, {})
        until(self._is_ready, what="Prometheus")

    def _is_ready(self) -> bool:
        try:
            return b"Ready" in fetch(f"{self.url}/-/ready")
        except OSError:
            return False

    def close(self) -> None:
        """Ends it."""
        self._process.end()

    def values(self, expression: str) -> dict[frozenset[tuple[str, str]], float]:
        """The result of an instant query by its labels."""
        found = self._ask("query", query=expression)
        return {_labels(one["metric"]): float(one["value"][1]) for one in found}

    def value(self, expression: str) -> float:
        """The only value of an instant query."""
        values = list(self.values(expression).values())
        assert len(values) == 1, (expression, values)
        return values[0]

    def points(self, expression: str, start: float, end: float) -> int:
        """How many numbers a range query has."""
        found = self._ask("query_range", query=expression, start=str(start), end=str(end), step="1")
        return sum(not math.isnan(float(value)) for one in found for _, value in one["values"])

    def names(self) -> list[str]:
        """The names of all that was scraped."""
        return list(json.loads(fetch(f"{self.url}/api/v1/label/__name__/values"))["data"])

    def _ask(self, kind: str, **words: str) -> list[dict[str, Any]]:
        answer = json.loads(fetch(f"{self.url}/api/v1/{kind}?{urlencode(words)}"))
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])


def _labels(metric: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, value in metric.items() if name not in ("__name__", "instance", "job"))


class Influx:
    """A real InfluxDB 1 with one database."""

    def __init__(self, folder: Path) -> None:
        port, inner = free_port(), free_port()
        config = folder / "influxdb.conf"
        config.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{inner}"\n'
            f'[meta]\ndir = "{folder}/meta"\n[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
            f'[http]\nbind-address = "127.0.0.1:{port}"\nauth-enabled = true\n'
        )
        self._url = f"http://127.0.0.1:{port}"
        self._user = {"u": "loader", "p": "canary-of-influx"}
        self._process = Started("influxd", [program("influxd"), "-config", str(config)], folder, {})
        until(self._answers, what="InfluxDB")
        fetch(
            f"{self._url}/query?" + urlencode({"q": "CREATE USER loader WITH PASSWORD 'canary-of-influx' WITH ALL PRIVILEGES"}),
            b"",
        )
        fetch(f"{self._url}/query?" + urlencode({"q": "CREATE DATABASE mop", **self._user}), b"")
        self.write_url = f"{self._url}/write?db=mop"
        self.token = ":".join(self._user.values())

    def _answers(self) -> bool:
        try:
            fetch(f"{self._url}/ping")
        except OSError:
            return False
        return True

    def _order(self, **words: str) -> None:
        fetch(f"{self._url}/query?{urlencode(words)}", b"")

    def close(self) -> None:
        """Ends it."""
        self._process.end()

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query by column, tags among them."""
        answer = json.loads(fetch(f"{self._url}/query?" + urlencode({"db": "mop", "q": query, **self._user})))
        series = answer["results"][0].get("series", [])
        return [{**one.get("tags", {}), **dict(zip(one["columns"], row, strict=True))} for one in series for row in one["values"]]


@contextmanager
def sink(status: int | None) -> Iterator[tuple[str, list[bytes]]]:
    """A place that answers each POST with a status, or never (None); its address, and the bodies that came."""
    bodies: list[bytes] = []
    done = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            if status is None:
                done.wait(60)
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", bodies
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
