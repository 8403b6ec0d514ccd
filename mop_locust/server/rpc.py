"""JSON-RPC 2.0 as the server meets it: one typed envelope in, spliced bytes out.

The id is never decoded: its bytes go back as they came. An answer is `{"jsonrpc", "id", MEMBER}`, where the member is the encoded
`"result":…` or `"error":…`; members that never change are encoded once and only the id is spliced in.
"""

from __future__ import annotations

import msgspec

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

NO_ID = msgspec.Raw(b"")
"""The id of a message that has none (a notification)."""

NULL_ID = msgspec.Raw(b"null")


class Call(msgspec.Struct):
    """A message with a method; `id` is NO_ID in a notification, `params` is `null` when absent."""

    jsonrpc: str
    method: str
    id: msgspec.Raw = NO_ID
    params: msgspec.Raw = msgspec.Raw(b"null")


class Reply(msgspec.Struct):
    """A client's answer to a request of the server."""

    jsonrpc: str
    id: msgspec.Raw
    result: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")


_calls = msgspec.json.Decoder(Call)
_replies = msgspec.json.Decoder(Reply)


def read_call(data: bytes | str) -> Call | None:
    """The call in `data`; None when it is not JSON, not UTF-8, not an object or has no method."""
    try:
        if not isinstance(data, str) and not data.isascii():
            data = data.decode()
        return _calls.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def is_reply(data: bytes | str) -> bool:
    """Whether `data` is an answer to a request of the server: an id and exactly one of result and error."""
    try:
        reply = _replies.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return bool(bytes(reply.result)) != bool(bytes(reply.error))


def result_member(result: object) -> bytes:
    """The encoded `"result":…` member, keys sorted as the real server sorts them."""
    return b'"result":' + msgspec.json.encode(result, order="sorted")


def error_member(code: int, message: str, data: object | None = None) -> bytes:
    """The encoded `"error":…` member; without data there is no `data` key."""
    error: dict[str, object] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return b'"error":' + msgspec.json.encode(error)


EMPTY_RESULT = result_member({})


def answer(call_id: msgspec.Raw, member: bytes) -> bytes:
    """A whole answer: the id's own bytes and an encoded member; NO_ID becomes null."""
    return b'{"jsonrpc":"2.0","id":%b,%b}' % (bytes(call_id) or b"null", member)


def text_content(text: str, *, is_error: bool | None) -> dict[str, object]:
    """The result of a tool: one text content, and `isError` unless it is None."""
    result: dict[str, object] = {"content": [{"type": "text", "text": text}]}
    if is_error is not None:
        result["isError"] = is_error
    return result


def pretty(value: object) -> str:
    """JSON for people: two spaces of indent, keys sorted."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2).decode()
