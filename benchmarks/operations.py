"""The six operations that are compared, how the server counts one of each, and what the suite must reach."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

# Ends each stream at once, as the real server does: k6 reads a stream to its end and could not measure one that stays open.
ENDING_STREAMS = ("--sse-ends-early",)
# Makes the answer of discover_mcp_tools 64 KB: with the four built-in tools, 65.5 kB of JSON.
LARGE_ANSWERS = ("--tools", "8", "--tool-bytes", "6995")
MOST_APART = 0.02  # of an operation's parts: what was in flight at the end, in the shortest of runs


class Limit(msgspec.Struct, frozen=True):
    """At most `most` times the CPU of a peer."""

    peer: str
    most: float


class Operation(msgspec.Struct, frozen=True):
    """One operation. `parts` are the server's counts that each operation raises by one; `file` names its scenarios."""

    key: str
    name: str
    file: str
    parts: tuple[str, ...]
    limits: tuple[Limit, ...]
    server_options: tuple[str, ...] = ()
    only_embedded: str = ""

    @property
    def class_name(self) -> str:
        """The class of the operation in the locustfiles of Locust's own users."""
        return "".join(word.capitalize() for word in self.file.split("_"))

    def count(self, before: Mapping[str, int], after: Mapping[str, int]) -> int:
        """How many operations the server saw between two of its counts.

        ValueError when the parts differ by more than what can be in flight: then another work was done.
        """
        seen = {part: after.get(part, 0) - before.get(part, 0) for part in self.parts}
        least, most = min(seen.values()), max(seen.values())
        if most - least > max(MOST_APART * most, 40):
            raise ValueError(f"not the operation's work: {seen}")
        return least


OPERATIONS = (
    Operation(
        "a",
        "tools/list, kept session",
        "tools_list",
        ("http tools/list",),
        (Limit("k6", 0.40), Limit("FastHttpUser", 0.30), Limit("wrk", 3.0)),
    ),
    Operation(
        "b",
        "initialize, tools/list, DELETE",
        "fresh_session",
        ("http initialize", "http tools/list", "http DELETE"),
        (Limit("k6", 0.50),),
    ),
    Operation(
        "c",
        "initialize, stream, first byte, DELETE",
        "stream",
        ("http initialize", "http GET", "http DELETE"),
        (Limit("k6", 0.60),),
        ENDING_STREAMS,
    ),
    Operation(
        "d",
        "WebSocket connect, ping, answer, close",
        "socket_churn",
        ("sockets_opened", "websocket ping", "sockets_closed_cleanly"),
        (Limit("k6", 0.50), Limit("websocket-client", 0.15)),
    ),
    Operation("e", "WebSocket ping and answer, kept session", "socket_ping", ("websocket ping",), (Limit("k6", 0.60),)),
    Operation(
        "f",
        "tools/call, 64 KB answer, kept session",
        "large_answer",
        ("http tools/call",),
        (Limit("k6", 0.50),),
        LARGE_ANSWERS,
        "the real server has no tool with an answer of 64 KB",
    ),
)
