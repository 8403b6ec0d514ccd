"""Names that stand for addresses: counted, and made to one that can be listened on."""

from __future__ import annotations

import argparse
import socket

import pytest

from mop_locust.swarm.link.addresses import count_addresses, listening_address

V4, V6 = socket.AF_INET, socket.AF_INET6


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A resolver that knows these names only; the test fills it."""
    known: dict[str, list[str]] = {}

    def getaddrinfo(name: str, port: None, family: int, kind: int) -> list[tuple[object, ...]]:
        found = [address for address in known.get(name, []) if (":" in address) == (family == V6)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(family, kind, 6, "", (address, 0)) for address in found]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    monkeypatch.setattr("socket.if_nameindex", lambda: [(1, "lo"), (2, "eth0")])
    return known


@pytest.mark.parametrize(
    ("addresses", "count"),
    [
        ([], 0),
        (["10.0.0.1"], 1),
        (["10.0.0.1", "10.0.0.2", "10.0.0.3"], 3),
        (["10.0.0.1", "10.0.0.1"], 1),
        (["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"], 2),
        (["fd00::1", "fd00::2", "fd00::3"], 3),
    ],
)
def test_each_host_counts_once(names: dict[str, list[str]], addresses: list[str], count: int) -> None:
    """A host with both kinds of address too; an unknown name has none."""
    names["worker"] = addresses
    assert count_addresses("worker") == count


def test_a_name_that_can_be_none_has_no_address() -> None:
    """The real resolver refuses it in ways of its own."""
    assert count_addresses("a" * 300 + ".invalid") == 0


@pytest.mark.parametrize("text", ["*", "127.0.0.1", "0.0.0.0", "::1", "[::]", "eth0"])
def test_what_zeromq_can_listen_on_stays(names: dict[str, list[str]], text: str) -> None:
    """Nothing is looked up for it."""
    assert listening_address(text) == text


@pytest.mark.parametrize("address", ["10.0.0.7", "fd00::7"])
def test_a_name_becomes_its_address(names: dict[str, list[str]], address: str) -> None:
    """Of either kind."""
    names["master.swarm"] = [address]
    assert listening_address("master.swarm") == address


@pytest.mark.parametrize(
    ("addresses", "have"),
    [([], "has no address"), (["10.0.0.8", "10.0.0.7"], "has 2 addresses (10.0.0.7, 10.0.0.8): does another master run?")],
)
def test_a_name_with_none_or_several_is_refused(names: dict[str, list[str]], addresses: list[str], have: str) -> None:
    """With what is allowed."""
    names["master.swarm"] = addresses
    with pytest.raises(argparse.ArgumentTypeError) as raised:
        listening_address("master.swarm")
    assert str(raised.value) == f"'master.swarm' {have}; allowed: *, an address, an interface, or a name with one address"
