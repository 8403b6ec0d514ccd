"""The faults of the reference server: which there are, what each can strike, and when one strikes."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from enum import Enum, auto
from random import Random
from typing import Final, NamedTuple

import msgspec


class Place(Enum):
    """What a fault can strike; one answer can be in several places."""

    CONNECTION = auto()  # a TCP connection that comes in
    UPGRADE = auto()  # the answer to a WebSocket handshake
    FRAME = auto()  # a JSON-RPC answer on a WebSocket
    ANSWER = auto()  # an HTTP answer with a JSON-RPC answer in it
    RECEIPT = auto()  # an HTTP answer without one: to DELETE, to a notification, a refusal
    STREAM = auto()  # the event stream of a GET
    SESSION = auto()  # an HTTP answer to a request that names its session
    TOOL = auto()  # the result of tools/call, wherever


class Kind(NamedTuple):
    """What a fault does, as `--help` says it, and where."""

    sentence: str
    places: Set[Place]


_HTTP: Final = frozenset({Place.ANSWER, Place.RECEIPT, Place.STREAM})
_MESSAGE: Final = frozenset({Place.ANSWER, Place.FRAME})

FAULTS: Final[dict[str, Kind]] = {
    "refuse": Kind("Connections are refused; at a RATE below 1 some are taken and reset at once.", frozenset({Place.CONNECTION})),
    "reset": Kind("The connection is reset in the middle of the answer.", _HTTP | _MESSAGE),
    "stall": Kind("The answer never comes, nor any after it on that connection.", _HTTP | _MESSAGE),
    "early-end": Kind(
        "The body ends half-way, the event stream after its headers, the WebSocket with a close frame.", _HTTP | _MESSAGE
    ),
    "wrong-id": Kind("The answer bears an id that the client never used.", _MESSAGE),
    "other-id": Kind("The answer bears the id of the client's next request.", _MESSAGE),
    "truncated-json": Kind("The answer is whole for its transport, but its JSON stops half-way.", _MESSAGE),
    "wrong-json": Kind("The answer says that it is JSON and is HTML.", _MESSAGE),
    "wrong-content-type": Kind(
        "The answer is right, but its Content-Type is text/html.", frozenset({Place.ANSWER, Place.STREAM})
    ),
    "session-404": Kind("A request that names its session is answered with 404.", frozenset({Place.SESSION})),
    "is-error": Kind("The result of tools/call says isError.", frozenset({Place.TOOL})),
    "error-in-content": Kind("The text of a tools/call result is an error, and isError is false.", frozenset({Place.TOOL})),
    "500": Kind("The answer is 500 Internal Server Error; so is that to a WebSocket handshake.", _HTTP | {Place.UPGRADE}),
    "401": Kind("The answer is 401 Unauthorized; so is that to a WebSocket handshake.", _HTTP | {Place.UPGRADE}),
    "drip": Kind("The answer comes at a byte each 200 ms.", _HTTP | _MESSAGE),
    "huge": Kind("The answer, or an event of the stream, has 100 MB.", _MESSAGE | {Place.STREAM}),
    "bad-frame": Kind("The WebSocket frame of the answer has a reserved bit set.", frozenset({Place.FRAME})),
    "close-without-handshake": Kind(
        "The WebSocket's connection is closed without a close frame in place of the answer.", frozenset({Place.FRAME})
    ),
}

REFUSE: Final = "refuse"

UPGRADE: Final = "upgrade"
"""What a WebSocket handshake is called where methods are chosen."""


class Fault(msgspec.Struct, frozen=True):
    """One fault and the share of what it can strike that it does strike, 0 to 1."""

    name: str
    rate: float = 1.0


def read_fault(text: str) -> Fault:
    """The fault of `NAME` or `NAME:RATE`; ValueError with what is allowed for any other text."""
    name, colon, share = text.partition(":")
    if name not in FAULTS:
        raise ValueError(f"{name!r} is no fault; there are {', '.join(FAULTS)}")
    if not colon:
        return Fault(name)
    try:
        rate = float(share)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise ValueError(f"{share!r} is no rate of {name}; allowed: a number from 0 to 1")
    return Fault(name, rate)


def explain_faults() -> str:
    """A line or two for each fault, for the end of a help text."""
    return "faults:\n" + "\n".join(f"  {name}\n      {kind.sentence}" for name, kind in FAULTS.items())


class Faults:
    """The faults of one server: the same seed and the same course of answers give the same faults."""

    def __init__(self, faults: Sequence[Fault], methods: Collection[str], seed: int) -> None:
        self._faults = tuple(faults)
        self._methods = frozenset(methods)
        self._random = Random(seed)

    def __bool__(self) -> bool:
        return bool(self._faults)

    @property
    def refuses_all(self) -> bool:
        """Whether no connection is ever taken."""
        return Fault(REFUSE) in self._faults

    def draw(self, places: Set[Place], method: str = "") -> str:
        """The fault that strikes an answer to `method` in these places: the first of those drawn; "" for none.

        The methods that were chosen say nothing of a connection, which has none yet.
        """
        if self._methods and method not in self._methods and Place.CONNECTION not in places:
            return ""
        for fault in self._faults:
            if places & FAULTS[fault.name].places and self._random.random() < fault.rate:
                return fault.name
        return ""
