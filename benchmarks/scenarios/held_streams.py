"""For benchmarks.memory: HTTP sessions with an event stream each, held HOLD_SECONDS and ended."""

from __future__ import annotations

import os
from typing import ClassVar

from mop_locust import MopSseUser, task

HOLD_SECONDS = float(os.environ["HOLD_SECONDS"])


class HeldStream(MopSseUser):
    """One session and one stream in the user's life."""

    scenario = "held_streams"
    thresholds: ClassVar = {"call_failures": ["count>0"]}

    def pause(self) -> float:
        return 3600.0

    @task
    def hold(self) -> None:
        with self.client.session() as session, session.stream() as stream:
            stream.watch(HOLD_SECONDS)
