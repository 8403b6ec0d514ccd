"""The web UI's door: who may ask, from which page, under which name of this machine.

Locust's own UI answers every host name and every page's scripts, so that any page that is open in the operator's browser
could start a run.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import redirect, request, session, url_for
from flask_login import UserMixin, login_user

from mop_locust.config import WebLogin

HEADERS = [
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Content-Security-Policy", "frame-ancestors 'self'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
]
LOGIN = "/mop-login"
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds after a wrong password; doubled by each further one
ADDRESSES = 1000  # whose wrong passwords are remembered


class WebGuard:
    """Stands before the whole Flask app: every route, whoever added it, and every error page too."""

    def __init__(self, app: Any, names: Iterable[str]) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers 403 to what must not come through, and takes back what Locust tells browsers about other pages."""
        refusal = self._refusal(environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN"))
        if refusal:
            start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), *HEADERS])
            return [f"{refusal}\n".encode()]

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kept = [(name, value) for name, value in headers if not name.lower().startswith("access-control-")]
            return start_response(status, [*kept, *HEADERS], *more)

        return self._app(environ, start)  # type: ignore[no-any-return]  # the Flask app

    def _refusal(self, host: str, origin: str | None) -> str:
        """Why a request is refused; "" when it may pass.

        An address cannot be made to lead somewhere else, so only names are checked (DNS rebinding). Browsers send Origin with
        every request that one page makes to another, and with every POST.
        """
        name = _hostname(f"//{host}")
        if name not in self._names and not _is_address(name):
            return "this is not a name of this machine; MOP_WEB_HOSTS lists those that are"
        if origin is not None and (_hostname(origin) is None or urlsplit(origin).netloc.lower() != host.lower()):
            return "a page of another origin may not use this one"
        return ""


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_address(name: str | None) -> bool:
    try:
        ipaddress.ip_address(name or "")
    except ValueError:
        return False
    return True


class Patience:
    """Slows down who guesses: after each wrong password its address waits twice as long as before."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: dict[str, tuple[int, float]] = {}

    def waits(self, address: str) -> float:
        """Returns the seconds until `address` may try again."""
        _, until = self._wrong.get(address, (0, 0.0))
        return max(0.0, until - self._clock())

    def wrong(self, address: str) -> None:
        """Notes a wrong password."""
        times, _ = self._wrong.pop(address, (0, 0.0))
        if len(self._wrong) >= ADDRESSES:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[address] = (times + 1, self._clock() + min(FIRST_PAUSE * 2 ** min(times, 10), LONGEST_PAUSE))

    def right(self, address: str) -> None:
        """Forgets the wrong passwords of `address`."""
        self._wrong.pop(address, None)


class Operator(UserMixin):  # type: ignore[misc]  # Flask-Login carries no types
    """Who has logged in."""

    def __init__(self, name: str) -> None:
        self.id = name


def guard(web_ui: Any, names: Iterable[str], login: WebLogin | None) -> None:
    """Guards the web UI, before it starts; with a login every page but the login itself needs it."""
    app = web_ui.app
    app.wsgi_app = WebGuard(app.wsgi_app, names)
    if login is not None:
        _add_login(web_ui, login)


def _add_login(web_ui: Any, login: WebLogin) -> None:
    app = web_ui.app
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),  # sessions end with the process
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=bool(web_ui.tls_cert),
    )
    web_ui.login_manager.user_loader(lambda name: Operator(name) if name == login.name else None)
    place = f"{web_ui.environment.parsed_options.web_base_path or ''}{LOGIN}"
    web_ui.auth_args = {"username_password_callback": place}
    patience = Patience()

    def submit() -> Any:
        address = request.remote_addr or ""
        waits = patience.waits(address)
        if waits > 0:
            session["auth_error"] = f"Too many wrong passwords; wait {waits:.0f} s"
        elif login.matches(request.form.get("username", ""), request.form.get("password", "")):
            patience.right(address)
            login_user(Operator(login.name))
            return redirect(url_for("locust.index"))
        else:
            patience.wrong(address)
            session["auth_error"] = "Wrong name or password"
        return redirect(url_for("locust.login"))

    app.add_url_rule(place, "mop_login", submit, methods=["POST"])
