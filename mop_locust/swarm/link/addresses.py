"""Names that stand for addresses: how many workers are behind one, and where a master listens."""

from __future__ import annotations

import argparse
import ipaddress
import socket


def count_addresses(name: str) -> int:
    """Returns how many addresses a name has now; 0 when it is unknown. A host with an IPv4 and an IPv6 address counts once."""
    return max(len(_addresses(name, family)) for family in (socket.AF_INET, socket.AF_INET6))


def listening_address(text: str) -> str:
    """Returns what ZeroMQ can listen on: a name is replaced by its address; `*`, addresses and interfaces stay as they are.

    Raises argparse.ArgumentTypeError for a name that has no address, or more than one: another master may have it too.
    """
    if text == "*" or _is_address(text) or text in {interface for _, interface in socket.if_nameindex()}:
        return text
    found = sorted(_addresses(text, socket.AF_INET) or _addresses(text, socket.AF_INET6))
    if len(found) != 1:
        have = f"has {len(found)} addresses ({', '.join(found)}): does another master run?" if found else "has no address"
        raise argparse.ArgumentTypeError(f"{text!r} {have}; allowed: *, an address, an interface, or a name with one address")
    return found[0]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _addresses(name: str, family: socket.AddressFamily) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return set()
