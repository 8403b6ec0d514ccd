"""`capacity.html`."""

from __future__ import annotations

import json
import re

import pytest

from mop_locust.capacity.page import page
from mop_locust.capacity.result import Capacity, conclude
from mop_locust.capacity.search import Answer, Plan, Search
from mop_locust.report import library
from tests.unit.capacity.open_runs import step
from tests.unit.report.test_html import Page

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def capacity(answer: Answer = Answer.SERVER, why: str = "nothing came", scenario: str = "storm") -> Capacity:
    """20/s hold, 40/s do not."""
    search = Search(Plan(10, 40, 1.0))
    steps = [step(10), step(20), step(40, answer, why, 400), step(40, answer, why, None), step(20)]
    for one in steps:
        search.tell(one.answer)
    return conclude(search, steps, scenario=scenario, targets=[scenario], workers=2, step_seconds=10, ceiling=None)


def test_it_has_the_sentence_the_table_and_the_reasons() -> None:
    """And reads without a script."""
    seen = Page(page(capacity()))
    assert "Capacity of storm" in seen.text
    assert "storm: the server holds 20/s; at 40/s nothing came." in seen.text
    rows = [attributes for name, attributes in seen.elements if name == "tr"]
    assert len(rows) == 2 + 5
    assert [attributes.get("class") for attributes in rows[2:]] == [None, None, None, "bad", "bad"]
    assert "20/s holds, knee" in seen.text
    assert seen.text.count("40/s: nothing came") == 2
    columns = [attributes["data-label"] for name, attributes in seen.elements if name == "td"][:12]
    assert columns == ["answer", "iterations", "dropped", "failed", "P50", "P95", "P99", "P50", "P95", "P99", "CPU", "lag P99"]


def test_the_chart_gets_the_steps_in_the_order_of_their_rates() -> None:
    """With what holds, and the knee."""
    source = page(capacity())
    (content,) = re.findall('<script type="application/json" id="curve">(.*?)</script>', source)
    drawn = json.loads(content)
    assert (drawn["holds"], drawn["knee"]) == (20, 20)
    assert [one["rate"] for one in drawn["steps"]] == [10, 20, 20, 40, 40]
    assert drawn["steps"][3]["intended"] == {"p50": 200, "p95": 400, "p99": 800}
    assert drawn["steps"][4]["intended"] is None


def test_only_its_own_scripts_may_run() -> None:
    """By their hashes, and nothing is fetched."""
    source = page(capacity())
    policy = next(attributes["content"] for _, attributes in Page(source).elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; ")
    for name in ("plotly.js", "curve.js"):
        assert f"<script>{library.script(name)}</script>" in source
        assert library.source_hash(library.script(name)) in policy


def test_text_of_strangers_is_inert() -> None:
    """In every place that it can reach."""
    source = page(capacity(why=HOSTILE, scenario=HOSTILE))
    names = [name for name, _ in Page(source).elements]
    assert names.count("script") == 3
    assert "img" not in names


@pytest.mark.parametrize(("answer", "colour"), [(Answer.SERVER, "good"), (Answer.GENERATOR, "warn")])
def test_the_colour_of_the_answer(answer: Answer, colour: str) -> None:
    """Green for a result, amber where the generator was the limit."""
    assert f'<div class="verdict {colour}">' in page(capacity(answer))


def test_red_for_a_server_that_holds_nothing() -> None:
    """And there is nothing to mark, nor a reason to list where no step was made."""
    gone = conclude(
        Search(Plan(10, 40, 1.0)), [], scenario="storm", targets=[], workers=0, step_seconds=10, ceiling=None, gone="refused"
    )
    source = page(gone)
    assert '<div class="verdict bad">' in source
    assert "<li>" not in source
