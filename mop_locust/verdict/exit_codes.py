"""What the process ends with: four codes, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes, the most urgent first."""

    CONFIGURATION = 2
    INVALID = 4
    CROSSED = 3
    PASSED = 0

    @property
    def sentence(self) -> str:
        """What the code means, for a person."""
        return _SENTENCES[self]


CONFIGURATION = ExitCode.CONFIGURATION
INVALID = ExitCode.INVALID
CROSSED = ExitCode.CROSSED
PASSED = ExitCode.PASSED

_SENTENCES = {
    CONFIGURATION: "The configuration is wrong, or the run ended before it could be judged.",
    INVALID: "The measurement is degraded, incomplete or invalid, so its figures prove nothing.",
    CROSSED: "A threshold was crossed, which may have ended the run, or had no data.",
    PASSED: "Every threshold held and the measurement is valid.",
}

_PRIORITY = tuple(ExitCode)


def worst(codes: Iterable[int]) -> ExitCode:
    """The most urgent of the codes by the priority 2, 4, 3, 0; without any, nothing was judged: CONFIGURATION.

    ValueError for a number that is no exit code of ours.
    """
    return min((ExitCode(code) for code in codes), key=_PRIORITY.index, default=CONFIGURATION)


def code_of(state: str, validity: str, allow_degraded: bool) -> ExitCode:
    """The code of a verdict; a state or validity that is not known to be good counts as bad."""
    if validity != "valid" and not (allow_degraded and validity == "degraded"):
        return INVALID
    return PASSED if state == "PASSED" else CROSSED
