"""A URL becomes a target, or a sentence about what is wrong with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.transports.target import Target


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8000/mcp", Target("http", "localhost", 8000, False, "/mcp", "localhost:8000")),
        ("ws://localhost:8000/ws", Target("ws", "localhost", 8000, False, "/ws", "localhost:8000")),
        ("HTTPS://Example.ORG", Target("https", "example.org", 443, True, "/", "example.org")),
        ("https://example.org:443/a", Target("https", "example.org", 443, True, "/a", "example.org")),
        ("http://example.org:443/a", Target("http", "example.org", 443, False, "/a", "example.org:443")),
        (
            "wss://example.org/ws?apiKey=a%20b&x=1#part",
            Target("wss", "example.org", 443, True, "/ws?apiKey=a%20b&x=1", "example.org"),
        ),
        ("http://[::1]:8000/mcp", Target("http", "::1", 8000, False, "/mcp", "[::1]:8000")),
        ("http://[0:0::1]", Target("http", "::1", 80, False, "/", "[::1]")),
        (
            "http://bücher.example/ä?ö=ü",
            Target("http", "xn--bcher-kva.example", 80, False, "/%C3%A4?%C3%B6=%C3%BC", "xn--bcher-kva.example"),
        ),
        ("http://h?q", Target("http", "h", 80, False, "/?q", "h")),
    ],
)
def test_parses(url: str, expected: Target) -> None:
    """Scheme, host, port, path and Host header come out as they go on the wire."""
    assert Target.parse(url) == expected


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://host/x", "scheme 'ftp'"),
        ("localhost:8000/mcp", "must be http, https, ws or wss"),
        ("", "scheme ''"),
        ("http:///mcp", "no host"),
        ("http://:80/", "no host"),
        ("http://host:0/", "port"),
        ("http://host:65536/", "port"),
        ("http://host:port/", "port"),
        ("http://user:hush@host/", "user name or a password"),
        ("http://user@host/", "user name or a password"),
        ("http://host/a b", "space or a control character"),
        ("http://host/\r\nX: y", "space or a control character"),
        ("http://[::1", "malformed"),
        ("http://[nonsense]/", "malformed"),
        ("http://[v1.a:b]/", "not an IPv6 address"),
        ("http://a%20b/", "not a name"),
        ("http://" + "ä" * 70 + "/", "not a name"),
        ("http://[fe80::1%25eth0]/", "zone"),
    ],
)
def test_refuses(url: str, sentence: str) -> None:
    """Every mistake has its sentence."""
    with pytest.raises(ValueError, match=sentence):
        Target.parse(url)


@pytest.mark.parametrize(
    "url", ["ftp://host/?apiKey=hush", "http://host:x/?apiKey=hush", "http://a:hush@host/", "http://?apiKey=hush"]
)
def test_a_sentence_repeats_no_secret(url: str) -> None:
    """Neither a query nor a password stands in a message."""
    with pytest.raises(ValueError, match="the URL") as caught:
        Target.parse(url)
    assert "hush" not in str(caught.value)


def test_text_form_has_no_query() -> None:
    """What goes into logs has no query, which may hold a key."""
    assert str(Target.parse("http://host:8000/mcp?apiKey=hush")) == "http://host:8000/mcp"


@given(st.text())
def test_any_text_parses_or_gives_a_value_error(text: str) -> None:
    """No text raises anything else, and what parses is ready for a request line."""
    try:
        target = Target.parse("http://" + text)
    except ValueError:
        return
    assert 0 < target.port < 65536
    assert target.path.isascii()
    assert target.host_header.isascii()
    assert not any(character <= " " for character in target.path + target.host_header)
