"""https and wss: a server is believed when an authority that we trust vouches for its name, and not otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mop_locust.protocol.errors import ConnectError, Disconnected
from tests.contract.authority import HOST, Authority
from tests.contract.fleet import Fleet
from tests.contract.side import SideMaker
from tests.contract.targets import MOP, MOP_SOCKET, OK, SAID, Ending, HttpTarget, SocketTarget

SECURE = replace(MOP, name="mop-tls", process="tls")
SECURE_SOCKET = replace(MOP_SOCKET, name="mop-tls", process="tls")
UNKNOWN_AUTHORITY = "tls: certificate verify failed"
WRONG_NAME = "tls: wrong host name"

over_https = pytest.mark.parametrize("http_target", [SECURE], indirect=True)
over_wss = pytest.mark.parametrize("socket_target", [SECURE_SOCKET], indirect=True)


def connecting(label: str) -> Ending:
    """No connection came about."""
    return Ending("connect", 0, label)


@pytest.fixture
def named(fleet: Fleet) -> str:
    """The server by the name in its certificate."""
    return fleet.address(SECURE.process).replace("127.0.0.1", HOST)


@over_https
def test_https_with_our_own_authority(http: SideMaker, http_target: HttpTarget, authority: Authority, named: str) -> None:
    """A session with calls and a stream; the TLS handshake is part of the connect."""
    side = http(scheme="https", host=named, MOP_TLS_CA=str(authority.ca))
    with side.session() as session:
        with session.stream():
            session.ping()
        text = session.call_tool(http_target.goods.echo, {"query": "secret"}).content[0].text
    assert text is not None
    assert http_target.goods.echoed(text) == "secret"
    assert side.exchanges() == http_target.session(("sse", "stream", OK), ("http", "ping", OK), ("http", "tools/call", OK))


@over_wss
def test_wss_with_our_own_authority(socket: SideMaker, socket_target: SocketTarget, authority: Authority, named: str) -> None:
    """A session with calls, to the close handshake."""
    side = socket(scheme="wss", host=named, MOP_TLS_CA=str(authority.ca))
    with side.connect() as session:
        text = session.call_tool(socket_target.goods.echo, {"query": "secret"}).content[0].text
        session.hold(0.05)
    assert text is not None
    assert socket_target.goods.echoed(text) == "secret"
    assert side.exchanges() == socket_target.session(("websocket", "tools/call", SAID))


@over_https
def test_https_and_a_megabyte(http: SideMaker, http_target: HttpTarget, authority: Authority, named: str) -> None:
    """Many TLS records in both directions."""
    side, big = http(scheme="https", host=named, MOP_TLS_CA=str(authority.ca)), "0123456789abcdef" * 65536
    with side.session() as session:
        text = session.call_tool(http_target.goods.echo, {"query": big}).content[0].text
    assert text is not None
    assert http_target.goods.echoed(text) == big


@over_https
@pytest.mark.parametrize("ca", ["other_ca", ""], ids=["another authority", "the system's authorities"])
def test_https_with_an_authority_that_does_not_vouch(http: SideMaker, authority: Authority, named: str, ca: str) -> None:
    """A connect error that says why, for requests and streams."""
    side = http(scheme="https", host=named, MOP_TLS_CA=str(getattr(authority, ca)) if ca else "")
    session = side.session()
    with pytest.raises(ConnectError):
        session.initialize()
    with pytest.raises(ConnectError):
        session.stream().open()
    session.close()
    unknown = connecting(UNKNOWN_AUTHORITY)
    assert side.exchanges() == [("http", "initialize", unknown), ("sse", "stream", unknown)]


@over_wss
@pytest.mark.parametrize("ca", ["other_ca", ""], ids=["another authority", "the system's authorities"])
def test_wss_with_an_authority_that_does_not_vouch(socket: SideMaker, authority: Authority, named: str, ca: str) -> None:
    """A connect error that says why; nothing is closed that was never open."""
    side = socket(scheme="wss", host=named, MOP_TLS_CA=str(getattr(authority, ca)) if ca else "")
    with pytest.raises(ConnectError):
        side.connect().open()
    assert side.exchanges() == [("websocket", "connect", connecting(UNKNOWN_AUTHORITY))]


@over_https
def test_https_under_another_name(http: SideMaker, authority: Authority) -> None:
    """The authority vouches for the name only: by its address the server is a stranger."""
    side = http(scheme="https", MOP_TLS_CA=str(authority.ca))
    with pytest.raises(ConnectError):
        side.session().initialize()
    assert side.exchanges() == [("http", "initialize", connecting(WRONG_NAME))]


@over_wss
def test_wss_under_another_name(socket: SideMaker, authority: Authority) -> None:
    """The same for WebSockets."""
    side = socket(scheme="wss", MOP_TLS_CA=str(authority.ca))
    with pytest.raises(ConnectError):
        side.connect().open()
    assert side.exchanges() == [("websocket", "connect", connecting(WRONG_NAME))]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")  # urllib3 says so, as it should
@over_https
def test_insecure_https(http: SideMaker, http_target: HttpTarget) -> None:
    """With MOP_TLS_INSECURE=1 anybody is believed, under any name."""
    side = http(scheme="https", MOP_TLS_INSECURE="1")
    with side.session() as session, session.stream():
        session.ping()
    assert side.exchanges() == http_target.session(("sse", "stream", OK), ("http", "ping", OK))


@over_wss
def test_insecure_wss(socket: SideMaker, socket_target: SocketTarget) -> None:
    """The same for WebSockets."""
    side = socket(scheme="wss", MOP_TLS_INSECURE="1")
    with side.connect() as session:
        session.probe("ping")
    assert side.exchanges() == socket_target.session(("websocket", "ping", SAID))


@over_https
def test_https_to_a_server_without_tls(http: SideMaker, fleet: Fleet, authority: Authority) -> None:
    """What answers is no TLS."""
    side = http(scheme="https", host=fleet.address(MOP.process), MOP_TLS_CA=str(authority.ca))
    with pytest.raises(ConnectError) as caught:
        side.session().initialize()
    assert caught.value.label.startswith("tls: ")
    assert [ending.outcome for _, _, ending in side.exchanges()] == ["connect"]


@over_wss
def test_wss_to_a_server_without_tls(socket: SideMaker, fleet: Fleet, authority: Authority) -> None:
    """The same for WebSockets."""
    side = socket(scheme="wss", host=fleet.address(MOP.process), MOP_TLS_CA=str(authority.ca))
    with pytest.raises(ConnectError) as caught:
        side.connect().open()
    assert caught.value.label.startswith("tls: ")
    assert [ending.outcome for _, _, ending in side.exchanges()] == ["connect"]


@over_https
def test_http_to_a_server_with_tls(http: SideMaker) -> None:
    """A request that is no TLS gets no answer: the server ends the connection."""
    side = http(scheme="http")
    with pytest.raises(Disconnected):
        side.session().initialize()
    assert side.exchanges() == [("http", "initialize", Ending("disconnected", 0, "closed early"))]
