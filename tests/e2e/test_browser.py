"""The web UI and the report as a person sees them: in a real Chromium, with a real mouse."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from tests.e2e.browser import CHROMIUM, DRIVER, Browser
from tests.e2e.conftest import BRISK, PATIENT, RunAt
from tests.e2e.processes import LocustRun, Server, until

pytestmark = pytest.mark.skipif(not CHROMIUM or not DRIVER, reason="needs chromium and chromedriver (Debian: chromium-driver)")

RANGES = "return [...document.querySelectorAll('.plot')].map((plot) => plot._fullLayout.xaxis.range.map((end) => +new Date(end)))"
DRAWN = "return document.querySelectorAll('.plot .main-svg').length > 0"
WIDTHS = "return [document.documentElement.scrollWidth, window.innerWidth]"

Window = Callable[..., Browser]


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    """Opens browsers that are closed with the test."""
    opened: list[Browser] = []

    def make(width: int = 1280, *, dark: bool = False) -> Browser:
        opened.append(Browser(tmp_path / f"profile-{len(opened)}", width, dark=dark))
        return opened[-1]

    yield make
    for browser in opened:
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the report of a headless run of all three scenarios."""
    folder = tmp_path_factory.mktemp("reported")
    with Server(folder, "--keep-alive-seconds", "0.2") as server:
        run = LocustRun(folder / "run", server.url, **PATIENT, **BRISK)
        run.single("mixed", "-u", "6", "-t", "4s")
        run.wait()
        yield next(run.reports.glob("*/report.html")).as_uri()
        run.close()


def titles(browser: Browser) -> list[str]:
    """The titles of the charts."""
    return [found.text for found in browser.find("#charts figcaption span:first-child")]


def fill(browser: Browser, name: str, value: str) -> None:
    """Puts a value into a field of Locust's form in place of what stands there."""
    field = browser.find(f"input[name={name}]")[0]
    field.clear()
    field.send_keys(value)


