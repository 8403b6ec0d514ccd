"""The operations and how they are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

import benchmarks
from benchmarks.operations import OPERATIONS

HERE = Path(benchmarks.__path__[0])
FRESH = next(operation for operation in OPERATIONS if operation.key == "b")


def test_there_are_six_each_with_its_scenarios() -> None:
    """Ours and k6's bear the same name."""
    assert "".join(operation.key for operation in OPERATIONS) == "abcdef"
    for operation in OPERATIONS:
        assert (HERE / "scenarios" / f"{operation.file}.py").is_file()
        assert (HERE / "k6" / f"{operation.file}.js").is_file()


def test_an_operation_is_counted_by_its_rarest_part() -> None:
    """What was in flight at the end is no whole operation."""
    before = {"http initialize": 5, "http tools/list": 5}
    after = {"http initialize": 1015, "http tools/list": 1012, "http DELETE": 1005}
    assert FRESH.count(before, after) == 1005


def test_parts_that_do_not_go_together_are_other_work() -> None:
    """A client that never deletes its sessions does less, and has no figure."""
    with pytest.raises(ValueError, match="not the operation's work"):
        FRESH.count({}, {"http initialize": 1000, "http tools/list": 1000})


def test_class_names_follow_from_the_file() -> None:
    """The locustfiles of Locust's own users name their classes so."""
    assert FRESH.class_name == "FreshSession"
