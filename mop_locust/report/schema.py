"""The JSON Schema of `summary.json`, made from its types: `python -m mop_locust.report.schema` prints it."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from mop_locust.report.document import SCHEMA, SummaryDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def summary_schema() -> dict[str, Any]:
    """The schema; a summary of a later version may have more members."""
    return {
        "$schema": DIALECT,
        "title": "summary.json of mop-locust",
        "description": f"Everything that a run measured, and its verdict, as of schema number {SCHEMA}.",
        **msgspec.json.schema(SummaryDocument),
    }


def render() -> bytes:
    """The schema as it is published."""
    return msgspec.json.format(msgspec.json.encode(summary_schema()), indent=2) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(render())
