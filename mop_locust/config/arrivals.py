"""How load arrives, in words: one rate, stages of rates, or either for each scenario.

    arrivals ::= load | scenario "=" each { "," scenario "=" each }
    load     ::= rate | stages
    each     ::= rate | "(" load ")"
    rate     ::= number "/" ( "s" | "m" | "h" )

`stages` are those of `mop_locust.config.stages`, with rates as targets. NAME=DURATION:RATE without brackets is a stage with
a name.
"""

from __future__ import annotations

import re
from typing import Final

from mop_locust.config.kinds import Kind
from mop_locust.config.mistakes import quoted
from mop_locust.config.stages import Stage, fitted, length, parse_stages

MOST: Final = 1_000_000.0
"""Arrivals a second; beyond every machine."""

ANY: Final = ""
"""Stands for the only scenario of a run."""

Arrivals = dict[str, tuple[Stage, ...]]
"""Scenario -> its stages, targets in arrivals a second; a plain rate is one stage of 0 seconds."""

_RATE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) */ *([smh])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_EACH: Final = re.compile(r"\s*(?P<name>[^\s=,:()]+)\s*=\s*(?:\((?P<load>[^()]*)\)|(?P<rate>[^(),:=]*))\s*(?P<end>,|$)")


def read_rate(text: str) -> float:
    """Arrivals a second of 200/s, 90/m or 3600/h; ValueError for any other text."""
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise ValueError("is not a rate such as 200/s, 90/m or 3600/h")
    rate = float(found[1]) / _SECONDS[found[2]]
    if rate > MOST:
        raise ValueError("is out of range")
    return rate


def read_arrivals(text: str) -> Arrivals:
    """The arrivals of a text, none for an empty one; ValueError with all mistakes, in words that follow the text."""
    if not text.strip():
        return {}
    found: Arrivals = {}
    mistakes: list[str] = []
    at = 0
    while part := _EACH.match(text, at):
        name, load = part["name"], part["load"] if part["load"] is not None else part["rate"]
        if name in found:
            mistakes.append(f"has {quoted(name)} twice")
        try:
            found[name] = _load(load)
        except ValueError as error:
            mistakes.append(f"for {quoted(name)} {error}")
        at = part.end()
        if not part["end"]:
            break
    if not at:
        return {ANY: _load(text)}
    if at < len(text) or text.rstrip().endswith(","):
        mistakes.append(f"has {quoted(text[at:].strip())} where SCENARIO=RATE or SCENARIO=(STAGES) should stand")
    if mistakes:
        raise ValueError(", and ".join(mistakes))
    return found


def common_stages(arrivals: Arrivals, seconds: float) -> tuple[Stage, ...] | None:
    """The stages of a run so long: those of all scenarios that have any; None where theirs have other names or other times.

    The target of each is what arrives a second at its end in all scenarios, those with a plain rate too.
    """
    plans = [fitted(stages, seconds) for stages in arrivals.values() if length(stages)]
    if len({tuple((stage.name, stage.seconds) for stage in plan) for plan in plans}) > 1:
        return None
    plain = sum(stages[-1].target for stages in arrivals.values() if not length(stages))
    return tuple(
        Stage(same[0].name, same[0].seconds, plain + sum(stage.target for stage in same)) for same in zip(*plans, strict=True)
    )


def _load(text: str) -> tuple[Stage, ...]:
    if ":" in text:
        stages = parse_stages(text, read_rate)
    else:
        try:
            stages = (Stage("", 0, read_rate(text)),)
        except ValueError as error:
            raise ValueError(f"has {quoted(text.strip())}, which {error}") from None
    if not any(stage.target for stage in stages):
        raise ValueError("lets nothing arrive")
    return stages


ARRIVALS: Final = Kind(
    "arrivals",
    "a rate such as 200/s, 90/m or 3600/h; stages DURATION:RATE such as 30s:10/s,5m:200/s,30s:0/s; "
    "for each scenario NAME=RATE or NAME=(STAGES), with commas; or nothing",
    read_arrivals,
)
