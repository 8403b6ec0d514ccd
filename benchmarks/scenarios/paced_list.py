"""For benchmarks.latency: `tools/list` on a kept session, with a pause of 0 to 2 x PAUSE_MS between two of a user."""

from __future__ import annotations

import os
import random
from typing import ClassVar

from mop_locust import MopHttpUser, task

PAUSE_SECONDS = float(os.environ["PAUSE_MS"]) / 1000


class PacedList(MopHttpUser):
    """Opens one session and asks for its tools at a moderate rate."""

    scenario = "paced_list"
    thresholds: ClassVar = {"call_failures": ["rate<0.001"]}

    def on_start(self) -> None:
        self.session = self.client.session()
        self.session.initialize()

    def pause(self) -> float:
        return random.uniform(0.0, 2 * PAUSE_SECONDS)

    @task
    def list_tools(self) -> None:
        self.session.list_tools()

    def on_stop(self) -> None:
        self.session.close()
        super().on_stop()
