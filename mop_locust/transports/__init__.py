"""The ways to a server. This module has only what all of them share: the interfaces and `Phases`.

Each transport is imported where it is chosen; `requests` and `websocket-client` are loaded by their own modules alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mop_locust.transports.phases import Phases

if TYPE_CHECKING:
    from mop_locust.transports.deadline import Deadline
    from mop_locust.transports.sse import EventStream

__all__ = ["HttpLike", "Phases", "WebSocketLike"]


class HttpLike(Protocol):
    """Streamable HTTP: `mop_locust.transports.http` says what each method does and raises."""

    @property
    def name(self) -> str:
        """The transport's name in the figures."""

    @property
    def phases(self) -> Phases:
        """What happened since the last `Phases.clear`."""

    @property
    def session_id(self) -> str | None:
        """The Mcp-Session-Id that requests carry."""

    @session_id.setter
    def session_id(self, value: str | None) -> None: ...

    @property
    def protocol_version(self) -> str | None:
        """The MCP-Protocol-Version that requests carry."""

    @protocol_version.setter
    def protocol_version(self, value: str | None) -> None: ...

    def send(self, message: bytes, deadline: Deadline) -> None:
        """POST one message."""

    def receive(self, deadline: Deadline) -> bytes | None:
        """Return the next message of the answer, or None."""

    def finish(self, deadline: Deadline) -> None:
        """Read or drop the rest of the answer."""

    def reply(self, message: bytes, deadline: Deadline) -> None:
        """POST the answer to a request of the server."""

    def delete(self, deadline: Deadline) -> int:
        """DELETE the session and return the status."""

    def open_stream(self, deadline: Deadline) -> EventStream:
        """GET the session's event stream."""

    def last_header(self, name: str) -> str | None:
        """Return a header of the last answer, or None."""

    def close(self) -> None:
        """Close the connections."""


class WebSocketLike(Protocol):
    """A WebSocket: `mop_locust.transports.websocket` says what each method does and raises."""

    @property
    def name(self) -> str:
        """The transport's name in the figures."""

    @property
    def phases(self) -> Phases:
        """What happened since the last `Phases.clear`."""

    @property
    def is_open(self) -> bool:
        """Whether there is a socket that can carry a message or a close frame."""

    def open(self, deadline: Deadline) -> None:
        """Connect and upgrade."""

    def send(self, message: bytes, deadline: Deadline) -> None:
        """Send one text message."""

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next text message."""

    def close(self, deadline: Deadline, code: int = 1000) -> None:
        """Close in good order."""

    def abort(self) -> None:
        """Close the socket without a word."""
