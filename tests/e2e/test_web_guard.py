"""The web UI in a browser's eyes: other pages can neither start a run nor read one, and a login stands before every page."""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path
from urllib.parse import urlencode

import psutil
import pytest

from tests.e2e.conftest import RunAt
from tests.e2e.processes import Server, until
from tests.e2e.test_input import command_lines, nothing_was_sent

PASSWORD = "canary-web-51d2ee07"
API_KEY = "canary-api-93b1c4f8"
CLUSTER_KEY = "canary-cluster-" + "0123456789abcdefghijklmnop_-"
START = urlencode({"user_count": 2, "spawn_rate": 2}).encode()
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Browser:
    """Asks one place, with headers of one's choice, and follows nothing."""

    def __init__(self, url: str) -> None:
        self.place = url.partition("//")[2]
        self.cookie = ""

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers in lower case, and body."""
        connection = http.client.HTTPConnection(self.place, timeout=10)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        cookies = {"Cookie": self.cookie} if self.cookie else {}
        connection.request(method, path, body, {**(FORM if body is not None else {}), **cookies, **given})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        text = answer.read().decode(errors="replace")
        connection.close()
        if "set-cookie" in found:
            self.cookie = found["set-cookie"].partition(";")[0]
        return answer.status, found, text

    def log_in(self, name: str, password: str) -> str:
        """Where the login sends it."""
        status, headers, _ = self.ask("POST", "/mop-login", urlencode({"username": name, "password": password}).encode())
        assert status == 302
        return headers["location"]


def test_other_pages_and_other_names_are_refused(server: Server, run_at: RunAt) -> None:
    """No start, no stop, nothing to read, no word to a browser that would let it; this page and curl go on."""
    run = run_at(server, MOP_WEB_HOSTS="swarm.example")
    process, url = run.web("tools_call_rps")
    browser = Browser(url)
    foreign = "http://evil.example"
    for origin in (foreign, "null", f"https://{browser.place}.evil.example", "http://127.0.0.1:1", "http://[", ""):
        status, headers, text = browser.ask("POST", "/swarm", START, Origin=origin)
        assert (status, "another origin" in text) == (403, True), origin
        assert "access-control-allow-origin" not in headers
    for host in ("evil.example", f"evil.example:{browser.place.rpartition(':')[2]}", "localhost.evil.example", "", "[", "a b"):
        assert browser.ask("POST", "/swarm", START, Host=host)[0] == 403, host
        assert browser.ask("GET", "/stats/requests", Host=host)[0] == 403, host
    status, headers, _ = browser.ask("OPTIONS", "/swarm", Origin=foreign, Access_Control_Request_Method="POST")
    assert status == 403
    for path in ("/", "/stats/requests", "/no-such-page"):
        status, headers, _ = browser.ask("GET", path)
        assert status == (404 if "no-such" in path else 200)
        assert [name for name in headers if name.startswith("access-control-")] == []
        assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("SAMEORIGIN", "nosniff")
    assert nothing_was_sent(server)
    for host in ("localhost", "127.0.0.1:8089", "[::1]:8089", "swarm.example"):
        assert browser.ask("GET", "/stats/requests", Host=host)[0] == 200, host
    assert browser.ask("POST", "/swarm", START, Origin=f"http://{browser.place}")[0] == 200
    until(lambda: sum(server.counts_now()["answered"].values()) > 20, what="load")
    assert browser.ask("GET", "/stop", Origin=foreign)[0] == 403
    assert browser.ask("POST", "/stop", b"")[0] == 200
    until(lambda: run.summaries(), what="the run's folder")
    assert process.running


def test_the_web_ui_is_on_loopback_and_its_form_moves_no_guard(server: Server, run_at: RunAt) -> None:
    """A POST may set any option of Locust; what protects others stays as the process was started."""
    run = run_at(server)
    process, url = run.web("tools_call_rps")
    listening = {c.laddr.ip for c in psutil.Process(process.pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    form = {"user_count": 2, "spawn_rate": 2, "host": "http://203.0.113.7:8000"}
    guards = {"mop_allow_targets": "203.0.113.7", "mop_allow_cleartext_key": "1"}
    Browser(url).ask("POST", "/swarm", urlencode({**form, **guards}).encode())
    process.says("203.0.113.7 is neither this machine nor in a private network")
    page = Browser(url).ask("GET", "/")[2]
    assert re.findall(r'"(mop_allow_[a-z]+)"', page) == ["mop_allow_degraded"], "what protects others is in no form"
    assert nothing_was_sent(server)
    assert run.summaries() == []


def test_a_login_stands_before_every_page(run_at: RunAt, tmp_path: Path) -> None:
    """Every route but the login and what it is drawn with; a wrong password costs time; no secret is in any answer."""
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    with Server(tmp_path, key=API_KEY) as server:
        run = run_at(
            server,
            MOP_WEB_USER="operator",
            MOP_WEB_PASSWORD_FILE=str(password),
            MOP_API_KEY=API_KEY,
            MOP_CLUSTER_KEY=CLUSTER_KEY,
        )
        options = ("--master", "--master-bind-port", str(run.port), "--loglevel", "DEBUG")
        process, url = run.web("tools_call_rps", *options)
        run.worker("tools_call_rps", "--loglevel", "DEBUG")
        process.says("reported as ready")
        stranger, browser = Browser(url), Browser(url)
        pages = [
            "/",
            "/stats/requests",
            "/stats/report",
            "/stats/requests/csv",
            "/stats/failures/csv",
            "/exceptions",
            "/exceptions/csv",
            "/tasks",
            "/logs",
            "/worker-count",
        ]
        for method, path in [
            *(("GET", page) for page in pages),
            ("POST", "/swarm"),
            ("POST", "/stop"),
            ("POST", "/user"),
            ("POST", "/stats/reset"),
        ]:
            status, headers, _ = stranger.ask(method, path, START if method == "POST" else None)
            assert (status, headers["location"].partition("?")[0]) == (302, "/login"), path
        assert nothing_was_sent(server)
        assert browser.log_in("operator", "wrong") == "/login"
        assert "Wrong name or password" in browser.ask("GET", "/login")[2]
        assert browser.log_in("operator", PASSWORD) == "/login"
        assert "Too many wrong passwords" in browser.ask("GET", "/login")[2]
        until(lambda: browser.log_in("operator", PASSWORD) == "/", 10, "a login after the pause")
        assert browser.ask("POST", "/swarm", START)[0] == 200
        until(lambda: sum(server.counts_now()["answered"].values()) > 20, what="load")
        answers = {page: browser.ask("GET", page) for page in pages}
        assert {page for page, (status, _, _) in answers.items() if status != 200} == set()
        assert json.loads(answers["/stats/requests"][2])["worker_count"] == 1
        assert [words for words in command_lines() if any(secret in " ".join(words) for secret in SECRETS)] == []
        cores = {re.findall(r"core file size +(\d+)", Path(f"/proc/{p.pid}/limits").read_text())[0] for p in run.started}
        assert cores == {"0"}, "a core file would hold the keys"
        assert browser.ask("POST", "/stop", b"")[0] == 200
        until(lambda: run.summaries(), what="the run's folder")
        texts = {page: text for page, (_, _, text) in answers.items()}
        texts |= {str(file): file.read_text(errors="replace") for file in run.folder.rglob("*") if file.is_file()}
        assert {(place, secret) for place, text in texts.items() for secret in SECRETS if secret in text} == set()


SECRETS = (PASSWORD, API_KEY, CLUSTER_KEY)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"MOP_WEB_USER": "operator"}, "MOP_WEB_PASSWORD_FILE: nothing is given, though MOP_WEB_USER is"),
        ({"MOP_WEB_PASSWORD_FILE": "/nowhere"}, "MOP_WEB_USER: nothing is given, though MOP_WEB_PASSWORD_FILE is"),
        ({"MOP_WEB_USER": "operator", "MOP_WEB_PASSWORD_FILE": "/nowhere"}, "MOP_WEB_PASSWORD_FILE: '/nowhere' cannot be read"),
    ],
)
def test_half_a_login_is_a_mistake(variables: dict[str, str], told: str, run_at: RunAt) -> None:
    run = run_at("http://127.0.0.1:9", **variables)
    process = run._locust("web", "tools_call_rps", "--web-port", "0")
    assert process.wait() == 2, process.output
    assert told in process.output
    assert "Traceback" not in process.output
