"""What a search found, as a whole and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec

from mop_locust.capacity.ceiling import Ceiling
from mop_locust.capacity.knee import knee
from mop_locust.capacity.search import Answer, Plan, Search
from mop_locust.capacity.step import TOO_FEW, Step
from mop_locust.report import figures
from mop_locust.verdict.exit_codes import CROSSED, INVALID, PASSED, ExitCode

SCHEMA: Final = 1
CLOSE: Final = 0.8  # of the generator's own ceiling: a result from there on is told with it


class Capacity(msgspec.Struct, frozen=True):
    """The whole of `capacity.json`; rates are arrivals of iterations a second, all workers together.

    `holds` is the highest rate that held, `fails` the lowest that did not, and `limit` who was its limit.
    """

    scenario: str
    targets: list[str]
    workers: int
    step_seconds: float
    plan: Plan
    holds: float | None
    sure: bool
    fails: float | None
    limit: Answer | None
    knee: float | None
    ceiling: Ceiling | None
    sentence: str
    exit_code: int
    steps: list[Step]
    schema: int = SCHEMA

    def to_json(self) -> bytes:
        """The result for a program."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def conclude(
    search: Search,
    steps: Sequence[Step],
    *,
    scenario: str,
    targets: Sequence[str],
    workers: int,
    step_seconds: float,
    ceiling: Ceiling | None,
    gone: str = "",
) -> Capacity:
    """The result of a search that is over, or whose time is; `gone` is why the target no longer answered, if it did not."""
    return Capacity(
        scenario=scenario,
        targets=list(targets),
        workers=workers,
        step_seconds=step_seconds,
        plan=search.plan,
        holds=search.low or None,
        sure=search.sure,
        fails=search.high,
        limit=search.limit,
        knee=knee(points(steps)),
        ceiling=ceiling,
        sentence=f"{scenario}: {_sentence(search, steps, workers, ceiling, gone)}.",
        exit_code=_exit_code(search, gone).value,
        steps=list(steps),
    )


def points(steps: Sequence[Step]) -> list[tuple[float, float]]:
    """The curve: each rate with its P95 from the intended start, the median of its steps; without what the generator spoiled."""
    found: dict[float, list[float]] = {}
    for step in steps:
        if step.intended is not None and step.answer is not Answer.GENERATOR:
            found.setdefault(step.rate, []).append(step.intended.p95)
    return [(rate, median(found[rate])) for rate in sorted(found)]


def rate_text(rate: float) -> str:
    """`2,300/s`, `12.5/s`."""
    return f"{figures.number(rate)}/s"


def about(rate: float) -> str:
    """`about 1,100/s`: two digits of a rate that is calculated."""
    return f"about {rate_text(float(f'{rate:.2g}'))}"


def _exit_code(search: Search, gone: str) -> ExitCode:
    """0 for a rate that is the server's limit, or the last that was asked for; 3 where none holds; 4 where it is not known."""
    if gone or _holds_nothing(search):
        return CROSSED
    return PASSED if search.sure and search.limit is not Answer.GENERATOR else INVALID


def _holds_nothing(search: Search) -> bool:
    return search.rate is None and not search.spent and not search.low and search.limit is Answer.SERVER


def _sentence(search: Search, steps: Sequence[Step], workers: int, ceiling: Ceiling | None, gone: str) -> str:
    held = f"the server holds {rate_text(search.low)}" if search.low else ""
    if gone and not steps:
        return f"the target does not answer: {gone}"
    if gone:
        return f"the target no longer answers after {rate_text(steps[-1].rate)}: {gone}{_once(held)}"
    if search.rate is not None:
        return f"not found: the time was over{_once(held)}"
    if search.spent:
        return f"not found: the steps contradict each other{_once(held)}"
    if search.high is None:
        return f"{held}, the most that was tried{_near(search.low, ceiling)}"
    at = rate_text(search.high)
    why = next(step.why for step in reversed(steps) if step.rate == search.high and step.answer is search.limit)
    if search.limit is Answer.GENERATOR:
        more = "more users (--mop-max-users)" if TOO_FEW in why else f"more workers (--workers {max(2, 2 * workers)})"
        least = f"the server holds at least {rate_text(search.low)}; " if held else ""
        return f"the generator is the limit at {at}: use {more}; {least}{why}{_own(ceiling)}"
    if not held:
        return f"the server does not hold {at}, the least that was tried: {why}"
    return f"{held}; at {at} {why}{_near(search.low, ceiling)}"


def _once(held: str) -> str:
    return f"; {held}, seen once" if held else ""


def _own(ceiling: Ceiling | None) -> str:
    return f"; its own ceiling is {about(ceiling.rate)}" if ceiling else ""


def _near(rate: float, ceiling: Ceiling | None) -> str:
    if ceiling is None or rate < CLOSE * ceiling.rate:
        return ""
    return f"; that is near the generator's own ceiling of {about(ceiling.rate)}: look again with more workers"
