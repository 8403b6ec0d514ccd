"""From texts to settings: defaults, all mistakes at once, and the host rule."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from mop_locust.config import SETTINGS, ConfigError, Setting, Settings, parse_settings, with_host

DEFAULTS = Settings(
    base_url="ws://localhost:8000/ws",
    http_base="http://localhost:8000/mcp",
    ws_vus=50,
    ws_duration=60.0,
    ws_sleep=0.5,
    ws_probe="ping",
    ws_subprotocol="",
    ws_client="gevent",
    rps_vus=20,
    rps_duration=60.0,
    rps_think=0.25,
    rps_lists=1,
    rps_tool="",
    rps_tool_args={},
    sse_vus=5,
    sse_iterations=20,
    sse_window=5.0,
    sse_max_duration=600.0,
    sse_require_keepalive=False,
    stages=(),
    fed_vus=10,
    fed_duration=60.0,
    fed_think=0.1,
    fed_args="",
    mission_path="",
    mission_vus=10,
    mission_duration=10.0,
    mission_think=0.1,
    mission_expect="with",
    arrivals={},
    arrivals_clock="constant",
    max_users=10000,
    seed=1,
    timeout=10.0,
    max_reply_bytes=16777216,
    protocol_version="2025-11-25",
    initialized="auto",
    leak_sessions=False,
    source_addresses=(),
    tls_ca="",
    tls_insecure=False,
    allow_targets=(),
    allow_cleartext_key=False,
    max_rps=0,
    max_requests=0,
    web_hosts=(),
    http_client="gevent",
    thresholds="",
    reports="reports",
    metrics_port=0,
    metrics_host="127.0.0.1",
    metrics_linger=30.0,
    otlp="",
    influx="",
    jsonl="",
    server_commit="",
    expect_workers_at="",
    preflight=True,
    server_pid=0,
    server_cgroup="",
    drift=False,
    max_loop_lag=0.25,
    max_stall=2.0,
    max_cpu_percent=55,
    quiet=False,
    allow_degraded=False,
)


def test_defaults() -> None:
    """No value at all gives the seed's defaults."""
    assert parse_settings({}) == DEFAULTS


def test_every_default_is_a_text_that_can_be_given() -> None:
    """Writing out each default changes nothing, and other names do not matter."""
    assert parse_settings({setting.name: setting.default for setting in SETTINGS} | {"PATH": "/bin"}) == DEFAULTS


def test_given_values_win() -> None:
    """A given text replaces the default, with times in seconds."""
    given = {"MOP_WS_VUS": "7", "MOP_WS_DURATION": "1m30s", "MOP_RPS_THINK_MS": "0", "MOP_LEAK_SESSIONS": "yes"}
    assert parse_settings(given) == msgspec.structs.replace(
        DEFAULTS, ws_vus=7, ws_duration=90.0, rps_think=0.0, leak_sessions=True
    )


def test_settings_are_frozen() -> None:
    """Nobody changes a setting in the middle of a run."""
    with pytest.raises(AttributeError, match="immutable"):
        parse_settings({}).ws_vus = 1  # type: ignore[misc]


def test_all_mistakes_at_once() -> None:
    """Each mistake names variable, option, value and what is allowed, in the order of the table."""
    with pytest.raises(ConfigError) as caught:
        parse_settings(
            {
                "MOP_PROTOCOL_VERSION": "2026-07-28",
                "MOP_WS_VUS": "many",
                "MOP_WS_DURATION": "1x",
                "MOP_TIMEOUT_MS": "0",
                "MOP_BASE_URL": "http://me:CANARY@h/ws?apiKey=CANARY",
                "MOP_RPS_VUS": "3",
                "MOP_WS_CLIENT": " ",
                "MOP_WS_SUBPROTOCOL": "",
            }
        )
    assert caught.value.mistakes == [
        (
            "MOP_BASE_URL (--mop-base-url): 'http://***@h/ws?***' does not begin with ws:// or wss://; "
            "allowed: ws://HOST[:PORT][/PATH] or wss://HOST[:PORT][/PATH]"
        ),
        "MOP_WS_VUS (--mop-ws-vus): 'many' is not a number; allowed: a whole number from 1 to 1000000000",
        (
            "MOP_WS_DURATION (--mop-ws-duration): '1x' is not a duration; "
            "allowed: a duration above 0 such as 90, 90s, 1m, 1h30m, 1m30s or 500ms"
        ),
        "MOP_WS_CLIENT (--mop-ws-client): ' ' is empty; allowed: gevent or websocket-client",
        "MOP_TIMEOUT_MS (--mop-timeout-ms): '0' is out of range; allowed: a whole number of milliseconds from 1 to 31536000000",
        (
            "MOP_PROTOCOL_VERSION (--mop-protocol-version): '2026-07-28' is the stateless revision, which is not supported yet; "
            "allowed: 2024-11-05, 2025-03-26, 2025-06-18 or 2025-11-25"
        ),
    ]


