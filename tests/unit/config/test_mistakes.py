"""What a mistake may show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.config import ConfigError
from mop_locust.config.mistakes import quoted, quoted_url


def test_error_holds_all_sentences() -> None:
    """The list has each mistake, the text has one a line."""
    error = ConfigError(iter(["one", "two"]))
    assert error.mistakes == ["one", "two"]
    assert str(error) == "one\ntwo"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("many", "'many'"), ("a\nb\x1b", r"'a\nb\x1b'"), ("x" * 80, f"'{'x' * 80}'"), ("x" * 81, f"'{'x' * 77}...'")],
)
def test_quoted(text: str, shown: str) -> None:
    """A value is quoted, escaped, and cut when long."""
    assert quoted(text) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("htp://h/mcp", "'htp://h/mcp'"),
        ("http://h/mcp?apiKey=CANARY", "'http://h/mcp?***'"),
        ("http://h/mcp#CANARY", "'http://h/mcp?***'"),
        ("http://me:CANARY@h/mcp", "'http://***@h/mcp'"),
        ("http://me:CAN/ARY@h?x#y", "'http://***@h?***'"),
        ("me:CANARY@h", "'***@h'"),
        ("http://me:CAN\nARY@h", "'http://***@h'"),
    ],
)
def test_quoted_url_hides_what_may_be_secret(url: str, shown: str) -> None:
    """Query, fragment, user name and password are never shown."""
    assert quoted_url(url) == shown


@given(st.text(alphabet="a:/@?#\n"), st.text(alphabet="b:/@?#\n"))
def test_a_password_is_never_shown(before: str, after: str) -> None:
    """Whatever stands around it."""
    assert "CANARY" not in quoted_url(f"http://{before}:CANARY@{after}")
    assert "CANARY" not in quoted_url(f"http://{before}?{after}CANARY")
