"""The published schema of `summary.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mop_locust.report.document import encode_summary
from mop_locust.report.schema import render, summary_schema
from tests.unit.report.sample_summary import HOSTILE, dead_summary, green_summary, hostile_summary, red_summary, told_summary

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "summary.schema.json"


def problems(summary: Any) -> list[str]:
    """Where a summary breaks the published schema."""
    validator = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_bytes()))
    return [
        f"{'.'.join(map(str, error.path))}: {error.message}"
        for error in validator.iter_errors(json.loads(encode_summary(summary)))
    ]


def test_the_published_schema_is_that_of_the_types() -> None:
    """`make schema` makes it again."""
    assert PUBLISHED.read_bytes() == render(), "make schema"
    jsonschema.Draft202012Validator.check_schema(summary_schema())


@pytest.mark.parametrize("build", [green_summary, red_summary, dead_summary, told_summary])
def test_every_kind_of_summary_keeps_it(build: Any) -> None:
    """A green one, a red one, one of a dead target, and one with all that need not be there."""
    assert problems(build()) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_server_breaks_it(text: str) -> None:
    """Whatever it is."""
    assert problems(hostile_summary(text)) == []


@pytest.mark.parametrize(
    ("member", "value", "place"),
    [("run", None, "run"), ("verdict", {}, "verdict"), ("windows", [1], "windows.0"), ("schema", "one", "schema")],
)
def test_what_is_no_summary_breaks_it(member: str, value: object, place: str) -> None:
    """A wrong type, a missing member."""
    summary: Any = green_summary()
    summary[member] = value
    assert {problem.partition(":")[0] for problem in problems(summary)} == {place}
