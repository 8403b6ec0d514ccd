"""The table of false alarms, and its goal."""

from __future__ import annotations

from benchmarks.aa import SPLITS
from benchmarks.aa_table import Control, Outcome, Result, failed, render

FOUND = {"http tools/list p(50)": "worse"}


def result(alarms: int, control: dict[str, str]) -> Result:
    """40 comparisons, so many of which found something; without a least difference, one more."""
    outcomes = []
    for number in range(40):
        split = list(SPLITS)[number % 4]
        for least, limit in ((True, alarms), (False, alarms + 1)):
            found = FOUND if number < limit else {}
            outcomes.append(Outcome(number // 4 + 1, split, least, 7, {"same": 14}, found))
    return Result(
        date="2026-11-24T14:04:06+00:00",
        minutes=8.2,
        machine={"cores": "2"},
        versions={"Python": "3.11.7"},
        scenario="tools_call_rps",
        seconds=3,
        groups=10,
        runs_a_side=6,
        splits=SPLITS,
        outcomes=outcomes,
        control=Control("each answer held for 5 ms", {"worse": len(control), "same": 3}, control),
    )


def test_two_of_forty_are_allowed() -> None:
    """And three are not."""
    assert failed(result(2, FOUND)) == []
    assert failed(result(3, FOUND)) == ["3 of 40 comparisons of identical runs found a difference"]


def test_a_control_that_finds_nothing_proves_nothing() -> None:
    """Nor one that finds the slower server better."""
    for control in ({}, {"a": "better"}, {"a": "worse", "b": "better"}):
        assert failed(result(0, control)) == ["the slower server was not found worse"]


def test_the_table_has_a_row_for_each_split_and_one_for_all() -> None:
    """With and without a least difference; each alarm is named."""
    text = render(result(2, FOUND))
    assert "| as ab orders them (`abbaabbaabba`) | 10 | 1 | 1 | 7.0 |" in text
    assert "| by turns (`abababababab`) | 10 | 1 | 1 | 7.0 |" in text
    assert "| before and after (`aaaaaabbbbbb`) | 10 | 0 | 0 | 7.0 |" in text
    assert "| **all** | 40 | 2 | 3 | 7.0 |" in text
    assert "- group 1, by turns: http tools/list p(50) worse" in text
    assert "Goal: met." in text
    assert "Goal: missed: 3 of 40" in render(result(3, FOUND))


def test_every_split_is_in_halves_and_none_is_the_same_question_twice() -> None:
    """Six of twelve each; the other side's letters would be the same split."""
    turned = str.maketrans("ab", "ba")
    assert {(split.count("a"), split.count("b")) for split in SPLITS.values()} == {(6, 6)}
    assert len({frozenset((split, split.translate(turned))) for split in SPLITS.values()}) == 4
