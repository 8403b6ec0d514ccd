"""The key: where it comes from, and that it never shows itself."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.config import PUBLIC_KEY, ApiKey, ConfigError, read_api_key, redact

# Without "*": what stands in the place of a key can make one of these with its neighbours.
_SECRET = st.text(alphabet=[chr(code) for code in range(33, 127) if chr(code) != "*"], min_size=4).filter(
    lambda s: s != PUBLIC_KEY
)


def test_default_is_the_public_demo_key() -> None:
    """No key given: the demo key, as the seed has it."""
    assert read_api_key({}).secret == PUBLIC_KEY == "DEMO_KEY_PUBLIC"


def test_key_of_the_environment() -> None:
    """MOP_API_KEY is taken as it is, and an empty one sends none."""
    assert read_api_key({"MOP_API_KEY": "s3cret", "MOP_API_KEY_FILE": ""}).secret == "s3cret"
    assert read_api_key({"MOP_API_KEY": ""}).secret == ""


@pytest.mark.parametrize("content", [b"s3cret", b"s3cret\n", b"s3cret\r\n"])
def test_key_of_a_file(tmp_path: Path, content: bytes) -> None:
    """A line end that an editor left is not part of the key."""
    path = tmp_path / "key"
    path.write_bytes(content)
    assert read_api_key({"MOP_API_KEY": "", "MOP_API_KEY_FILE": str(path)}).secret == "s3cret"


@pytest.mark.parametrize(
    "bad", ["CANARY\n", "CAN\rARY", "CANARY\0", "CANARY\x7f", "CANARY é", "CANARYé", "CANARY key", "CANARY\udcff"]
)
def test_a_key_that_no_header_can_carry_is_never_echoed(bad: str) -> None:
    """The mistake names the variable and what is allowed, not the key."""
    with pytest.raises(ConfigError) as caught:
        read_api_key({"MOP_API_KEY": bad})
    assert caught.value.mistakes == [
        "MOP_API_KEY: the key has a line break, a space, a control or a non-ASCII character; allowed: visible ASCII characters"
    ]


@pytest.mark.parametrize("content", [b"CANARY\nCANARY", b"CANARY\n\n", b" CANARY", b"CANARY\xff"])
def test_a_bad_key_in_a_file_is_never_echoed(tmp_path: Path, content: bytes) -> None:
    """The same for a file."""
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_api_key({"MOP_API_KEY_FILE": str(path)})
    assert caught.value.mistakes[0].startswith("MOP_API_KEY_FILE: the key has a line break")
    assert "CANARY" not in str(caught.value)


def test_both_given_is_a_mistake() -> None:
    """Which of the two was meant is not guessed."""
    with pytest.raises(ConfigError) as caught:
        read_api_key({"MOP_API_KEY": "CANARY", "MOP_API_KEY_FILE": "/run/secrets/key"})
    assert caught.value.mistakes == ["MOP_API_KEY and MOP_API_KEY_FILE: both are given; allowed: one of the two"]


@pytest.mark.parametrize(
    ("path", "mistake"),
    [
        ("/no/such/key", "'/no/such/key' cannot be read: No such file or directory"),
        ("a\0b", r"'a\x00b' cannot be read: not a path"),
        ("/dev/null", "'/dev/null' is empty"),
        ("/dev/zero", "'/dev/zero' has more than 4096 bytes"),
    ],
)
def test_a_file_without_a_key_is_a_mistake(path: str, mistake: str) -> None:
    """A file that gives no key is named; a device without an end does not hang."""
    with pytest.raises(ConfigError) as caught:
        read_api_key({"MOP_API_KEY_FILE": path})
    assert caught.value.mistakes == [f"MOP_API_KEY_FILE: {mistake}; allowed: a file with the key"]


def test_key_shows_its_fingerprint_only() -> None:
    """Whatever prints it gets the first 8 hex digits of its SHA-256; what serialises objects gets nothing."""
    key = ApiKey("CANARY")
    assert key.fingerprint == "fe0344af"
    assert repr(key) == str(key) == f"{key}" == "<ApiKey fe0344af>"
    with pytest.raises(TypeError):
        msgspec.json.encode(key)
    with pytest.raises(TypeError):
        vars(key)
    assert pickle.loads(pickle.dumps(key)).secret == "CANARY"


@given(_SECRET, st.text(), st.text())
def test_redact_leaves_no_form_of_the_key(secret: str, before: str, after: str) -> None:
    """Plain, as JSON and as part of a URL."""
    for form in (secret, json.dumps(secret), quote(secret, safe="")):
        assert form not in redact(before + form + after, ApiKey(secret))


@pytest.mark.parametrize("secret", ["", PUBLIC_KEY])
def test_redact_keeps_what_is_public(secret: str) -> None:
    """The demo key is no secret, and no key cannot stand anywhere."""
    assert redact("a DEMO_KEY_PUBLIC b", ApiKey(secret)) == "a DEMO_KEY_PUBLIC b"
