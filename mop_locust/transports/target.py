"""Where the load goes: one parsed URL."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
# What may stand unquoted in a path and a query (RFC 3986, sections 3.3 and 3.4); "%" so that quoted text stays as it is.
_PATH: Final = "/:@!$&'()*+,;=-._~%"
_QUERY: Final = _PATH + "?"

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Target:
    """A server and a path on it.

    ``host`` is ready for a lookup (no brackets, IDNA). ``path`` carries the query and is ready for a request line.
    ``host_header`` names the port only where it is not the scheme's own (RFC 9110, section 7.2).
    """

    scheme: str
    host: str
    port: int
    tls: bool
    path: str
    host_header: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """Return the target of an http, https, ws or wss URL.

        ValueError, in one sentence that repeats neither the query nor a password, for any other URL.
        """
        if any(character <= " " or character == "\x7f" for character in url):
            raise ValueError("the URL contains a space or a control character")
        try:
            parts = urlsplit(url)
        except ValueError:
            raise ValueError("the URL is malformed: its host is not a name or an address") from None
        scheme = parts.scheme
        if scheme not in _PORTS:
            raise ValueError(f"the URL has the scheme {scheme!r}; it must be http, https, ws or wss")
        if "@" in parts.netloc:
            raise ValueError("the URL contains a user name or a password; give the key in MOP_API_KEY instead")
        try:
            port = _PORTS[scheme] if parts.port is None else parts.port
        except ValueError:
            port = 0
        if not port:
            raise ValueError("the URL has a port that is not a number from 1 to 65535")
        host = _host(parts.hostname or "")
        shown = f"[{host}]" if ":" in host else host
        path = quote(parts.path, safe=_PATH) or "/"
        return cls(
            scheme=scheme,
            host=host,
            port=port,
            tls=scheme in ("https", "wss"),
            path=f"{path}?{quote(parts.query, safe=_QUERY)}" if parts.query else path,
            host_header=shown if port == _PORTS[scheme] else f"{shown}:{port}",
        )

    def __str__(self) -> str:
        """Return the URL without its query, which may hold a key."""
        return f"{self.scheme}://{self.host_header}{self.path.partition('?')[0]}"


def _host(host: str) -> str:
    if not host:
        raise ValueError("the URL has no host")
    if ":" in host:
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"the URL has the host {host!r}, which is not an IPv6 address") from None
        if address.scope_id is not None:
            raise ValueError("the URL has an IPv6 address with a zone, which no server can be named by")
        return str(address)
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    # IDNA turns some signs into others, so the result is looked at and not what was given.
    if not _NAME.fullmatch(name):
        raise ValueError(f"the URL has the host {host!r}, which is not a name")
    return name
