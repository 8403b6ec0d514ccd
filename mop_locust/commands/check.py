"""`mop-locust check`: the preflight alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import locust  # noqa: F401  # before requests, which the preflight uses: locust patches ssl, and must do so first

from mop_locust import preflight
from mop_locust.config import ConfigError, read_api_key
from mop_locust.swarm.options import add_options, read_options
from mop_locust.verdict.exit_codes import CONFIGURATION, CROSSED, PASSED

TRANSPORTS = ("http", "sse", "websocket")


def check(argv: Sequence[str]) -> int:
    """Looks at every transport of the target and says what was found; returns 0, 3 for the target's faults, 2 for the user's."""
    from locust.argument_parser import LocustArgumentParser

    parser = LocustArgumentParser(prog="mop-locust check", description="Look at the target without loading it.")
    parser.add_argument("-H", "--host", help="a URL such as http://HOST:PORT; sets both endpoints unless they are given")
    parser.add_argument("--transport", choices=TRANSPORTS, action="append", help="only this one; repeatable (all three)")
    add_options(parser)
    options = parser.parse_args(list(argv))
    mistakes = []
    settings = key = None
    try:
        settings = read_options(options, options.host, argv)
    except ConfigError as error:
        mistakes += error.mistakes
    try:
        key = read_api_key(os.environ)
    except ConfigError as error:
        mistakes += error.mistakes
    if settings is None or key is None:
        print("mop-locust check: nothing was sent:\n" + "\n".join(f"  {mistake}" for mistake in mistakes), file=sys.stderr)
        return CONFIGURATION
    findings = preflight.look(settings, key, options.transport or TRANSPORTS)
    for sentence in findings.sentences:
        print(f"ok     {sentence}")
    for sentence in [*findings.target_faults, *findings.mistakes]:
        print(f"wrong  {sentence}")
    if findings.mistakes:
        return CONFIGURATION
    return CROSSED if findings.target_faults else PASSED
