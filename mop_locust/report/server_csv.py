"""`server.csv`: what was seen of the server, a row for each look, on the time axis of `windows.csv`."""

from __future__ import annotations

import csv
import io
from typing import Final

from mop_locust.report.document import SummaryDocument
from mop_locust.report.text import csv_cell

COLUMNS: Final = ("at_s", "cpu_percent", "rss_bytes", "open_files", "threads", "active_sessions")


def render(summary: SummaryDocument) -> str:
    """All samples; behind our columns one for each metric of the server, by name, and an empty cell is no data."""
    samples = summary["server_side"]["samples"] if "server_side" in summary else []
    names = sorted({name for sample in samples for name in sample["metrics"]})
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*COLUMNS, *(csv_cell(name) for name in names)])
    for sample in samples:
        own = [sample[column] for column in COLUMNS]
        writer.writerow(["" if value is None else value for value in (*own, *(sample["metrics"].get(name) for name in names))])
    return file.getvalue()
