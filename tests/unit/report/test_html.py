"""`report.html`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from mop_locust.report import library
from mop_locust.report.course import course
from mop_locust.report.drift import add_drift
from mop_locust.report.html import fragments, render
from mop_locust.report.style import CSS, POLICY
from mop_locust.report.text import plain
from tests.unit.report.sample_summary import HOSTILE, dead_summary, green_summary, hostile_summary, red_summary, told_summary
from tests.unit.report.soak_summary import soaked, steady

VOID = {"meta"}


class Page(HTMLParser):
    """What a browser would see: the elements with their attributes, and the text; unbalanced tags fail."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text += data


def drawn_by(source: str) -> Any:
    """What the scripts are given to draw."""
    found = re.findall('<script type="application/json" id="course">(.*?)</script>', source)
    assert len(found) == 1
    assert "<" not in found[0]
    return json.loads(found[0])


def sections(source: str) -> list[str]:
    """The titles of the sections."""
    return re.findall("<h2>(.*?)</h2>", source)


def test_a_red_run_has_every_section() -> None:
    """In the order in which a reader asks."""
    assert sections(render(red_summary())) == [
        "Thresholds",
        "Course of the run",
        "Calls",
        "Also measured",
        "Errors",
        "Phases, and calls that did not succeed",
        "Workers",
        "Preflight",
        "Run",
    ]


def test_a_dead_target_has_only_what_there_is() -> None:
    """No empty tables."""
    assert sections(render(dead_summary())) == ["Thresholds", "Preflight", "Run"]


def test_the_verdict_stands_first_with_its_reasons() -> None:
    """In words and in colour."""
    for build, colour, said in (
        (green_summary, "good", ["PASSED, valid", "Workers at 31 % of a core, loop lag P99 0.9 ms."]),
        (red_summary, "bad", ["CROSSED, incomplete, exit code 4", '664 of 669 were "HTTP 503"', "incomplete: worker 1 was lost"]),
        (dead_summary, "bad", ["NO DATA, valid, exit code 3", "refused."]),
    ):
        page = Page(render(build()))
        assert ("div", {"class": f"verdict {colour}"}) in page.elements
        head = page.text[: page.text.index("Thresholds")]
        assert all(text in head for text in said)
    degraded = green_summary()
    degraded["verdict"]["validity"] = "degraded"
    assert ("div", {"class": "verdict warn"}) in Page(render(degraded)).elements


def test_the_tables_hold_the_figures() -> None:
    """Each cell carries the name of its column for narrow screens; what is red is marked."""
    source = render(red_summary())
    assert '<tr class="bad"><th scope="row">tools_call_failures</th><td class="text" data-label="state">crossed</td>' in source
    assert '<td class="figure" data-label="failed">14.09 %</td>' in source
    assert '<th scope="row">HTTP 503</th><td class="figure" data-label="count">664</td>' in source
    assert '<tr class="bad"><th scope="row">1 worker-1</th><td class="text" data-label="state">lost</td>' in source
    assert '<td class="figure" data-label="clock offset">-0.001 s</td>' in source
    assert '<th scope="row">MOP_THRESHOLDS</th><td class="text" data-label="value">a: rate&lt;1, b: rate&lt;1</td>' in source
    assert '<th scope="row">MOP_RPS_TOOL</th><td class="text" data-label="value">-</td>' in source


def test_the_master_stands_under_its_workers() -> None:
    """It judged; what it does not have, as a clock offset, is no zero."""
    summary = green_summary()
    lag = {"p50": 0.1, "p99": 2.0, "max": 31.0}
    summary["master"] = {"cpu_percent": 3.4, "rss_bytes": 9e7, "open_files": 40.0, "loop_lag_ms": lag}  # type: ignore[typeddict-item]
    source = render(summary)
    assert '<th scope="row">the master</th><td class="text" data-label="state">judged</td>' in source
    assert '<td class="figure" data-label="CPU">3 %</td><td class="figure" data-label="lag P50">0.1 ms</td>' in source
    assert '<td class="figure" data-label="lag max">31 ms</td><td class="figure" data-label="clock offset">-</td>' in source
    summary["master"] |= {"cpu_percent": None, "loop_lag_ms": None}  # type: ignore[typeddict-item]
    assert '<td class="figure" data-label="CPU">-</td><td class="figure" data-label="lag P50">-</td>' in render(summary)


def test_the_charts_say_their_range_in_words() -> None:
    """What is drawn can be read too; nothing failed is said so."""
    labels = [attributes["aria-label"] for tag, attributes in Page(render(red_summary())).elements if tag == "svg"]
    assert labels == [
        "Calls per second, at most 70",
        "Failed calls per second, at most 35",
        "P95 of successful calls, at most 2.7 ms",
    ]
    assert "Failed calls per second, none" in render(green_summary())
    assert '<div class="axis"><span>0:00</span><span>0:30</span><span>1:00</span></div>' in render(green_summary())


def test_the_course_alone_without_values() -> None:
    """Windows in which nothing succeeded."""
    summary = green_summary()
    summary["windows"] = [{"start_s": 0, "width_s": 60, "series": {}, "gauges": {}}]
    assert "P95 of successful calls, none" in render(summary)


