"""The eye on the server, with real servers that behave as a test says."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from mop_locust.client.exchange import monotonic_us
from mop_locust.config import ApiKey
from mop_locust.report.document import ServerSide
from mop_locust.server_side import watch as module
from mop_locust.server_side.watch import LARGEST_BODY, MOST_LINES, POLL_SECONDS, ServerWatch, poll_seconds
from tests.unit.client.memory import settings
from tests.unit.transports.loopback import Authority, Loopback, Peer, Request, answer, unused_port

Pages = dict[str, bytes]
Watch = Callable[..., ServerSide]

HEALTH = answer(b'{"status":"healthy","active_sessions":3}')
METRICS = answer(b"calls_total 7\n", kind="text/plain")
NONE = answer(b"", status="404 Not Found")


class Site:
    """A server of pages: each request gets its page's bytes as they are; what was asked stands in `seen`."""

    def __init__(self, health: bytes = HEALTH, metrics: bytes = METRICS, tls: ssl.SSLContext | None = None) -> None:
        self.pages = {"/health": health, "/metrics": metrics}
        self.seen: list[Request] = []
        self.server = Loopback(self._serve, tls)

    def _serve(self, peer: Peer) -> None:
        request = peer.request()
        if request is not None:
            self.seen.append(request)
            if page := self.pages[request.path]:
                peer.write(page)
            else:
                peer.wait_end()

    def asked(self, path: str) -> int:
        """How often a page was asked for."""
        return [request.path for request in self.seen].count(path)


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """No watch can hold a test."""
    with gevent.Timeout(20):
        yield


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    """Starts servers of pages, which end with the test."""
    sites: list[Site] = []

    def start(*pages: bytes, **more: ssl.SSLContext) -> Site:
        sites.append(Site(*pages, **more))
        return sites[-1]

    yield start
    for one in sites:
        one.server.stop()


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks each 20 ms, with less patience."""
    monkeypatch.setattr(module, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    monkeypatch.setattr(module, "LAST_PATIENCE", 0.2)


def watched(url: str, *, until: Callable[[], object] = lambda: True, key: str = "", **values: str) -> ServerSide:
    """What a watch saw until a condition held, and then once more."""
    watch = ServerWatch(settings(**values), ApiKey(key), url, monotonic_us())
    while not until():
        gevent.sleep(0.005)
    watch.finish()
    return watch.course.to_json()


def test_the_first_look_is_at_once_and_the_last_at_the_end(site: Callable[..., Site]) -> None:
    """Five seconds lie between two others; a run of none has two."""
    pages = site()
    given = settings(MOP_SERVER_PID=str(os.getpid()))
    watch = ServerWatch(given, ApiKey(""), pages.server.url("http"), monotonic_us())
    while not watch.course.to_json()["samples"]:  # what the server has answered may not have been read yet
        gevent.sleep(0.005)
    watch.finish()
    side = watch.course.to_json()
    assert (pages.asked("/health"), pages.asked("/metrics")) == (2, 2)
    assert (side["health"], side["metrics"], side["notes"], side["pid"]) == (True, True, [], os.getpid())
    assert [(sample["active_sessions"], sample["metrics"]) for sample in side["samples"]] == [(3.0, {"calls_total": 7.0})] * 2
    assert [sample["rss_bytes"] is not None and sample["open_files"] is not None for sample in side["samples"]] == [True, True]
    assert 0 <= side["samples"][0]["at_s"] <= side["samples"][1]["at_s"] < 20


def test_a_request_carries_no_key_and_no_more_than_it_needs(site: Callable[..., Site]) -> None:
    """A page that anybody may see is asked as anybody."""
    pages = site()
    watched(pages.server.url("ws", "/deep/ws?key=x"), until=lambda: len(pages.seen) >= 2, key="SECRET")
    assert {request.path for request in pages.seen} == {"/health", "/metrics"}
    assert {tuple(sorted(request.headers)) for request in pages.seen} == {
        ("accept", "accept-encoding", "connection", "host", "user-agent")
    }
    assert {request.headers["connection"] for request in pages.seen} == {"close"}


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_page_that_wants_the_key_gets_it(status: str, site: Callable[..., Site], brisk: None) -> None:
    """From then on, and no other page does. Without a key the page is simply not there."""
    pages = site(HEALTH, answer(b"", status=status))
    side = watched(pages.server.url("http"), until=lambda: pages.asked("/metrics") >= 4, key="SECRET")
    keys = [request.headers.get("authorization") for request in pages.seen if request.path == "/metrics"]
    assert keys[:4] == [None, "Bearer SECRET", "Bearer SECRET", "Bearer SECRET"]
    assert {request.headers.get("authorization") for request in pages.seen if request.path == "/health"} == {None}
    assert side["notes"][0].startswith(f"no /metrics there: HTTP {status[:3]}")
    pages.seen.clear()
    assert watched(pages.server.url("http"), until=lambda: pages.asked("/metrics") >= 2)["metrics"] is False
    assert {request.headers.get("authorization") for request in pages.seen} == {None}


def test_pages_that_are_not_there_are_not_asked_again(site: Callable[..., Site], brisk: None) -> None:
    """Nor is there a sample of nothing."""
    pages = site(NONE, answer(b"", status="405 Method Not Allowed"))
    watch = ServerWatch(settings(), ApiKey(""), pages.server.url("http"), monotonic_us())
    gevent.sleep(0.2)
    watch.finish()
    assert len(pages.seen) == 2
    assert watch.course.to_json() == {
        "health": False,
        "metrics": False,
        "pid": None,
        "cgroup": None,
        "notes": ["no /health there: HTTP 404", "no /metrics there: HTTP 405"],
        "samples": [],
    }


def test_a_page_that_was_there_is_asked_again_whatever_it_answers(site: Callable[..., Site], brisk: None) -> None:
    """A server that restarts, or hides for a while, comes back."""
    pages = site()
    watch = ServerWatch(settings(), ApiKey(""), pages.server.url("http"), monotonic_us())
    for health in (HEALTH, NONE, HEALTH):
        pages.pages["/health"] = health
        before = pages.asked("/health")
        while pages.asked("/health") < before + 2:
            gevent.sleep(0.005)
    watch.finish()
    side = watch.course.to_json()
    assert side["health"] is True
    assert len(side["notes"]) == 1
    assert side["notes"][0].startswith("/health failed ")
    assert side["notes"][0].endswith(": HTTP 404")
    assert side["samples"][-1]["active_sessions"] == 3.0


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (b"", "no answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", "closed early"),
        (answer(b"", status="302 Found", extra="Location: http://192.0.2.1/\r\n"), "HTTP 302"),
        (answer(b"", status="500 Oops"), "HTTP 500"),
        (b"garbage\r\n\r\n", "bad HTTP"),
    ],
)
def test_a_page_that_fails_is_named_and_the_other_is_read(page: bytes, why: str, site: Callable[..., Site], brisk: None) -> None:
    """A silent one holds neither the other nor the end."""
    pages = site(page, METRICS)
    side = watched(pages.server.url("http"), until=lambda: pages.asked("/metrics") >= 1)
    assert side["notes"] == [f"no /health there: {why}"]
    assert {tuple(sample["metrics"].items()) for sample in side["samples"]} == {(("calls_total", 7.0),)}


def test_a_dead_server_is_no_error(brisk: None) -> None:
    """The load will say it louder."""
    side = watched(f"http://127.0.0.1:{unused_port()}/mcp")
    assert (side["samples"], side["notes"]) == ([], ["no /health there: refused", "no /metrics there: refused"])


@pytest.mark.parametrize(
    ("line", "read"),
    [(b"x_total 1\n", MOST_LINES - 1), (b'x_total{a="%b"} 1\n' % (b"a" * 984), (LARGEST_BODY - 14) // 1000)],
)
def test_a_page_of_megabytes_is_cut_at_a_whole_line(line: bytes, read: int, site: Callable[..., Site]) -> None:
    """What stands behind so many bytes or lines is not read, and that is said."""
    body = b"first_total 1\n" + line * (LARGEST_BODY // len(line) + 1) + b"last_total 1\n"
    pages = site(HEALTH, answer(body))
    side = watched(pages.server.url("http"), until=lambda: len(pages.seen) >= 2)
    assert side["notes"] == ["/metrics is larger than 1 MiB or 10,000 lines: the rest was not read"]
    assert side["samples"][-1]["metrics"] == {"first_total": 1.0, "x_total": float(read)}


def test_the_load_goes_on_while_a_page_is_read(site: Callable[..., Site]) -> None:
    """A large exposition takes a while: others get their turn dozens of times."""
    pages = site(HEALTH, answer(b"x_total 1\n" * 8_192))
    turns = 0

    def load() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    other = gevent.spawn(load)
    watch = ServerWatch(settings(), ApiKey(""), pages.server.url("http"), monotonic_us())
    while not watch.course.samples:
        gevent.sleep(0.005)
    other.kill()
    assert watch.course.samples[0]["metrics"] == {"x_total": 8192.0}
    assert turns >= 81_920 // (module.BREATH + 10)
    watch.finish()


def test_what_is_no_exposition_is_noted(site: Callable[..., Site]) -> None:
    """A page for people has no figures."""
    pages = site(HEALTH, answer(b"<html>hello</html>", kind="text/html"))
    side = watched(pages.server.url("http"), until=lambda: len(pages.seen) >= 2)
    assert [note.partition(" after ")[0] for note in side["notes"]] == ["/metrics was no Prometheus text"] * len(side["notes"])
    assert side["notes"]
    assert side["samples"][-1]["metrics"] == {}
    assert side["samples"][-1]["active_sessions"] == 3.0


def test_over_tls(site: Callable[..., Site], authority: Authority) -> None:
    """With the authority that the load trusts; without it the page is not there for us."""
    pages = site(tls=authority.server("127.0.0.1"))
    assert (
        watched(pages.server.url("https"), until=lambda: len(pages.seen) >= 2, MOP_TLS_CA=str(authority.file))["health"] is True
    )
    assert watched(pages.server.url("wss"))["health"] is False


def test_a_process_that_ends_is_noted_once(site: Callable[..., Site], brisk: None) -> None:
    """Its last figures stay, and its pages are asked on."""
    pages = site()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    watch = ServerWatch(settings(MOP_SERVER_PID=str(child.pid)), ApiKey(""), pages.server.url("http"), monotonic_us())
    while not watch.course.samples:
        gevent.sleep(0.005)
    child.communicate(b"\n")
    before = len(watch.course.samples)
    while len(watch.course.samples) < before + 3:
        gevent.sleep(0.005)
    watch.finish()
    side = watch.course.to_json()
    assert [note.partition(" after ")[0] for note in side["notes"]] == [f"the process {child.pid} was gone"]
    assert (side["samples"][0]["threads"], side["samples"][-1]["threads"]) == (1.0, None)
    assert side["samples"][-1]["active_sessions"] == 3.0


def test_a_process_that_went_before_the_run(site: Callable[..., Site]) -> None:
    """Between the check of the options and the start."""
    pages = site(NONE, NONE)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    side = watched(pages.server.url("http"), MOP_SERVER_PID=str(child.pid))
    assert f"the process {child.pid} is gone" in side["notes"]


def test_a_cgroup_is_read(site: Callable[..., Site], tmp_path: Path) -> None:
    """Beside the process, whose descriptors it does not know."""
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\n")
    (tmp_path / "memory.stat").write_text("anon 4096\n")
    pages = site(NONE, NONE)
    side = watched(pages.server.url("http"), MOP_SERVER_CGROUP=str(tmp_path), MOP_SERVER_PID=str(os.getpid()))
    assert side["cgroup"] == str(tmp_path)
    assert side["samples"][-1]["rss_bytes"] == 4096
    assert (side["samples"][-1]["open_files"] or 0) > 0


@pytest.mark.parametrize(
    ("drift", "planned", "pause"),
    [(False, 60.0, POLL_SECONDS), (True, None, POLL_SECONDS), (True, 30.0, 1.0), (True, 600.0, 3.0), (True, 3600.0, 5.0)],
)
def test_a_short_run_that_is_judged_for_drift_is_looked_at_more_often(drift: bool, planned: float | None, pause: float) -> None:
    """Some 200 looks, but not more than one a second."""
    assert poll_seconds(drift, planned) == pause


def test_the_looks_of_a_soak_are_scattered_over_their_pauses(site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    """Users who keep step would be seen in the same step each time."""
    monkeypatch.setattr(module, "POLL_SECONDS", 0.05)
    pages = site()
    side = watched(pages.server.url("http"), until=lambda: len(pages.seen) >= 40, MOP_DRIFT="1")
    moments = sorted(sample["at_s"] % 0.05 for sample in side["samples"][1:-1])
    assert moments[len(moments) // 2] > 0.01  # they would all be late by a moment, and by the same
