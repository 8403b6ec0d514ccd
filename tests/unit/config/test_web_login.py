"""The login of the web UI: both of its halves or none, and no password in any text."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop_locust.config import ConfigError, WebLogin, asks_for_login, read_web_login

PASSWORD = "pass word-ÿ"


def test_none_is_given() -> None:
    for environ in ({}, {"MOP_WEB_USER": "", "MOP_WEB_PASSWORD_FILE": ""}):
        assert not asks_for_login(environ)
        assert read_web_login(environ) is None


def test_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(PASSWORD.encode("latin-1") + b"\n")
    environ = {"MOP_WEB_USER": "operator", "MOP_WEB_PASSWORD_FILE": str(file)}
    login = read_web_login(environ)
    assert asks_for_login(environ)
    assert login is not None
    assert login.matches("operator", PASSWORD)
    assert repr(login) == "<WebLogin operator>"


@pytest.mark.parametrize(
    ("name", "password"), [("operator", "x"), ("other", PASSWORD), ("", ""), ("operator", ""), ("\ud800", "y")]
)
def test_only_both_open(name: str, password: str) -> None:
    assert not WebLogin("operator", PASSWORD).matches(name, password)


@pytest.mark.parametrize(
    ("given", "missing"), [("MOP_WEB_USER", "MOP_WEB_PASSWORD_FILE"), ("MOP_WEB_PASSWORD_FILE", "MOP_WEB_USER")]
)
def test_half_of_it_is_a_mistake(given: str, missing: str) -> None:
    assert asks_for_login({given: "x"})
    with pytest.raises(ConfigError) as raised:
        read_web_login({given: "x"})
    assert raised.value.mistakes == [f"{missing}: nothing is given, though {given} is; allowed: both, or neither"]


def test_an_empty_file_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("\n")
    with pytest.raises(ConfigError, match=r"MOP_WEB_PASSWORD_FILE: .* is empty; allowed: a file with the password"):
        read_web_login({"MOP_WEB_USER": "operator", "MOP_WEB_PASSWORD_FILE": str(file)})
