"""The page of a capacity as a person sees it, in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop_locust.capacity.page import page
from tests.e2e.browser import CHROMIUM, DRIVER, Browser
from tests.unit.capacity.test_page import capacity

pytestmark = pytest.mark.skipif(not CHROMIUM or not DRIVER, reason="needs chromium and chromedriver (Debian: chromium-driver)")

DRAWN = "return document.querySelectorAll('#charts .main-svg').length > 0"


def test_the_curve_is_drawn(tmp_path: Path) -> None:
    """With what holds and the knee; no wider than the window, in the light and in the dark, and nothing is fetched."""
    (tmp_path / "capacity.html").write_text(page(capacity()))
    address = (tmp_path / "capacity.html").as_uri()
    browser = Browser(tmp_path / "profile")
    try:
        for width, dark in ((400, False), (1280, True)):
            browser.look_as(width, dark=dark)
            browser.open(address)
            browser.until(lambda: browser.script(DRAWN), "the curve")
            assert [found.text for found in browser.find("#charts .legendtext")] == [
                "P50",
                "P95",
                "P99",
                "P95 from the real start",
            ]
            assert [found.text for found in browser.find("#charts .annotation-text")] == ["holds", "knee"]
            assert len(browser.find("#charts .scatterlayer .trace:first-child path.point")) == 4  # one step has no latency
            assert browser.script("return document.documentElement.scrollWidth") <= width
        assert browser.requests() == [address, address]
        assert browser.complaints() == []
    finally:
        browser.close()
