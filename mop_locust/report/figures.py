"""Figures as a person reads them: one form for each kind of value, the same in every report."""

from __future__ import annotations

import re
from typing import Final

NONE: Final = "-"  # no data, which is not zero

_NOT_A_UNIT: Final = re.compile(r"[^A-Za-z0-9/%°µ]+")


def count(value: int) -> str:
    """12,345."""
    return f"{value:,}"


def rate(count: int, seconds: float) -> str:
    """Per second with one decimal; no data where no time passed."""
    return f"{count / seconds:,.1f}" if seconds > 0 else NONE


def percent(fraction: float | None) -> str:
    """A fraction of 0..1 as `7.10 %`; a little never reads as none, nor nearly all as all."""
    if fraction is None:
        return NONE
    text = f"{fraction * 100:.2f} %"
    if text == "0.00 %" and fraction > 0:
        return "<0.01 %"
    if text == "100.00 %" and fraction < 1:
        return ">99.99 %"
    return text


def duration(milliseconds: float | None) -> str:
    """Milliseconds as `0.8 ms`, `412 ms` or `1.23 s`."""
    if milliseconds is None:
        return NONE
    if milliseconds >= 999.5:
        return f"{milliseconds / 1000:,.2f} s"
    if milliseconds >= 9.95:
        return f"{milliseconds:.0f} ms"
    if 0 < milliseconds < 0.05:
        return "<0.1 ms"
    return f"{milliseconds:.1f} ms"


def quantity(value: float | None, unit: str) -> str:
    """A value of a trend in its own unit; three digits, since a histogram knows no more."""
    if value is None:
        return NONE
    if unit == "ms":
        return duration(value)
    # Any text can be declared as a unit; what is shown is a short word, which needs no escaping in any format.
    word = _NOT_A_UNIT.sub("", unit)[:12]
    return f"{value:,.0f} {word}".rstrip() if abs(value) >= 100 else f"{value:.3g} {word}".rstrip()


def size(value: float) -> str:
    """Bytes as `512 B`, `44.1 MiB`, `1.2 GiB`."""
    for unit in ("B", "KiB", "MiB"):
        if abs(value) < 1023.95:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} GiB"


def number(value: float) -> str:
    """A bare number: whole where it is whole, else four digits that count."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:,.4g}"


def span(seconds: float) -> str:
    """How long: `8.5s`, `12s`, `1m00s`, `1h02m03s`."""
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m{rest:02}s"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def moment(seconds: float) -> str:
    """When, since the start of the run: `0:41`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock(seconds: float) -> str:
    """A moment of a run with two digits each, `03:12` or `1:03:12`."""
    return moment(seconds).zfill(5)


def plural(value: int, one: str, many: str = "") -> str:
    """`1 user`, `20 users`."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"
