"""`summary.json` is written, read back, and refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mop_locust.report.document import SummaryError, encode_json, encode_summary, read_summary
from tests.unit.report.sample_summary import dead_summary, green_summary, hostile_summary, red_summary


@pytest.mark.parametrize("build", [green_summary, red_summary, dead_summary])
def test_a_summary_reads_back_equal(build, tmp_path: Path) -> None:
    """Nothing is lost or changed on the way through the file."""
    path = tmp_path / "summary.json"
    path.write_bytes(encode_summary(build()))
    assert read_summary(path) == build()


def test_every_top_level_member_has_its_line() -> None:
    """A person can look at it with simple tools."""
    lines = encode_summary(green_summary()).decode().splitlines()
    assert lines[0] == "{"
    assert [line.split(":")[0] for line in lines[1:-1]] == [f'"{name}"' for name in green_summary()]
    assert lines[-1] == "}"


def test_a_lone_surrogate_becomes_a_replacement_character(tmp_path: Path) -> None:
    """A server text that cannot be encoded does not cost the run its summary."""
    path = tmp_path / "summary.json"
    path.write_bytes(encode_summary(hostile_summary("a \ud800 b")))
    assert read_summary(path)["errors"][0]["error"] == "a \ufffd b"
    assert json.loads(encode_json({"\udfff": ["\ud800", 1, None, 0.5]})) == {"\ufffd": ["\ufffd", 1, None, 0.5]}


def test_nan_becomes_null() -> None:
    """JSON has neither NaN nor infinity."""
    assert encode_json([float("nan"), float("inf"), 1.5]) == b"[null,null,1.5]"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b'"\xff"', "is not the summary of a run"),
        (b"[1, 2]", "is not the summary of a run"),
        (b"{}", "is not the summary of a run"),
        (b'{"schema": "1"}', "is not the summary of a run"),
        (b'{"schema": 7}', "has schema 7; this version of mop-locust reads schema 1."),
        (b'{"schema": 1}', "has schema 1 but a wrong shape"),
        (b'{"schema": 1, "run": []}', "wrong shape: Expected `object`, got `array` - at `$.run`."),
    ],
)
def test_garbage_is_refused_with_a_sentence(content: bytes, said: str, tmp_path: Path) -> None:
    """The file is named, and what is wrong with it."""
    path = tmp_path / "summary.json"
    path.write_bytes(content)
    with pytest.raises(SummaryError) as error:
        read_summary(path)
    assert said in str(error.value)
    assert str(error.value).startswith(str(path))


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    """The reason of the system stands in the sentence."""
    with pytest.raises(SummaryError, match=r"summary.json cannot be read: No such file or directory\."):
        read_summary(tmp_path / "summary.json")