def test_a_run_from_the_form_to_its_report(server: Server, run_at: RunAt, window: Window) -> None:
    """A mistake is shown where it was made; the run is seen live, also after a reload; its report is a click away."""
    run = run_at(server)
    process, url = run.web("mixed", "--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(run.port))
    for _ in range(2):
        run.worker("mixed")
    until(lambda: process.output.count("reported as ready") == 2, what="workers that are ready")
    browser = window()
    browser.open(url)
    browser.until(lambda: browser.find("input[name=userCount]"), "the form")
    accordion = next(button for button in browser.find("button") if "Custom parameters" in button.text)
    accordion.click()
    browser.until(lambda: browser.find("input[name=mopTimeoutMs]")[0].is_displayed(), "our options")
    assert "The time for one whole exchange, name lookup included." in browser.text
    assert browser.find("input[name=mopThresholds]")[0].is_displayed()
    fill(browser, "mopTimeoutMs", "-3")
    fill(browser, "mopThresholds", "ws_failuress: rate<0.1")
    browser.button("Start").click()
    browser.until(lambda: "Nothing was started" in browser.text, "what is wrong with the form")
    assert "MOP_TIMEOUT_MS (--mop-timeout-ms): '-3' is out of range" in browser.text
    assert "did you mean ws_failures?" in browser.text
    assert sum(server.counts_now()["answered"].values()) == 0
    fill(browser, "mopTimeoutMs", "5000")
    fill(browser, "mopThresholds", "ws_failures: rate<0.5")
    fill(browser, "mopSseIterations", "1000")
    browser.button("Start").click()
    browser.until(lambda: browser.find("button[role=tab]"), "the tabs")
    next(tab for tab in browser.find("button[role=tab]") if tab.text.upper() == "MOP").click()
    browser.until(lambda: "tools/list" in browser.text and "sockets open now" in browser.text, "the tab MOP")
    next(tab for tab in browser.find("button[role=tab]") if tab.text.upper() == "THRESHOLDS").click()
    browser.until(lambda: "rate<0.5" in browser.text and "so far" in browser.text, "the tab Thresholds")
    next(link for link in browser.find("a") if link.text.startswith("MOP: live")).click()
    browser.until(lambda: browser.script(DRAWN), "the charts")
    browser.until(lambda: browser.script("return document.querySelector('.plot').data[0].x.length") > 3, "a course")
    assert "PASSED, valid, so far" in browser.text
    assert "Latency, websocket" in titles(browser)
    seen = browser.script("return document.querySelector('.plot').data[0].x.length")
    browser.driver.refresh()
    browser.until(lambda: browser.script(DRAWN), "the charts after a reload")
    assert browser.script("return document.querySelector('.plot').data[0].x.length") >= seen
    browser.script("fetch('stop', {method: 'POST'})")
    browser.until(lambda: browser.find("a[href^='mop/report/']"), "the link to the report")
    assert "PASSED, valid\n" in browser.text
    asked = browser.requests()
    assert len(asked) > 10
    assert [address for address in asked if not address.startswith(url)] == []
    browser.find("a[href^='mop/report/']")[0].click()
    browser.until(lambda: browser.script(DRAWN), "the report")
    assert [name for name in titles(browser) if "generators" not in name and not name.startswith("Server: ")] == [
        "Load",
        "Failures by class",
        *(f"Latency, {transport}" for transport in ("http", "sse", "websocket")),
        *(f"How the latencies are spread, {transport}" for transport in ("http", "sse", "websocket")),
        "Open at the server",
    ]
    assert browser.complaints() == []
    process.signal(signal.SIGINT)
    run.wait()


def test_the_report_alone(report: str, window: Window) -> None:
    """From a file, without any request: a mouse reads a value, zooms all charts at once, and goes back."""
    browser = window()
    browser.open(report)
    browser.until(lambda: browser.script(DRAWN), "the charts")
    whole = browser.script(RANGES)
    assert whole == [whole[0]] * len(whole)
    plot = browser.find(".plot .nsewdrag")[0]
    ActionChains(browser.driver).move_to_element(plot).perform()
    browser.until(lambda: "calls per s" in browser.script("return document.querySelector('.hoverlayer').textContent"), "a value")
    lines = "return [...document.querySelectorAll('.plot')].map((plot) => getComputedStyle(plot, '::after').left)"
    assert len(set(browser.script(lines))) == 1  # a line at the same moment in each chart
    assert float(browser.script(lines)[0].removesuffix("px")) > 50
    browser.drag(plot, 150)
    browser.until(lambda: browser.script(RANGES) != whole, "a zoom")
    zoomed = browser.script(RANGES)
    assert zoomed == [zoomed[0]] * len(whole)
    assert whole[0][0] < zoomed[0][0] < zoomed[0][1] < whole[0][1]
    ActionChains(browser.driver).move_to_element(plot).double_click().perform()
    browser.until(lambda: browser.script(RANGES) == whole, "the whole course again")
    assert browser.requests() == [report]
    assert browser.complaints() == []


def test_nothing_is_wider_than_the_window(report: str, window: Window) -> None:
    """On a phone and on a screen, in the light and in the dark; the charts' ink is that of the scheme."""
    browser = window()
    for width in (400, 1280):
        for dark in (False, True):
            browser.look_as(width, dark=dark)
            browser.open(report)
            browser.until(lambda: browser.script(DRAWN), "the charts")
            scroll, inner = browser.script(WIDTHS)
            assert scroll <= inner == width
            ink = browser.script("return document.querySelector('.plot').layout.font.color")
            assert ink == ("#9aa4ae" if dark else "#57606a")
    assert browser.complaints() == []


def test_paper_and_a_browser_without_scripts_get_the_still_charts(report: str, window: Window) -> None:
    """The three that are in the page itself; the others are not there."""
    browser = window()
    browser.open(report)
    browser.until(lambda: browser.script(DRAWN), "the charts")
    shown = "return ['.still', '#charts'].map((place) => getComputedStyle(document.querySelector(place)).display)"
    assert browser.script(shown) == ["none", "grid"]
    browser.command("Emulation.setEmulatedMedia", media="print")
    assert browser.script(shown) == ["block", "none"]
    browser.command("Emulation.setEmulatedMedia", media="screen")
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(report)
    assert "Calls per second" in browser.text
    assert "Point at a chart" not in browser.text
