"""The text of the page, read by two readers that are not ours, and the page as a WSGI application."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
from gevent import socket
from prometheus_client.parser import text_string_to_metric_families

from mop_locust.exporters.buckets import SECONDS
from mop_locust.exporters.families import Family
from mop_locust.exporters.prometheus import CONTENT_TYPE, Page, exposition, public_name, serve
from mop_locust.exporters.reading import Reading
from tests.unit.exporters.readings import a_reading, a_run
from tests.unit.exporters.test_families import LIST

HOSTILE = 'a"b\\c\nd{}'


def hostile() -> Reading:
    """With a server that puts what the format is made of into its name."""
    reading = a_reading()
    reading.summary["run"]["scenario"] = HOSTILE
    reading.summary["verdict"]["thresholds"][0]["expression"] = HOSTILE
    return reading


def test_another_reader_reads_what_was_meant() -> None:
    """Types, values, labels, buckets."""
    found = {family.name: family for family in text_string_to_metric_families(exposition(hostile()))}
    assert (found["mop_calls"].type, found["mop_call_latency_seconds"].type, found["mop_users"].type) == (
        "counter",
        "histogram",
        "gauge",
    )
    calls = {sample.labels["outcome"]: sample.value for sample in found["mop_calls"].samples}
    assert calls == {"timeout": 1, "tool_error": 1, "ok": 4}
    latency = found["mop_call_latency_seconds"].samples
    buckets = {float(sample.labels["le"]): sample.value for sample in latency if sample.name.endswith("_bucket")}
    assert list(buckets) == [*SECONDS.shown, float("inf")]
    assert (buckets[0.0005], buckets[SECONDS.shown[1]], buckets[60.030975], buckets[float("inf")]) == (0, 1, 4, 4)
    totals = {sample.name: (sample.labels, sample.value) for sample in latency if "_bucket" not in sample.name}
    assert totals == {"mop_call_latency_seconds_sum": (LIST, 60.004701), "mop_call_latency_seconds_count": (LIST, 4)}
    assert found["mop_run_info"].samples[0].labels["scenario"] == 'a"b\\c d{}'
    assert found["mop_threshold_passed"].samples[0].labels["threshold"] == 'tools_call_failures: a"b\\c d{}'


def test_promtool_finds_nothing_to_complain_about() -> None:
    """Names, units, types, help."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=exposition(hostile()), capture_output=True, text=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "kind", "unit", "public"),
    [
        ("calls", "counter", "", "mop_calls_total"),
        ("call_latency", "histogram", "seconds", "mop_call_latency_seconds"),
        ("users", "gauge", "", "mop_users"),
        ("speed", "histogram", "MB / s", "mop_speed_MB_s"),
        ("share", "histogram", "%", "mop_share"),
    ],
)
def test_names_have_prefix_unit_and_total(name: str, kind: Any, unit: str, public: str) -> None:
    """A unit that no name can have loses what cannot stand in it."""
    assert public_name(Family(name, kind, unit, "Help.")) == public


def asked(page: Page, path: str = "/metrics", method: str = "GET") -> tuple[str, dict[str, str], bytes]:
    """What the page answers."""
    told: list[Any] = []
    body = page({"PATH_INFO": path, "REQUEST_METHOD": method}, lambda status, headers: told.extend((status, headers)))
    return told[0], dict(told[1]), b"".join(body)


def test_the_page_answers_get_and_head_of_its_one_path() -> None:
    """And says so otherwise."""
    page = Page(a_reading)
    status, headers, body = asked(page)
    assert (status, headers["Content-Type"], int(headers["Content-Length"])) == ("200 OK", CONTENT_TYPE, len(body))
    assert b"mop_calls_total{" in body
    assert asked(page, method="HEAD")[0] == "200 OK"
    assert asked(page, "/")[0] == "404 Not Found"
    assert asked(page, method="POST")[0] == "405 Method Not Allowed"
    assert (page.scrapes, page.final_scrapes) == (1, 1)


def test_the_last_word_is_awaited_by_whoever_read_during_the_run() -> None:
    """Two times; nobody waits for a reader that never came."""
    now: list[Reading | None] = [None]
    page = Page(lambda: now[0])
    assert asked(page)[2] == b""
    now[0] = a_reading()
    asked(page)
    assert not page.is_awaited
    now[0] = a_reading(a_run(finished=False))
    asked(page)
    assert page.is_awaited
    now[0] = a_reading()
    asked(page)
    assert not page.is_awaited


def test_a_port_of_its_own_is_given_out_or_refused() -> None:
    """A second server cannot have it."""
    server = serve(Page(lambda: None), "127.0.0.1", 0)
    try:
        with pytest.raises(OSError, match="in use"):
            serve(Page(lambda: None), "127.0.0.1", server.server_port)
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert connection.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"
    finally:
        server.stop()
