"""One MCP session as a value machine: requests out, bytes in, events matched by id. No socket and no clock.

States and what moves them stand in one table::

    NEW ──initialize──> INITIALIZING ──answered──> READY
     ^                       │                       │
     └──refused, given up────┘      close: any open state ──> CLOSED
                                    broken: any open state ──> ERROR, for good
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeAlias

import msgspec
from msgspec import Raw

from mop_locust.protocol import mcp
from mop_locust.protocol.errors import LocalProtocolError, RemoteProtocolError
from mop_locust.protocol.jsonrpc import (
    Error,
    Id,
    Request,
    Result,
    decode,
    encode_notification,
    encode_request,
)
from mop_locust.protocol.mcp import Revision, ServerInfo


class State(Enum):
    """Where a session is in its life."""

    __hash__ = object.__hash__  # that of Enum is written in Python, and three moves of a session's life need six

    NEW = "new"
    INITIALIZING = "initializing"
    READY = "ready"
    CLOSED = "closed"
    ERROR = "error"


class Trigger(Enum):
    """What moves a session from one state to the next."""

    __hash__ = object.__hash__

    INITIALIZE = "initialize"
    ANSWERED = "answered"
    REFUSED = "refused"
    GIVEN_UP = "given up"
    BROKEN = "broken"
    CLOSE = "close"


TRANSITIONS: Final[Mapping[tuple[State, Trigger], State]] = {
    (State.NEW, Trigger.INITIALIZE): State.INITIALIZING,
    (State.NEW, Trigger.BROKEN): State.ERROR,
    (State.NEW, Trigger.CLOSE): State.CLOSED,
    (State.INITIALIZING, Trigger.ANSWERED): State.READY,
    (State.INITIALIZING, Trigger.REFUSED): State.NEW,
    (State.INITIALIZING, Trigger.GIVEN_UP): State.NEW,
    (State.INITIALIZING, Trigger.BROKEN): State.ERROR,
    (State.INITIALIZING, Trigger.CLOSE): State.CLOSED,
    (State.READY, Trigger.BROKEN): State.ERROR,
    (State.READY, Trigger.CLOSE): State.CLOSED,
    (State.CLOSED, Trigger.CLOSE): State.CLOSED,
    (State.ERROR, Trigger.CLOSE): State.ERROR,
}

# Looked up once: these stand on the hot path.
_NEW, _INITIALIZING, _READY = State.NEW, State.INITIALIZING, State.READY


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The answer to one of our requests: either ``result`` or ``error`` is there."""

    id: Id
    method: str
    result: Raw | None = None
    error: Error | None = None


class Unmatched(msgspec.Struct, frozen=True, gc=False):
    """An answer to no pending request: a null id, an unknown one, a duplicate, or one that came after `Session.forget`."""

    message: Result | Error


class ServerRequest(msgspec.Struct, frozen=True, gc=False):
    """A request of the server to us; it wants an answer."""

    id: Id
    method: str
    params: Raw | None = None


class ServerNotification(msgspec.Struct, frozen=True, gc=False):
    """A notification of the server."""

    method: str
    params: Raw | None = None


Event: TypeAlias = Answer | Unmatched | ServerRequest | ServerNotification


