"""Lines for InfluxDB, and how they are sent."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
import requests

from mop_locust.exporters import influx
from mop_locust.exporters.influx import final_lines, second_lines, writer
from tests.unit.exporters.readings import a_reading, a_run, seconds

LIST = "method=tools/list,scenario=calls,transport=http"
CALL = "method=tools/call,scenario=calls,tool=find,transport=http"


def lines(number: int) -> list[str]:
    """The lines of one of the merged seconds of the run."""
    return second_lines(seconds(a_run())[number]).decode().splitlines()


def test_a_second_has_a_line_for_each_series() -> None:
    """Counts are whole numbers, times milliseconds, the time is the second's start."""
    assert f"mop_calls,{LIST} count=2i,ok=2i 1800000002000" in lines(1)
    assert f"mop_call_failures,{LIST} count=2i,failures=0i 1800000002000" in lines(1)
    assert (
        f"mop_call_latency,{LIST} count=2i,p50_ms=0.7,p90_ms=2.0,p95_ms=2.0,p99_ms=2.0,p999_ms=2.0,min_ms=0.7,max_ms=2.0,"
        "sum_ms=2.7 1800000002000"
    ) in lines(1)
    assert f"mop_calls,{CALL} count=2i,timeout=1i,tool_error=1i 1800000011000" in lines(2)
    assert "mop_worker,worker=1 users=8.0 1800000062000" in lines(3)
    (length,) = [line for line in lines(3) if line.startswith("mop_answer_length")]
    values = "p50=3.0,p90=3.0,p95=3.0,p99=3.0,p999=3.0,min=3.0,max=3.0,sum=3.0"
    assert length == f"mop_answer_length,le=x,scenario=calls count=1i,{values} 1800000062000"


def test_the_run_has_a_line_at_its_end() -> None:
    """Its verdict, with what is hostile in a name made harmless."""
    reading = a_reading()
    reading.summary["run"]["scenario"] = "a b,c=d\\e\nf\\"
    reading.summary["run"]["id"] = 'say "r"\\'
    assert final_lines(reading).decode() == (
        'mop_run,scenario=a\\ b\\,c\\=d/e\\ f/ run_id="say \\"r\\"\\\\",state="CROSSED",validity="valid",exit_code=3i,'
        "seconds=60.0,users=20i,calls=6i 1800000060000\n"
    )
    empty = a_reading()
    empty.summary["metrics"] = {}
    assert b"calls=0i" in final_lines(empty)


@pytest.mark.parametrize(
    ("url", "token", "target", "authorization"),
    [
        ("http://h/write?db=a+b", "", "http://h/write?db=a+b&precision=ms", None),
        ("http://h/write?db=x&precision=s", "me:pass:word", "http://h/write?db=x&precision=ms", "Basic me:pass:word"),
        ("http://h/api/v2/write?bucket=b", "abc", "http://h/api/v2/write?bucket=b&precision=ms", "Token abc"),
    ],
)
def test_lines_go_to_either_version(
    url: str, token: str, target: str, authorization: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times are milliseconds whatever the URL says; the token stands in a header alone."""
    sent: list[Any] = []
    monkeypatch.setattr(influx, "post", lambda *arguments: sent.append(arguments))
    writer(url, token)(b"lines")
    ((session, to, body, headers),) = sent
    assert (to, body) == (target, b"lines")
    told = headers.get("Authorization")
    if told is not None and told.startswith("Basic "):
        told = f"Basic {b64decode(told.removeprefix('Basic ')).decode()}"
    assert told == authorization
    prepared = session.prepare_request(requests.Request("POST", to, headers=headers))
    assert prepared.headers.get("Authorization") == headers.get("Authorization")
