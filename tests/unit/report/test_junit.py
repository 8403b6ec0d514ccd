"""`junit.xml`."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from mop_locust.report.drift import add_drift
from mop_locust.report.junit import render
from mop_locust.report.sentence import red_sentence
from mop_locust.report.table import render as table
from tests.unit.report.sample_summary import HOSTILE, dead_summary, green_summary, hostile_summary, red_summary
from tests.unit.report.soak_summary import soaked, steady


def cases(summary: Any) -> list[tuple[str, str | None, str | None]]:
    """Name, kind and message of the failure of each case."""
    found = []
    for case in ElementTree.fromstring(render(summary)).iter("testcase"):
        failure = case.find("failure")
        found.append(
            (case.attrib["name"], *((None, None) if failure is None else (failure.attrib["type"], failure.attrib["message"])))
        )
    return found


def test_a_green_run() -> None:
    """A case a threshold, one for validity, all green, and the table beside them."""
    assert cases(green_summary()) == [
        ("tools_call_failures: rate<0.05", None, None),
        ("call_latency{method:tools/list}: p(95)<250", None, None),
        ("validity", None, None),
    ]
    suite = ElementTree.fromstring(render(green_summary()))[0]
    assert {name: suite.attrib[name] for name in ("name", "tests", "failures", "errors", "time", "timestamp")} == {
        "name": "tools_call_rps",
        "tests": "3",
        "failures": "0",
        "errors": "0",
        "time": "60.020",
        "timestamp": "2026-11-22T14:46:00Z",
    }
    assert suite.findtext("system-out") == table(green_summary())
    assert {entry.attrib["name"]: entry.attrib["value"] for entry in suite.iter("property")} == {
        "run": "7f3a9c",
        "suite_version": "0.1.0",
        "verdict": "PASSED, valid",
    }


def test_a_red_run() -> None:
    """Each red threshold with its figure and limit; the sentence stands with the state that it tells of."""
    summary = red_summary()
    assert cases(summary) == [
        ("tools_call_failures: rate<0.05", "CROSSED", "crossed: 7.10 % of 9,424 (limit 5 %)"),
        ("call_latency{method:tools/list}: p(95)<250", None, None),
        ("sse_keepalive_gap: max<20000", "NO_DATA", "no data (limit 20.00 s)"),
        ("validity", "INCOMPLETE", "worker 1 was lost at 0:44; at most 1 s of its samples is missing."),
    ]
    texts = [failure.text for failure in ElementTree.fromstring(render(summary)).iter("failure")]
    assert texts[:2] == [summary["verdict"]["sentence"], None]


@pytest.mark.parametrize(
    ("verdict", "validity_case"),
    [
        ({"state": "PASSED", "validity": "degraded", "exit_code": 0, "reasons": ["r."], "sentence": ""}, (None, None)),
        ({"state": "PASSED", "validity": "degraded", "exit_code": 4, "reasons": ["r."], "sentence": "s."}, ("DEGRADED", "r.")),
        ({"state": "PASSED", "validity": "invalid", "exit_code": 4, "reasons": [], "sentence": "s."}, ("INVALID", "s.")),
        ({"state": "NO_DATA", "validity": "valid", "exit_code": 3, "reasons": [], "sentence": "s."}, ("NO_DATA", "s.")),
        ({"state": "PASSED", "validity": "valid", "exit_code": 2, "reasons": [], "sentence": "s."}, ("ERROR", "s.")),
    ],
)
def test_it_is_green_exactly_when_the_exit_code_is_0(verdict: Any, validity_case: tuple[str | None, str | None]) -> None:
    """What no threshold explains stands in the case of validity."""
    summary = green_summary()
    summary["verdict"] |= verdict
    assert cases(summary)[-1] == ("validity", *validity_case)
    suites = ElementTree.fromstring(render(summary))
    assert (suites.attrib["failures"] == "0") == (verdict["exit_code"] == 0)


def test_a_threshold_that_explains_the_code_leaves_validity_green() -> None:
    """A valid run that crossed one is a valid run."""
    assert [kind for _, kind, _ in cases(dead_summary())] == ["NO_DATA", None]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_leave_it_well_formed(text: str) -> None:
    """It parses, and holds the elements that it always holds."""
    document = ElementTree.fromstring(render(hostile_summary(text)))
    assert [element.tag for element in document.iter()] == [
        element.tag for element in ElementTree.fromstring(render(red_summary())).iter()
    ]
    assert render(hostile_summary(text)).count(b"<![CDATA[") == 0


def test_drift_is_the_failure_of_the_run_as_a_whole() -> None:
    """No threshold explains it."""
    summary = soaked(files=steady(20, per_hour=50))
    add_drift(summary, allow_degraded=False)
    summary["verdict"]["sentence"] = red_sentence(summary)
    text = render(summary).decode()
    assert 'message="CROSSED: the server\'s descriptors grow by 50 descriptors/h (95 % interval 50 to 50)."' in text
    assert 'failures="1"' in text
