"""How often the verdict on drift is wrong, by simulation: `python -m benchmarks.drift` prints the table of docs/soak.md.

The courses are noise of spread 1 that remembers: each value is `memory` times the one before, and something new. A growth of 1
over the course is the least that matters.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from collections.abc import Sequence

from mop_locust.verdict.drift import DriftState, Least, judge_course
from mop_locust.verdict.slope import Point

LEAST = Least(growth=1, share=0)
POINTS = (22, 45, 600)
MEMORIES = (0.0, 0.5, 0.9, 0.97)
GROWTHS = (0.0, 4.0)


def course(chance: random.Random, number: int, memory: float, growth: float) -> list[Point]:
    """So many points, a second apart, of noise with a spread of 1 and a memory, on top of a growth from the first to the last."""
    fresh = math.sqrt(1 - memory * memory)
    value = chance.gauss(0, 1)
    points = []
    for second in range(number):
        points.append(Point(second, value + growth * second / (number - 1)))
        value = memory * value + fresh * chance.gauss(0, 1)
    return points


def shares(number: int, memory: float, growth: float, courses: int, seed: int = 1) -> dict[DriftState, float]:
    """The share of each verdict on so many such courses."""
    chance = random.Random(seed)
    states = Counter(judge_course(course(chance, number, memory, growth), LEAST).state for _ in range(courses))
    return {
        "drifting": states["drifting"] / courses,
        "flat": states["flat"] / courses,
        "not known": states["not known"] / courses,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table and returns 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift")
    parser.add_argument("--courses", type=int, default=2000, help="how many for each line (2000)")
    courses = parser.parse_args(argv).courses
    print("| points | memory | growth | drifting | flat | not known |\n|--:|--:|--:|--:|--:|--:|")
    for number in POINTS:
        for memory in MEMORIES:
            for growth in GROWTHS:
                found = shares(number, memory, growth, courses)
                cells = " | ".join(f"{found[state] * 100:.1f} %" for state in ("drifting", "flat", "not known"))
                print(f"| {number} | {memory:g} | {growth:g} | {cells} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
