"""The two axes of the suite: clients (ours, and one that we did not write) and servers, each pair of which runs every case."""

from __future__ import annotations

import socket as sockets
from collections.abc import Iterator

import pytest

from mop_locust.config import PUBLIC_KEY
from tests.contract.authority import Authority
from tests.contract.fleet import Fleet
from tests.contract.side import Side, SideMaker
from tests.contract.targets import HTTP_TARGETS, SOCKET_TARGETS, HttpTarget, SocketTarget


def pytest_make_parametrize_id(val: object) -> str | None:
    """Targets are called by their names."""
    return val.name if isinstance(val, HttpTarget | SocketTarget) else None


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority of the test run."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Fleet]:
    """The servers."""
    ships = Fleet(tmp_path_factory.mktemp("servers"), authority)
    yield ships
    ships.stop()


@pytest.fixture(params=["gevent", "requests"])
def http_client(request: pytest.FixtureRequest) -> str:
    """Who speaks HTTP: MOP_HTTP_CLIENT."""
    return str(request.param)


@pytest.fixture(params=["gevent", "websocket-client"])
def socket_client(request: pytest.FixtureRequest) -> str:
    """Who speaks WebSocket: MOP_WS_CLIENT."""
    return str(request.param)


@pytest.fixture(params=HTTP_TARGETS)
def http_target(request: pytest.FixtureRequest) -> HttpTarget:
    """A server over HTTP and what it is to answer."""
    assert isinstance(request.param, HttpTarget)
    return request.param


@pytest.fixture(params=SOCKET_TARGETS)
def socket_target(request: pytest.FixtureRequest) -> SocketTarget:
    """A server over a WebSocket and what it is to answer."""
    assert isinstance(request.param, SocketTarget)
    return request.param


@pytest.fixture
def free_address() -> Iterator[str]:
    """Host and port where nobody listens: the port is bound, so that nobody else takes it meanwhile."""
    with sockets.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def sides() -> Iterator[list[Side]]:
    """The sides that a test made: their connections are closed after it."""
    made: list[Side] = []
    yield made
    for side in made:
        side.client.close()


@pytest.fixture
def http(fleet: Fleet, http_target: HttpTarget, http_client: str, sides: list[Side]) -> SideMaker:
    """Makes sides of this HTTP client against this server."""

    def make(
        *,
        scheme: str = "http",
        host: str = "",
        path: str = http_target.path,
        key: str = PUBLIC_KEY,
        send_initialized: bool = False,
        **values: str,
    ) -> Side:
        base = f"{scheme}://{host or fleet.address(http_target.process)}{path}"
        settings = {"MOP_HTTP_BASE": base, "MOP_HTTP_CLIENT": http_client, **values}
        sides.append(Side(settings, key=key, send_initialized=send_initialized))
        return sides[-1]

    return make


@pytest.fixture
def socket(fleet: Fleet, socket_target: SocketTarget, socket_client: str, sides: list[Side]) -> SideMaker:
    """Makes sides of this WebSocket client against this server."""

    def make(
        *,
        scheme: str = "ws",
        host: str = "",
        path: str = socket_target.path,
        key: str = PUBLIC_KEY,
        send_initialized: bool = False,
        **values: str,
    ) -> Side:
        url = f"{scheme}://{host or fleet.address(socket_target.process)}{path}"
        settings = {"MOP_BASE_URL": url, "MOP_WS_CLIENT": socket_client, **values}
        sides.append(Side(settings, key=key, send_initialized=send_initialized))
        return sides[-1]

    return make
