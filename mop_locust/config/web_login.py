"""Who may use the web UI: a name and a password, which never shows itself."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from mop_locust.config.key import secret_in_file
from mop_locust.config.mistakes import ConfigError


class WebLogin:
    """The name and the password that open the web UI."""

    __slots__ = ("_password", "name")

    def __init__(self, name: str, password: str) -> None:
        self.name = name
        self._password = _digest(password)

    def matches(self, name: str, password: str) -> bool:
        """Whether both are right; takes as long whatever is wrong with them."""
        right_name = hmac.compare_digest(_digest(name), _digest(self.name))
        right_password = hmac.compare_digest(_digest(password), self._password)
        return right_name & right_password

    def __repr__(self) -> str:
        return f"<WebLogin {self.name}>"


def _digest(text: str) -> bytes:
    """Bytes of one length, for a comparison that tells nothing of it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def asks_for_login(environ: Mapping[str, str]) -> bool:
    """Whether the environment names a login, complete or not."""
    return bool(environ.get("MOP_WEB_USER") or environ.get("MOP_WEB_PASSWORD_FILE"))


def read_web_login(environ: Mapping[str, str]) -> WebLogin | None:
    """The login of MOP_WEB_USER and MOP_WEB_PASSWORD_FILE; None when neither is given.

    Raises ConfigError for one without the other, and for a file that cannot be read; no mistake holds the password.
    """
    name, path = environ.get("MOP_WEB_USER", ""), environ.get("MOP_WEB_PASSWORD_FILE", "")
    if not name and not path:
        return None
    if not name or not path:
        missing, given = ("MOP_WEB_USER", "MOP_WEB_PASSWORD_FILE") if path else ("MOP_WEB_PASSWORD_FILE", "MOP_WEB_USER")
        raise ConfigError([f"{missing}: nothing is given, though {given} is; allowed: both, or neither"])
    return WebLogin(name, secret_in_file("MOP_WEB_PASSWORD_FILE", path, "the password"))
