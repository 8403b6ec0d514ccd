"""The merged run at one moment, and one merged second of it: all that an exporter knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from mop_locust.metrics.summary import restore
from mop_locust.metrics.totals import Totals
from mop_locust.metrics.windows import MergedWindow
from mop_locust.report.document import SummaryDocument


@dataclass(frozen=True)
class Reading:
    """A run as the summary that it would have if it ended now, or has.

    `gauges` are the newest values of each worker while the run goes on; `since` is the time, in seconds since 1970, from
    which on the totals count: the start, or the last reset.
    """

    summary: SummaryDocument
    gauges: Mapping[str, Mapping[str, float]]
    since: float
    protocol_version: str = ""

    @cached_property
    def totals(self) -> Totals:
        """Every series of the summary."""
        return restore(self.summary["metrics"])

    def prepare(self) -> None:
        """Reads the totals, which takes a while, now."""
        self.totals  # noqa: B018  # kept from now on

    @property
    def ended(self) -> bool:
        """Whether this is the last word on the run."""
        return bool(self.summary["run"]["ended"])

    @property
    def worker_names(self) -> dict[str, str]:
        """Short names by worker id."""
        return short_names((worker["id"], worker["index"]) for worker in self.summary["workers"])


def short_names(workers: Iterable[tuple[str, int]]) -> dict[str, str]:
    """Names by worker id, all different: an id has a random part, and would make new labels with each run."""
    names: dict[str, str] = {}
    for worker, index in workers:
        names[worker] = f"{index}-{len(names)}" if str(index) in names.values() else str(index)
    return names


@dataclass(frozen=True)
class Second:
    """One merged second of a run, or as many as its window is wide; `at` is its start in seconds since 1970."""

    run_id: str
    window: MergedWindow
    at: float
    worker_names: Mapping[str, str]
