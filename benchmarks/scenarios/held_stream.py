"""The first byte of an event stream, each on a connection of its own, with a pause of 0 to twice PAUSE_MS after it.

The server must be one that ends its streams at once: a stream that the client closes may still be open there when the next comes.
"""

from __future__ import annotations

import os
import random
from typing import ClassVar

import gevent

from mop_locust import MopSseUser, task


class HeldStream(MopSseUser):
    """Opens one session, then its stream, again and again."""

    scenario = "held_stream"
    thresholds: ClassVar = {"call_failures": ["rate<0.001"]}

    def on_start(self) -> None:
        gevent.sleep(random.uniform(0.0, 0.5))  # Locust starts all users at once; their first requests would queue
        self.session = self.client.session()
        self.session.initialize()

    def pause(self) -> float:
        return random.uniform(0.0, 2.0) * float(os.environ["PAUSE_MS"]) / 1000

    @task
    def first_byte(self) -> None:
        with self.session.stream():
            pass

    def on_stop(self) -> None:
        self.session.close()
        super().on_stop()
