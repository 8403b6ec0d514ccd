"""The four exit codes, their priority, and the code of a verdict."""

from __future__ import annotations

import itertools

import pytest

from mop_locust.verdict.exit_codes import CONFIGURATION, CROSSED, INVALID, PASSED, ExitCode, code_of, worst


def test_the_codes_are_those_of_the_readme() -> None:
    """Scripts depend on the numbers."""
    assert {code.name: code.value for code in ExitCode} == {"CONFIGURATION": 2, "INVALID": 4, "CROSSED": 3, "PASSED": 0}


@pytest.mark.parametrize("code", ExitCode)
def test_each_code_has_its_sentence(code: ExitCode) -> None:
    """One sentence, different for each."""
    assert code.sentence.endswith(".")
    assert [other for other in ExitCode if other.sentence == code.sentence] == [code]


@pytest.mark.parametrize("codes", list(itertools.permutations([2, 4, 3, 0])))
def test_the_priority_holds_in_any_order(codes: tuple[int, ...]) -> None:
    """2, 4, 3, 0: the worst of what is left, each time the worst is taken away."""
    rest = list(codes)
    found = []
    while rest:
        found.append(worst(rest))
        rest.remove(found[-1])
    assert found == [CONFIGURATION, INVALID, CROSSED, PASSED]


def test_without_any_code_nothing_was_judged() -> None:
    """Never green by default."""
    assert worst([]) is CONFIGURATION


def test_a_foreign_code_is_refused() -> None:
    """1 is Locust's, not ours."""
    with pytest.raises(ValueError, match="1 is not a valid ExitCode"):
        worst([0, 1])


@pytest.mark.parametrize(
    ("state", "validity", "allow_degraded", "code"),
    [
        ("PASSED", "valid", False, PASSED),
        ("PASSED", "degraded", False, INVALID),
        ("PASSED", "degraded", True, PASSED),
        ("PASSED", "incomplete", True, INVALID),
        ("PASSED", "invalid", True, INVALID),
        ("CROSSED", "valid", False, CROSSED),
        ("CROSSED", "degraded", False, INVALID),
        ("CROSSED", "degraded", True, CROSSED),
        ("CROSSED", "invalid", True, INVALID),
        ("NO_DATA", "valid", True, CROSSED),
        ("NO_DATA", "incomplete", False, INVALID),
        ("whatever", "valid", False, CROSSED),
        ("PASSED", "whatever", True, INVALID),
    ],
)
def test_the_code_of_a_verdict(state: str, validity: str, allow_degraded: bool, code: ExitCode) -> None:
    """Only what is known to be good ends with 0."""
    assert code_of(state, validity, allow_degraded) is code
