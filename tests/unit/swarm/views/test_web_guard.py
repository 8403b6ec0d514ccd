"""Who may come through the web UI's door, and how long who guesses a password has to wait."""

from __future__ import annotations

from typing import Any

import pytest

from mop_locust.swarm.views.web_guard import ADDRESSES, LONGEST_PAUSE, Patience, WebGuard


class App:
    """A WSGI app that says yes, to every origin."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked += 1
        start_response("200 OK", [("Content-Type", "text/plain"), ("access-control-allow-origin", "*")])
        return [b"yes"]


def ask(host: str | None, origin: str | None = None, names: tuple[str, ...] = ()) -> tuple[int, dict[str, str], int]:
    """Status, headers, and how often the app was asked."""
    app, answers = App(), []
    environ = {"HTTP_HOST": host, "HTTP_ORIGIN": origin}

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        answers.append((int(status.split()[0]), dict(headers)))

    WebGuard(app, names)({name: value for name, value in environ.items() if value is not None}, start)
    [(status, headers)] = answers
    return status, headers, app.asked


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8089", "127.0.0.1:8089", "10.1.2.3", "[::1]:8089", "Swarm.Example:80"])
def test_addresses_and_names_of_this_machine_are_answered(host: str) -> None:
    status, headers, asked = ask(host, names=("swarm.example",))
    assert (status, asked) == (200, 1)
    assert "access-control-allow-origin" not in headers
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'self'"


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "evil.example:8089", "localhost.evil.example", "[", "[::1", "1.2.3", ":8"]
)
def test_every_other_name_is_refused(host: str | None) -> None:
    """A name can be made to lead here by whoever owns it."""
    status, headers, asked = ask(host)
    assert (status, asked) == (403, 0)
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://localhost:8089", 200),
        ("https://LOCALHOST:8089", 200),
        ("http://localhost:8090", 403),
        ("http://localhost", 403),
        ("http://127.0.0.1:8089", 403),
        ("http://evil.example", 403),
        ("http://localhost:8089.evil.example", 403),
        ("http://evil.example@localhost:8089", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
    ],
)
def test_a_page_of_another_origin_is_refused(origin: str | None, status: int) -> None:
    """Scheme apart: behind a proxy that speaks TLS, the browser's is another than ours."""
    assert ask("localhost:8089", origin)[0] == status


def test_wrong_passwords_cost_ever_more_time() -> None:
    """Each address for itself; the right one makes good for all."""
    now = [100.0]
    patience = Patience(lambda: now[0])
    assert patience.waits("a") == 0
    pauses = []
    for _ in range(8):
        patience.wrong("a")
        pauses.append(patience.waits("a"))
        now[0] += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE]
    assert patience.waits("a") == 0
    patience.wrong("a")
    assert patience.waits("b") == 0
    patience.right("a")
    assert patience.waits("a") == 0
    patience.wrong("a")
    assert patience.waits("a") == 1


def test_no_more_addresses_are_remembered_than_there_is_room_for() -> None:
    """The one that was wrong the longest ago is forgotten first."""
    patience = Patience(lambda: 0.0)
    for number in range(ADDRESSES + 1):
        patience.wrong(str(number))
    assert [patience.waits(name) for name in ("0", "1", str(ADDRESSES))] == [0, 1, 1]
