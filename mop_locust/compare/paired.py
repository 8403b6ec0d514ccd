"""The interval of a paired difference: the exact signed-rank test (Wilcoxon), turned round.

If the two runs of a pair do not differ, each difference is as likely above zero as below. Ranks, as in `permutation`: one pair
gone astray cannot decide. Runs of a pair stand side by side in time, so what drifts from pair to pair cancels out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from mop_locust.compare.permutation import MOST, Shift


def paired_shift(base: Sequence[float], new: Sequence[float], alpha: float) -> Shift:
    """The median of the means of all two differences (Hodges and Lehmann), and the shifts that the test would not refuse.

    Values at the same place are a pair. ValueError for lists of different lengths, for none and for more than MOST pairs.
    """
    if len(base) != len(new) or not 1 <= len(base) <= MOST:
        raise ValueError(f"1 to {MOST} pairs, not {len(base)} and {len(new)} values")
    differences = [b - a for a, b in zip(base, new, strict=True)]
    means = sorted((first + second) / 2 for index, first in enumerate(differences) for second in differences[index:])
    cut = _cut(len(differences), alpha)
    if not cut:
        return Shift(median(means), None, None)
    return Shift(median(means), means[cut - 1], means[-cut])


def pairs_needed(alpha: float) -> int:
    """How many pairs an interval needs: with fewer, not even differences that all agree are significant."""
    return next(pairs for pairs in range(1, 60) if _cut(pairs, alpha))


def _cut(pairs: int, alpha: float) -> int:
    """How many of the ordered means lie outside the interval on either side; 0 when there is no interval."""
    sums = Counter({0: 1})
    for rank in range(1, pairs + 1):
        sums += Counter({total + rank: ways for total, ways in sums.items()})
    cut, reached = 0, sums[0]
    while 2 * reached <= alpha * 2**pairs:
        cut += 1
        reached += sums[cut]
    return cut
