"""For benchmarks.memory: WebSocket sessions that are opened, answer once, are held HOLD_SECONDS and closed."""

from __future__ import annotations

import os
from typing import ClassVar

from mop_locust import MopWebSocketUser, task

HOLD_SECONDS = float(os.environ["HOLD_SECONDS"])


class HeldSocket(MopWebSocketUser):
    """One session in the user's life."""

    scenario = "held_sockets"
    thresholds: ClassVar = {"call_failures": ["count>0"]}

    def pause(self) -> float:
        return 3600.0

    @task
    def hold(self) -> None:
        with self.client.connect() as session:
            session.probe("ping")
            session.hold(HOLD_SECONDS)
