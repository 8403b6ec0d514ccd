"""What a run is refused for, said once and whole."""

from __future__ import annotations

import sys


class Refused(Exception):
    """A run that must not begin because of what the user gave; `mistakes` are whole sentences."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


def say_mistakes(mistakes: list[str]) -> None:
    """Prints what the user gave wrong, all of it."""
    print("mop-locust: nothing was started:\n" + "\n".join(f"  {mistake}" for mistake in mistakes), file=sys.stderr, flush=True)
