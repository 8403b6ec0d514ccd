"""`tools/list` on a kept session, with a pause of 0 to twice PAUSE_MS, so that the users do not march in step."""

from __future__ import annotations

import os
import random
from typing import ClassVar

import gevent

from mop_locust import MopHttpUser, task


class HeldList(MopHttpUser):
    """Opens one session and asks for its tools, again and again."""

    scenario = "held_list"
    thresholds: ClassVar = {"call_failures": ["rate<0.001"]}

    def on_start(self) -> None:
        gevent.sleep(random.uniform(0.0, 0.5))  # Locust starts all users at once; their first requests would queue
        self.session = self.client.session()
        self.session.initialize()

    def pause(self) -> float:
        return random.uniform(0.0, 2.0) * float(os.environ["PAUSE_MS"]) / 1000

    @task
    def list_tools(self) -> None:
        self.session.list_tools()

    def on_stop(self) -> None:
        self.session.close()
        super().on_stop()
