"""The JSON-RPC envelope of the server."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.server import rpc

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(call_id=JSON, method=st.text(), params=JSON)
def test_a_call_is_read_and_its_id_comes_back(call_id: object, method: str, params: object) -> None:
    """Whatever the id is."""
    call = rpc.read_call(json.dumps({"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}).encode())
    assert call is not None
    assert (call.method, json.loads(bytes(call.params))) == (method, params)
    assert json.loads(rpc.answer(call.id, rpc.EMPTY_RESULT)) == {"jsonrpc": "2.0", "id": call_id, "result": {}}


@given(st.binary() | st.text())
def test_any_bytes_are_a_call_or_none(data: bytes | str) -> None:
    """Nothing is raised."""
    assert rpc.read_call(data) is None or b"method" in (data if isinstance(data, bytes) else data.encode())
    assert rpc.is_reply(data) in (True, False)


def test_a_call_without_id_and_params() -> None:
    """NO_ID is the very object; missing params read as null; a text is read as bytes are."""
    for data in (b'{"jsonrpc":"2.0","method":"m"}', '{"jsonrpc":"2.0","method":"m"}'):
        call = rpc.read_call(data)
        assert call is not None
        assert call.id is rpc.NO_ID
        assert bytes(call.params) == b"null"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"jsonrpc":"2.0","method":1}', b'{"jsonrpc":"2.0","method":"\xff"}', "é"])
def test_what_is_no_call(data: bytes | str) -> None:
    """No JSON, no object, no method, no UTF-8."""
    assert rpc.read_call(data) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"jsonrpc":"2.0","id":1,"result":{}}', True),
        ('{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}', True),
        ('{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', False),
        ('{"jsonrpc":"2.0","id":1}', False),
        ('{"jsonrpc":"2.0","result":{}}', False),
        (b"\xff", False),
    ],
)
def test_what_is_a_reply(data: bytes | str, expected: bool) -> None:
    """An id and exactly one of result and error."""
    assert rpc.is_reply(data) is expected


def test_members_and_answers() -> None:
    """Keys of a result are sorted; data is there only when given; a missing id is null."""
    assert rpc.result_member({"b": 1, "a": 2}) == b'"result":{"a":2,"b":1}'
    assert rpc.error_member(-1, "m") == b'"error":{"code":-1,"message":"m"}'
    assert rpc.error_member(-1, "m", [1]) == b'"error":{"code":-1,"message":"m","data":[1]}'
    assert rpc.answer(rpc.NO_ID, b'"result":1') == b'{"jsonrpc":"2.0","id":null,"result":1}'
    assert rpc.answer(msgspec.Raw(b'"a"'), b'"result":1') == b'{"jsonrpc":"2.0","id":"a","result":1}'


def test_texts() -> None:
    """isError is left out when it is None."""
    assert rpc.text_content("t", is_error=None) == {"content": [{"type": "text", "text": "t"}]}
    assert rpc.text_content("t", is_error=True)["isError"] is True
    assert rpc.pretty({"b": [1], "a": {}}) == '{\n  "a": {},\n  "b": [\n    1\n  ]\n}'
