"""Where the answer to a call of a federated tool came from, and what a failed one says of the circuit breaker.

A MOP server puts the downstream's whole result, as JSON, into the text of its own. Where that is missing it answered itself:
with the mark of its own execution after a failure (a fallback, over the socket), or as if the tool were its own (over HTTP it
simulates the four tools whose names it knows).
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from mop_locust.protocol.errors import RemoteProtocolError
from mop_locust.protocol.mcp import CallResult, check_tool_result, read_result


class Origin(Enum):
    """Who gave an answer."""

    DOWNSTREAM = "downstream"
    FALLBACK = "fallback"
    OWN = "own"


class Circuit(Enum):
    """What the text of a failed call says of the breaker: nothing, that this failure opened it, that it refused the call."""

    UNKNOWN = "unknown"
    OPENED = "opened"
    REFUSED = "refused"


class _Text(msgspec.Struct):
    content: Any = UNSET
    tool_execution: Any = UNSET


_decode_text = msgspec.json.Decoder(_Text).decode


def origin(answer: CallResult) -> Origin:
    """Returns who gave the answer; raises what `check_tool_result` does when the downstream's own result is no success."""
    for piece in answer.content:
        if piece.type != "text" or not piece.text:
            continue
        try:
            told = _decode_text(piece.text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
        if isinstance(told.content, list):
            check_tool_result(Raw(piece.text.encode()))
            return Origin.DOWNSTREAM
        if told.tool_execution is not UNSET:
            return Origin.FALLBACK
    return Origin.OWN


def circuit(text: str) -> Circuit:
    """Returns what the server's text says of the breaker: there is no other sign of it."""
    if "Circuit open for server" in text:
        return Circuit.REFUSED
    return Circuit.OPENED if "Circuit opened for server" in text else Circuit.UNKNOWN


class _Plan(msgspec.Struct):
    plan_id: str


def is_plan(result: Raw) -> bool:
    """Whether a result of `tools/call` is a plan: the server's answer to mode `plan`, made without asking the downstream."""
    try:
        texts = [piece.text for piece in read_result(result, CallResult).content if piece.text]
        return bool(texts) and bool(msgspec.json.decode(texts[0], type=_Plan).plan_id)
    except (RemoteProtocolError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
