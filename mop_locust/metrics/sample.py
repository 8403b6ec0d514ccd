"""One exchange as a value, and the closed set of ways it can end."""

from __future__ import annotations

import msgspec

OUTCOMES = (
    "ok",
    "timeout",
    "connect",
    "disconnected",
    "http_status",
    "protocol",
    "rpc_error",
    "tool_error",
    "check",
    "client_fault",
    "cancelled",
)

FAILURES = OUTCOMES[1:9]
"""The outcomes that count in the target's failure rate: `client_fault` and `cancelled` stand outside."""

ANSWERED = ("ok", "http_status", "rpc_error", "tool_error", "protocol", "check")
"""The outcomes in which the target did answer, so that its own count must have seen the exchange."""


class Sample(msgspec.Struct, gc=False):
    """One exchange, whatever its end.

    Times are integer microseconds of the process's monotonic clock; a phase that did not happen is -1. `sent` and
    `received` are bytes, `status` is the HTTP status or 0, `error` is the short label of the typed error or "".
    """

    scenario: str
    transport: str
    method: str
    outcome: str
    start_us: int
    duration_us: int
    tool: str = ""
    connect_us: int = -1
    first_byte_us: int = -1
    sent: int = 0
    received: int = 0
    status: int = 0
    lag_us: int = 0
    error: str = ""
