"""Every way in which an exchange can end badly, as one tree.

::

    Exception
    ├── MopError                    an exchange that did not end well       outcome
    │   ├── ExchangeTimeout         the deadline passed                     timeout
    │   ├── ConnectError            no connection came about                connect
    │   ├── Disconnected            the connection ended too early          disconnected
    │   ├── HttpStatusError         an HTTP status other than success       http_status
    │   ├── RemoteProtocolError     the server broke the rules              protocol
    │   ├── RpcError                a JSON-RPC error answer                 rpc_error
    │   ├── ToolError               a tool that says it failed              tool_error
    │   ├── CheckFailed             the scenario rejected the answer        check
    │   ├── ClientFault             this machine is at its limit            client_fault
    │   └── TargetRefused           the user did not allow this target      client_fault
    └── LocalProtocolError          our own bug: wrong state or wrong use

``outcome`` belongs to the class, so nothing ever has to compare error texts. ``label`` is short and comes from a bounded
set, so it can be counted. What the server wrote stands only in ``detail``, ``excerpt``, ``message`` and ``text``: cut to
200 characters and free of control characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

EXCERPT_LENGTH: Final = 200


def printable(text: str) -> str:
    """Return ``text`` on one line, without control characters, cut to 200 characters.

    White space becomes a space. Everything else that Unicode calls unprintable is dropped, so that a server can neither
    move a terminal's cursor nor reverse its writing direction nor break the log with a lone surrogate.
    """
    cut = text[:EXCERPT_LENGTH]
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else " " if c.isspace() else "" for c in cut)


class MopError(Exception):
    """An exchange that did not end well."""

    outcome: ClassVar[str]
    sentence: ClassVar[str]

    def __init__(self, label: str, detail: str = "") -> None:
        super().__init__(label, detail)
        self.label = label
        self.detail = printable(detail)

    def __str__(self) -> str:
        said = self.detail or self.remote_text
        return f"{self.sentence}: {self.label} ({said})" if said else f"{self.sentence}: {self.label}"

    @property
    def remote_text(self) -> str:
        """What the server itself wrote, or nothing."""
        return ""


class ExchangeTimeout(MopError):
    """The deadline of the exchange passed; the label names what was waited for. The server may still have done the work."""

    outcome = "timeout"
    sentence = "timed out"


class ConnectError(MopError):
    """No connection came about; the label is the reason, such as "refused" or "name not found"."""

    outcome = "connect"
    sentence = "could not connect"


class Disconnected(MopError):
    """The connection ended before the exchange did; ``code`` is the WebSocket close code, if there was one."""

    outcome = "disconnected"
    sentence = "the connection ended too early"

    def __init__(self, label: str, detail: str = "", *, code: int | None = None) -> None:
        super().__init__(label, detail)
        self.code = code


class HttpStatusError(MopError):
    """The server answered with an HTTP ``status`` that is not a success; ``excerpt`` is the start of the body."""

    outcome = "http_status"
    sentence = "the server did not accept the request"

    def __init__(self, label: str, detail: str = "", *, status: int = 0, excerpt: str = "") -> None:
        super().__init__(label, detail)
        self.status = status
        self.excerpt = printable(excerpt)

    @property
    def remote_text(self) -> str:
        """The start of the body."""
        return self.excerpt


class RemoteProtocolError(MopError):
    """The server broke the rules of HTTP, WebSocket, JSON-RPC or MCP; the label is the class of the mistake."""

    outcome = "protocol"
    sentence = "the server broke the protocol"


class RpcError(MopError):
    """The answer is a JSON-RPC error with this ``code`` and ``message`` (JSON-RPC 2.0, section 5.1)."""

    outcome = "rpc_error"
    sentence = "the server answered with an error"

    def __init__(self, label: str, detail: str = "", *, code: int = 0, message: str = "") -> None:
        super().__init__(label, detail)
        self.code = code
        self.message = printable(message)

    @property
    def remote_text(self) -> str:
        """The message of the JSON-RPC error."""
        return self.message


class ToolError(MopError):
    """The call was answered, and the answer says that the tool failed; ``text`` is what it said."""

    outcome = "tool_error"
    sentence = "the tool failed"

    def __init__(self, label: str, detail: str = "", *, text: str = "") -> None:
        super().__init__(label, detail)
        self.text = printable(text)

    @property
    def remote_text(self) -> str:
        """What the tool said."""
        return self.text


class CheckFailed(MopError):
    """The scenario looked at a good answer and rejected it; the label is the scenario's."""

    outcome = "check"
    sentence = "a check failed"


class ClientFault(MopError):
    """This machine is at its limit: file descriptors, ports or memory. It says nothing about the server."""

    outcome = "client_fault"
    sentence = "this machine is at its limit"


class TargetRefused(MopError):
    """The target is at an address that the user did not allow; nothing was sent. ``reasons`` are whole sentences."""

    outcome = "client_fault"
    sentence = "the target is not allowed"

    def __init__(self, label: str, detail: str = "", *, reasons: Sequence[str] = ()) -> None:
        super().__init__(label, detail)
        self.reasons = list(reasons)


class LocalProtocolError(Exception):
    """We broke the rules: a wrong state or a wrong use. It is a bug of ours and must be loud."""
