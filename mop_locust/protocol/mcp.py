"""The messages of each MCP method, and the one place where the revisions of MCP differ.

Readers take the raw JSON of a result and ignore fields that they do not know. The shapes are those of the schema of
revision 2025-11-25, which the earlier ones share.
"""

# The fields are named as in the MCP schema.
# ruff: noqa: N815

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from mop_locust.protocol.errors import RemoteProtocolError, ToolError

T = TypeVar("T")


class Revision(msgspec.Struct, frozen=True):
    """One dated revision of MCP.

    ``asks_for_version_header``: from 2025-06-18 every HTTP request after `initialize` must carry MCP-Protocol-Version.
    Servers of earlier revisions ignore the header, so the client sends it to them too.
    """

    version: str
    asks_for_version_header: bool


REVISIONS: Final[Mapping[str, Revision]] = {
    revision.version: revision
    for revision in (
        Revision("2024-11-05", asks_for_version_header=False),
        Revision("2025-03-26", asks_for_version_header=False),
        Revision("2025-06-18", asks_for_version_header=True),
        Revision("2025-11-25", asks_for_version_header=True),
    )
}


def revision(version: str) -> Revision:
    """Return the revision with this version text; ValueError, with the known ones, when there is none."""
    try:
        return REVISIONS[version]
    except KeyError:
        raise ValueError(f"unknown MCP version {version!r}; known are {', '.join(REVISIONS)}") from None


class ServerInfo(msgspec.Struct, frozen=True):
    """Who the server says it is."""

    name: str = ""
    version: str = ""


class InitializeResult(msgspec.Struct, frozen=True):
    """The answer to `initialize`; ``sessionId`` is an addition of the MOP server, which standard servers put in a header."""

    protocolVersion: str
    serverInfo: ServerInfo = ServerInfo()
    capabilities: Raw = Raw(b"{}")
    sessionId: str | None = None


class Tool(msgspec.Struct, frozen=True):
    """One tool of `tools/list`; ``inputSchema`` is raw JSON Schema."""

    name: str
    description: str | None = None
    inputSchema: Raw = Raw(b"{}")


class ToolsList(msgspec.Struct, frozen=True):
    """The answer to `tools/list`; ``nextCursor`` asks for the next page."""

    tools: list[Tool]
    nextCursor: str | None = None


class Content(msgspec.Struct, frozen=True):
    """One piece of a tool's answer; ``text`` is there when ``type`` is "text"."""

    type: str
    text: str | None = None


class CallResult(msgspec.Struct, frozen=True):
    """The answer to `tools/call`."""

    content: list[Content]
    isError: bool | None = None


class Resource(msgspec.Struct, frozen=True):
    """One resource of `resources/list`."""

    uri: str
    name: str | None = None
    mimeType: str | None = None


class ResourcesList(msgspec.Struct, frozen=True):
    """The answer to `resources/list`."""

    resources: list[Resource]
    nextCursor: str | None = None


class ResourceContents(msgspec.Struct, frozen=True):
    """One piece of a resource: ``text``, or ``blob`` in base64."""

    uri: str
    mimeType: str | None = None
    text: str | None = None
    blob: str | None = None


class ResourceRead(msgspec.Struct, frozen=True):
    """The answer to `resources/read`."""

    contents: list[ResourceContents]


class Prompt(msgspec.Struct, frozen=True):
    """One prompt of `prompts/list`."""

    name: str
    description: str | None = None


class PromptsList(msgspec.Struct, frozen=True):
    """The answer to `prompts/list`."""

    prompts: list[Prompt]
    nextCursor: str | None = None


class PromptMessage(msgspec.Struct, frozen=True):
    """One message of a prompt; ``content`` is raw JSON."""

    role: str
    content: Raw


class PromptGet(msgspec.Struct, frozen=True):
    """The answer to `prompts/get`."""

    messages: list[PromptMessage]
    description: str | None = None


class _Told(msgspec.Struct):
    error: Raw = Raw(b"null")


_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
_SAFE_TEXT: Final = re.compile(r"[\x21-\x7e]{1,256}")

_decode_initialize = msgspec.json.Decoder(InitializeResult).decode
_decode_tools = msgspec.json.Decoder(ToolsList).decode
_decode_call = msgspec.json.Decoder(CallResult).decode
_decode_told = msgspec.json.Decoder(_Told).decode


@lru_cache(16)
def initialize_params(revision: Revision, client_name: str, version: str) -> bytes:
    """Return the JSON of the params of `initialize` that ask for ``revision`` and promise no capability of the client."""
    return msgspec.json.encode(
        {
            "protocolVersion": revision.version,
            "capabilities": {},
            "clientInfo": {"name": client_name, "version": version},
        }
    )


def read_result(raw: Raw, type: type[T]) -> T:
    """Read a result as one of the structs above; RemoteProtocolError "bad result" when it has another shape."""
    try:
        return msgspec.json.decode(raw, type=type)
    except _UNREADABLE as error:
        raise RemoteProtocolError("bad result", str(error)) from error


def read_initialize(raw: Raw) -> InitializeResult:
    """Read the answer to `initialize`; RemoteProtocolError "bad result" when it has another shape.

    The version and the session id travel back in HTTP headers, so both must be 1 to 256 visible ASCII characters (MCP
    2025-11-25, Streamable HTTP, "Session Management"): a server cannot smuggle a header line into our requests.
    """
    try:
        answer = _decode_initialize(raw)
    except _UNREADABLE as error:
        raise RemoteProtocolError("bad result", str(error)) from error
    if not _SAFE_TEXT.fullmatch(answer.protocolVersion):
        raise RemoteProtocolError("bad result", "protocolVersion is not visible ASCII")
    if answer.sessionId is not None and not _SAFE_TEXT.fullmatch(answer.sessionId):
        raise RemoteProtocolError("bad result", "sessionId is not visible ASCII")
    return answer


def read_tools(raw: Raw) -> ToolsList:
    """Read the answer to `tools/list`; RemoteProtocolError "bad result" when it has another shape."""
    try:
        return _decode_tools(raw)
    except _UNREADABLE as error:
        raise RemoteProtocolError("bad result", str(error)) from error


def check_tool_result(raw: Raw) -> CallResult:
    """Read the answer to `tools/call` and make sure that the tool did its work.

    ToolError "isError" when it says so, and ToolError "error in content" for a text that is a JSON object with a
    top-level ``error`` that is not null, which is how the MOP server reports an unknown tool over HTTP.
    RemoteProtocolError "bad result" when it has another shape.
    """
    try:
        answer = _decode_call(raw)
    except _UNREADABLE as error:
        raise RemoteProtocolError("bad result", str(error)) from error
    if answer.isError:
        raise ToolError("isError", text=" ".join(piece.text for piece in answer.content if piece.text))
    for piece in answer.content:
        if piece.type == "text" and piece.text:
            told = _told_error(piece.text)
            if told is not None:
                raise ToolError("error in content", text=told)
    return answer


def _told_error(text: str) -> str | None:
    """Return the ``error`` member of a JSON object in ``text``, or None.

    Most texts are no JSON object, which one look tells; reading one member of an object is cheaper than to search it first.
    """
    if text.lstrip(" \t\r\n")[:1] != "{":
        return None
    try:
        error = bytes(_decode_told(text).error)
    except _UNREADABLE:
        return None
    if error == b"null":
        return None
    try:
        return msgspec.json.decode(error, type=str)
    except _UNREADABLE:
        return error.decode()
