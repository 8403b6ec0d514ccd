"""How long a server holds its answers: a fixed time, one with jitter, or one of two."""

from __future__ import annotations

import re
from random import Random

import msgspec

MOST_MS = 3_600_000
FORMS = "MS, MS~JITTER, MS|MS or MS|MS:SHARE"

_FORM = re.compile(r"([^~|:]+)(?:~([^~|:]+)|\|([^~|:]+)(?::([^~|:]+))?)?")


class Delay(msgspec.Struct, frozen=True):
    """Milliseconds: `ms`, give or take up to `jitter_ms`, all of that equally likely; for `share` of the answers `second_ms`."""

    ms: float = 0.0
    jitter_ms: float = 0.0
    second_ms: float = 0.0
    share: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether there is anything to wait for."""
        return self.ms > 0 or self.second_ms > 0

    def draw(self, random: Random) -> float:
        """The seconds to hold the next answer."""
        if self.share and random.random() < self.share:
            return self.second_ms / 1000
        return (self.ms + self.jitter_ms * (2 * random.random() - 1)) / 1000


def read_delay(text: str) -> Delay:
    """The delay of `20`, `20~5` (15 to 25), `1|20` (half of each) or `1|20:0.1` (a tenth at 20); ValueError for another form."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is none of {FORMS}")
    first, jitter, second, share = found.groups()
    ms = _number(first, MOST_MS)
    if jitter is not None:
        return Delay(ms, _number(jitter, ms))
    if second is not None:
        return Delay(ms, second_ms=_number(second, MOST_MS), share=_number(share or "0.5", 1))
    return Delay(ms)


def _number(text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not 0 <= value <= most:
        raise ValueError(f"{text} is not from 0 to {most:g}")
    return value
