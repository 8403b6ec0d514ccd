"""The settings of a run: one table, and what reads, checks and prints it.

A setting has one name in the environment (`MOP_WS_VUS`), one option (`--mop-ws-vus`) and one attribute (`Settings.ws_vus`),
all three made from the same row. Values are texts until `parse_settings` has read them all; it reports every mistake at once.
The key of the target is no setting: an option would put it into the process list and hand it to every worker.
"""

from mop_locust.config.cluster_key import ClusterKey, read_cluster_key
from mop_locust.config.command import redact_command
from mop_locust.config.key import PUBLIC_KEY, ApiKey, read_api_key, redact
from mop_locust.config.kinds import Kind, parse_duration
from mop_locust.config.mistakes import ConfigError
from mop_locust.config.settings import Settings, parse_settings, with_host
from mop_locust.config.table import NOT_SETTINGS, SETTINGS, Setting, readme_table, unknown_variables
from mop_locust.config.targets import TargetRule, read_hosts
from mop_locust.config.web_login import WebLogin, asks_for_login, read_web_login

__all__ = [
    "NOT_SETTINGS",
    "PUBLIC_KEY",
    "SETTINGS",
    "ApiKey",
    "ClusterKey",
    "ConfigError",
    "Kind",
    "Setting",
    "Settings",
    "TargetRule",
    "WebLogin",
    "asks_for_login",
    "parse_duration",
    "parse_settings",
    "read_api_key",
    "read_cluster_key",
    "read_hosts",
    "read_web_login",
    "readme_table",
    "redact",
    "redact_command",
    "unknown_variables",
    "with_host",
]
