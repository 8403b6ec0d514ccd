"""What one bench found, as it is kept: a JSON file and a table beside it; an older result is never overwritten."""

from __future__ import annotations

from pathlib import Path

import msgspec

from benchmarks.figures import Sample
from benchmarks.servers import ROOT

RESULTS = ROOT / "benchmarks" / "results"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a reader needs to judge the figures, or to make the table again; `date` is RFC 3339 in UTC."""

    schema: int = 1
    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    options: dict[str, str]
    missing: dict[str, str]
    samples: list[Sample]


def keep(name: str, content: object, table: str, folder: Path = RESULTS) -> Path:
    """Writes `name`.json and `name`.md, with a number behind the name when there is one already; returns the JSON file."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        file = folder / f"{name}{'' if number == 1 else f'-{number}'}.json"
        try:
            with file.open("xb") as opened:
                opened.write(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
        except FileExistsError:
            continue
        file.with_suffix(".md").write_text(table)
        return file
    raise FileExistsError(f"{folder} is full of {name}")
