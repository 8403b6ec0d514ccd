"""Which hosts may be loaded: this machine, private networks, and what the user names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mop_locust.config.mistakes import quoted

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Written out, since `is_private` of the standard library differs between versions and means "not globally reachable": it has
# networks for documentation, benchmarks and protocols in it. 100.64.0.0/10 (RFC 6598) is not here: a provider shares it
# between its customers, so what answers there may belong to somebody else.
FREE: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",  # loopback, RFC 1122
        "::1/128",
        "0.0.0.0/32",  # "this host": a connection to it is one to loopback
        "::/128",
        "10.0.0.0/8",  # private, RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",  # unique local, RFC 4193
        "169.254.0.0/16",  # link-local, RFC 3927
        "fe80::/10",
    )
)

_NAME: Final = re.compile(r"(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class TargetRule:
    """Decides for one address at a time, when it has been looked up.

    `names` and `networks` are allowed besides the free ones. To the (host, port) pairs of `in_clear` a secret key would go
    unencrypted, so for those an address must be free, whatever is allowed.
    """

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    in_clear: frozenset[tuple[str, int]] = frozenset()

    def refusals(self, host: str, port: int, address: str) -> list[str]:
        """Why no connection may go to `address`, which a lookup gave for `host`; nothing when it may.

        The address is "" where only a proxy knows it: then the name alone can allow it.
        """
        place = _address(address) if address else None
        if place is not None and any(place in network for network in FREE):
            return []
        shown = host if place is None or host == str(place) else f"{host} ({place})"
        reasons = []
        if not self._is_allowed(host, place):
            reasons.append(
                f"{shown} is neither this machine nor in a private network; "
                f"if you may load it, allow it: --mop-allow-target {host} or MOP_ALLOW_TARGETS={host}"
            )
        if (host, port) in self.in_clear:
            reasons.append(
                f"{shown} is reached without encryption, so MOP_API_KEY would go there in the clear; use https and wss, "
                "or say that it may: MOP_ALLOW_CLEARTEXT_KEY=1"
            )
        return reasons

    def _is_allowed(self, host: str, place: Address | None) -> bool:
        return plain_name(host) in self.names or (place is not None and any(place in network for network in self.networks))


def _address(text: str) -> Address:
    """The address itself: without a zone, and the IPv4 one where it is written as IPv6 (RFC 4291 section 2.5.5.2)."""
    place = ipaddress.ip_address(text.partition("%")[0])
    return (place.ipv4_mapped or place) if isinstance(place, ipaddress.IPv6Address) else place


def plain_name(host: str) -> str:
    """The name in the form in which names are compared."""
    return host.lower().removesuffix(".")


def read_hosts(texts: Iterable[str]) -> tuple[frozenset[str], tuple[Network, ...]]:
    """The names and the networks of a list of names, addresses and networks; ValueError names the first that is none."""
    names: set[str] = set()
    networks: list[Network] = []
    for text in texts:
        word = plain_name(text.strip())
        try:
            networks.append(ipaddress.ip_network(word.strip("[]"), strict=False))
        except ValueError:
            # A last part of digits alone would be an address that somebody mistyped.
            if not _NAME.fullmatch(word) or word.rpartition(".")[2].isdigit():
                raise ValueError(f"has {quoted(text.strip())} in it, which is no host") from None
            names.add(word)
    return frozenset(names), tuple(networks)


def split_hosts(text: str) -> list[str]:
    """The words of a list with commas."""
    return [word for part in text.split(",") if (word := part.strip())]
