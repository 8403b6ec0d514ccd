"""Small line charts as inline SVG: no scripts, no styles of their own, sharp at any width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from mop_locust.report.text import html

WIDTH: Final = 1000
HEIGHT: Final = 100


class Step(NamedTuple):
    """A value that held from one second to another; None is a gap."""

    start_s: float
    end_s: float
    value: float | None


def svg(steps: Sequence[Step], end_s: float, kind: str, label: str) -> str:
    """One chart from 0 to the greatest value and from 0 to `end_s`; the class `kind` gives the line its colour.

    It is drawn without regard to its proportions, so what is to be read stands beside it in HTML, never in the SVG.
    """
    top = max((step.value for step in steps if step.value is not None), default=0) or 1
    parts: list[str] = []
    connected = False
    for step in steps:
        if step.value is None:
            connected = False
            continue
        left, right = (f"{second / end_s * WIDTH:.1f}".removesuffix(".0") for second in (step.start_s, step.end_s))
        height = f"{HEIGHT - step.value / top * (HEIGHT - 4) - 2:.1f}".removesuffix(".0")
        parts.append(f"{'L' if connected else 'M'}{left} {height}H{right}")
        connected = True
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{html(label)}">'
        f'<path class="{kind}" d="{"".join(parts)}"/></svg>'
    )
