"""The exact permutation test of two groups by their rank sum, the interval that belongs to it, and Holm's correction.

If the groups do not differ, each way to split the pooled values into groups of these sizes is as likely as any other. The
p-value is twice the share of all splits whose rank sum is as extreme as the one that was found, or more so, on the same side
(Wilcoxon, Mann and Whitney). Ranks, not values, so that one run gone astray cannot decide.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

MOST = 30
"""The most values of a group: the splits are counted, not sampled."""


class Shift(NamedTuple):
    """By how much the second group lies above the first; `low` and `high` bound it, None when there are too few values."""

    estimate: float
    low: float | None
    high: float | None


def p_value(base: Sequence[float], new: Sequence[float]) -> float:
    """The two-sided p-value, ties sharing their mean rank; ValueError for an empty group or more than MOST values in one."""
    _check(base, new)
    ranks = _doubled_ranks([*base, *new])
    found = sum(ranks[: len(base)])
    sums = _sums(tuple(sorted(ranks)), len(base))
    below = sum(ways for total, ways in sums.items() if total <= found)
    above = sum(ways for total, ways in sums.items() if total >= found)
    return min(1.0, 2 * min(below, above) / sums.total())


def least_p(base: int, new: int) -> float:
    """The smallest p-value that groups of these sizes can have: each value of one above each of the other."""
    return min(1.0, 2 / math.comb(base + new, base))


def values_needed(tests: int, alpha: float) -> int:
    """How many values each of two groups needs, so that the smallest p-value is significant beside so many other tests."""
    each = 1
    while least_p(each, each) * max(tests, 1) > alpha:
        each += 1
    return each


def shift(base: Sequence[float], new: Sequence[float], alpha: float) -> Shift:
    """The median of all differences (Hodges and Lehmann), and the interval of all shifts that the test would not refuse.

    Errors as `p_value`.
    """
    _check(base, new)
    differences = sorted(b - a for a in base for b in new)
    cut = _cut(len(base), len(new), alpha)
    if not cut:
        return Shift(median(differences), None, None)
    return Shift(median(differences), differences[cut - 1], differences[-cut])


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number (Holm 1979), in the same order: the chance of any false alarm stays at alpha."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for position, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(order) - position)))
        corrected[index] = highest
    return corrected


def _check(base: Sequence[float], new: Sequence[float]) -> None:
    for values in (base, new):
        if not 1 <= len(values) <= MOST:
            raise ValueError(f"a group has 1 to {MOST} values, not {len(values)}")


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value, which is whole even where ties share their mean rank."""
    ordered = sorted(values)
    first = {value: index for index, value in reversed(list(enumerate(ordered)))}
    return [2 * first[value] + ordered.count(value) + 1 for value in values]


@functools.cache
def _sums(ranks: tuple[int, ...], size: int) -> Counter[int]:
    """How many of all subsets of this size have which sum."""
    by_size: list[Counter[int]] = [Counter() for _ in range(size + 1)]
    by_size[0][0] = 1
    for rank in ranks:
        for taken in range(size, 0, -1):  # downwards, so that no rank is taken twice
            for total, ways in by_size[taken - 1].items():
                by_size[taken][total + rank] += ways
    return by_size[size]


def _cut(base: int, new: int, alpha: float) -> int:
    """How many of the ordered differences lie outside the interval on either side; 0 when there is no interval."""
    sums = _sums(tuple(range(1, base + new + 1)), base)
    lowest, reached, cut = base * (base + 1) // 2, 0, 0
    for total in range(lowest, lowest + base * new // 2):
        reached += sums[total]
        if 2 * reached > alpha * sums.total():
            break
        cut += 1
    return cut
