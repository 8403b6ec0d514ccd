"""(c) Initialize, open the event stream, wait for its first byte, DELETE."""

from __future__ import annotations

from typing import ClassVar

from mop_locust import MopSseUser, task


class FirstByte(MopSseUser):
    """Opens a session and its stream, and closes both once the first byte is there."""

    scenario = "stream"
    thresholds: ClassVar = {"call_failures": ["rate<0.001"], "sse_first_byte_latency": ["p(99)<1000"]}

    @task
    def first_byte(self) -> None:
        with self.client.session() as session, session.stream():
            pass
