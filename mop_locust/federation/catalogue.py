"""The catalogue of a MOP server: all its tools, and from which downstream server each of them comes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from mop_locust.protocol.errors import RemoteProtocolError

HTTP_CATALOGUE = "mop://tools/catalog"
"""The resource over HTTP; its text is JSON with `tools`."""

SOCKET_CATALOGUE = "mcp://catalog"
"""The resource over the socket; the result itself has a `catalog` with `tools`."""


class CataloguedTool(msgspec.Struct, frozen=True):
    """One tool; `downstream` is the id of the server that it comes from, "" for the server's own."""

    name: str
    schema: dict[str, Any]
    downstream: str = ""


class _Entry(msgspec.Struct):
    name: str
    inputSchema: dict[str, Any] | None = None  # noqa: N815 - MCP's own name
    source: Any = None


class _Tools(msgspec.Struct):
    tools: list[_Entry]


class _Catalogue(msgspec.Struct):
    catalog: _Tools


def read_http_catalogue(text: str) -> list[CataloguedTool]:
    """Returns the tools, by name, of the text of `mop://tools/catalog`; RemoteProtocolError when it has another shape."""
    try:
        return _tools(msgspec.json.decode(text, type=_Tools).tools)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RemoteProtocolError("bad catalogue", str(error)) from error


def read_socket_catalogue(result: bytes | msgspec.Raw) -> list[CataloguedTool]:
    """Returns the tools, by name, of the result of `mcp://catalog`; RemoteProtocolError when it has another shape."""
    try:
        return _tools(msgspec.json.decode(result, type=_Catalogue).catalog.tools)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RemoteProtocolError("bad catalogue", str(error)) from error


def _tools(entries: Iterable[_Entry]) -> list[CataloguedTool]:
    tools = (CataloguedTool(entry.name, entry.inputSchema or {"type": "object"}, _downstream(entry.source)) for entry in entries)
    return sorted(tools, key=lambda tool: tool.name)  # the server's own order changes with each start


def _downstream(source: Any) -> str:
    """The id in `{"type": "federated", "serverId": ID}` (HTTP) or `{"Federated": {"server_id": ID}}` (socket)."""
    if not isinstance(source, dict):
        return ""
    if source.get("type") == "federated":
        return str(source.get("serverId") or "unnamed")
    told = source.get("Federated")
    return str(told.get("server_id") or "unnamed") if isinstance(told, dict) else ""
