"""The key of the swarm: whoever has it may join, nobody else."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Final

from mop_locust.config.key import secret_in_file
from mop_locust.config.mistakes import ConfigError

FILE_NAME: Final = "cluster.key"

_FORM: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes in base64url: as hard to guess as the keys derived from it
_ALLOWED: Final = "43 letters, digits, - and _, as `mop-locust keygen` writes them"


class ClusterKey:
    """One secret that master and workers share; it shows itself in no text."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    @classmethod
    def new(cls) -> ClusterKey:
        """A key that nobody else has."""
        return cls(secrets.token_urlsafe(32))

    @property
    def secret(self) -> str:
        """The key itself, for its file and nothing else."""
        return self._secret

    def derived(self, role: str) -> bytes:
        """32 bytes for a role, from which neither the key nor the bytes of another role can be found (RFC 5869, expand)."""
        return hmac.digest(self._secret.encode(), b"mop-locust link 1 " + role.encode() + b"\x01", hashlib.sha256)

    def __repr__(self) -> str:
        return "<ClusterKey>"


def read_cluster_key(environ: Mapping[str, str]) -> ClusterKey | None:
    """The key of MOP_CLUSTER_KEY or of the file that MOP_CLUSTER_KEY_FILE names; None when neither is given.

    Raises ConfigError for both given, for a file that cannot be read, and for what is no such key; no mistake holds the key.
    """
    secret, path = environ.get("MOP_CLUSTER_KEY"), environ.get("MOP_CLUSTER_KEY_FILE")
    if secret and path:
        raise ConfigError(["MOP_CLUSTER_KEY and MOP_CLUSTER_KEY_FILE: both are given; allowed: one of the two"])
    name = "MOP_CLUSTER_KEY"
    if path:
        name = "MOP_CLUSTER_KEY_FILE"
        secret = secret_in_file(name, path, "a key of `mop-locust keygen`")
    if not secret:
        return None
    if not _FORM.fullmatch(secret):
        raise ConfigError([f"{name}: what is given is no key of a swarm; allowed: {_ALLOWED}"])
    return ClusterKey(secret)
