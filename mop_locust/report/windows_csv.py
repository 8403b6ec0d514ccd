"""`windows.csv`: the course of the run in long form, a row for each series and gauge of each window."""

from __future__ import annotations

import csv
import io
from typing import Final

from mop_locust.metrics.histogram import Histogram
from mop_locust.metrics.labels import split_series_name
from mop_locust.metrics.summary import MetricSummary, WindowSeries
from mop_locust.report.document import SummaryDocument
from mop_locust.report.text import csv_cell

_TAGS: Final = ("scenario", "transport", "method", "tool")
_QUANTILES: Final = (0.5, 0.95, 0.99)
_NUMBERS: Final = ("count", "failures", "value", "p50", "p95", "p99", "max", "unit")
COLUMNS: Final = ("start_s", "width_s", "metric", *_TAGS, "tags", *_NUMBERS)


def render(summary: SummaryDocument) -> str:
    """All windows; the quantiles are in `unit`, `value` is the last one of a gauge of a worker, an empty cell is no data."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for window in summary["windows"]:
        when = [window["start_s"], window["width_s"]]
        for key, series in sorted(window["series"].items()):
            name, tags = split_series_name(key)
            writer.writerow([*when, csv_cell(name), *_tag_cells(dict(tags)), *_figures(series, summary["metrics"].get(name))])
        for worker, gauges in window["gauges"].items():
            for name, value in gauges.items():
                cells = dict.fromkeys(COLUMNS[2:], "") | {"metric": name, "tags": f"worker:{worker}"}
                writer.writerow([*when, *({key: csv_cell(text) for key, text in cells.items()} | {"value": value}).values()])
    return file.getvalue()


def _tag_cells(tags: dict[str, str]) -> list[str]:
    rest = ",".join(f"{name}:{value}" for name, value in tags.items() if name not in _TAGS)
    return [csv_cell(text) for text in (*(tags.get(name, "") for name in _TAGS), rest)]


def _figures(series: WindowSeries, metric: MetricSummary | None) -> list[object]:
    wire = series.get("histogram")
    if not wire or not wire["count"]:
        return [series["count"], series.get("failures", ""), "", "", "", "", "", ""]
    histogram = Histogram.from_wire(wire)
    spread = [value / 1000 for value in (*histogram.quantiles(_QUANTILES), histogram.max)]
    return [series["count"], "", "", *spread, csv_cell(metric.get("unit", "") if metric else "")]
