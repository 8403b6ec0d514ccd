"""What each server answers, as a table: a test asks a target and compares with its row.

A row of a real server is what that server does, right or wrong by the standard; a comment says where it is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

PROCESS_MOP: Final = "mop"
PROCESS_SDK: Final = "sdk"
PROCESS_REAL: Final = "real"

ASKED_VERSION: Final = "2025-11-25"
KEEP_ALIVE_SECONDS: Final = 0.1


class Ending(NamedTuple):
    """How an exchange ends: the outcome, the HTTP status (0 where there is none) and the label of the error."""

    outcome: str
    status: int
    error: str = ""


Exchange = tuple[str, str, Ending]
"""One sample as the tests see it: transport, method, ending."""

OK: Final = Ending("ok", 200)
ACCEPTED: Final = Ending("ok", 202)
IS_ERROR: Final = Ending("tool_error", 200, "isError")
ERROR_IN_CONTENT: Final = Ending("tool_error", 200, "error in content")


def refused(status: int) -> Ending:
    """An HTTP status that is no success."""
    return Ending("http_status", status, f"HTTP {status}")


def rpc_error(code: int, status: int = 200) -> Ending:
    """A JSON-RPC error; over HTTP its status is that of a success."""
    return Ending("rpc_error", status, f"JSON-RPC {code}")


UUID: Final = re.compile(r"mop-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEX: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Goods:
    """What a server offers: tools by name, and one tool, prompt and resource to try.

    `echoed` finds the text that the echo tool was given in what it answered.
    """

    tools: frozenset[str]
    echo: str
    echoed: Callable[[str], str]
    prompts: frozenset[str] = frozenset()
    prompt: tuple[str, Mapping[str, str], str] = ("", {}, "")
    resources: frozenset[str] = frozenset()
    resource: tuple[str, str, str] = ("", "", "")
    unknown_prompt: int = -32602


MOP_TOOLS: Final = frozenset({"orchestrate_mcp_proxy", "discover_mcp_tools", "exa_search_example", "exa_research_example"})
MOP_GOODS: Final = Goods(
    tools=MOP_TOOLS,
    echo="exa_search_example",
    echoed=lambda text: json.loads(text)["query"],
    prompts=frozenset({"orchestrate_workflow", "analyze_mcp_server", "consciousness_reflection"}),
    prompt=("orchestrate_workflow", {"goal": "peace and quiet"}, "peace and quiet"),
    resources=frozenset(
        {
            "mop://tools/catalog",
            "mop://orchestration/context",
            "mop://orchestration/history",
            "mop://consciousness/state",
            "mop://federation/servers",
        }
    ),
    resource=("mop://federation/servers", "text/plain", '{\n  "federated_servers": [],\n  "federation_enabled": false\n}'),
)
# Over its socket the MOP server runs tool calls through its engine, and its one resource has a shape of its own.
MOP_SOCKET_GOODS: Final = Goods(
    tools=MOP_TOOLS,
    echo="exa_search_example",
    echoed=lambda text: json.loads(text)["tool_execution"]["args"]["query"],
    resources=frozenset({"mcp://catalog"}),
)
SDK_GOODS: Final = Goods(
    tools=frozenset({"echo", "fails", "asks"}),
    echo="echo",
    echoed=lambda text: text,
    prompts=frozenset({"greet"}),
    prompt=("greet", {"name": "Ada"}, "Greet Ada."),
    resources=frozenset({"test://fact"}),
    resource=("test://fact", "text/plain", "water is wet"),
    unknown_prompt=0,
)


@dataclass(frozen=True)
class HttpTarget:
    """One server over HTTP, and how it answers.

    `process` names the process that serves it. `asks` is what the SDK server's tool tells that asks the client in the middle of
    the call. `deleted` is the status of a DELETE; `deleted_again` is None where the client has no session to delete.
    """

    name: str
    process: str
    path: str
    goods: Goods
    version: str
    versions: frozenset[str]
    server: str
    session_id: re.Pattern[str] | None
    session_id_in_result: bool
    initialized: Ending
    no_key: Ending
    wrong_key: Ending
    unknown_tool: Ending
    missing_argument: Ending
    no_session: Ending
    unknown_session: Ending
    deleted: int
    after_delete: Ending
    deleted_again: Ending | None
    stream: Ending = OK
    stream_after_delete: Ending = OK
    stream_ended_by: str = "client"
    second_stream: Ending = OK
    deleted_ends_stream: bool = False
    asks: str = ""

    def session(self, *inner: Exchange) -> list[Exchange]:
        """All exchanges of a session in which the `inner` ones were asked for."""
        return [("http", "initialize", OK), *inner, *self.closing]

    @property
    def closing(self) -> list[Exchange]:
        """The exchanges that end a session."""
        return [] if self.session_id is None else [("http", "delete", OK)]


MOP: Final = HttpTarget(
    name="mop",
    process=PROCESS_MOP,
    path="/mcp",
    goods=MOP_GOODS,
    version="2024-11-05",
    versions=frozenset({"2024-11-05"}),
    server="mop-locust-reference",
    session_id=UUID,
    session_id_in_result=True,
    initialized=refused(400),
    no_key=refused(401),
    wrong_key=refused(401),
    unknown_tool=ERROR_IN_CONTENT,
    missing_argument=OK,
    no_session=refused(400),
    unknown_session=refused(400),
    deleted=200,
    after_delete=refused(400),
    deleted_again=refused(404),
    stream_after_delete=refused(400),
)
# The real server ends each stream right after its head.
REAL: Final = replace(MOP, name="mop-real", process=PROCESS_REAL, server="mop-server", stream_ended_by="server")

MCP_JSON: Final = replace(
    MOP,
    name="mcp-json",
    process="mcp-json",
    version=ASKED_VERSION,
    versions=frozenset({"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}),
    session_id=HEX,
    session_id_in_result=False,
    initialized=ACCEPTED,
    unknown_tool=IS_ERROR,
    missing_argument=IS_ERROR,
    unknown_session=refused(404),
    after_delete=refused(404),
    stream_after_delete=refused(404),
    second_stream=refused(409),
    deleted_ends_stream=True,
)
MCP_SSE: Final = replace(MCP_JSON, name="mcp-sse", process="mcp-sse")

SDK_SSE: Final = replace(
    MCP_JSON,
    name="sdk-sse",
    process=PROCESS_SDK,
    path="/sse/mcp",
    goods=SDK_GOODS,
    server="sdk",
    no_key=OK,
    wrong_key=OK,
    asks="ping: answered, elicitation: -32601",
)
# A JSON answer has no room for requests of the server, a stateless server none for the client's answers: its tool gets -32600.
SDK_JSON: Final = replace(SDK_SSE, name="sdk-json", path="/json/mcp", asks="ping: -32600, elicitation: -32600")
SDK_STATELESS: Final = replace(
    SDK_JSON,
    name="sdk-stateless",
    path="/stateless/mcp",
    session_id=None,
    no_session=OK,
    unknown_session=OK,
    deleted=405,
    after_delete=OK,
    deleted_again=None,
    stream_after_delete=OK,
    second_stream=OK,
    deleted_ends_stream=False,
)
SDK_POST_ONLY: Final = replace(
    SDK_STATELESS,
    name="sdk-post-only",
    path="/post-only/mcp",
    stream=refused(405),
    stream_after_delete=refused(405),
    second_stream=refused(405),
)

HTTP_TARGETS: Final = (MOP, REAL, MCP_JSON, MCP_SSE, SDK_SSE, SDK_JSON, SDK_STATELESS, SDK_POST_ONLY)

UPGRADED: Final = Ending("ok", 101)
SAID: Final = Ending("ok", 0)
"""The good end of an exchange over a socket, which has no status."""


@dataclass(frozen=True)
class SocketTarget:
    """One server over a WebSocket, and how it answers.

    `before_initialize` is the end of a `tools/list` on a socket without `initialize`. `null_id_errors` says whether a
    notification draws an error with a null id. `subprotocol` is what the server chooses when `mcp` is offered.
    """

    name: str
    process: str
    path: str
    goods: Goods
    version: str
    server: str
    ping: Ending
    unknown_tool: Ending
    missing_argument: Ending
    resource: Ending
    no_params: Ending
    closed: Ending
    before_initialize: Ending
    null_id_errors: bool
    subprotocol: str
    nowhere: int
    asks: str = ""

    def session(self, *inner: Exchange) -> list[Exchange]:
        """All exchanges of a socket on which the `inner` ones were asked for, without an `initialize`."""
        return [("websocket", "connect", UPGRADED), *inner, ("websocket", "close", self.closed)]

    def mcp_session(self, *inner: Exchange) -> list[Exchange]:
        """All exchanges of a socket on which the `inner` ones were asked for after an `initialize`."""
        return self.session(("websocket", "initialize", SAID), *inner)


MOP_SOCKET: Final = SocketTarget(
    name="mop",
    process=PROCESS_MOP,
    path="/ws",
    goods=MOP_SOCKET_GOODS,
    version="2024-11-05",
    server="mop-locust-reference",
    ping=rpc_error(-32601, 0),
    unknown_tool=rpc_error(-32602, 0),
    missing_argument=rpc_error(-32602, 0),
    resource=Ending("protocol", 0, "bad result"),
    # The error that this draws has a null id, so it answers nobody.
    no_params=Ending("timeout", 0, "no answer"),
    closed=SAID,
    before_initialize=SAID,
    null_id_errors=True,
    subprotocol="",
    nowhere=404,
)
# The real server drops the connection when it gets a close frame; RFC 6455, section 5.5.1, wants one in return.
REAL_SOCKET: Final = replace(
    MOP_SOCKET,
    name="mop-real",
    process=PROCESS_REAL,
    server="meta-orchestration-protocol",
    closed=Ending("disconnected", 0, "closed without handshake"),
)
MCP_SOCKET: Final = replace(
    MOP_SOCKET,
    name="mcp",
    process="mcp-json",
    goods=MOP_GOODS,
    version=ASKED_VERSION,
    ping=SAID,
    unknown_tool=IS_ERROR._replace(status=0),
    missing_argument=IS_ERROR._replace(status=0),
    resource=SAID,
    no_params=rpc_error(-32602, 0),
    null_id_errors=False,
    subprotocol="mcp",
)
SDK_SOCKET: Final = replace(
    MCP_SOCKET,
    name="sdk",
    process=PROCESS_SDK,
    goods=SDK_GOODS,
    server="sdk",
    before_initialize=rpc_error(-32602, 0),
    nowhere=403,
    asks="ping: answered, elicitation: -32601",
)

SOCKET_TARGETS: Final = (MOP_SOCKET, REAL_SOCKET, MCP_SOCKET, SDK_SOCKET)
