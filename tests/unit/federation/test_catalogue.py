"""The catalogue in its two forms: which tool is whose."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.federation.catalogue import CataloguedTool, read_http_catalogue, read_socket_catalogue
from mop_locust.protocol.errors import RemoteProtocolError

SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}}


def test_over_http() -> None:
    """By name; a tool without a schema takes any object, and one without a source is the server's own."""
    tools = [
        {"name": "b", "inputSchema": SCHEMA, "source": {"type": "federated", "serverId": "one", "serverUrl": "server://one"}},
        {"name": "c", "source": {"type": "local"}},
        {"name": "a", "inputSchema": {}, "source": {"type": "federated"}},
        {"name": "d"},
    ]
    assert read_http_catalogue(json.dumps({"totalTools": 4, "tools": tools})) == [
        CataloguedTool("a", {"type": "object"}, "unnamed"),
        CataloguedTool("b", SCHEMA, "one"),
        CataloguedTool("c", {"type": "object"}),
        CataloguedTool("d", {"type": "object"}),
    ]


def test_over_the_socket() -> None:
    """The same tools in other words."""
    tools = [
        {"name": "b", "inputSchema": SCHEMA, "source": {"Federated": {"server_id": "one"}}},
        {"name": "a", "inputSchema": SCHEMA, "source": "Local"},
        {"name": "c", "source": {"Federated": {}}},
        {"name": "d", "source": {"Federated": None}},
    ]
    assert [
        (tool.name, tool.downstream) for tool in read_socket_catalogue(json.dumps({"catalog": {"tools": tools}}).encode())
    ] == [
        ("a", ""),
        ("b", "one"),
        ("c", "unnamed"),
        ("d", ""),
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"tools": 1}', '{"tools": [{}]}', '{"tools": [{"name": "a", "inputSchema": 1}]}']
)
def test_another_shape_is_a_mistake_of_the_server(text: str) -> None:
    """Over both transports."""
    with pytest.raises(RemoteProtocolError, match="bad catalogue"):
        read_http_catalogue(text)
    with pytest.raises(RemoteProtocolError, match="bad catalogue"):
        read_socket_catalogue(b'{"catalog": ' + text.encode() + b"}")


@given(st.recursive(st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_source_is_somebodys_or_the_servers_own(source: object) -> None:
    """Nothing that stands there raises."""
    (tool,) = read_http_catalogue(json.dumps({"tools": [{"name": "a", "source": source}]}))
    assert isinstance(tool.downstream, str)
