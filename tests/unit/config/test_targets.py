"""Which addresses are free, and which need to be named."""

from __future__ import annotations

import pytest

from mop_locust.config.targets import TargetRule, read_hosts, split_hosts

NOBODY = TargetRule()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "::1",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.3.4",
        "fe80::1",
        "fe80::1%eth0",
        "fd12:3456::1",
        "::ffff:10.0.0.1",
    ],
)
def test_this_machine_and_private_networks_are_free(address: str) -> None:
    assert NOBODY.refusals("host.test", 80, address) == []


@pytest.mark.parametrize(
    "address",
    [
        "128.0.0.1",
        "9.255.255.255",
        "11.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "100.64.0.1",  # shared between the customers of a provider
        "192.0.2.1",  # documentation and the like: `is_private` of the standard library, but nobody's own network
        "198.18.0.1",
        "203.0.113.7",
        "240.0.0.1",
        "224.0.0.1",
        "0.0.0.1",
        "::2",
        "fec0::1",
        "2001:db8::1",
        "64:ff9b::7f00:1",
        "::ffff:203.0.113.7",
        "2002:7f00:1::",
    ],
)
def test_every_other_address_needs_to_be_allowed(address: str) -> None:
    [reason] = NOBODY.refusals("host.test", 80, address)
    assert "host.test (" in reason
    assert "--mop-allow-target host.test or MOP_ALLOW_TARGETS=host.test" in reason


def test_an_address_in_the_url_is_named_once() -> None:
    [reason] = NOBODY.refusals("203.0.113.7", 80, "203.0.113.7")
    assert reason.startswith("203.0.113.7 is neither this machine nor in a private network; ")


@pytest.mark.parametrize(
    ("allowed", "host", "address", "free"),
    [
        ("mop.example.org", "mop.example.org", "203.0.113.7", True),
        ("MOP.example.org.", "mop.Example.org", "203.0.113.7", True),
        ("mop.example.org", "other.example.org", "203.0.113.7", False),
        ("example.org", "mop.example.org", "203.0.113.7", False),
        ("203.0.113.7", "mop.example.org", "203.0.113.7", True),
        ("203.0.113.7", "mop.example.org", "203.0.113.8", False),
        ("203.0.113.0/24", "203.0.113.200", "203.0.113.200", True),
        ("203.0.113.9/24", "203.0.113.200", "203.0.113.200", True),
        ("[2001:db8::1]", "2001:db8::1", "2001:db8::1", True),
        ("203.0.113.7", "mop.example.org", "2001:db8::1", False),
        ("203.0.113.7", "mop.example.org", "::ffff:203.0.113.7", True),
        ("mop.example.org", "mop.example.org", "", True),
        ("203.0.113.0/24", "mop.example.org", "", False),
    ],
)
def test_what_is_allowed_by_name_address_or_network(allowed: str, host: str, address: str, free: bool) -> None:
    """An address that only a proxy knows ("") can be allowed by the name alone."""
    rule = TargetRule(*read_hosts([allowed]))
    assert (rule.refusals(host, 80, address) == []) == free


def test_a_secret_key_goes_in_the_clear_to_free_addresses_only() -> None:
    """Also to a host that may be loaded; both reasons are told at once."""
    rule = TargetRule(frozenset(("mop.example.org",)), (), frozenset((("mop.example.org", 80), ("other.test", 80))))
    assert rule.refusals("mop.example.org", 443, "203.0.113.7") == []
    assert rule.refusals("mop.example.org", 80, "10.0.0.1") == []
    [reason] = rule.refusals("mop.example.org", 80, "203.0.113.7")
    assert reason == (
        "mop.example.org (203.0.113.7) is reached without encryption, so MOP_API_KEY would go there in the clear; "
        "use https and wss, or say that it may: MOP_ALLOW_CLEARTEXT_KEY=1"
    )
    assert len(rule.refusals("other.test", 80, "203.0.113.7")) == 2


@pytest.mark.parametrize(
    "word", ["", "a b", "http://host", "host:80", "-x", "x..y", "203.0.113", "203.0.113.256", "203.0.113.0/33", "*", "*.org"]
)
def test_what_is_no_host_is_named(word: str) -> None:
    with pytest.raises(ValueError, match="in it, which is no host"):
        read_hosts(["good.example", word])


def test_a_list_is_split_at_commas() -> None:
    assert split_hosts(" a.example, ,203.0.113.7,") == ["a.example", "203.0.113.7"]
    names, networks = read_hosts(["a.example", "203.0.113.7"])
    assert (names, [str(network) for network in networks]) == (frozenset(("a.example",)), ["203.0.113.7/32"])
