"""The checked settings of one run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from mop_locust.config.arrivals import Arrivals
from mop_locust.config.kinds import split_url
from mop_locust.config.mistakes import ConfigError, quoted_url
from mop_locust.config.stages import Stage
from mop_locust.config.table import SETTINGS


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The checked settings of a run; every time is in seconds."""

    base_url: str
    http_base: str
    ws_vus: int
    ws_duration: float
    ws_sleep: float
    ws_probe: str
    ws_subprotocol: str
    ws_client: str
    rps_vus: int
    rps_duration: float
    rps_think: float
    rps_lists: int
    rps_tool: str
    rps_tool_args: dict[str, object]
    sse_vus: int
    sse_iterations: int
    sse_window: float
    sse_max_duration: float
    sse_require_keepalive: bool
    stages: tuple[Stage, ...]
    fed_vus: int
    fed_duration: float
    fed_think: float
    fed_args: str
    mission_path: str
    mission_vus: int
    mission_duration: float
    mission_think: float
    mission_expect: str
    arrivals: Arrivals
    arrivals_clock: str
    max_users: int
    seed: int
    timeout: float
    max_reply_bytes: int
    protocol_version: str
    initialized: str
    leak_sessions: bool
    source_addresses: tuple[str, ...]
    tls_ca: str
    tls_insecure: bool
    allow_targets: tuple[str, ...]
    allow_cleartext_key: bool
    max_rps: int
    max_requests: int
    web_hosts: tuple[str, ...]
    http_client: str
    thresholds: str
    reports: str
    metrics_port: int
    metrics_host: str
    metrics_linger: float
    otlp: str
    influx: str
    jsonl: str
    server_commit: str
    expect_workers_at: str
    preflight: bool
    server_pid: int
    server_cgroup: str
    drift: bool
    max_loop_lag: float
    max_stall: float
    max_cpu_percent: int
    quiet: bool
    allow_degraded: bool


def parse_settings(values: Mapping[str, str]) -> Settings:
    """The settings of these texts by name (`MOP_WS_VUS`), defaults for what is absent; ConfigError has all mistakes."""
    read: dict[str, object] = {}
    mistakes: list[str] = []
    for setting in SETTINGS:
        try:
            read[setting.attribute] = setting.read(values.get(setting.name, setting.default))
        except ConfigError as error:
            mistakes += error.mistakes
        except ValueError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ConfigError(mistakes)
    return msgspec.convert(read, Settings)


def with_host(values: Mapping[str, str], host: str | None, given: Iterable[str]) -> dict[str, str]:
    """The values with both endpoints set from one URL (Locust's -H), except those whose names are in `given`.

    http://h:8000 gives http://h:8000/mcp and ws://h:8000/ws, https gives wss; a path stands before both, and an /mcp or /ws at
    its end is the endpoint itself. No host changes nothing. Raises ConfigError when the URL cannot be used.
    """
    wanted = {"MOP_BASE_URL", "MOP_HTTP_BASE"}.difference(given)
    if not host or not wanted:
        return dict(values)
    try:
        parts = split_url(host.strip(), ("http", "https", "ws", "wss"))
        if parts.query:
            raise ValueError("has a query")
    except ValueError as error:
        raise ConfigError([f"--host (-H): {quoted_url(host)} {error}; allowed: a URL such as http://HOST:PORT"]) from None
    secure = "s" if parts.scheme in ("https", "wss") else ""
    place = parts.netloc + re.sub(r"(/(mcp|ws))?/*$", "", parts.path)
    both = {"MOP_BASE_URL": f"ws{secure}://{place}/ws", "MOP_HTTP_BASE": f"http{secure}://{place}/mcp"}
    return {**values, **{name: both[name] for name in wanted}}
