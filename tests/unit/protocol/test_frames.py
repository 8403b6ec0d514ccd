"""The WebSocket codec: the RFC's own examples, both ends joined, any bytes in any pieces, and a second opinion."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websocket import ABNF

from mop_locust.protocol.errors import LocalProtocolError, RemoteProtocolError
from mop_locust.protocol.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Binary,
    Close,
    Frame,
    FrameDecoder,
    Ping,
    Pong,
    Text,
    accept_key,
    encode_close,
    encode_frame,
    masked,
    upgrade_request,
)

CAP = 1 << 20
masks = st.binary(min_size=4, max_size=4)
close_codes = st.sampled_from([1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999])
frames = st.one_of(
    st.builds(Text, st.text().map(str.encode)),
    st.builds(Binary, st.binary(max_size=300)),
    st.builds(Ping, st.binary(max_size=125)),
    st.builds(Pong, st.binary(max_size=125)),
)


def drain(decoder: FrameDecoder) -> list[Frame]:
    """All that can be read now."""
    return list(iter(decoder.next, None))


def read(pieces: Iterable[bytes], *, cap: int = CAP, expect_mask: bool = False) -> tuple[list[Frame], str]:
    """The frames in these pieces, and the sentence of the error that ended them, if any."""
    decoder = FrameDecoder(cap, expect_mask=expect_mask)
    found: list[Frame] = []
    try:
        for piece in pieces:
            decoder.feed(piece)
            while (frame := decoder.next()) is not None:
                found.append(frame)
    except RemoteProtocolError as error:
        return found, str(error)
    return found, ""


def bytewise(data: bytes) -> list[bytes]:
    """The same bytes, one by one."""
    return [data[at : at + 1] for at in range(len(data))]


def encode(frame: Frame, mask: bytes = b"") -> bytes:
    """One frame as the other side would send it."""
    if isinstance(frame, Close):
        return encode_close(frame.code, frame.reason, mask)
    opcode = {Text: TEXT, Binary: BINARY, Ping: PING, Pong: PONG}[type(frame)]
    return encode_frame(opcode, frame.data, mask)


# RFC 6455, section 5.7
HELLO = bytes.fromhex("810548656c6c6f")
HELLO_MASKED = bytes.fromhex("818537fa213d7f9f4d5158")
HELLO_IN_TWO = bytes.fromhex("010348656c") + bytes.fromhex("80026c6f")


def test_the_examples_of_the_rfc() -> None:
    """RFC 6455, section 5.7: each example is written and read as printed there."""
    mask = bytes.fromhex("37fa213d")
    assert encode_frame(TEXT, b"Hello", b"") == HELLO
    assert encode_frame(TEXT, b"Hello", mask) == HELLO_MASKED
    assert encode_frame(TEXT, b"Hel", b"", fin=False) + encode_frame(CONTINUATION, b"lo", b"") == HELLO_IN_TWO
    assert encode_frame(PING, b"Hello", b"") == bytes.fromhex("890548656c6c6f")
    assert encode_frame(PONG, b"Hello", mask) == bytes.fromhex("8a8537fa213d7f9f4d5158")
    assert encode_frame(BINARY, bytes(256), b"")[:4] == bytes.fromhex("827e0100")
    assert encode_frame(BINARY, bytes(65536), b"")[:10] == bytes.fromhex("827f0000000000010000")
    assert read([HELLO]) == ([Text(b"Hello")], "")
    assert read([HELLO_MASKED], expect_mask=True) == ([Text(b"Hello")], "")
    assert read([HELLO_IN_TWO]) == ([Text(b"Hello")], "")


def test_the_accept_key_of_the_rfc() -> None:
    """RFC 6455, section 1.3."""
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_the_upgrade_request() -> None:
    """The opening handshake, with and without the optional lines."""
    assert upgrade_request("/ws?a=1", "localhost:8000", "a2V5") == (
        b"GET /ws?a=1 HTTP/1.1\r\nHost: localhost:8000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: a2V5\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert upgrade_request("/", "h", "k", {"Authorization": "Bearer x"}, "mcp").endswith(
        b"Version: 13\r\nSec-WebSocket-Protocol: mcp\r\nAuthorization: Bearer x\r\n\r\n"
    )


@pytest.mark.parametrize("bad", ["a\r\nX: 1", "a\nX", "a\rX", "a\0"])
def test_no_line_is_smuggled_into_the_upgrade_request(bad: str) -> None:
    """A key with a line break is refused and not repeated."""
    calls: tuple[Callable[[], bytes], ...] = (
        lambda: upgrade_request(bad, "h", "k"),
        lambda: upgrade_request("/", bad, "k"),
        lambda: upgrade_request("/", "h", "k", {"Authorization": bad}),
        lambda: upgrade_request("/", "h", "k", {bad: "x"}),
        lambda: upgrade_request("/", "h", "k", None, bad),
    )
    for call in calls:
        with pytest.raises(LocalProtocolError, match=r"^a line break in the upgrade request$"):
            call()


def test_the_upgrade_request_is_latin_1() -> None:
    """HTTP has no other characters for header lines."""
    with pytest.raises(LocalProtocolError, match="outside Latin-1"):
        upgrade_request("/", "h", "k", {"X": "€"})


@given(st.binary(max_size=300), masks)
def test_masking_is_a_xor_of_four_bytes(payload: bytes, mask: bytes) -> None:
    """RFC 6455, section 5.3, byte by byte; twice gives the payload back."""
    assert masked(payload, mask) == bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    assert masked(masked(payload, mask), mask) == payload


@given(
    st.sampled_from([CONTINUATION, TEXT, BINARY]),
    st.booleans(),
    st.binary(max_size=300) | st.sampled_from([bytes(65535), bytes(65536), b"ab" * 70_000]),
    masks,
)
@example(BINARY, True, b"", b"abcd")
@example(BINARY, True, bytes(125), b"abcd")
@example(BINARY, True, bytes(126), b"abcd")
def test_an_independent_encoder_writes_the_same_bytes(opcode: int, fin: bool, payload: bytes, mask: bytes) -> None:
    """websocket-client, which we did not write, agrees on every frame of a client."""
    other = ABNF(int(fin), 0, 0, 0, opcode, 1, payload)
    other.get_mask_key = lambda _: mask
    assert encode_frame(opcode, payload, mask, fin) == other.format()


@pytest.mark.parametrize(
    ("opcode", "payload", "mask", "fin"),
    [
        (3, b"", b"", True),
        (11, b"", b"", True),
        (-1, b"", b"", True),
        (PING, bytes(126), b"", True),
        (PING, b"", b"", False),
        (CLOSE, b"", b"", False),
        (TEXT, b"", b"abc", True),
        (TEXT, b"", b"abcde", True),
    ],
)
def test_frames_that_must_not_be_sent(opcode: int, payload: bytes, mask: bytes, fin: bool) -> None:
    """Sending them would be our bug."""
    with pytest.raises(LocalProtocolError, match="no such frame"):
        encode_frame(opcode, payload, mask, fin)


def test_close_frames() -> None:
    """A close frame has no payload, or a code and a reason."""
    assert encode_close(None, "", b"") == bytes.fromhex("8800")
    assert encode_close(1000, "", b"") == bytes.fromhex("880203e8")
    assert encode_close(1001, "bye", b"") == bytes.fromhex("880503e9") + b"bye"
    assert read([encode_close(None, "", b"")]) == ([Close(None, "")], "")
    assert read([encode_close(4999, "é" * 61, b"abcd")], expect_mask=True) == ([Close(4999, "é" * 61)], "")


@pytest.mark.parametrize(
    ("code", "reason", "why"),
    [
        (None, "why", "needs a code"),
        (1005, "", "1005 must not be sent"),
        (1006, "", "1006 must not be sent"),
        (1015, "", "1015 must not be sent"),
        (999, "", "999 must not be sent"),
        (2999, "", "2999 must not be sent"),
        (5000, "", "5000 must not be sent"),
        (1000, "x" * 124, "no such frame"),
    ],
)
def test_close_frames_that_must_not_be_sent(code: int | None, reason: str, why: str) -> None:
    """RFC 6455, section 7.4: some codes are only for reports."""
    with pytest.raises(LocalProtocolError, match=why):
        encode_close(code, reason, b"")


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        ("c100", "a reserved bit is set"),
        ("a100", "a reserved bit is set"),
        ("9100", "a reserved bit is set"),
        ("8300", "unknown opcode 3"),
        ("8b00", "unknown opcode 11"),
        ("818000000000", "a masked frame"),
        ("0900", "a control frame that is fragmented or too long"),
        ("897e", "a control frame that is fragmented or too long"),
        ("887f", "a control frame that is fragmented or too long"),
        ("8000", "a fragment out of place"),
        ("0000", "a fragment out of place"),
        ("0101618100", "a fragment out of place"),
        ("817e007d", "a length in the wrong form"),
        ("817f000000000000ffff", "a length in the wrong form"),
        ("817f8000000000000000", "a length in the wrong form"),
        ("8101ff", "a text that is not UTF-8"),
        ("0102e282800141", "a text that is not UTF-8"),
        ("880103", "a close frame with a wrong code"),
        ("880203e7", "a close frame with a wrong code"),
        ("880203ed", "a close frame with a wrong code"),
        ("88020bb7", "a close frame with a wrong code"),
        ("88021388", "a close frame with a wrong code"),
        ("880303e8ff", "a close reason that is not UTF-8"),
    ],
)
def test_bad_frames(wire: str, why: str) -> None:
    """Each rule of RFC 6455, section 5, that a server may break, found whole and byte by byte."""
    data = bytes.fromhex(wire)
    expected: tuple[list[Frame], str] = ([], f"the server broke the protocol: bad frame ({why})")
    assert read([data]) == expected
    assert read(bytewise(data)) == expected


def test_a_server_expects_masks() -> None:
    """The other side of the rule."""
    assert read([HELLO], expect_mask=True) == ([], "the server broke the protocol: bad frame (a frame without a mask)")


def test_a_reply_over_the_cap_is_refused_by_its_header() -> None:
    """Nothing is gathered that would be thrown away; fragments count together; control frames do not count."""
    too_large = "the server broke the protocol: reply too large (over 10 bytes)"
    assert read([encode_frame(TEXT, bytes(10), b"")], cap=10) == ([Text(bytes(10))], "")
    assert read([encode_frame(TEXT, bytes(11), b"")[:2]], cap=10) == ([], too_large)
    assert read([bytes.fromhex("827f7fffffffffffffff")], cap=10) == ([], too_large)
    first = encode_frame(BINARY, bytes(6), b"", fin=False)
    ping = encode_frame(PING, bytes(100), b"")
    assert read([first + ping + encode_frame(CONTINUATION, bytes(4), b"")], cap=10) == ([Ping(bytes(100)), Binary(bytes(10))], "")
    assert read([first + ping + encode_frame(CONTINUATION, bytes(5), b"")[:2]], cap=10) == ([Ping(bytes(100))], too_large)


def test_an_error_stays() -> None:
    """After a bad frame nothing is believed any more."""
    decoder = FrameDecoder(CAP)
    decoder.feed(b"\xff\xff")
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match=r"bad frame \(a reserved bit is set\)"):
            decoder.next()
        decoder.feed(HELLO)


def test_nothing_follows_a_close() -> None:
    """RFC 6455, section 5.5.1: what comes after the close frame is dropped, in the same piece or later."""
    decoder = FrameDecoder(CAP)
    decoder.feed(HELLO + encode_close(1001, "bye", b"") + b"\xff\xff")
    assert drain(decoder) == [Text(b"Hello"), Close(1001, "bye")]
    decoder.feed(HELLO)
    assert drain(decoder) == []


def test_control_frames_between_fragments() -> None:
    """RFC 6455, section 5.4: they come out at once, and the message is whole."""
    data = b"".join(
        (
            encode_frame(TEXT, b"\xe2", b"", fin=False),
            encode_frame(PING, b"1", b""),
            encode_frame(CONTINUATION, b"", b"", fin=False),
            encode_frame(PONG, b"2", b""),
            encode_frame(CONTINUATION, b"\x82\xac", b""),
            HELLO,
        )
    )
    assert read([data]) == ([Ping(b"1"), Pong(b"2"), Text("€".encode()), Text(b"Hello")], "")


@given(st.lists(frames, max_size=6), st.builds(Close, close_codes, st.text(max_size=30)) | st.just(Close(None)), masks, st.data())
def test_what_one_side_encodes_the_other_decodes(sent: list[Frame], close: Close, mask: bytes, data: st.DataObject) -> None:
    """Client to server and server to client, whole, byte by byte, and cut anywhere."""
    sent = [*sent, close]
    for key in (b"", mask):
        wire = b"".join(encode(frame, key) for frame in sent)
        cut = data.draw(st.integers(0, len(wire)))
        for pieces in ([wire], bytewise(wire), [wire[:cut], wire[cut:]]):
            assert read(pieces, expect_mask=bool(key)) == (sent, "")


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=6), st.sampled_from([b"", b"\x00\x01\xfe\xff"]))
def test_fragments_make_one_message(parts: list[bytes], mask: bytes) -> None:
    """However a message is cut into fragments, it is the same message."""
    last = len(parts) - 1
    wire = b"".join(encode_frame(CONTINUATION if at else BINARY, part, mask, fin=at == last) for at, part in enumerate(parts))
    assert read(bytewise(wire), expect_mask=bool(mask)) == ([Binary(b"".join(parts))], "")


# Bytes that look like frames more often than random ones do.
near_wire = st.lists(
    st.binary(max_size=3)
    | st.sampled_from(
        [HELLO, HELLO_MASKED, HELLO_IN_TWO, b"\x88\x02\x03\xe8", b"\x01\x00", b"\x80\x00", b"\x82\x7e\x00\x7e", bytes(126)]
    ),
    max_size=6,
).map(b"".join)


@given(st.binary() | near_wire, st.booleans(), st.integers(0, 64))
def test_any_bytes_give_frames_or_a_protocol_error(data: bytes, expect_mask: bool, cap: int) -> None:
    """No other exception ever leaves, and the cut of the pieces changes nothing."""
    whole = read([data], cap=cap, expect_mask=expect_mask)
    assert read(bytewise(data), cap=cap, expect_mask=expect_mask) == whole
    assert all(len(frame.data) <= cap for frame in whole[0] if isinstance(frame, (Text, Binary)))
