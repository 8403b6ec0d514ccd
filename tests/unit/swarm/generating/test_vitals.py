"""What a process may use of a core, and what it reports of itself."""

from __future__ import annotations

import gc
from pathlib import Path

import gevent
import pytest

from mop_locust.swarm.generating.vitals import Vitals, allowed_core


def cgroup(tmp_path: Path, *quotas: str) -> tuple[Path, Path]:
    """A cgroup file and a mount whose nested groups have these `cpu.max` texts, "" for none."""
    root = folder = tmp_path / "cgroup"
    root.mkdir()
    for number, quota in enumerate(quotas):
        folder = folder / f"g{number}"
        folder.mkdir()
        if quota:
            (folder / "cpu.max").write_text(quota)
    membership = tmp_path / "self"
    membership.write_text(f"0::/{folder.relative_to(root)}\n")
    return membership, root


@pytest.mark.parametrize(
    ("quotas", "allowed"),
    [
        ((), 1.0),
        (("max 100000",), 1.0),
        (("50000 100000",), 0.5),
        (("400000 100000",), 1.0),
        (("25000 100000", "", "max 100000"), 0.25),
        (("nonsense",), 1.0),
        (("10 0",), 1.0),
    ],
)
def test_the_smallest_quota_above_a_process_is_what_it_may_use(tmp_path: Path, quotas: tuple[str, ...], allowed: float) -> None:
    """A process of one thread never has more than a core."""
    assert allowed_core(*cgroup(tmp_path, *quotas)) == allowed


def test_without_cgroups_all_of_a_core_is_allowed(tmp_path: Path) -> None:
    """Other systems have none."""
    assert allowed_core(tmp_path / "none", tmp_path) == 1.0


class Kept:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.trends: set[str] = set()
        self.gauges: dict[str, float] = {}

    def trend(self, name: str, _tags: object, value: int, _at_us: int) -> None:
        """Keeps a name."""
        assert value >= 0
        self.trends.add(name)

    def gauge(self, name: str, value: float) -> None:
        """Keeps the newest value."""
        self.gauges[name] = value


def test_a_collection_is_handed_on_later_and_not_from_inside_it() -> None:
    """It can begin while the ledger that takes the pause is being read."""
    kept = Kept()
    vitals = Vitals(kept)
    gc.collect()
    assert "gc_pause" not in kept.trends
    vitals.stop()
    assert "gc_pause" in kept.trends


def test_a_process_reports_lag_and_use() -> None:
    """After a little more than a second."""
    kept = Kept()
    vitals = Vitals(kept)
    gevent.sleep(1.2)
    vitals.stop()
    assert "loop_lag" in kept.trends
    assert kept.gauges.keys() == {"cpu_percent", "rss_bytes", "open_files"}
    assert kept.gauges["rss_bytes"] > 1_000_000
    assert kept.gauges["open_files"] > 0
