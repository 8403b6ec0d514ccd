"""JSON-RPC 2.0 messages: bytes to typed values and back.

``params``, ``result`` and ``data`` stay raw JSON (`msgspec.Raw`, a view of the bytes that were received) until somebody
asks for them: an exchange needs only the envelope. The law of `decode`: any bytes give a message or a RemoteProtocolError.
JSON is that of RFC 8259 in UTF-8, without a byte order mark and without escapes of half a surrogate pair (RFC 7493).
"""

from __future__ import annotations

from typing import Final, Literal, NoReturn, TypeAlias

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mop_locust.protocol.errors import LocalProtocolError, RemoteProtocolError

Id: TypeAlias = int | str

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603


class Request(msgspec.Struct, frozen=True, gc=False):
    """A call that wants an answer."""

    id: Id
    method: str
    params: Raw | None = None


class Notification(msgspec.Struct, frozen=True, gc=False):
    """A call that wants no answer."""

    method: str
    params: Raw | None = None


class Result(msgspec.Struct, frozen=True, gc=False):
    """The good answer to the request with this id."""

    id: Id
    result: Raw


class Error(msgspec.Struct, frozen=True, gc=False):
    """The bad answer; ``id`` is None when the peer could not tell which request it answers."""

    id: Id | None
    code: int
    message: str
    data: Raw | None = None


Message: TypeAlias = Request | Notification | Result | Error


class _ErrorObject(msgspec.Struct, gc=False):
    code: int
    message: str
    data: Raw | UnsetType = UNSET


class _Envelope(msgspec.Struct, gc=False):
    jsonrpc: Literal["2.0"]
    id: Id | UnsetType | None = UNSET
    method: str | UnsetType = UNSET
    params: Raw | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: _ErrorObject | None = None


class _Call(msgspec.Struct, gc=False, omit_defaults=True, tag_field="jsonrpc", tag="2.0"):
    id: Id
    method: str
    params: object = None


class _Notice(msgspec.Struct, gc=False, omit_defaults=True, tag_field="jsonrpc", tag="2.0"):
    method: str
    params: object = None


class _Answer(msgspec.Struct, gc=False, tag_field="jsonrpc", tag="2.0"):
    id: Id
    result: object


class _Refusal(msgspec.Struct, gc=False, tag_field="jsonrpc", tag="2.0"):
    id: Id | None
    error: _ErrorObject


_encode = msgspec.json.Encoder().encode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_skip = msgspec.json.Decoder(Raw).decode

_UNENCODABLE = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)
_UNDECODABLE = (msgspec.DecodeError, UnicodeError, RecursionError)


def encode_request(id: Id, method: str, params: object | None = None) -> bytes:
    """Encode a request; ``params`` is a JSON-ready value, or JSON already encoded (`bytes` or `Raw`), or None for none.

    LocalProtocolError for a value that JSON cannot hold.
    """
    if type(params) is bytes:
        params = Raw(params)
    try:
        return _encode(_Call(id, method, params))
    except _UNENCODABLE as error:
        raise LocalProtocolError(f"{method}: params cannot be written as JSON: {error}") from error


def encode_notification(method: str, params: object | None = None) -> bytes:
    """Encode a notification; ``params`` as for `encode_request`."""
    if type(params) is bytes:
        params = Raw(params)
    try:
        return _encode(_Notice(method, params))
    except _UNENCODABLE as error:
        raise LocalProtocolError(f"{method}: params cannot be written as JSON: {error}") from error


def encode_result(id: Id, result: object) -> bytes:
    """Encode the good answer to request ``id``; ``result`` as ``params`` for `encode_request`, None being null."""
    if type(result) is bytes:
        result = Raw(result)
    try:
        return _encode(_Answer(id, result))
    except _UNENCODABLE as error:
        raise LocalProtocolError(f"the result cannot be written as JSON: {error}") from error


def encode_error(id: Id | None, code: int, message: str) -> bytes:
    """Encode the bad answer to request ``id``, None when the request could not be read."""
    try:
        return _encode(_Refusal(id, _ErrorObject(code, message)))
    except _UNENCODABLE as error:
        raise LocalProtocolError(f"the error cannot be written as JSON: {error}") from error


def decode(data: bytes | str) -> Message:
    """Decode one message (JSON-RPC 2.0, sections 4 and 5; MCP forbids a request with a null id).

    RemoteProtocolError "not JSON", "not JSON-RPC" or "batch" for anything else. An ``error`` or ``result`` of null beside
    the other member counts as absent, since some servers write both.
    """
    try:
        # Raw members are skipped, not read, so the encoding has to be looked at here.
        if not data.isascii():
            data.decode() if isinstance(data, bytes) else data.encode()
        envelope = _decode_envelope(data)
    except _UNDECODABLE as mistake:
        _refuse(data, mistake)
    id, result, error = envelope.id, envelope.result, envelope.error
    if envelope.method is not UNSET:
        params = None if envelope.params is UNSET else envelope.params
        if result is not UNSET or error is not None or id is None:
            raise RemoteProtocolError("not JSON-RPC", "a call with an answer in it, or with a null id")
        return Notification(envelope.method, params) if id is UNSET else Request(id, envelope.method, params)
    if error is not None:
        if result is not UNSET and bytes(result) != b"null":
            raise RemoteProtocolError("not JSON-RPC", "a result and an error in one answer")
        return Error(None if id is UNSET else id, error.code, error.message, None if error.data is UNSET else error.data)
    if result is UNSET or id is UNSET or id is None:
        raise RemoteProtocolError("not JSON-RPC", "neither a call nor an answer to one")
    return Result(id, result)


def _refuse(data: bytes | str, mistake: Exception) -> NoReturn:
    """Say which of the three mistakes it was: the typed decoder stops at the first, before the syntax is known."""
    label = "not JSON"
    if isinstance(mistake, msgspec.ValidationError):
        try:
            _skip(data)
            label = "batch" if data.lstrip()[:1] in (b"[", "[") else "not JSON-RPC"
        except _UNDECODABLE as syntax:
            mistake = syntax
    raise RemoteProtocolError(label, str(mistake)) from mistake
