"""The key of the target, which never shows itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from mop_locust.config.mistakes import ConfigError, quoted

PUBLIC_KEY: Final = "DEMO_KEY_PUBLIC"

_KEY_BYTES: Final = 4096


class ApiKey:
    """The key of the target; only `secret` shows it, and an empty one means that none is sent."""

    # No dataclass and no Struct: what turns those into a dict or into JSON would show the secret.
    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    @property
    def secret(self) -> str:
        """The key itself, for the Authorization header and nothing else."""
        return self._secret

    @property
    def fingerprint(self) -> str:
        """The first 8 hex digits of the key's SHA-256: enough to see that two processes have different keys."""
        return hashlib.sha256(self._secret.encode()).hexdigest()[:8]

    def __repr__(self) -> str:
        return f"<ApiKey {self.fingerprint}>"


def read_api_key(environ: Mapping[str, str]) -> ApiKey:
    """The key of MOP_API_KEY or of the file that MOP_API_KEY_FILE names; the public demo key when neither is given.

    An empty MOP_API_KEY sends no key. Raises ConfigError for both given, for a file that cannot be read or is empty, and for a
    key that is not of visible ASCII characters (RFC 6750 section 2.1); no mistake holds the key.
    """
    secret = environ.get("MOP_API_KEY")
    path = environ.get("MOP_API_KEY_FILE")
    if not path:
        return _checked_key("MOP_API_KEY", PUBLIC_KEY if secret is None else secret)
    if secret:
        raise ConfigError(["MOP_API_KEY and MOP_API_KEY_FILE: both are given; allowed: one of the two"])
    return _checked_key("MOP_API_KEY_FILE", secret_in_file("MOP_API_KEY_FILE", path, "the key"))


def secret_in_file(variable: str, path: str, content: str) -> str:
    """The text of the file that `variable` names, without the line end that editors put there.

    Raises ConfigError for a file that cannot be read, is empty or is far too large; `content` says what should be in it.
    """
    try:
        with open(path, "rb") as file:
            read = file.read(_KEY_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise ConfigError([f"{variable}: {quoted(path)} cannot be read: {reason}; allowed: a file with {content}"]) from None
    if not read.strip() or len(read) > _KEY_BYTES:
        wrong = "is empty" if len(read) <= _KEY_BYTES else f"has more than {_KEY_BYTES} bytes"
        raise ConfigError([f"{variable}: {quoted(path)} {wrong}; allowed: a file with {content}"])
    return read.decode("latin-1").removesuffix("\n").removesuffix("\r")


def _checked_key(name: str, secret: str) -> ApiKey:
    if not re.fullmatch(r"[!-~]*", secret):
        raise ConfigError(
            [f"{name}: the key has a line break, a space, a control or a non-ASCII character; allowed: visible ASCII characters"]
        )
    return ApiKey(secret)


def redact(text: str, key: ApiKey) -> str:
    """The text with the key replaced by ***, also where it stands escaped in JSON or in a URL; the public demo key stays."""
    if key.secret in ("", PUBLIC_KEY):
        return text
    for form in (key.secret, json.dumps(key.secret)[1:-1], quote(key.secret, safe="")):
        text = text.replace(form, "***")
    return text