class Session:
    """The client side of one MCP session.

    ``handshake=False`` is for servers that take calls without `initialize` (the MOP server's /ws): the session starts READY.
    With a ``prefix`` the ids are "prefix-1", "prefix-2", ..., else 1, 2, ...
    """

    __slots__ = (
        "_client",
        "_initialize_id",
        "_last",
        "_pending",
        "_prefix",
        "capabilities",
        "protocol_version",
        "revision",
        "server",
        "session_id",
        "state",
    )

    def __init__(
        self,
        revision: Revision,
        *,
        handshake: bool = True,
        prefix: str = "",
        client_name: str = "mop-locust",
        client_version: str = "0",
    ) -> None:
        self.revision = revision
        self.state = _NEW if handshake else _READY
        self.protocol_version: str | None = None
        self.session_id: str | None = None
        self.server: ServerInfo | None = None
        self.capabilities: Raw | None = None
        self._prefix = prefix
        self._client = (client_name, client_version)
        self._last = 0
        self._pending: dict[Id, str] = {}
        self._initialize_id: Id | None = None

    def __repr__(self) -> str:
        version = f" {self.protocol_version}" if self.protocol_version else ""
        return f"<Session {self.state.value}{version} pending={len(self._pending)}>"

    def initialize(self) -> tuple[Id, bytes]:
        """Begin the session: return the id and the bytes of `initialize`. LocalProtocolError unless the state is NEW."""
        self._move(Trigger.INITIALIZE)
        id = self._initialize_id = self._next_id()
        message = encode_request(id, "initialize", mcp.initialize_params(self.revision, *self._client))
        self._pending[id] = "initialize"
        return id, message

    def request(self, method: str, params: object | None = None) -> tuple[Id, bytes]:
        """Return the id and the bytes of a request. ``params`` as for `jsonrpc.encode_request`.

        LocalProtocolError unless the state is READY; `ping` is also allowed before that (MCP 2025-11-25, Lifecycle).
        """
        if self.state is not _READY and (method != "ping" or self.state not in (_NEW, _INITIALIZING)):
            raise LocalProtocolError(f"{method} cannot be sent by {self!r}")
        id = self._next_id()
        message = encode_request(id, method, params)
        self._pending[id] = method
        return id, message

    def notification(self, method: str, params: object | None = None) -> bytes:
        """Return the bytes of a notification. LocalProtocolError unless the state is READY."""
        if self.state is not _READY:
            raise LocalProtocolError(f"{method} cannot be sent by {self!r}")
        return encode_notification(method, params)

    def receive(self, data: bytes | str) -> list[Event]:
        """Return the events in one message of the server.

        RemoteProtocolError, and the state ERROR, for bytes that are not JSON-RPC and for an answer to `initialize` that
        has not the right shape. LocalProtocolError when the session is CLOSED or in ERROR.
        """
        if self.state is not _READY and self.state not in (_NEW, _INITIALIZING):
            raise LocalProtocolError(f"nothing can be received by {self!r}")
        try:
            message = decode(data)
            if isinstance(message, (Result, Error)):
                return [self._match(message)]
        except RemoteProtocolError:
            self._move(Trigger.BROKEN)
            raise
        if isinstance(message, Request):
            return [ServerRequest(message.id, message.method, message.params)]
        return [ServerNotification(message.method, message.params)]

    def forget(self, id: Id) -> None:
        """Give up a request; its answer, if it still comes, is Unmatched. An id that is not pending changes nothing."""
        if self._pending.pop(id, None) is not None and id == self._initialize_id:
            self._initialize_id = None
            self._move(Trigger.GIVEN_UP)

    def close(self) -> None:
        """End the session; all pending requests are given up. May be called twice."""
        self._pending.clear()
        self._move(Trigger.CLOSE)

    def _next_id(self) -> Id:
        self._last += 1
        return f"{self._prefix}-{self._last}" if self._prefix else self._last

    def _move(self, trigger: Trigger) -> None:
        try:
            self.state = TRANSITIONS[self.state, trigger]
        except KeyError:
            raise LocalProtocolError(f"{trigger.value} is not possible for {self!r}") from None

    def _match(self, message: Result | Error) -> Answer | Unmatched:
        id = message.id
        if id is None or (method := self._pending.pop(id, None)) is None:
            return Unmatched(message)
        if isinstance(message, Result):
            if id == self._initialize_id:
                self._initialized(message.result)
            return Answer(id, method, message.result)
        if id == self._initialize_id:
            self._initialize_id = None
            self._move(Trigger.REFUSED)
        return Answer(id, method, None, message)

    def _initialized(self, result: Raw) -> None:
        self._initialize_id = None
        answer = mcp.read_initialize(result)
        self.protocol_version = answer.protocolVersion
        self.session_id = answer.sessionId
        self.server = answer.serverInfo
        self.capabilities = answer.capabilities
        self._move(Trigger.ANSWERED)
