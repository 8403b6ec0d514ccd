"""WebSocket ping on a kept session, with a pause of 0 to twice PAUSE_MS, so that the users do not march in step."""

from __future__ import annotations

import os
import random
from typing import ClassVar

import gevent

from mop_locust import MopWebSocketUser, task


class HeldPing(MopWebSocketUser):
    """Opens one socket and pings over it, again and again."""

    scenario = "held_ping"
    thresholds: ClassVar = {"call_failures": ["rate<0.001"]}

    def on_start(self) -> None:
        gevent.sleep(random.uniform(0.0, 0.5))  # Locust starts all users at once; their first requests would queue
        self.session = self.client.connect()
        self.session.open()

    def pause(self) -> float:
        return random.uniform(0.0, 2.0) * float(os.environ["PAUSE_MS"]) / 1000

    @task
    def ping(self) -> None:
        self.session.probe("ping")

    def on_stop(self) -> None:
        self.session.close()
        super().on_stop()
