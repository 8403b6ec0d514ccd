"""The event stream of the HTTP transport, on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mop_locust.protocol.errors import (
    ConnectError,
    MopError,
)
from mop_locust.transports.dial import Dialer
from mop_locust.transports.http import HttpTransport
from mop_locust.transports.sse import End, Event
from mop_locust.transports.target import Target
from tests.unit.transports.http_cases import EVENT, MAX_REPLY, RESULT, once
from tests.unit.transports.loopback import Loopback, Peer, Request, answer, chunked, soon, unused_port
from tests.unit.transports.posting import messages, transport

Serve = Callable[..., Loopback]


def test_stream_beside_posts(serve: Serve, dialer: Dialer) -> None:
    """The event stream has its own connection and its own phases; posts go on beside it."""
    seen: list[Request] = []

    def behave(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            seen.append(request)
            if request.method == "GET":
                peer.write(chunked(EVENT, 1000, kind="text/event-stream"))
            else:
                peer.write(answer(RESULT))

    server = serve(behave)
    http = transport(server, dialer)
    messages(http)
    http.phases.clear()
    stream = http.open_stream(soon())
    assert messages(http) == [RESULT]
    assert stream.next(soon()) == Event(RESULT, "message", "7")
    assert stream.next(soon()) == End("server")
    assert (stream.status, http.phases.status) == (200, 200)
    assert stream.connect_us == http.phases.connect_us >= 0
    assert stream.first_byte_us >= 0
    assert seen[1].headers["accept"] == "text/event-stream"
    assert "content-type" not in seen[1].headers
    assert server.connections == 2
    stream.close()
    http.close()


@pytest.mark.parametrize(
    ("data", "label"),
    [
        (answer(b"no", status="405 Method Not Allowed"), "HTTP 405"),
        (answer(b"", status="204 No Content", kind=""), "HTTP 204"),
        (answer(b"{}"), "wrong content type"),
        (answer(b"{}", kind=""), "wrong content type"),
    ],
)
def test_a_stream_that_is_none(data: bytes, label: str, serve: Serve, dialer: Dialer) -> None:
    """Another status or content type is an error, and the phases tell what was seen."""
    http = transport(serve(once(data)), dialer)
    with pytest.raises(MopError) as caught:
        http.open_stream(soon())
    assert caught.value.label == label
    assert http.phases.status == int(data[9:12])
    assert http.phases.connect_us >= 0


def test_stream_refused(dialer: Dialer) -> None:
    """A stream to nobody is a connect error."""
    http = HttpTransport(Target.parse(f"http://127.0.0.1:{unused_port()}/mcp"), dialer, key="", max_reply=MAX_REPLY)
    with pytest.raises(ConnectError, match="refused"):
        http.open_stream(soon())