@pytest.mark.parametrize(
    "setting", [setting for setting in SETTINGS if setting.name != "MOP_THRESHOLDS"], ids=lambda setting: setting.name
)
def test_every_setting_can_be_wrong(setting: Setting) -> None:
    """All settings refuse a NUL, with a sentence of the same form."""
    with pytest.raises(ConfigError) as caught:
        parse_settings({setting.name: "\0"})
    assert len(caught.value.mistakes) == 1
    assert re.fullmatch(rf"{setting.name} \({setting.option}\): '\\x00' .+; allowed: .+", caught.value.mistakes[0])


@pytest.mark.parametrize(
    ("host", "socket", "http"),
    [
        ("http://h:8000", "ws://h:8000/ws", "http://h:8000/mcp"),
        ("http://h:8000/", "ws://h:8000/ws", "http://h:8000/mcp"),
        ("https://h", "wss://h/ws", "https://h/mcp"),
        ("ws://h:1/ws", "ws://h:1/ws", "http://h:1/mcp"),
        ("wss://[::1]:2/mcp/", "wss://[::1]:2/ws", "https://[::1]:2/mcp"),
        ("http://h/behind/a/proxy", "ws://h/behind/a/proxy/ws", "http://h/behind/a/proxy/mcp"),
        (" http://h/p/mcp ", "ws://h/p/ws", "http://h/p/mcp"),
        ("http://h/xws", "ws://h/xws/ws", "http://h/xws/mcp"),
    ],
)
def test_host_sets_both_endpoints(host: str, socket: str, http: str) -> None:
    """One URL gives the two endpoints, and both can be used."""
    values = with_host({"MOP_WS_VUS": "3", "MOP_BASE_URL": "ws://default/ws"}, host, set())
    assert values == {"MOP_WS_VUS": "3", "MOP_BASE_URL": socket, "MOP_HTTP_BASE": http}
    assert (parse_settings(values).base_url, parse_settings(values).http_base) == (socket, http)


def test_given_endpoints_win_over_the_host() -> None:
    """What was given stays; only the other one is set."""
    values = {"MOP_BASE_URL": "ws://mine/ws", "MOP_HTTP_BASE": "http://default/mcp"}
    assert with_host(values, "http://h", {"MOP_BASE_URL"}) == {"MOP_BASE_URL": "ws://mine/ws", "MOP_HTTP_BASE": "http://h/mcp"}
    assert with_host(values, "no url at all", {"MOP_BASE_URL", "MOP_HTTP_BASE"}) == values


@pytest.mark.parametrize("host", [None, ""])
def test_no_host_changes_nothing(host: str | None) -> None:
    """Locust gives None or an empty text when no -H was given."""
    assert with_host({"MOP_WS_VUS": "3"}, host, set()) == {"MOP_WS_VUS": "3"}


@pytest.mark.parametrize(
    ("host", "mistake"),
    [
        ("h:8000", "'h:8000' does not begin with http:// or https:// or ws:// or wss://"),
        ("http://", "'http://' has no host"),
        ("http://me:CANARY@h", "'http://***@h' has a user name or a password"),
        ("http://h/?apiKey=CANARY", "'http://h/?***' has a query"),
    ],
)
def test_host_mistakes(host: str, mistake: str) -> None:
    """A host that gives no endpoint is a mistake that names the option and shows no secret."""
    with pytest.raises(ConfigError) as caught:
        with_host({}, host, set())
    assert caught.value.mistakes == [f"--host (-H): {mistake}; allowed: a URL such as http://HOST:PORT"]


def test_a_mission_has_all_its_mistakes_told_beside_those_of_other_settings(tmp_path: Path) -> None:
    """Each with the variable, the file and the line; a path that is none is an ordinary mistake."""
    file = tmp_path / "mission.yaml"
    file.write_text("id: x\nrules: 3\nbudgets: []\n")
    with pytest.raises(ConfigError) as caught:
        parse_settings({"MOP_MISSION_PATH": str(file), "MOP_WS_VUS": "x"})
    where = f"MOP_MISSION_PATH (--mop-mission-path): {file}, line"
    assert caught.value.mistakes == [
        "MOP_WS_VUS (--mop-ws-vus): 'x' is not a number; allowed: a whole number from 1 to 1000000000",
        f"{where} 1: mandatory and missing: `name`, `description`, `templates`, `perceptions`, `created_at`, `updated_at`",
        f"{where} 2: rules: is '3'; allowed: a list",
        f"{where} 3: budgets: is a list; allowed: fields",
    ]
    with pytest.raises(ConfigError) as caught:
        parse_settings({"MOP_MISSION_PATH": str(tmp_path / "none.yaml")})
    assert caught.value.mistakes == [
        (
            f"MOP_MISSION_PATH (--mop-mission-path): {str(tmp_path / 'none.yaml')!r} does not exist; "
            "allowed: the path of a mission file (YAML) or of a folder of them, or nothing"
        )
    ]
