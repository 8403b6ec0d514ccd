"""A command line as it may be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.config import ApiKey, redact_command

KEY = ApiKey("s3cret/key")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["locust", "-f", "a.py", "--headless", "-u", "20"], ["locust", "-f", "a.py", "--headless", "-u", "20"]),
        (["--web-login"], ["--web-login"]),
        (["--influx-token", "abc", "-t", "3s"], ["--influx-token", "***", "-t", "3s"]),
        (["--otlp-headers=a=b,c=d", "-u", "1"], ["--otlp-headers=***", "-u", "1"]),
        (["--auth-key", "--headless"], ["--auth-key", "--headless"]),
        (["-H", "http://me:pw@h:8000/?apiKey=x&debug=1"], ["-H", "http://***@h:8000/?apiKey=***&debug=***"]),
        (["--mop-influx=http://h/write?db=a&p=b"], ["--mop-influx=http://h/write?db=***&p=***"]),
        (["--mop-threshold", "calls{method:a}: count>1"], ["--mop-threshold", "calls{method:a}: count>1"]),
        (["--tags=s3cret/key", "x s3cret/key y"], ["--tags=***", "x *** y"]),
        (["http://h/?k=s3cret%2Fkey"], ["http://h/?k=***"]),
        ([], []),
    ],
)
def test_what_is_secret_is_hidden(words: list[str], shown: list[str]) -> None:
    """The key, the value of an option that sounds like a secret, logins and query values of URLs; nothing else."""
    assert redact_command(words, KEY) == shown


@given(st.lists(st.text(max_size=12), max_size=6), st.integers(0, 6))
def test_the_key_is_never_shown(words: list[str], place: int) -> None:
    """Wherever it stands."""
    given_words = [*words[:place], f"a{KEY.secret}b", *words[place:]]
    assert not any(KEY.secret in word for word in redact_command(given_words, KEY))
    assert len(redact_command(given_words, KEY)) == len(given_words)


def test_the_public_key_is_no_secret() -> None:
    """Everybody knows it."""
    assert redact_command(["--x=DEMO_KEY_PUBLIC"], ApiKey("DEMO_KEY_PUBLIC")) == ["--x=DEMO_KEY_PUBLIC"]