def test_it_needs_nothing_from_outside() -> None:
    """One file: no picture, link, frame or form, no address to fetch from, and a policy that says so."""
    source = render(red_summary())
    page = Page(source)
    assert not {"img", "a", "link", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in page.elements}
    assert not [
        name for _, attributes in page.elements for name in attributes if name in ("src", "href", "style") or name[:2] == "on"
    ]
    assert "url(" not in CSS
    assert "@import" not in CSS
    found = [held["content"] for _, held in page.elements if held.get("http-equiv") == "Content-Security-Policy"]
    assert len(found) == 1
    assert found[0].startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    assert source.index("Content-Security-Policy") < source.index("<style>")
    assert f"<style>{CSS}</style>" in source
    assert len(source) < 6_000_000


def test_the_policy_lets_the_inlined_scripts_run_and_no_other() -> None:
    """Each by the hash of what stands between its tags."""
    source = render(green_summary())
    scripts = re.findall("<script>(.*?)</script>", source, re.DOTALL)
    assert len(scripts) == 3
    assert scripts[0] == library.script("plotly.js")
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts]
    assert f"script-src {' '.join(hashes)}; img-src data:; base-uri 'none'; form-action 'none'" in source


def test_what_is_drawn_is_in_the_page() -> None:
    """The rows of the course, the names of the workers, and what the server's own side gave."""
    summary: Any = green_summary()
    drawn = drawn_by(render(summary))
    assert drawn["rows"] == course(summary)
    assert len(drawn["rows"]) == 61  # what is left of the last second is a row too
    assert drawn["workers"] == {"worker-0": "worker 0", "worker-1": "worker 1"}
    assert drawn["server"] == summary["server_side"]["samples"]
    summary["run"]["workers"] = 0
    assert drawn_by(render(summary))["workers"] == {}
    del summary["server_side"]
    assert drawn_by(render(summary))["server"] == []


def test_a_run_without_a_course_has_no_script() -> None:
    """It stays small, and its policy stays strict."""
    source = render(dead_summary())
    assert "<script" not in source
    assert f'content="{POLICY}"' in source
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")
    assert len(source) < 20_000


def test_what_a_run_that_goes_on_shows() -> None:
    """The same parts as the report has, by name, and a verdict that is one so far."""
    summary = red_summary()
    summary["run"]["ended"] = ""
    parts = fragments(summary)
    assert list(parts) == ["head", "thresholds", "calls", "stages", "also", "errors", "workers"]
    assert "<strong>CROSSED, incomplete, so far</strong>" in parts["head"]
    whole = render(summary)
    assert all(part in whole for part in parts.values())
    assert [name for name, part in fragments(dead_summary()).items() if not part] == [
        "calls",
        "stages",
        "also",
        "errors",
        "workers",
    ]
    waits = dead_summary()
    waits["run"]["ended"] = ""
    assert '<div class="verdict warn">' in fragments(waits)["head"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_text(text: str) -> None:
    """The page has the elements and attributes that it has with harmless texts, and shows the hostile ones as they are."""
    page, harmless = Page(render(hostile_summary(text))), Page(render(hostile_summary("harmless")))
    names = [(tag, sorted(attributes)) for tag, attributes in page.elements]
    if text:
        assert names == [(tag, sorted(attributes)) for tag, attributes in harmless.elements]
        assert plain(text)[:150] in page.text
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in harmless.elements}
    assert list(drawn_by(render(hostile_summary(text)))["workers"]) == [plain(text)]


def test_the_style_sheet_is_for_phones_paper_and_the_dark() -> None:
    """And it cannot end its own element."""
    assert "prefers-color-scheme: dark" in CSS
    assert "@media print" in CSS
    assert "max-width: 42rem" in CSS
    assert "<" not in CSS


def test_it_says_where_the_run_came_from() -> None:
    """Command, the server's commit, machines and packages, as the manifest has them; nothing of a run that noted none."""
    page = render(told_summary())
    for text in (
        "mop-locust run tools_call_rps --workers 2",
        "0123abc (asked: /health)",
        "Example CPU",
        "32768 to 60999",
        "26.9.0",
    ):
        assert text in page
    assert "Where it came from" in page
    assert "Where it came from" not in render(green_summary())


def test_the_servers_own_side_has_a_line_in_the_head() -> None:
    """CPU, memory, descriptors and sessions of the server."""
    assert "<p>Server: CPU up to 72 % of a core, RSS 19.1 MiB to 26.7 MiB" in render(told_summary())


def test_drift_has_a_section_in_which_the_red_ones_are_marked() -> None:
    """A run that is no soak has none."""
    summary = soaked(files=steady(20, per_hour=50))
    add_drift(summary, allow_degraded=False)
    section = render(summary).partition("<h2>Drift</h2>")[2].partition("</section>")[0]
    assert "<caption>drift, from 10:28 to 1:00:00 of the run</caption>" in section
    assert section.count('<tr class="bad">') == 1
    assert '<tr class="bad"><th scope="row">the server&#x27;s descriptors</th>' in section
    assert "<h2>Drift</h2>" not in render(green_summary())
