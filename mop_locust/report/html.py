"""`report.html`: one file that opens offline, on a phone, on paper, in the dark, and where no script runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from mop_locust.report import figures, headline, library, thresholds
from mop_locust.report.chart import Step, svg
from mop_locust.report.course import CourseRow, course
from mop_locust.report.document import OptionValue, SummaryDocument, encode_json
from mop_locust.report.rows import COLUMNS, Block, call_blocks, metric_rows, phase_blocks, place, stage_rows
from mop_locust.report.style import CSS, POLICY, policy
from mop_locust.report.text import CUT_PROSE, html, plain


class _Column(NamedTuple):
    name: str
    kind: str  # "figure" stands right, "text" may be long


CHARTS: Final = (
    '<p class="soft moving">Point at a chart to read it. <span class="drag">Drag across one to zoom all of them, '
    "double-click to go back.</span></p>\n"
    '<div id="charts" class="moving"></div>\n'
)
"""Where the charts stand, hidden until there are any."""

_SCRIPTS: Final = ("plotly.js", "charts.js", "still.js")
_FIGURES: Final = [_Column(name, "figure") for name in COLUMNS]


def render(summary: SummaryDocument) -> str:
    """The whole page; every text in it goes through `text.html`, so none of a server can become markup."""
    rows = course(summary)
    title = html(f"{headline.verdict_words(summary)}: {summary['run']['scenario']}")
    scripts = _scripts(rows, summary) if rows else ""
    allowed = policy(*map(library.script, _SCRIPTS)) if rows else POLICY
    return f"{head(title, allowed)}<body>\n{_header(summary)}{_body(summary, rows)}{scripts}</body>\n</html>\n"


def head(title: str, content_policy: str) -> str:
    """The beginning of a page up to its body; both texts are markup already."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{content_policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{CSS}</style>\n</head>\n"
    )


def fragments(summary: SummaryDocument) -> dict[str, str]:
    """The parts of the page that a run which goes on changes, by the id of the element that they stand in; all inert markup."""
    seconds, also = summary["run"]["seconds"], metric_rows(summary)
    return {
        "head": _header(summary),
        "thresholds": _thresholds(summary),
        "calls": _blocks(call_blocks(summary), "method", seconds),
        "stages": _stages(summary),
        "also": _blocks([Block("", also)] if also else [], "metric", seconds),
        "errors": _errors(summary),
        "workers": _workers(summary),
    }


def beside(summary: SummaryDocument) -> dict[str, object]:
    """What the charts need beside the rows of the course: the server's samples, and how the workers are called."""
    samples = summary["server_side"]["samples"] if "server_side" in summary else []
    server = [{**sample, "metrics": {plain(name): value for name, value in sample["metrics"].items()}} for sample in samples]
    names = {plain(worker["id"]): f"worker {worker['index']}" for worker in summary["workers"]}
    return {"server": server, "workers": names if summary["run"]["workers"] else {}}


def _scripts(rows: list[CourseRow], summary: SummaryDocument) -> str:
    content = encode_json({"rows": rows, **beside(summary)}).decode().replace("<", "\\u003c")
    scripts = "".join(f"<script>{library.script(name)}</script>\n" for name in _SCRIPTS)
    return f'<script type="application/json" id="course">{content}</script>\n{scripts}'


def _body(summary: SummaryDocument, rows: list[CourseRow]) -> str:
    return "".join(f"<section>\n<h2>{name}</h2>\n{content}</section>\n" for name, content in _sections(summary, rows) if content)


def _sections(summary: SummaryDocument, rows: list[CourseRow]) -> Iterator[tuple[str, str]]:
    seconds = summary["run"]["seconds"]
    yield "Thresholds", _thresholds(summary)
    yield "Drift", _drift(summary)
    yield "Course of the run", _course(rows)
    yield "Calls", _blocks(call_blocks(summary), "method", seconds)
    yield "Stages", _stages(summary)
    yield "Also measured", _blocks([Block("", also)] if (also := metric_rows(summary)) else [], "metric", seconds)
    yield "Errors", _errors(summary)
    yield "Phases, and calls that did not succeed", _blocks(phase_blocks(summary), "transport and method", seconds)
    yield "Workers", _workers(summary)
    yield "Preflight", _preflight(summary)
    yield "Run", _run(summary)
    yield "Where it came from", _origin(summary)


