"""Lines of JSON in a file: whole ones or none."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mop_locust.exporters.jsonl import final_line, second_line, writer
from mop_locust.exporters.sink import WriteError
from tests.unit.exporters.readings import a_reading, a_run, seconds


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that is full, for this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_lines_are_added_to_what_is_there(tmp_path: Path) -> None:
    """An earlier run stays."""
    file = tmp_path / "runs.jsonl"
    file.write_bytes(b"before\n")
    write = writer(str(file))
    write(b"one\n")
    write(b"two\n")
    assert file.read_bytes() == b"before\none\ntwo\n"


def test_a_line_that_does_not_fit_is_not_there_at_all(tmp_path: Path) -> None:
    """The next one begins where it began."""
    file = tmp_path / "runs.jsonl"
    write = writer(str(file))
    write(b"first\n")
    with files_of_at_most(10):
        with pytest.raises(WriteError, match="the line did not fit") as caught:
            write(b"longer than that\n")
        assert not caught.value.again
        write(b"a\n")
    with files_of_at_most(8), pytest.raises(WriteError, match="File too large"):
        write(b"b\n")
    assert file.read_bytes() == b"first\na\n"


def test_a_second_is_a_line() -> None:
    """With the series as the summary has them among its windows."""
    run = a_run()
    told = [json.loads(second_line(second)) for second in seconds(run)]
    windows = a_reading(run).summary["windows"]
    assert [{"type": "second", "run_id": "r-1", **window} for window in windows] == told
    assert [line["start_s"] for line in told] == [1, 2, 11, 62]


def test_the_summary_is_the_last_line() -> None:
    """All of it."""
    reading = a_reading()
    line = final_line(reading)
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"type": "summary", "run_id": "r-1", "summary": reading.summary}
