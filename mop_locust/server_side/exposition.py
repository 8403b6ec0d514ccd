"""The text of `/metrics` as a few figures: bounded in number, with names that can be shown."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any, Final

from prometheus_client.parser import text_fd_to_metric_families
from prometheus_client.samples import Sample

from mop_locust.report.text import plain

MOST_SERIES: Final = 100
LONGEST_LINE: Final = 4096  # characters; the parser's time for one line grows with its square
LONGEST_NAME: Final = 100


def read_exposition(lines: Iterable[str]) -> dict[str, float]:
    """Returns the first MOST_SERIES figures of a Prometheus text (version 0.0.4) by name; ValueError for any other text.

    Counters, and count and sum of histograms and summaries, are added up over their labels. Gauges count where they have no
    labels, since their sum need not mean anything. Buckets, quantiles, and what is no finite number are left out.
    """
    figures: dict[str, float] = {}
    short: Any = (line for line in lines if len(line) <= LONGEST_LINE)
    for family in text_fd_to_metric_families(short):  # it only iterates, though it says that it wants a file
        for sample in family.samples:
            if not _is_kept(family.type, sample):
                continue
            name = sys.intern(plain(sample.name, LONGEST_NAME))  # the same ones in each of hundreds of looks
            if name in figures or len(figures) < MOST_SERIES:
                figures[name] = figures.get(name, 0.0) + float(sample.value)
    return figures


def _is_kept(kind: str, sample: Sample) -> bool:
    if not math.isfinite(sample.value) or sample.name.endswith("_created"):
        return False
    if kind in ("histogram", "summary"):
        return sample.name.endswith(("_count", "_sum"))
    return not sample.labels or kind == "counter" or sample.name.endswith("_total")
