"""A number that cannot be used ends the program with a sentence, however many are allowed."""

from __future__ import annotations

import argparse

import pytest

from benchmarks.whole import add_whole


def parser() -> argparse.ArgumentParser:
    """One that takes 2 to 100,000 users."""
    made = argparse.ArgumentParser(prog="benchmarks.any")
    add_whole(made, "--users", 10, 2, 100_000)
    return made


@pytest.mark.parametrize(("words", "users"), [([], 10), (["--users", "2"], 2), (["--users", "100000"], 100_000)])
def test_what_is_allowed(words: list[str], users: int) -> None:
    """Both limits are."""
    assert parser().parse_args(words).users == users


@pytest.mark.parametrize("text", ["1", "100001", "-3", "2.5", "many", ""])
def test_what_is_not(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The limits are named, not each number between them."""
    with pytest.raises(SystemExit):
        parser().parse_args([f"--users={text}"])
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == f"benchmarks.any: error: argument --users: {text!r} is no whole number from 2 to 100000"
