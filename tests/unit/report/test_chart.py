"""Small line charts."""

from __future__ import annotations

from xml.etree import ElementTree

from mop_locust.report.chart import Step, svg


def path(*steps: Step, end_s: float = 10) -> str:
    """The line that the chart draws."""
    element = ElementTree.fromstring(svg(steps, end_s, "calls", "A label")).find("path")
    assert element is not None
    return element.attrib["d"]


def test_steps_are_joined_and_scaled() -> None:
    """From left to right over 1000, the greatest value near the top at 2, zero at 98."""
    assert path(Step(0, 5, 0.0), Step(5, 10, 40.0)) == "M0 98H500L500 2H1000"


def test_a_gap_is_a_gap() -> None:
    """No line where there is no value, neither between nor before."""
    assert path(Step(0, 1, None), Step(1, 2, 1.0), Step(2, 3, None), Step(3, 4, 0.5)) == "M100 2H200M300 50H400"


def test_nothing_and_zero_can_be_drawn() -> None:
    """No value gives no line, only zeros one at the bottom."""
    assert path(Step(0, 10, None)) == ""
    assert path(Step(0, 10, 0.0)) == "M0 98H1000"


def test_it_says_what_it_shows() -> None:
    """For those who cannot see it; its class chooses the colour."""
    element = ElementTree.fromstring(svg([Step(0, 1, 1.0)], 1, "failures", 'a "label" <b>'))
    assert element.attrib["aria-label"] == 'a "label" <b>'
    assert element.attrib["role"] == "img"
    assert [child.attrib["class"] for child in element] == ["failures"]
