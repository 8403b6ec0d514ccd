"""JSON-RPC messages: bytes to values and back, and the law that any bytes give a message or a RemoteProtocolError."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from mop_locust.protocol.errors import LocalProtocolError, RemoteProtocolError
from mop_locust.protocol.jsonrpc import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Error,
    Message,
    Notification,
    Request,
    Result,
    decode,
    encode_error,
    encode_notification,
    encode_request,
    encode_result,
)

ids = st.integers(-(2**63), 2**64 - 1) | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(), values, max_size=4)
# What a sloppy server may write: the right members, holding anything.
near_messages = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | values,
        "id": ids | values,
        "method": st.text() | values,
        "params": values,
        "result": values,
        "error": st.fixed_dictionaries({"code": st.integers(-40000, 0), "message": st.text()}) | values,
    },
)


def plain(message: Message) -> tuple[Any, ...]:
    """The message with its raw members read by the standard library."""
    members = (getattr(message, name) for name in message.__struct_fields__)
    return (type(message), *(json.loads(bytes(value)) if isinstance(value, Raw) else value for value in members))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}', (Result, 1, {"tools": []})),
        ('{"jsonrpc":"2.0","id":1,"result":null}', (Result, 1, None)),
        ('{"jsonrpc":"2.0","id":"a","result":0,"error":null}', (Result, "a", 0)),
        ('{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}', (Error, 1, -32601, "no", None)),
        ('{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","data":[2]}}', (Error, 1, 1, "", [2])),
        ('{"jsonrpc":"2.0","id":1,"result":null,"error":{"code":1,"message":""}}', (Error, 1, 1, "", None)),
        ('{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"x"}}', (Error, None, -32603, "x", None)),
        ('{"jsonrpc":"2.0","error":{"code":-32603,"message":"x"}}', (Error, None, -32603, "x", None)),
        ('{"jsonrpc":"2.0","id":7,"method":"ping"}', (Request, 7, "ping", None)),
        ('{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":1},"more":[]}', (Request, 7, "ping", {"a": 1})),
        ('{"jsonrpc":"2.0","method":"notifications/x"}', (Notification, "notifications/x", None)),
        (' {"method":"n","params":[1],"jsonrpc":"2.0"}\n', (Notification, "n", [1])),
        ('{"jsonrpc":"2.0","id":1,"result":"é\\u00e9"}', (Result, 1, "éé")),
    ],
)
def test_messages(text: str, message: tuple[Any, ...]) -> None:
    """Each kind of message is read as what it is, from bytes and from text."""
    assert plain(decode(text.encode())) == message
    assert plain(decode(text)) == message


@pytest.mark.parametrize(
    ("data", "label"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"null", "not JSON-RPC"),
        (b"{}", "not JSON-RPC"),
        (b"[]", "batch"),
        (b' [{"jsonrpc":"2.0","id":1,"result":1}]', "batch"),
        ("[]", "batch"),
        (b"[1,", "not JSON"),
        (b'{"jsonrpc":"1.0","id":1,"result":1', "not JSON"),
        (b'{"jsonrpc":"1.0","id":1,"result":1}', "not JSON-RPC"),
        (b'{"id":1,"result":1}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":1}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","result":1}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":null,"result":1}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":1.5,"result":1}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":true,"result":1}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":' + b"1" * 5000 + b',"result":1}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","result":1}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","error":{"code":1,"message":""}}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":1,"error":{"code":1}}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":1,"error":"no"}', "not JSON-RPC"),
        (b'{"jsonrpc":"2.0","id":1,"result":1}{}', "not JSON"),
        (b'{"jsonrpc":"2.0","id":1,"result":"\xff"}', "not JSON"),
        ('{"jsonrpc":"2.0","id":1,"result":"\ud800"}', "not JSON"),
        (b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "not JSON"),
        (b'{"jsonrpc":2,"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
    ],
)
def test_mistakes(data: bytes | str, label: str) -> None:
    """Whatever is wrong has one of three labels."""
    with pytest.raises(RemoteProtocolError) as caught:
        decode(data)
    assert caught.value.label == label


@given(st.binary() | near_messages.map(lambda message: json.dumps(message).encode()))
def test_any_bytes_give_a_message_or_a_protocol_error(data: bytes) -> None:
    """No other exception ever leaves; what is read agrees with the standard library."""
    try:
        message = decode(data)
    except RemoteProtocolError as error:
        label = error.label
    else:
        label = "read"
        members = json.loads(data)
        assert members["jsonrpc"] == "2.0"
        assert plain(message)[0] in {Request, Notification, Result, Error}
        assert getattr(message, "id", None) == members.get("id")
    assert label in {"read", "not JSON", "not JSON-RPC", "batch"}


@given(st.text(st.characters(exclude_categories=())))
@example("\ud800")
def test_any_text_gives_a_message_or_a_protocol_error(text: str) -> None:
    """Lone surrogates included."""
    with pytest.raises(RemoteProtocolError):
        decode(text)


@settings(max_examples=25)
@given(ids, objects)
def test_every_prefix_of_a_message_is_refused(id: int | str, result: object) -> None:
    """A message that was cut anywhere is never taken for another."""
    whole = encode_result(id, result)
    for end in range(len(whole)):
        with pytest.raises(RemoteProtocolError) as caught:
            decode(whole[:end])
        assert caught.value.label == "not JSON"


@given(ids, st.text(), objects | st.none())
def test_requests_round_trip(id: int | str, method: str, params: object) -> None:
    """What one side encodes the other decodes, and the standard library agrees."""
    data = encode_request(id, method, params)
    assert plain(decode(data)) == (Request, id, method, params)
    assert json.loads(data) == {"jsonrpc": "2.0", "id": id, "method": method} | ({} if params is None else {"params": params})


@given(st.text(), objects | st.none())
def test_notifications_round_trip(method: str, params: object) -> None:
    """What one side encodes the other decodes, and no id is written."""
    data = encode_notification(method, params)
    assert plain(decode(data)) == (Notification, method, params)
    assert "id" not in json.loads(data)


@given(ids, values)
def test_results_round_trip(id: int | str, result: object) -> None:
    """Any JSON value is a result, null included."""
    assert plain(decode(encode_result(id, result))) == (Result, id, result)


@given(ids | st.none(), st.integers(-(2**63), 2**63 - 1), st.text())
def test_errors_round_trip(id: int | str | None, code: int, message: str) -> None:
    """An error keeps its code and message, with an id or without."""
    assert plain(decode(encode_error(id, code, message))) == (Error, id, code, message, None)


def test_the_bytes_on_the_wire() -> None:
    """The encoders write compact JSON, the version first."""
    assert encode_request(1, "ping") == b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    assert encode_notification("notifications/initialized") == b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
    assert encode_result("a", {}) == b'{"jsonrpc":"2.0","id":"a","result":{}}'
    assert encode_error(None, INTERNAL_ERROR, "x") == b'{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"x"}}'


@pytest.mark.parametrize("prepared", [b'{"a": 1}', Raw(b'{"a": 1}')])
def test_prepared_json_is_written_as_it_is(prepared: bytes | Raw) -> None:
    """Bytes and Raw are JSON already."""
    assert encode_request(1, "m", prepared) == b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"a": 1}}'
    assert encode_notification("m", prepared) == b'{"jsonrpc":"2.0","method":"m","params":{"a": 1}}'
    assert encode_result(1, prepared) == b'{"jsonrpc":"2.0","id":1,"result":{"a": 1}}'


@pytest.mark.parametrize("value", [object(), {"a": {1, object()}}, {(1, 2): 3}, "\ud800"])
@pytest.mark.parametrize(
    "encode",
    [
        lambda value: encode_request(1, "m", value),
        lambda value: encode_notification("m", value),
        lambda value: encode_result(1, value),
        lambda value: encode_error(1, INVALID_PARAMS, value),
    ],
)
def test_a_value_that_json_cannot_hold_is_our_mistake(encode: Callable[[object], bytes], value: object) -> None:
    """The scenario gave something wrong; the server is not to blame."""
    with pytest.raises(LocalProtocolError, match="cannot be written as JSON"):
        encode(value)


def test_reserved_codes() -> None:
    """JSON-RPC 2.0, section 5.1."""
    assert (PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR) == (
        -32700,
        -32600,
        -32601,
        -32602,
        -32603,
    )
