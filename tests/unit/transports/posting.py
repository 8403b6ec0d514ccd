"""An HTTP transport to a small server, and one POST through one of either kind."""

from __future__ import annotations

from mop_locust.transports.dial import Dialer
from mop_locust.transports.http import HttpTransport
from mop_locust.transports.requests_http import RequestsTransport
from mop_locust.transports.target import Target
from tests.unit.transports.http_cases import MAX_REPLY
from tests.unit.transports.loopback import Loopback, soon

MESSAGE = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


def transport(server: Loopback, dialer: Dialer, *, key: str = "KEY", path: str = "/mcp") -> HttpTransport:
    """A transport to the server."""
    return HttpTransport(Target.parse(server.url("http", path)), dialer, key=key, max_reply=MAX_REPLY)


def messages(http: HttpTransport | RequestsTransport, seconds: float = 5.0) -> list[bytes]:
    """One POST and all messages of its answer."""
    deadline = soon(seconds)
    http.send(MESSAGE, deadline)
    found = []
    while (message := http.receive(deadline)) is not None:
        found.append(message)
    http.finish(deadline)
    return found
