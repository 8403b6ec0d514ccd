"""A real Chromium, driven by selenium, that tells what it complained of and what it asked for."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PATIENCE_SECONDS = 30.0


class Browser:
    """One window of so many pixels, light or dark; `close` ends it."""

    def __init__(self, profile: Path, width: int = 1280, *, dark: bool = False) -> None:
        options = webdriver.ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},1000"):
            options.add_argument(flag)
        options.binary_location = str(CHROMIUM)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
        self.look_as(width, dark=dark)
        self.open("about:blank")
        self.requests()  # those of the page that a new window has

    def look_as(self, width: int, *, dark: bool = False) -> None:
        """Makes the window so wide, and the person one who likes it light or dark."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", media="screen", features=[scheme])
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=width < 600)

    def close(self) -> None:
        """Ends the browser and its driver."""
        self.driver.quit()

    def command(self, name: str, **given: Any) -> Any:
        """One command of Chromium's own."""
        return self.driver.execute_cdp_cmd(name, given)

    def open(self, url: str) -> None:
        """Goes there."""
        self.driver.get(url)

    def script(self, text: str) -> Any:
        """What a script returns."""
        return self.driver.execute_script(text)

    def find(self, css: str) -> list[WebElement]:
        """The elements that are there now."""
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def button(self, words: str) -> WebElement:
        """The button that says this, whatever its case."""
        return next(button for button in self.find("button") if words.lower() in button.text.lower())

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits until it holds; AssertionError with what the page says when it does not in time."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < end, f"{what}:\n{self.text[-2000:]}\n{self.complaints()}"
            time.sleep(0.1)

    @property
    def text(self) -> str:
        """What a person can read."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def drag(self, element: WebElement, by: int) -> None:
        """Presses the mouse a little left of the middle, moves it by so many pixels, and lets go."""
        mouse = ActionChains(self.driver)
        mouse.move_to_element_with_offset(element, -by // 2, 0).click_and_hold().move_by_offset(by, 0).release().perform()

    def complaints(self) -> list[str]:
        """What stands in the console since the last look."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that were asked for since the last look, without those that never leave the page."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith(("data:", "blob:", "chrome:"))]
