"""The simulation behind the table of docs/soak.md."""

from __future__ import annotations

import itertools
import random
from statistics import fmean, pstdev

import pytest

from benchmarks.drift import GROWTHS, MEMORIES, POINTS, course, main, shares


def test_the_noise_is_as_large_as_it_says_and_remembers() -> None:
    """A spread of 1 whatever its memory; a growth from the first to the last."""
    chance = random.Random(4)
    values = [point.value for point in course(chance, 20_000, 0.9, growth=0)]
    assert pstdev(values) == pytest.approx(1, abs=0.08)
    middle = fmean(values)
    products = [(a - middle) * (b - middle) for a, b in itertools.pairwise(values)]
    assert fmean(products) / pstdev(values) ** 2 == pytest.approx(0.9, abs=0.02)
    grown = course(random.Random(4), 20_000, 0.9, growth=3)
    assert (grown[-1].at_s, grown[-1].value - values[-1]) == (19_999, pytest.approx(3))


def test_the_shares_are_of_all_courses() -> None:
    """And the same each time."""
    found = shares(45, 0.5, growth=4, courses=50)
    assert sum(found.values()) == pytest.approx(1)
    assert found == shares(45, 0.5, growth=4, courses=50)


def test_the_table_has_a_line_for_each_kind_of_course(capsys: pytest.CaptureFixture[str]) -> None:
    """As Markdown."""
    assert main(["--courses", "2"]) == 0
    head, rule, *lines = capsys.readouterr().out.splitlines()
    assert head.count("|") == rule.count("|") == 7
    assert len(lines) == len(POINTS) * len(MEMORIES) * len(GROWTHS)
    assert lines[0].startswith("| 22 | 0 | 0 | ")
