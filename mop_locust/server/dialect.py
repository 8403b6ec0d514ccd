"""What differs between the real MOP server and a standard MCP server over HTTP stands here, and nowhere else.

| | Mop | Mcp |
|---|---|---|
| key | query wins over the header; a known session needs none; 401 | header on every request; 401 |
| session id | header and `result.sessionId` | header |
| no session id; unknown session | 400 and 400 (DELETE: 404) | 400 and 404 |
| notification; client's reply | 400, empty | 202 |
| body that is not JSON-RPC | 400, empty | 400 and -32700, -32602 for a batch |
| version | always 2024-11-05 | negotiated |
| Accept, Content-Type, MCP-Protocol-Version | not looked at | 406, 400, 400 |
| second GET stream of a session | allowed | 409 |
| GET stream of a deleted session | stays | ends |
| HEAD, OPTIONS | 200 | 405 |
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Protocol
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec

from mop_locust.server import rpc
from mop_locust.server.asgi import Header
from mop_locust.server.casial import mop_over_socket
from mop_locust.server.methods import SERVER_NAME, SERVER_VERSION, Methods, World, mop_over_http, standard
from mop_locust.server.sessions import Session, new_id
from mop_locust.server.tools import Json

SESSION_ID = b"mcp-session-id"
JSON: Header = (b"content-type", b"application/json")
TEXT: Header = (b"content-type", b"text/plain; charset=utf-8")


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer that is ready to send, but for its Content-Length."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()


class Asked(msgspec.Struct):
    """One HTTP request to `/mcp`; `body` is empty but for POST, `call` is None when the body is no JSON-RPC call."""

    verb: str
    headers: dict[bytes, bytes]
    query: bytes
    session: Session | None
    body: bytes = b""
    call: rpc.Call | None = None


class Dialect(Protocol):
    """The answers of one kind of server; `headers` are those of every successful answer beside type, length and session id."""

    body_limit: int
    subprotocol: str | None
    headers: tuple[Header, ...]
    session_id_in_result: bool
    session_id_on_every_answer: bool
    one_stream_a_session: bool
    socket_notifications_are_answered: bool
    http: Methods
    socket: Methods

    def settle(self, asked: Asked) -> Answer | None:
        """The answer that needs no method: a refusal, or the receipt of a notification; None when the work must be done."""

    def new_session_id(self) -> str:
        """A fresh session id."""

    def initialize(self, params: msgspec.Raw) -> tuple[str, Json]:
        """The agreed version and the result. Raises a msgspec error for params of the wrong shape."""


def _bearer(headers: dict[bytes, bytes]) -> str | None:
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return token.strip().decode("latin-1") or None if scheme.lower() == b"bearer" else None


class _Initialize(msgspec.Struct):
    version: str = msgspec.field(name="protocolVersion")
    capabilities: Any


_initializations = msgspec.json.Decoder(_Initialize)


class _Config(msgspec.Struct):
    """The session configuration inside `?config=`; a wrong type makes the whole of it count for nothing."""

    apiKey: str | None = None  # noqa: N815 - the server's own name
    debug: bool | None = None
    consciousness_mode: str | None = None
    max_context_size: int | None = None
    agent_role: str | None = None
    mission: str | None = None
    shim_enabled: bool | None = None


_configs = msgspec.json.Decoder(_Config)
_TYPED_IN_QUERY = {"debug", "max_context_size", "shim_enabled"}


_MISSING_KEY = Answer(401, b'{"error":"Missing API key","message":"Give a key: apiKey or a bearer token."}', (JSON,))
_WRONG_KEY = Answer(401, b'{"error":"Invalid API key","message":"The key is not valid."}', (JSON,))
_PROBED: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET,POST,DELETE,HEAD,OPTIONS"),
)


class BadQuery(Exception):
    """A query that the real server refuses; the text says why."""


def query_key(query: bytes) -> str | None:
    """The key in a query: of a `config` that parses, else of `apiKey`.

    Raises BadQuery for a parameter given twice, and for those that are no texts: the real server reads every query value as a
    text and then refuses it.
    """
    if not query:
        return None
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    values = dict(pairs)
    for name in _Config.__struct_fields__:
        if sum(name == key for key, _ in pairs) > 1:
            raise BadQuery(f"duplicate field `{name}`")
        if name in _TYPED_IN_QUERY and name in values:
            raise BadQuery(f"`{name}` must not be a string")
    if "config" in values:
        try:
            return _configs.decode(base64.b64decode(values["config"], validate=True)).apiKey
        except (binascii.Error, msgspec.MsgspecError, UnicodeDecodeError, ValueError):
            pass
    return values.get("apiKey")


class Mop:
    """The real MOP server, quirks included."""

    body_limit = 2 * 1024 * 1024
    subprotocol: str | None = None
    headers: tuple[Header, ...] = ((b"mcp-protocol-version", b"2024-11-05"),)
    session_id_in_result = True
    session_id_on_every_answer = False
    one_stream_a_session = False
    socket_notifications_are_answered = True

    def __init__(self, world: World, key: str) -> None:
        self._key = key
        self.http = mop_over_http(world)
        self.socket = mop_over_socket(world)

    def settle(self, asked: Asked) -> Answer | None:
        """See Dialect."""
        session, call = asked.session, asked.call
        if asked.verb == "OPTIONS":
            return Answer(200, headers=_PROBED)
        if asked.verb not in ("POST", "GET", "DELETE", "HEAD"):
            return Answer(405, headers=((b"allow", b"GET,HEAD,POST,OPTIONS,DELETE"),))
        try:
            key = query_key(asked.query)
        except BadQuery as error:
            return Answer(400, f"Failed to deserialize query string: {error}".encode(), (TEXT,))
        if session is None:
            key = key if key is not None else _bearer(asked.headers)
            if key != self._key:
                return _MISSING_KEY if key is None else _WRONG_KEY
        if asked.verb == "HEAD":
            return Answer(200)
        if asked.verb == "POST":
            if call is None or call.id is rpc.NO_ID:
                return Answer(400)
            if call.method == "initialize" or session is not None:
                return None
            if SESSION_ID in asked.headers:
                return self._no_session(call, "Invalid session ID")
            return None if call.method == "notifications/initialized" else self._no_session(call, "Session ID required")
        if session is not None:
            return None
        if SESSION_ID not in asked.headers:
            return Answer(400, b"Session ID required", (TEXT,))
        return Answer(400, b"Invalid session ID", (TEXT,)) if asked.verb == "GET" else Answer(404, b"Session not found", (TEXT,))

    @staticmethod
    def _no_session(call: rpc.Call, text: str) -> Answer:
        return Answer(400, rpc.answer(call.id, rpc.error_member(-32000, text)), (JSON,))

    def new_session_id(self) -> str:
        """See Dialect."""
        return f"mop-{new_id()}"

    def initialize(self, params: msgspec.Raw) -> tuple[str, Json]:
        """See Dialect."""
        _initializations.decode(params)
        return "2024-11-05", {
            "protocolVersion": "2024-11-05",
            "capabilities": {
                "tools": {"listChanged": True},
                "prompts": {"listChanged": True},
                "resources": {"listChanged": True, "subscribe": True},
                "logging": {},
                "completion": {"enabled": True},
                "experimental": {"consciousness": True, "paradox_handling": True},
            },
            "serverInfo": {"name": SERVER_NAME, "title": "Reference MOP server", "version": SERVER_VERSION},
            "instructions": "The reference server of mop-locust: tools are simulated and nothing outside is called.",
        }


class Mcp:
    """A standard MCP server of the session-based revisions, as the official Python SDK answers (streamable HTTP transport)."""

    body_limit = 4 * 1024 * 1024
    subprotocol: str | None = "mcp"
    headers: tuple[Header, ...] = ()
    session_id_in_result = False
    session_id_on_every_answer = True
    one_stream_a_session = True
    socket_notifications_are_answered = False
    versions = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")

    def __init__(self, world: World, key: str, *, needs_event_stream: bool) -> None:
        self._authorization = f"Bearer {key}".encode()
        self._key = key
        self._needs_event_stream = needs_event_stream
        self.http = standard(world)
        self.socket = standard(world, lambda params, _: rpc.result_member(self.initialize(params)[1]))

    def settle(self, asked: Asked) -> Answer | None:
        """See Dialect."""
        headers, session, call = asked.headers, asked.session, asked.call
        if asked.verb not in ("POST", "GET", "DELETE"):
            return Answer(405, _refusal(rpc.INVALID_REQUEST, "Method Not Allowed"), (JSON, (b"allow", b"GET, POST, DELETE")))
        if headers.get(b"authorization") != self._authorization and _bearer(headers) != self._key:
            return Answer(401, _refusal(rpc.INVALID_REQUEST, "Unauthorized"), (JSON, (b"www-authenticate", b"Bearer")))
        refused = self._refuse_types(asked)
        if refused is not None:
            return refused
        if asked.verb == "POST":
            if call is None and not rpc.is_reply(asked.body):
                return _malformed(asked.body)
            if call is not None and call.method == "initialize" and call.id is not rpc.NO_ID:
                return None
        if SESSION_ID not in headers:
            return Answer(400, _refusal(rpc.INVALID_REQUEST, "Bad Request: Missing session ID"), (JSON,))
        if session is None:
            return Answer(404, _refusal(rpc.INVALID_REQUEST, "Session not found"), (JSON,))
        version = headers.get(b"mcp-protocol-version")
        if version is not None and version.decode("latin-1") not in self.versions:
            return Answer(400, _refusal(rpc.INVALID_REQUEST, "Bad Request: Unsupported protocol version"), (JSON,))
        if asked.verb == "GET" and session.stream is not None:
            return Answer(409, _refusal(rpc.INVALID_REQUEST, "Conflict: Only one SSE stream is allowed per session"), (JSON,))
        if asked.verb == "POST" and (call is None or call.id is rpc.NO_ID):
            return Answer(202, headers=((SESSION_ID, session.id.encode()),))
        return None

    def _refuse_types(self, asked: Asked) -> Answer | None:
        accepted = asked.headers.get(b"accept", b"")
        everything = b"*/*" in accepted
        events = everything or b"text/event-stream" in accepted
        if asked.verb == "GET" and not events:
            return Answer(406, _refusal(rpc.INVALID_REQUEST, "Not Acceptable: accept text/event-stream"), (JSON,))
        if asked.verb == "POST":
            if not (everything or b"application/json" in accepted) or (self._needs_event_stream and not events):
                return Answer(
                    406, _refusal(rpc.INVALID_REQUEST, "Not Acceptable: accept application/json and text/event-stream"), (JSON,)
                )
            if asked.headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
                return Answer(400, b"Invalid Content-Type header", (TEXT,))
        return None

    def new_session_id(self) -> str:
        """See Dialect."""
        return uuid4().hex

    def initialize(self, params: msgspec.Raw) -> tuple[str, Json]:
        """See Dialect."""
        asked = _initializations.decode(params).version
        version = asked if asked in self.versions else self.versions[-1]
        return version, {
            "protocolVersion": version,
            "capabilities": {
                "tools": {"listChanged": False},
                "prompts": {"listChanged": False},
                "resources": {"listChanged": False, "subscribe": True},
                "logging": {},
                "completions": {},
            },
            "serverInfo": {"name": SERVER_NAME, "version": SERVER_VERSION},
        }


def _refusal(code: int, text: str) -> bytes:
    return rpc.answer(rpc.NULL_ID, rpc.error_member(code, text))


def _malformed(body: bytes) -> Answer:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Answer(400, _refusal(rpc.PARSE_ERROR, "Parse error"), (JSON,))
    code = rpc.INVALID_PARAMS if isinstance(value, list) else rpc.INVALID_REQUEST
    return Answer(400, _refusal(code, "Not one JSON-RPC message"), (JSON,))
