"""The MCP methods as calls of a session, over whatever transport carries them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from msgspec import Raw

from mop_locust.client.exchange import Exchanges
from mop_locust.protocol.errors import MopError, RemoteProtocolError, RpcError
from mop_locust.protocol.jsonrpc import encode_error, encode_result
from mop_locust.protocol.mcp import (
    CallResult,
    PromptGet,
    PromptsList,
    ResourceRead,
    ResourcesList,
    ToolsList,
    check_tool_result,
    read_result,
    read_tools,
)
from mop_locust.protocol.session import Answer, Event, ServerRequest, Session, State, Unmatched
from mop_locust.transports import Phases
from mop_locust.transports.deadline import Deadline

METHOD_NOT_FOUND = -32601  # JSON-RPC 2.0, section 5.1

T = TypeVar("T")


def accept(_: object) -> None:
    """Takes any answer."""


class MessageTransport(Protocol):
    """What carries messages: each send is one message, each receive the next one, None where an answer has no more."""

    @property
    def name(self) -> str:
        """The transport's name in the figures."""

    @property
    def phases(self) -> Phases:
        """The phases of the exchange that goes on."""

    def send(self, message: bytes, deadline: Deadline) -> None:
        """Sends one message."""

    def receive(self, deadline: Deadline) -> bytes | None:
        """Returns the next message."""


class Calls:
    """One session's calls: each is one exchange, matched to its answer by id, and checked before it counts as `ok`.

    Every call raises the `MopError` of what went wrong: no answer in time, a lost connection, an HTTP status, bytes that
    break the protocol, a JSON-RPC error, a tool's error.
    """

    __slots__ = ("_core", "_exchanges", "_transport")

    def __init__(self, core: Session, exchanges: Exchanges, transport: MessageTransport) -> None:
        self._core = core
        self._exchanges = exchanges
        self._transport = transport

    @property
    def server_name(self) -> str:
        """The name that the server gave in its answer to `initialize`; "" without one."""
        return self._core.server.name if self._core.server else ""

    @property
    def server_version(self) -> str:
        """The version that the server gave in its answer to `initialize`; "" without one."""
        return self._core.server.version if self._core.server else ""

    @property
    def protocol_version(self) -> str:
        """The revision of MCP that the server chose; "" before `initialize`."""
        return self._core.protocol_version or ""

    def request(self, method: str, params: Mapping[str, object] | None = None) -> Raw:
        """Returns the raw result of any method."""
        return self._measure(method, lambda deadline: self._ask(method, params, deadline))

    def ping(self) -> None:
        """Asks for a sign of life."""
        self.request("ping")

    def probe(self, method: str) -> None:
        """Sends a request to which any answer proves life, a JSON-RPC error too."""
        self._measure(method, lambda deadline: self._answer(*self._core.request(method), deadline))

    def list_tools(self, cursor: str | None = None) -> ToolsList:
        """Returns one page of the tools."""
        params = None if cursor is None else {"cursor": cursor}
        return self._measure("tools/list", lambda deadline: read_tools(self._ask("tools/list", params, deadline)))

    def call_tool(
        self,
        name: str,
        arguments: Mapping[str, object] | None = None,
        check: Callable[[CallResult], object] = accept,
    ) -> CallResult:
        """Calls a tool; an answer that says `isError`, or holds an `error` in its text, raises ToolError.

        `check` looks at the answer and raises CheckFailed when it is not what it should be: the exchange is then a failure.
        """
        params = {"name": name, "arguments": arguments or {}}

        def call(deadline: Deadline) -> CallResult:
            answer = check_tool_result(self._ask("tools/call", params, deadline))
            check(answer)
            return answer

        return self._measure("tools/call", call, name)

    def list_resources(self, cursor: str | None = None) -> ResourcesList:
        """Returns one page of the resources."""
        params = None if cursor is None else {"cursor": cursor}
        return self._measure("resources/list", lambda at: read_result(self._ask("resources/list", params, at), ResourcesList))

    def read_resource(self, uri: str) -> ResourceRead:
        """Returns the contents of a resource."""
        params = {"uri": uri}
        return self._measure("resources/read", lambda at: read_result(self._ask("resources/read", params, at), ResourceRead))

    def list_prompts(self, cursor: str | None = None) -> PromptsList:
        """Returns one page of the prompts."""
        params = None if cursor is None else {"cursor": cursor}
        return self._measure("prompts/list", lambda at: read_result(self._ask("prompts/list", params, at), PromptsList))

    def get_prompt(self, name: str, arguments: Mapping[str, str] | None = None) -> PromptGet:
        """Returns the messages of a prompt."""
        params = {"name": name, "arguments": arguments or {}}
        return self._measure("prompts/get", lambda deadline: read_result(self._ask("prompts/get", params, deadline), PromptGet))

    def _measure(self, method: str, operation: Callable[[Deadline], T], tool: str = "") -> T:
        return self._exchanges.measure(self._transport.name, method, operation, self._transport.phases, tool=tool)

    def _ask(self, method: str, params: Mapping[str, object] | None, deadline: Deadline) -> Raw:
        answer = self._answer(*self._core.request(method, params), deadline)
        if answer.error is not None:
            raise RpcError(f"JSON-RPC {answer.error.code}", code=answer.error.code, message=answer.error.message)
        assert answer.result is not None
        return answer.result

    def _answer(self, id: int | str, message: bytes, deadline: Deadline) -> Answer:
        """Sends one request and waits for the answer with its id.

        Notifications, answers to nobody and errors without an id are passed over: none is taken for the answer.
        """
        transport = self._transport
        unmatched = False
        try:
            transport.send(message, deadline)
            while True:
                data = transport.receive(deadline)
                if data is None:
                    raise RemoteProtocolError("wrong id" if unmatched else "no answer")
                for event in self._core.receive(data):
                    if type(event) is Answer and event.id == id:
                        self._finish(deadline)
                        return event
                    self._answer_server(event, deadline)
                    unmatched = unmatched or type(event) is Unmatched
        except MopError:
            if self._core.state is not State.ERROR:  # a broken session has nothing left to give up
                self._core.forget(id)
            raise

    def _answer_server(self, event: Event, deadline: Deadline) -> None:
        """Answers a request of the server; any other event wants no answer."""
        if type(event) is ServerRequest:
            self._reply(_answer_to(event), deadline)

    def _reply(self, message: bytes, deadline: Deadline) -> None:
        """Sends our answer to a request of the server."""
        self._transport.send(message, deadline)

    def _finish(self, deadline: Deadline) -> None:
        """Leaves the transport ready for the next exchange."""


def _answer_to(request: ServerRequest) -> bytes:
    if request.method == "ping":
        return encode_result(request.id, {})
    return encode_error(request.id, METHOD_NOT_FOUND, "Method not found")
