"""The merged seconds as InfluxDB lines, and the verdict at the end."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests

from mop_locust.exporters.reading import Reading, Second
from mop_locust.exporters.sink import post
from mop_locust.metrics.accumulators import Accumulator, CounterTotal, RateTotal
from mop_locust.metrics.labels import Tags
from mop_locust.metrics.totals import Totals

Field = int | float | str

_SPECIAL: Final = re.compile(r"([,= ])")
_PERCENTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def writer(url: str, token: str) -> Callable[[bytes], None]:
    """Returns what writes lines to `/write?db=…` (version 1) or `/api/v2/write?…`; the times in them are milliseconds.

    The token goes into the Authorization header. For version 1 it is `USER:PASSWORD`.
    """
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "precision"]
    target = urlunsplit(parts._replace(query=urlencode([*query, ("precision", "ms")])))
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if token:
        first = not parts.path.endswith("/api/v2/write")
        headers["Authorization"] = f"Basic {base64.b64encode(token.encode()).decode()}" if first else f"Token {token}"
    session = requests.Session()
    session.auth = _keep_header  # else requests would take a password from ~/.netrc in its place
    return lambda lines: post(session, target, lines, headers)


def _keep_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def second_lines(second: Second) -> bytes:
    """The lines of one merged second: a measurement a metric, a point a series, and one of gauges a worker."""
    at = round(second.at * 1000)
    lines = [
        _line(f"mop_{name}", dict(tags), _fields(total), at)
        for (name, tags), total in Totals.of(second.window.tally).series.items()
    ]
    for worker, gauges in sorted(second.window.gauges.items()):
        if gauges:
            lines.append(_line("mop_worker", {"worker": second.worker_names.get(worker, "")}, dict(gauges), at))
    return "".join(lines).encode()


def final_lines(reading: Reading) -> bytes:
    """The line of the whole run: its verdict, at the time of its end."""
    run, verdict = reading.summary["run"], reading.summary["verdict"]
    calls = reading.totals.select("calls")
    fields: dict[str, Field] = {
        "run_id": run["id"],
        "state": verdict["state"],
        "validity": verdict["validity"],
        "exit_code": verdict["exit_code"],
        "seconds": run["seconds"],
        "users": run["users"],
        "calls": calls.samples if calls is not None else 0,
    }
    ended = datetime.fromisoformat(run["ended"]).timestamp()
    return _line("mop_run", {"scenario": run["scenario"]}, fields, round(ended * 1000)).encode()


def _fields(total: Accumulator) -> dict[str, Field]:
    if isinstance(total, CounterTotal):
        return {"count": total.count, **total.outcomes}
    if isinstance(total, RateTotal):
        return {"count": total.count, "failures": total.failures}
    histogram, unit = total.histogram, "_ms" if total.unit == "ms" else ""
    values = dict(zip(_PERCENTILES, histogram.quantiles(tuple(_PERCENTILES.values())), strict=True))
    values |= {"min": histogram.min, "max": histogram.max, "sum": histogram.total}
    return {"count": histogram.count, **{f"{name}{unit}": value / 1000 for name, value in values.items()}}


def _line(measurement: str, tags: Mapping[str, str] | Tags, fields: Mapping[str, Field], at_ms: int) -> str:
    head = "".join(f",{_tag(name)}={_tag(value)}" for name, value in sorted(dict(tags).items()) if value)
    body = ",".join(f"{_tag(name)}={_value(value)}" for name, value in fields.items())
    return f"{measurement}{head} {body} {at_ms}\n"


def _tag(text: str) -> str:
    # A backslash at the end would take the separator with it, and the format has no escape for one.
    return _SPECIAL.sub(r"\\\1", text.replace("\\", "/").replace("\n", " "))


def _value(value: Field) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return f"{value}i" if isinstance(value, int) else repr(value)
