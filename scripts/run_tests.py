"""The whole test suite in parts side by side, since end-to-end tests mostly wait: run_tests.py [--junit FOLDER].

Prints each part's output when it ends, one after the other, and the sum at the end; exit code 1 when a part failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"


def parts(folder: Path) -> dict[str, list[str]]:
    """The test paths of each part, by name; every test file of the end-to-end tests is in exactly one."""
    files = sorted(map(str, (folder / "e2e").glob("test_*.py")))
    ends = {f"end-to-end-{number + 1}": files[number::3] for number in range(3)}
    return {"unit-and-contract": [str(folder / "unit"), str(folder / "contract")], **ends}


def totals(reports: Iterable[Path]) -> Counter[str]:
    """How many tests of some JUnit files passed, failed and were skipped."""
    found: Counter[str] = Counter(passed=0, failed=0, skipped=0)
    for report in reports:
        for suite in ElementTree.parse(report).iter("testsuite"):
            failed, skipped = int(suite.get("failures", 0)) + int(suite.get("errors", 0)), int(suite.get("skipped", 0))
            found.update(failed=failed, skipped=skipped, passed=int(suite.get("tests", 0)) - failed - skipped)
    return found


def run(chosen: Mapping[str, Sequence[str]], reports: Path) -> list[str]:
    """Runs the parts, each with a JUnit file of its own, and returns the names of those that failed."""
    started = {}
    for name, paths in chosen.items():
        log = (reports / f"{name}.log").open("wb")
        words = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={reports / name}.xml", *paths]
        started[name] = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=os.environ)
    failed = []
    for name, process in started.items():
        code = process.wait()
        print(f"--- {name}\n{(reports / f'{name}.log').read_text(errors='replace')}", flush=True)
        if code:
            failed.append(name)
    return failed


def main(arguments: Sequence[str]) -> int:
    """Runs all parts and returns the exit code."""
    parser = argparse.ArgumentParser(prog="run_tests.py", description="The whole test suite, in parts side by side.")
    parser.add_argument("--junit", type=Path, metavar="FOLDER", help="where to keep a JUnit file of each part")
    folder: Path | None = parser.parse_args(arguments).junit
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mop-tests-") as scratch:
        reports = folder or Path(scratch)
        reports.mkdir(parents=True, exist_ok=True)
        chosen = parts(TESTS)
        failed = run(chosen, reports)
        found = totals(report for name in chosen if (report := reports / f"{name}.xml").is_file())
    print(f"the whole suite took {time.monotonic() - began:.0f} s{', red: ' + ', '.join(failed) if failed else ''}")
    print(f"{found['passed']} passed, {found['failed']} failed, {found['skipped']} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