def _header(summary: SummaryDocument) -> str:
    run, verdict = summary["run"], summary["verdict"]
    waiting = verdict["state"] == "NO_DATA" and not run["ended"]  # there may be some yet
    colour = "warn" if waiting else "bad" if verdict["exit_code"] else "good" if verdict["validity"] == "valid" else "warn"
    sentence = f"<p>{html(verdict['sentence'], CUT_PROSE)}</p>\n" if verdict["sentence"] else ""
    server = f"<p>{html(headline.server_text(summary))}</p>\n" if "server_side" in summary else ""
    return (
        f"<header>\n<h1>{html(run['scenario'])}</h1>\n"
        f'<p class="soft">{" · ".join(html(part) for part in headline.run_parts(summary))}</p>\n'
        f'<div class="verdict {colour}">\n<p><strong>{html(headline.verdict_words(summary))}</strong></p>\n'
        f"{sentence}{_list(headline.remarks(summary))}<p>{html(headline.workers_text(summary))}</p>\n"
        f"{server}</div>\n</header>\n"
    )


def _list(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{html(text, CUT_PROSE)}</li>\n" for text in texts)
    return f"<ul>\n{items}</ul>\n" if items else ""


def _table(caption: str, columns: Sequence[_Column], rows: Sequence[Sequence[str]], bad: Sequence[bool] = ()) -> str:
    """A table whose first column heads its rows; on a narrow screen each cell carries the name of its column."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col" class="{column.kind}">{html(column.name)}</th>' for column in columns)
    lines = []
    for number, row in enumerate(rows):
        cells = "".join(
            f'<td class="{column.kind}" data-label="{html(column.name)}">{html(cell, CUT_PROSE)}</td>'
            for column, cell in zip(columns[1:], row[1:], strict=True)
        )
        mark = ' class="bad"' if number < len(bad) and bad[number] else ""
        lines.append(f'<tr{mark}><th scope="row">{html(row[0])}</th>{cells}</tr>\n')
    title = f"<caption>{html(caption)}</caption>\n" if caption else ""
    body = f"<thead><tr>{head}</tr></thead>\n<tbody>\n{''.join(lines)}</tbody>"
    return f'<div class="wide"><table>\n{title}{body}\n</table></div>\n'


def _texts(*names: str) -> list[_Column]:
    return [_Column(name, "text") for name in names]


def _drift(summary: SummaryDocument) -> str:
    if "drift" not in summary:
        return ""
    drift = summary["drift"]
    rows = [[course["what"], course["state"], course["sentence"]] for course in drift["courses"]]
    bad = [course["state"] == "drifting" for course in drift["courses"]]
    return _table(headline.drift_words(drift), _texts("course", "state", "in words"), rows, bad)


def _thresholds(summary: SummaryDocument) -> str:
    results = summary["verdict"]["thresholds"]
    rows = [
        [
            result["metric"],
            thresholds.state_words(result),
            result["expression"],
            thresholds.found_text(result, summary["metrics"]),
        ]
        for result in results
    ]
    bad = [result["state"] != "PASSED" for result in results]
    return _table("", _texts("metric", "state", "expression", "found"), rows, bad)


def _blocks(blocks: Sequence[Block], label: str, seconds: float) -> str:
    return "".join(
        _table(block.title, [*_texts(label), *_FIGURES], [[row.label, *row.cells(seconds)] for row in block.rows])
        for block in blocks
    )


def _stages(summary: SummaryDocument) -> str:
    rows = [[row.label, *row.cells(measured)] for row, measured in stage_rows(summary)]
    return _table("", [*_texts("stage"), *_FIGURES], rows)


def _course(rows: list[CourseRow]) -> str:
    """Three charts that need no script and that paper shows; where scripts run, charts to hover and zoom stand there instead."""
    if not rows:
        return ""
    end = rows[-1]["start_s"] + rows[-1]["width_s"]
    lines = (
        ("calls", "Calls per second", "", [sum(row["calls"].values()) / row["width_s"] for row in rows]),
        ("failures", "Failed calls per second", "", [sum(row["failures"].values()) / row["width_s"] for row in rows]),
        ("latency", "P95 of successful calls", "ms", [row["p95"] for row in rows]),
    )
    parts = []
    for kind, name, unit, values in lines:
        highest = max((value for value in values if value is not None), default=None)
        top = f"at most {figures.quantity(highest, unit)}" if highest else "none"
        steps = [Step(row["start_s"], row["start_s"] + row["width_s"], value) for row, value in zip(rows, values, strict=True)]
        parts.append(
            f'<figure>\n<figcaption><span>{name}</span><span class="soft">{html(top)}</span></figcaption>\n'
            f"{svg(steps, end, kind, f'{name}, {top}')}\n</figure>\n"
        )
    axis = "".join(f"<span>{figures.moment(second)}</span>" for second in (0, end / 2, end))
    return f'<div class="still">{"".join(parts)}<div class="axis">{axis}</div></div>\n{CHARTS}'


def _errors(summary: SummaryDocument) -> str:
    columns = [*_texts("error"), _Column("count", "figure"), *_texts("outcome", "method", "transport", "scenario", "when")]
    rows = [
        [
            error["error"] or error["outcome"],
            figures.count(error["count"]),
            error["outcome"],
            place(error["method"], error["tool"]),
            error["transport"],
            error["scenario"],
            f"{figures.moment(error['first_s'])} to {figures.moment(error['last_s'])}",
        ]
        for error in summary["errors"]
    ]
    return _table("", columns, rows)


def _workers(summary: SummaryDocument) -> str:
    names = ("pid", "exchanges", "reports", "gaps", "CPU", "lag P50", "lag P99", "lag max", "clock offset")
    columns = [*_texts("worker", "state", "host", "when"), *(_Column(name, "figure") for name in names)]
    rows = []
    for worker in summary["workers"]:
        lag, cpu, offset = worker["loop_lag_ms"], worker["cpu_percent"], worker["clock_offset_s"]
        first, last = worker["first_s"], worker["last_s"]
        rows.append(
            [
                f"{worker['index']} {worker['id']}",
                worker["state"],
                worker["host"],
                figures.NONE if first is None or last is None else f"{figures.moment(first)} to {figures.moment(last)}",
                str(worker["pid"]),
                figures.count(worker["exchanges"]),
                figures.count(worker["sequence"]),
                figures.count(worker["gaps"]),
                figures.NONE if cpu is None else f"{cpu:.0f} %",
                *(figures.duration(value) for value in ((lag["p50"], lag["p99"], lag["max"]) if lag else (None, None, None))),
                figures.NONE if offset is None else f"{offset:+.3f} s",
            ]
        )
    bad = [worker["state"] == "lost" for worker in summary["workers"]]
    if "master" in summary:
        lag, cpu = summary["master"]["loop_lag_ms"], summary["master"]["cpu_percent"]
        late = (lag["p50"], lag["p99"], lag["max"]) if lag else (None, None, None)
        rows.append(
            ["the master", "judged", *[figures.NONE] * 6, figures.NONE if cpu is None else f"{cpu:.0f} %"]
            + [figures.duration(value) for value in late]
            + [figures.NONE]
        )
        bad.append(False)
    return _table("", columns, rows, bad)


def _preflight(summary: SummaryDocument) -> str:
    preflight = summary["preflight"]
    rows = [
        [call["method"], call["transport"], call["outcome"], figures.duration(call["duration_ms"]), call["error"]]
        for call in preflight["exchanges"]
    ]
    columns = [*_texts("method", "transport", "outcome"), _Column("took", "figure"), *_texts("error")]
    return f"<p>{html(preflight['state'])}</p>\n{_list(preflight['findings'])}{_table('', columns, rows)}"


def _run(summary: SummaryDocument) -> str:
    run = summary["run"]
    facts = [
        ["run", run["id"]],
        ["scenarios", ", ".join(run["scenarios"])],
        ["started", run["started"]],
        ["ended", run["ended"]],
        ["stopped by", run["stopped_by"]],
        ["mop-locust", run["suite_version"]],
    ]
    options = [[name, _option(value)] for name, value in sorted(run["options"].items())]
    return _table("", _texts("fact", "value"), facts) + _table("Options", _texts("option", "value"), options)


def _origin(summary: SummaryDocument) -> str:
    """What `manifest.json` tells beside the above; nothing for a run that noted none of it."""
    if "provenance" not in summary:
        return ""
    origin = summary["provenance"]
    commit = origin["server_commit"]
    facts = [
        ["command", " ".join(origin["command"])],
        ["server's commit", f"{commit['hash'] or figures.NONE} ({commit['obtained']})"],
        ["suite", origin["suite_sha256"]],
        *([f"locustfile {name}", digest] for name, digest in sorted(origin["locustfile_sha256"].items())),
        ["seed", origin["seed"]["note"]],
    ]
    machines = [
        [
            host,
            machine["kernel"],
            machine["cpu"],
            str(machine["cores"]),
            figures.size(machine["memory_bytes"]),
            figures.NONE if machine["nofile_soft"] is None else figures.count(machine["nofile_soft"]),
            " to ".join(map(str, machine["ephemeral_ports"])) or figures.NONE,
        ]
        for host, machine in sorted(origin["machines"].items())
    ]
    columns = _texts("host", "kernel", "processor", "cores", "memory", "descriptors", "ports")
    packages = [[name, number] for name, number in sorted(origin["packages"].items())]
    tables = [("", _texts("fact", "value"), facts), ("Machines", columns, machines)]
    return "".join(_table(*table) for table in [*tables, ("Packages", _texts("package", "version"), packages)])


def _option(value: OptionValue) -> str:
    if value is None:
        return figures.NONE
    return ", ".join(value) if isinstance(value, list) else str(value)
