"""The settings as Locust options, and back."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from mop_locust.config import SETTINGS, ConfigError, Settings, asks_for_login, parse_duration, parse_settings, with_host
from mop_locust.config.kinds import FLAG
from mop_locust.swarm.link.addresses import listening_address
from mop_locust.swarm.link.encryption import LOOPBACK, has_key

STOP_TIMEOUT = 10.0  # seconds; Locust's 0 would cut every last exchange
ALSO = {
    "MOP_ALLOW_DEGRADED": ["--allow-degraded"],
    "MOP_QUIET": ["--quiet"],
    "MOP_SERVER_PID": ["--server-pid"],
    "MOP_SERVER_CGROUP": ["--server-cgroup"],
    "MOP_SERVER_COMMIT": ["--server-commit"],
}
OPENED_ONCE = frozenset(
    ("MOP_METRICS_PORT", "MOP_METRICS_HOST", "MOP_METRICS_LINGER", "MOP_OTLP", "MOP_INFLUX", "MOP_JSONL")
)  # when the process starts: the web UI's form cannot change them
GUARDS = ("mop_allow_target", *(setting.dest for setting in SETTINGS if setting.guard))


def add_options(parser: Any) -> None:
    """Adds an option for each setting, values as texts: they are all checked together, later, so that all mistakes are told."""
    for setting in SETTINGS:
        takes = {"nargs": "?", "const": "1"} if setting.kind is FLAG else {}
        parser.add_argument(
            setting.option,
            *ALSO.get(setting.name, ()),
            dest=setting.dest,
            env_var=setting.name,
            default=setting.default,
            metavar="VALUE",
            help=setting.help.replace("%", "%%"),
            include_in_web_ui=not setting.guard and setting.name not in OPENED_ONCE,
            **takes,
        )
    parser.add_argument(
        "--mop-threshold",
        dest="mop_threshold",
        action="append",
        default=[],
        metavar="'METRIC{TAGS}: EXPR'",
        help="A threshold in k6's words, for example 'ws_failures: rate<0.01'; repeatable; replaces the defaults of its metric.",
        include_in_web_ui=False,
    )
    parser.add_argument(
        "--mop-allow-target",
        dest="mop_allow_target",
        action="append",
        default=[],
        metavar="HOST",
        help="A host that may be loaded besides this machine and private networks: a name, an address or a network; repeatable.",
        include_in_web_ui=False,
    )
    # Locust's own defaults are all interfaces.
    parser.set_defaults(stop_timeout=STOP_TIMEOUT, web_host=LOOPBACK)
    if asks_for_login(os.environ):
        parser.set_defaults(web_login=True)
    if not has_key():
        parser.set_defaults(master_bind_host=LOOPBACK)
    for action in parser._actions:
        if action.dest == "web_host":
            action.help = f"Host to bind the web interface to; '*' for all interfaces. Defaults to {LOOPBACK}."
        if action.dest == "master_bind_host":
            action.help = f"IP address for the master to listen on. Defaults to * with a key of the swarm, else to {LOOPBACK}."
        if action.dest in ("run_time", "stop_timeout"):
            action.type = _timespan  # Locust's own names neither the value nor what would be right
        elif action.dest == "master_bind_host":
            action.type = listening_address  # ZeroMQ listens on no name


def _timespan(text: str) -> float:
    if text.strip() == "0":
        return 0.0  # no time to stop, no end of the run: both mean something to Locust
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}; allowed: a duration such as 90, 90s, 1m or 1h30m") from None


def read_options(options: Any, host: str | None = None, argv: Sequence[str] | None = None) -> Settings:
    """Returns the checked settings of parsed options; raises ConfigError with all mistakes."""
    values = {setting.name: str(getattr(options, setting.dest, setting.default) or "") for setting in SETTINGS}
    hosts = [values["MOP_ALLOW_TARGETS"], *getattr(options, "mop_allow_target", ())]
    values["MOP_ALLOW_TARGETS"] = ",".join(filter(None, hosts))
    words = sys.argv[1:] if argv is None else argv
    given = [
        setting.name
        for setting in SETTINGS
        if setting.name in os.environ
        or values[setting.name] != setting.default
        or any(word.partition("=")[0] == setting.option for word in words)
    ]
    mistakes: list[str] = []
    try:
        values = with_host(values, host, given)
    except ConfigError as error:
        mistakes += error.mistakes
    try:
        settings = parse_settings(values)
    except ConfigError as error:
        raise ConfigError([*mistakes, *error.mistakes]) from None
    if mistakes:
        raise ConfigError(mistakes)
    return settings


def option_values(options: Any) -> dict[str, str]:
    """Returns the values that differ from their defaults, by variable: what a reader needs to repeat the run."""
    return {
        setting.name: str(getattr(options, setting.dest))
        for setting in SETTINGS
        if str(getattr(options, setting.dest, setting.default)) != setting.default
    }
