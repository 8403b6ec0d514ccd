"""What is wrong with what the user gave, in sentences that may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_SHOWN: Final = 80


class ConfigError(ValueError):
    """What the user gave cannot be used; `mistakes` holds one sentence for each thing wrong."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes: list[str] = list(mistakes)
        super().__init__("\n".join(self.mistakes))


def quoted(text: str) -> str:
    """The text as it may be shown: quoted, control characters escaped, cut at 80 characters."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")


def quoted_url(text: str) -> str:
    """The URL as it may be shown: a user name, a password, a query (`?apiKey=`) and a fragment are left out."""
    head, *rest = re.split(r"[?#]", text, maxsplit=1)
    return quoted(re.sub(r"^(\w+://)?.*@", r"\1***@", head, flags=re.DOTALL) + ("?***" if rest else ""))
