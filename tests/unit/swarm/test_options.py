"""The settings as Locust options, and back: which count as given, and all mistakes at once."""

from __future__ import annotations

import argparse

import pytest
from locust.argument_parser import LocustArgumentParser, setup_parser_arguments

from mop_locust.config import SETTINGS, ConfigError, Settings, parse_settings
from mop_locust.swarm.options import add_options, option_values, read_options


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own environment has none of the settings."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)


def options(*words: str) -> argparse.Namespace:
    """What a command line is parsed to, as Locust does it."""
    parser = LocustArgumentParser()
    setup_parser_arguments(parser)
    add_options(parser)
    parsed: argparse.Namespace = parser.parse_args(list(words))
    return parsed


def read(*words: str, host: str | None = None) -> Settings:
    """The settings of a command line."""
    return read_options(options(*words), host, words)


def test_without_an_option_the_defaults_count() -> None:
    """Those of the table; Locust gets a stop timeout that cuts no exchange."""
    assert read() == parse_settings({})
    assert options().stop_timeout == 10.0
    assert option_values(options()) == {}


def test_every_setting_is_an_option() -> None:
    """A text given for it arrives as that text, to be checked later."""
    words = [f"{setting.option}=x{number}" for number, setting in enumerate(SETTINGS)]
    parsed = options(*words)
    assert [getattr(parsed, setting.dest) for setting in SETTINGS] == [f"x{number}" for number in range(len(SETTINGS))]


def test_an_option_wins_over_the_environment_and_that_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the README."""
    monkeypatch.setenv("MOP_WS_VUS", "7")
    monkeypatch.setenv("MOP_RPS_VUS", "8")
    settings = read("--mop-ws-vus", "9")
    assert (settings.ws_vus, settings.rps_vus, settings.sse_vus) == (9, 8, 5)


@pytest.mark.parametrize(
    ("words", "leak"),
    [
        ((), False),
        (("--mop-leak-sessions",), True),
        (("--mop-leak-sessions", "0"), False),
        (("--mop-leak-sessions=on",), True),
        (("--mop-leak-sessions", "no"), False),
    ],
)
def test_a_flag_needs_no_value(words: tuple[str, ...], leak: bool) -> None:
    """Named alone it is on."""
    assert read(*words).leak_sessions is leak


def test_degraded_can_be_allowed_by_its_short_name() -> None:
    """The README has it without the prefix."""
    assert read("--allow-degraded").allow_degraded is True
    assert option_values(options("--allow-degraded")) == {"MOP_ALLOW_DEGRADED": "1"}


def test_thresholds_can_be_repeated() -> None:
    """They are kept as texts in the order given."""
    assert options("--mop-threshold", "a: rate<1", "--mop-threshold", "b: count>0").mop_threshold == ["a: rate<1", "b: count>0"]
    assert options().mop_threshold == []


def test_all_mistakes_are_told_at_once() -> None:
    """One sentence each, with the variable and the option."""
    with pytest.raises(ConfigError) as caught:
        read("--mop-ws-vus", "0", "--mop-timeout-ms", "soon", "--mop-http-base", "localhost", "--mop-leak-sessions", "maybe")
    assert [mistake.split(":")[0] for mistake in caught.value.mistakes] == [
        "MOP_HTTP_BASE (--mop-http-base)",
        "MOP_WS_VUS (--mop-ws-vus)",
        "MOP_TIMEOUT_MS (--mop-timeout-ms)",
        "MOP_LEAK_SESSIONS (--mop-leak-sessions)",
    ]


def test_a_host_sets_both_endpoints() -> None:
    """Locust's -H."""
    settings = read(host="https://h:8443/base")
    assert (settings.http_base, settings.base_url) == ("https://h:8443/base/mcp", "wss://h:8443/base/ws")


def test_an_endpoint_that_is_given_wins_over_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the command line, also with the very value of the default, or in the environment."""
    default = parse_settings({})
    for words in (("--mop-http-base", default.http_base), (f"--mop-http-base={default.http_base}",)):
        settings = read(*words, host="http://h")
        assert (settings.http_base, settings.base_url) == (default.http_base, "ws://h/ws")
    assert read("--mop-base-url", "ws://other/ws", host="http://h").base_url == "ws://other/ws"
    monkeypatch.setenv("MOP_BASE_URL", default.base_url)
    settings = read(host="http://h")
    assert (settings.http_base, settings.base_url) == ("http://h/mcp", default.base_url)


def test_a_host_that_cannot_be_used_is_a_mistake() -> None:
    """It is named with the option."""
    with pytest.raises(ConfigError) as caught:
        read(host="h:8000")
    assert caught.value.mistakes[0].startswith("--host (-H): 'h:8000' ")


def test_what_differs_from_the_defaults_is_kept_for_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """By variable, whether it came from the command line or the environment."""
    monkeypatch.setenv("MOP_SSE_VUS", "6")
    parsed = options("--mop-ws-vus", "9", "--mop-rps-vus", "20")
    assert option_values(parsed) == {"MOP_WS_VUS": "9", "MOP_SSE_VUS": "6"}


def test_a_field_of_the_web_page_that_was_emptied_is_told_like_an_empty_text() -> None:
    """Locust gives None or an empty text for it."""
    parsed = options()
    parsed.mop_ws_vus, parsed.mop_rps_tool = None, ""
    with pytest.raises(ConfigError, match=r"MOP_WS_VUS [(]--mop-ws-vus[)]: '' is empty") as caught:
        read_options(parsed, None, ())
    assert len(caught.value.mistakes) == 1


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("1m30s", 90.0), ("500ms", 0.5), ("0", 0.0), (" 0 ", 0.0), ("1h30m", 5400.0)]
)
def test_locusts_own_durations_are_read_like_ours(text: str, seconds: float) -> None:
    """A bare 0 means something to Locust."""
    parsed = options("-t", text, "--stop-timeout", text)
    assert (parsed.run_time, parsed.stop_timeout) == (seconds, seconds)


@pytest.mark.parametrize("text", ["soon", "-1", "0s", "1.5m", ""])
def test_a_duration_that_is_none_is_told_with_what_is_allowed(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Locust's own sentence has neither the value nor a good one."""
    with pytest.raises(SystemExit) as caught:
        options(f"--run-time={text}")
    assert caught.value.code == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"-t/--run-time: {text!r} is " in told
    assert "allowed: a duration such as 90, 90s, 1m or 1h30m" in told
