"""Names the tests that a complete machine should have run: check_skips.py JUNIT_XML ..., exit code 1 when there are any."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

# What no machine can be asked to have: the MOP server's binary, which is not ours, a Docker engine, and what Go alone can build.
ACCEPTED = ("MOP_SERVER_BIN", "Docker engine", "actionlint")


def unaccepted(junit: str) -> list[str]:
    """One line for each skipped test of a JUnit XML file whose reason names nothing accepted."""
    lines = []
    # The file is pytest's own, made a moment ago.
    for case in ElementTree.parse(junit).iter("testcase"):
        for skipped in case.iter("skipped"):
            reason = skipped.get("message", "")
            if not any(accepted in reason for accepted in ACCEPTED):
                lines.append(f"{case.get('classname', '')}::{case.get('name', '')}: {reason}")
    return lines


def main(arguments: Sequence[str]) -> int:
    """Prints the lines and returns the exit code."""
    lines = [line for junit in arguments for line in unaccepted(junit)]
    for line in lines:
        print(f"skipped without need: {line}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
