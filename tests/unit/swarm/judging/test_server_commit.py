"""The git hash of the server: given, asked for, or unknown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import pytest
from gevent.server import StreamServer

from mop_locust.preflight import Findings
from mop_locust.swarm.judging import server_commit as module
from mop_locust.swarm.judging.server_commit import build_hash, hashes, server_commit
from tests.unit.client.memory import settings

HASH = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def server(answer: Callable[[str], bytes]) -> Iterator[str]:
    """A server that answers each path with these bytes and closes; gives its MCP endpoint."""

    def serve(connection: gevent.socket.socket, _: object) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096) or b"\r\n\r\n"
        connection.sendall(answer(head.split()[1].decode()))
        connection.close()

    listening = StreamServer(("127.0.0.1", 0), serve)
    listening.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}/mcp"
    finally:
        listening.stop()


def page(body: str, status: str = "200 OK", more: str = "") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body.encode())}\r\n{more}\r\n{body}".encode()


def asked(answer: Callable[[str], bytes], version: str = "0.1.4", **values: str) -> tuple[str | None, str]:
    """The hash that is found at a server, and how."""
    with server(answer) as url:
        found = server_commit(settings(MOP_HTTP_BASE=url, **values), Findings(server_version=version), ["http"])
    return found["hash"], found["obtained"]


def test_what_the_user_gives_counts_and_nothing_is_asked() -> None:
    """No server listens there."""
    found = server_commit(settings(MOP_SERVER_COMMIT="v1-3-gabc", MOP_HTTP_BASE="http://127.0.0.1:9/mcp"), Findings(), ["http"])
    assert found == {"hash": "v1-3-gabc", "obtained": "given: MOP_SERVER_COMMIT or --server-commit"}


def test_without_the_preflight_nothing_is_asked() -> None:
    """As the user wished; nor is a target that does not answer, which would only cost time."""
    assert server_commit(settings(MOP_PREFLIGHT="off"), None, ["http"]) == {
        "hash": None,
        "obtained": "not asked: MOP_PREFLIGHT is off",
    }
    dead = Findings(server_version=f"1+{HASH}", target_faults=["nothing there"])
    assert server_commit(settings(), dead, ["http"]) == {"hash": None, "obtained": "not asked: the preflight failed"}


@pytest.mark.parametrize(
    ("pages", "version", "found"),
    [
        ({"/health": f'{{"version": "1", "commit": "{HASH}"}}'}, "1", (HASH, "asked: /health")),
        ({"/health": f'{{"git": {{"sha": "{HASH[:7].upper()}"}}}}'}, "1", (HASH[:7], "asked: /health")),
        (
            {"/health": "{}", "/.well-known/mcp-config": f'{{"build": {{"git_hash": "{HASH}-dirty"}}}}'},
            "1",
            (f"{HASH}-dirty", "asked: /.well-known/mcp-config"),
        ),
        ({}, "0.1.4+abc1234", ("abc1234", "asked: serverInfo.version of initialize")),
        ({"/health": '{"commit": "main", "version": "0123456789"}'}, "0.1.4", None),
        ({"/health": "no JSON"}, "0.1.4", None),
        ({"/health": "[" * 70000}, "0.1.4", None),
    ],
)
def test_the_server_is_asked(pages: dict[str, str], version: str, found: tuple[str, str] | None) -> None:
    """First /health, then the description, then the version; a text that is no hash is none."""
    unknown = (None, "unknown: neither /health, /.well-known/mcp-config nor initialize tells it; MOP_SERVER_COMMIT can")
    assert asked(lambda path: page(pages[path]) if path in pages else page("", "404 Not Found"), version) == (found or unknown)


@pytest.mark.parametrize(("transports", "where"), [(["websocket"], "ws"), (["sse", "websocket"], "http"), (["http"], "http")])
def test_the_pages_stand_beside_the_endpoint_that_is_used(transports: list[str], where: str) -> None:
    """Below the same path; a run over WebSocket asks nothing of the default HTTP address, where another server may be."""
    seen: dict[str, list[str]] = {"ws": [], "http": []}

    def told(name: str) -> Callable[[str], bytes]:
        def answer(path: str) -> bytes:
            seen[name].append(path)
            return page("{}")

        return answer

    with server(told("ws")) as ws, server(told("http")) as http:
        values = {
            "MOP_BASE_URL": ws.replace("http:", "ws:").replace("/mcp", "/below/ws"),
            "MOP_HTTP_BASE": http.replace("/mcp", "/below/mcp"),
        }
        server_commit(settings(**values), Findings(), transports)
    assert seen.pop(where) == ["/below/health", "/below/.well-known/mcp-config"]
    assert list(seen.values()) == [[]]


def test_it_goes_nowhere_else() -> None:
    """A redirect is not followed: load and questions go to the target alone."""
    seen: list[str] = []

    def answer(path: str) -> bytes:
        seen.append(path)
        return page(f'{{"commit": "{HASH}"}}', "302 Found", "location: /elsewhere\r\n")

    assert asked(answer)[0] is None
    assert seen == ["/health", "/.well-known/mcp-config"]


def test_a_server_that_never_ends_its_page_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one that nobody can reach."""
    monkeypatch.setattr(module, "SECONDS", 0.2)

    def serve(connection: gevent.socket.socket, _: object) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n{")
        for _ in range(100):
            gevent.sleep(0.1)  # shorter than the time for one read
            connection.sendall(b" ")

    listening = StreamServer(("127.0.0.1", 0), serve)
    listening.start()
    began = time.monotonic()
    found = server_commit(settings(MOP_HTTP_BASE=f"http://127.0.0.1:{listening.server_port}/mcp"), Findings(), ["http"])
    listening.stop()
    assert found["hash"] is None
    assert time.monotonic() - began < 8  # the page alone would take 10 s, twice
    assert server_commit(settings(MOP_HTTP_BASE="http://127.0.0.1:9/mcp"), Findings(), ["http"])["hash"] is None


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("0.1.4+abc1234", "abc1234"),
        ("0.1.4-12-gabc1234", "abc1234"),
        ("0.1.4-12-gabc1234-dirty", "abc1234"),
        (f"1.0.0-rc1.{HASH}", HASH),
        ("0.1.4", ""),
        ("2026.11", ""),
        ("1.0+build", ""),
        ("", ""),
    ],
)
def test_the_hash_in_a_version(version: str, found: str) -> None:
    """Behind a plus, a dash or a point, with or without git's g."""
    assert build_hash(version) == found


def test_deep_and_strange_pages() -> None:
    """Four levels are looked at; what is no object has no names."""
    deep: object = {"commit": HASH}
    for _ in range(4):
        deep = {"more": deep}
    assert list(hashes(deep)) == []
    assert list(hashes({"a": {"b": {"c": {"revision": HASH}}}})) == [HASH]
    assert list(hashes([{"commit": HASH}])) == list(hashes(None)) == list(hashes({"commit": 7})) == []
