"""The continuous run accepts no skipped test but the two kinds it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.check_skips import main, unaccepted

JUNIT = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest">
<testcase classname="tests.a" name="test_passed"/>
<testcase classname="tests.b" name="test_real"><skipped message="MOP_SERVER_BIN is not set">…</skipped></testcase>
<testcase classname="tests.b" name="test_compose"><skipped message="no Docker engine here">…</skipped></testcase>
{}</testsuite></testsuites>"""


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    """A file with two accepted skips."""
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT.format(""))
    return path


def test_accepted_reasons_pass(junit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The real server and the engine may be missing."""
    assert unaccepted(str(junit)) == []
    assert main([str(junit)]) == 0
    assert capsys.readouterr().err == ""


def test_any_other_reason_fails_by_name(junit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing program, and a skip without a reason, are named."""
    junit.write_text(
        JUNIT.format(
            '<testcase classname="tests.c" name="test_wrk"><skipped message="wrk is not installed"/></testcase>'
            '<testcase classname="tests.c" name="test_x"><skipped/></testcase>'
        )
    )
    assert main([str(junit)]) == 1
    assert capsys.readouterr().err == (
        "skipped without need: tests.c::test_wrk: wrk is not installed\nskipped without need: tests.c::test_x: \n"
    )
