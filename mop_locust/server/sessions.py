"""Sessions: what the server remembers of one client, over HTTP by its id, over a socket as long as it is open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

if TYPE_CHECKING:
    from mop_locust.server.asgi import Message
    from mop_locust.server.tally import Tally


class Session(msgspec.Struct, gc=False):
    """One client's session; `stream` is the wait of its one GET stream, `perceptions` are the ids it added over the socket."""

    id: str
    version: str
    messages: int = 0
    perceptions: tuple[str, ...] = ()
    stream: asyncio.Task[Message] | None = None


class Sessions:
    """The open HTTP sessions by id; they never expire, only `delete` frees one."""

    def __init__(self, tally: Tally) -> None:
        self._open: dict[bytes, Session] = {}
        self._tally = tally

    def open(self, session_id: str, version: str) -> Session:
        """Remember a new session."""
        session = Session(session_id, version)
        self._open[session_id.encode()] = session
        self._tally.sessions_opened += 1
        return session

    def find(self, session_id: bytes | None) -> Session | None:
        """The session of a header's value; None when there is no header or no such session."""
        return None if session_id is None else self._open.get(session_id)

    def delete(self, session: Session) -> None:
        """Forget a session."""
        if self._open.pop(session.id.encode(), None) is not None:
            self._tally.sessions_deleted += 1


def new_id() -> str:
    """A fresh UUID as text."""
    return str(uuid4())
