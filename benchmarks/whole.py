"""Options of the benchmarks that take a whole number between two limits."""

from __future__ import annotations

import argparse


def add_whole(parser: argparse.ArgumentParser, option: str, default: int, low: int, high: int, help: str | None = None) -> None:
    """Adds an option; a number outside low to high, both allowed, ends the program with a sentence."""

    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} to {high}")
        return int(text)

    parser.add_argument(option, type=read, default=default, metavar=f"{low}..{high}", help=help)
