"""A server that puts hostile texts into every field that it controls changes nothing but texts, in every output."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from tests.e2e.conftest import RunAt
from tests.e2e.processes import LocustRun, Started
from tests.unit.report.sample_summary import HOSTILE

HERE = Path(__file__).parent
SCENARIO = HERE / "locustfiles" / "believes_everything.py"
ESCAPES_FROM_CODE = "a` @everyone <b>x</b> https://example.org/ `b"
TEXTS = [*(text for text in HOSTILE if text and "\ud800" not in text), ESCAPES_FROM_CODE]
# What no terminal, no file for people and no XML may get: controls, escapes, direction marks, zero width but the one of ours.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200c-\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
FORMULA = re.compile(r"""^[\s"]*[=+\-@\uff1d\uff0b\uff0d\uff20]""")  # a ' before it makes it a text


class Page(HTMLParser):
    """The elements of a page, with what stands in its scripts."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)


@pytest.fixture
def hostile(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The hostile server, with the options of the test's parameter; gives its URL."""
    (tmp_path / "texts.json").write_text(json.dumps(TEXTS))
    command = [sys.executable, str(HERE / "hostile_server.py"), str(tmp_path / "texts.json"), *getattr(request, "param", [])]
    server = Started("hostile", command, tmp_path, {})
    try:
        server.says("/mcp ws")
        yield server.output.partition(": ")[2].partition("/mcp")[0]
    finally:
        server.end()


def is_inert(text: str) -> None:
    """Nothing in it moves a cursor, turns a direction or hides."""
    assert UNSEEN.findall(text.replace("\r\n", "\n")) == []


def is_inert_markdown(source: str) -> None:
    """A renderer makes no link, image, markup or HTML of it, and GitHub no mention, reference or link."""
    is_inert(source)
    html = MarkdownIt("gfm-like", {"linkify": False}).render(source)
    assert set(re.findall(r"<(\w+)", html)) <= {
        *("h1", "h3", "p", "strong", "code", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"),
    }
    for table in re.findall(r"(?:^\|.*\n)+", source, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table
    prose = re.sub(r"`[^`\n]*`", "", source)
    assert re.findall(r"@\w|(?<![#\w&])#\d|\bGH-\d|https?://|www\.", prose) == []


def is_inert_folder(folder: Path) -> None:
    """Every file that a run leaves."""
    assert {file.name for file in folder.iterdir()} == {
        *("summary.json", "report.html", "summary.md", "junit.xml", "windows.csv", "server.csv", "manifest.json"),
    }
    page = Page((folder / "report.html").read_text())
    assert page.tags & {"img", "iframe", "object", "embed", "base", "form", "input", "link"} == set()
    assert [name for name in page.attributes if name.startswith("on") or name in ("href", "src")] == []
    assert [script for script in page.scripts if script.strip().startswith("alert")] == []
    if not page.scripts:
        is_inert((folder / "report.html").read_text())
    root = ElementTree.fromstring((folder / "junit.xml").read_bytes())
    assert {element.tag for element in root.iter()} <= {
        *("testsuites", "testsuite", "properties", "property", "testcase", "failure", "system-out"),
    }
    for element in root.iter():
        is_inert("".join([element.text or "", *element.attrib.values()]))
    for table in ("windows.csv", "server.csv"):
        is_inert((folder / table).read_text())
        with (folder / table).open(newline="") as file:
            rows = list(csv.reader(file))
        assert {len(row) for row in rows} == {len(rows[0])}
        for cell in {cell for row in rows for cell in row}:
            assert re.fullmatch(r"-?[\d.]+(e-?\d+)?|", cell) or not FORMULA.match(cell), cell
    is_inert_markdown((folder / "summary.md").read_text())
    for name in ("summary.json", "manifest.json"):
        is_inert(re.sub(r"[^\x00-\x7f]", "", (folder / name).read_text()))  # JSON escapes the rest of them
        json.loads((folder / name).read_bytes())


def run_of(run: LocustRun) -> Path:
    """The only folder of a run."""
    (folder,) = (path for path in run.reports.iterdir() if path.is_dir())
    return folder


def test_hostile_texts_are_inert_in_every_output(hostile: str, run_at: RunAt, tmp_path: Path) -> None:
    """They are there, as tags, errors and names; but no terminal, browser, spreadsheet, renderer or XML reader obeys them."""
    run = run_at(hostile)
    run.command(str(SCENARIO), "-u", "6", "-t", "2s")
    assert run.wait() == 3, run.output
    is_inert(run.output)
    folder, summary = run_of(run), run.summary
    tools = {key for key in summary["metrics"] if key.startswith("calls{method:tools/call")}
    assert len(tools) >= len(TEXTS) - 2  # two texts of which the same is left count as one tool
    outcomes = {row["outcome"] for row in summary["errors"]}
    assert outcomes >= {"rpc_error", "tool_error", "protocol", "http_status", "check"}
    assert {row["transport"] for row in summary["errors"]} >= {"http", "websocket"}
    assert "onerror" in summary["run"]["server"]["name"]
    assert summary["provenance"]["server_commit"]["hash"] is None
    assert any(row["error"] != "" and row["outcome"] == "check" for row in summary["errors"])
    is_inert_folder(folder)

    other = tmp_path / "other"
    shutil.copytree(folder, other)
    again = [
        run.mop_locust("compare", str(folder), str(other), "--markdown", "c.md", "--json", "c.json"),
        run.mop_locust("judge", str(folder)),
        run.mop_locust("report", str(other)),
    ]
    assert [command.wait() for command in again] == [0, 3, 0], [command.output for command in again]
    for command in again:
        is_inert(command.output)
    assert "tools/call" in again[0].output
    is_inert_markdown((run.folder / "c.md").read_text())
    is_inert_folder(other)


@pytest.mark.parametrize("hostile", [["--refuse"]], indirect=True)
def test_hostile_texts_of_a_server_that_refuses_are_inert(hostile: str, run_at: RunAt) -> None:
    """The preflight tells what the server said."""
    run = run_at(hostile)
    run.command(str(SCENARIO), "-u", "2", "-t", "1s")
    assert run.wait() == 3, run.output
    assert "alert(1)" in str(run.summary["preflight"]["findings"])
    is_inert(run.output)
    is_inert_folder(run_of(run))
